/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/bus.h"

#include <errno.h>
#include <string.h>

static uint64_t slot_read(void *context, unsigned bar, uint64_t offset, unsigned width)
{
	struct bus_slot *slot = context;

	return pci_bar_read(slot->pci, bar, offset, width);
}

static void slot_write(void *context, unsigned bar, uint64_t offset, unsigned width, uint64_t value)
{
	struct bus_slot *slot = context;

	pci_bar_write(slot->pci, bar, offset, width, value);
}

static void slot_claim(struct bus_slot *slot, unsigned index)
{
	const struct pci_bar *bar = &slot->pci->bars[index];
	struct space_claim *claim = &slot->claims[index];
	uint64_t base = pci_bar_address(slot->pci, index);

	if (!base)
		space_drop(claim);
	else if (!claim->space || claim->base != base)
		space_claim(bar->io ? slot->bus->io : slot->bus->memory, claim, &slot->owner, index,
			    base, bar->size);
}

static void slot_moved(void *context)
{
	struct bus_slot *slot = context;

	for (unsigned i = 0; i < PCI_REGIONS; i++)
		slot_claim(slot, i);
}

void bus_init(struct pci_bus *bus, struct space *memory, struct space *io)
{
	*bus = (struct pci_bus){.memory = memory, .io = io};
}

int bus_plug(struct pci_bus *bus, unsigned device, struct pci_function *pci)
{
	struct bus_slot *slot = &bus->slots[device % BUS_DEVICES];

	if (device >= BUS_DEVICES)
		return -EINVAL;
	if (slot->pci)
		return -EBUSY;
	*slot = (struct bus_slot){bus, pci, {slot, slot_read, slot_write}, {{0}}};
	pci->watch = (struct pci_watch){slot, slot_moved};
	slot_moved(slot);
	return 0;
}

void bus_unplug(struct pci_bus *bus, unsigned device)
{
	struct bus_slot *slot = &bus->slots[device % BUS_DEVICES];

	if (device >= BUS_DEVICES || !slot->pci)
		return;
	for (unsigned i = 0; i < PCI_REGIONS; i++)
		space_drop(&slot->claims[i]);
	slot->pci->watch = (struct pci_watch){0};
	slot->pci = NULL;
}

struct pci_function *bus_function(struct pci_bus *bus, uint32_t bdf)
{
	if (bdf >> 8 || bdf & 7)
		return NULL;
	return bus->slots[bdf >> 3].pci;
}

uint64_t bus_config_read(struct pci_bus *bus, uint32_t bdf, unsigned offset, unsigned width)
{
	const struct pci_function *pci = bus_function(bus, bdf);
	uint64_t value = 0;

	memset(&value, 0xff, width);
	if (pci)
		pci_config_read(pci, offset, width, &value);
	return value;
}

void bus_config_write(struct pci_bus *bus, uint32_t bdf, unsigned offset, unsigned width,
		      uint64_t value)
{
	struct pci_function *pci = bus_function(bus, bdf);

	if (pci)
		pci_config_write(pci, offset, width, &value);
}
