/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "nic/nic.h"
#include "vmm/pci.h"

/*
 * A NIC and its configuration space as a file of JSON:
 *
 *   {"format": "anynic state 1", "card": NAME, "fingerprint": "0x…",
 *    "values": {"BANK.REGISTER": "0x…", "memory.NAME": "hex bytes", …}}
 */
int snapshot_save(struct nic *nic, const struct pci_function *pci, const char *card,
		  const char *path, struct error *err);
int snapshot_load(struct nic *nic, struct pci_function *pci, const char *card, const char *path,
		  struct error *err);
