/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "vmm/pci.h"
#include "vmm/space.h"

/*
 * Virtual PCI bus: functions at device numbers, each function 0 of its device
 * on bus 0. A BAR is claimed in its space while it is decoded and holds an
 * address; 0 is no address. Moving a BAR or switching decoding moves the claims.
 */
enum { BUS_DEVICES = 32 };

struct bus_slot {
	struct pci_bus *bus;
	struct pci_function *pci;
	struct space_owner owner;
	struct space_claim claims[PCI_REGIONS];
};

struct pci_bus {
	struct space *memory, *io;
	struct bus_slot slots[BUS_DEVICES];
};

static inline uint32_t bus_bdf(unsigned bus, unsigned device, unsigned function)
{
	return bus << 8 | device << 3 | function;
}

void bus_init(struct pci_bus *bus, struct space *memory, struct space *io);
int bus_plug(struct pci_bus *bus, unsigned device, struct pci_function *pci); /* -EBUSY, -EINVAL */
void bus_unplug(struct pci_bus *bus, unsigned device);
struct pci_function *bus_function(struct pci_bus *bus, uint32_t bdf); /* NULL: nobody is there */

/* Width 1 to 8; nobody there: all-ones, dropped. */
uint64_t bus_config_read(struct pci_bus *bus, uint32_t bdf, unsigned offset, unsigned width);
void bus_config_write(struct pci_bus *bus, uint32_t bdf, unsigned offset, unsigned width,
		      uint64_t value);
