/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#define ANYNIC_HOST
#include "anynic/module.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The hooks seam: code that a card has besides its description, as the generic
 * NIC calls it. One instance serves one NIC; src/module/ makes them. CALL holds
 * what a module gives, each hook NULL where it does not; they are called with
 * SELF, which belongs to the loader. What a module may ask for is in service.h.
 */
struct nic;

struct hooks {
	struct anynic_module call;
	struct anynic_nic *self; /* NULL: nic_hooks() puts the NIC there */
	struct nic *nic;	 /* set by nic_hooks() */
	const char *name;	 /* of the module, for people */
	void (*close)(struct hooks *hooks);
};

/* Takes HOOKS over, also if it fails: 0, or what its start() said. Once, before anything runs. */
int nic_hooks(struct nic *nic, struct hooks *hooks);
/* NULL: it works; else why its module was stopped. The card answers all ones then. */
const char *nic_failed(const struct nic *nic);
