/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "nic/nic.h"

#include <stddef.h>

/*
 * The whole state of a NIC, as values and bytes under keys. One walk is used for
 * saving and for loading, so neither can forget what the other knows. NUMBER and
 * BYTES give or take what is there; false: there is none under this key.
 */
struct exchange {
	void *context;
	bool loading;
	bool (*number)(void *context, const char *key, uint64_t *value);
	bool (*bytes)(void *context, const char *key, uint8_t *data, size_t length);
	struct error *err; /* the first thing that was wrong */
};

/* Says whether two NICs are of the same description. */
uint64_t nic_fingerprint(const struct nic *nic);

/* 0; -EAGAIN: guest memory is being waited for, save later; -EINVAL. Not within an access. */
int nic_save(struct nic *nic, struct exchange *exchange);
/* What is given is looked at as a whole first: where something is wrong nothing is changed. */
int nic_load(struct nic *nic, struct exchange *exchange);
