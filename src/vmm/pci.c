/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Configuration space is four byte arrays: values, which bits the driver may
 * write, which it clears by writing 1, and what a reset brings back. BAR sizing
 * needs no code: the address bits below the size are not writable.
 */
#include "vmm/pci.h"

#include <errno.h>
#include <string.h>

enum {
	PCI_VENDOR = 0x00,
	PCI_DEVICE = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_CLASS = 0x09,
	PCI_CACHE_LINE = 0x0c,
	PCI_LATENCY = 0x0d,
	PCI_BAR0 = 0x10,
	PCI_BARS_END = PCI_BAR0 + PCI_BARS * 4,
	PCI_SUBSYSTEM_VENDOR = 0x2c,
	PCI_SUBSYSTEM = 0x2e,
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,
	PCI_INTERRUPT_PIN = 0x3d,
	PCI_FIRST_CAPABILITY = 0x40,

	COMMAND_IO = 1,
	COMMAND_MEMORY = 2,
	/* I/O, memory, bus master, parity and SERR enables, INTx disable */
	COMMAND_WRITABLE = 0x0547,
	STATUS_LINE = 0x08, /* PCI 2.3: the line as the function asks for it */
	STATUS_CAPABILITIES = 0x10,
};

static void put(uint8_t *at, unsigned bytes, uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint16_t pci_command(const struct pci_function *pci)
{
	return (uint16_t)(pci->config[PCI_COMMAND] | pci->config[PCI_COMMAND + 1] << 8);
}

static void pci_init_bar(struct pci_function *pci, unsigned index)
{
	const struct pci_bar *bar = &pci->bars[index];
	unsigned at = PCI_BAR0 + index * 4;
	uint64_t fixed = bar->io ? 1 : (bar->wide ? 4 : 0) | (bar->prefetch ? 8 : 0);

	if (!bar->size)
		return;
	put(pci->initial + at, 4, fixed);
	put(pci->writable + at, bar->wide ? 8 : 4, ~(bar->size - 1) & (bar->io ? ~3ull : ~15ull));
}

void pci_init(struct pci_function *pci, const struct pci_identity *identity,
	      const struct pci_bar bars[static PCI_BARS], const struct pci_owner *owner)
{
	*pci = (struct pci_function){.owner = *owner, .cap_end = PCI_FIRST_CAPABILITY};
	memcpy(pci->bars, bars, sizeof(pci->bars));
	put(pci->initial + PCI_VENDOR, 2, identity->vendor);
	put(pci->initial + PCI_DEVICE, 2, identity->device);
	put(pci->initial + PCI_REVISION, 1, identity->revision);
	put(pci->initial + PCI_CLASS, 3, identity->class_code);
	put(pci->initial + PCI_SUBSYSTEM_VENDOR, 2, identity->subsystem_vendor);
	put(pci->initial + PCI_SUBSYSTEM, 2, identity->subsystem);
	put(pci->initial + PCI_INTERRUPT_PIN, 1, identity->interrupt_pin);
	put(pci->writable + PCI_COMMAND, 2, COMMAND_WRITABLE);
	put(pci->clear + PCI_STATUS, 2, 0xf900);
	put(pci->writable + PCI_CACHE_LINE, 1, 0xff);
	put(pci->writable + PCI_LATENCY, 1, 0xff);
	put(pci->writable + PCI_INTERRUPT_LINE, 1, 0xff);
	for (unsigned i = 0; i < PCI_BARS; i++)
		pci_init_bar(pci, i);
	memcpy(pci->config, pci->initial, sizeof(pci->config));
}

int pci_add_capability(struct pci_function *pci, uint8_t id, const uint8_t *body,
		       const uint8_t *writable, unsigned size)
{
	unsigned at = pci->cap_end, room = (size + 3u) & ~3u;

	if (size < 2 || at + room > PCI_CONFIG_SIZE)
		return -ENOSPC;
	memcpy(pci->initial + at, body, size);
	memcpy(pci->writable + at, writable, size);
	pci->writable[at] = pci->writable[at + 1] = 0;
	pci->initial[at] = id;
	pci->initial[at + 1] = pci->initial[PCI_CAPABILITIES];
	pci->initial[PCI_CAPABILITIES] = (uint8_t)at;
	pci->initial[PCI_STATUS] |= STATUS_CAPABILITIES;
	memcpy(pci->config, pci->initial, sizeof(pci->config));
	pci->cap_end = (uint8_t)(at + room > 255 ? 255 : at + room);
	return (int)at;
}

unsigned pci_capability(const struct pci_function *pci, uint8_t id)
{
	unsigned at = pci->config[PCI_CAPABILITIES];

	while (at && pci->config[at] != id)
		at = pci->config[at + 1];
	return at;
}

static bool pci_bar_enabled(const struct pci_function *pci, const struct pci_bar *bar)
{
	return bar->size && (pci_command(pci) & (bar->io ? COMMAND_IO : COMMAND_MEMORY));
}

uint64_t pci_bar_address(const struct pci_function *pci, unsigned bar)
{
	const struct pci_bar *at = &pci->bars[bar];
	uint64_t address = 0;

	if (!pci_bar_enabled(pci, at))
		return 0;
	memcpy(&address, pci->config + PCI_BAR0 + bar * 4, at->wide ? 8 : 4);
	return address & (at->io ? ~3ull : ~15ull);
}

static void pci_moved(const struct pci_function *pci)
{
	if (pci->watch.moved)
		pci->watch.moved(pci->watch.context);
}

void pci_config_read(const struct pci_function *pci, unsigned offset, unsigned count, void *data)
{
	for (unsigned i = 0; i < count; i++)
		((uint8_t *)data)[i] =
			offset + i < PCI_CONFIG_SIZE ? pci->config[offset + i] : 0xff;
}

void pci_config_write(struct pci_function *pci, unsigned offset, unsigned count, const void *data)
{
	uint16_t before = pci_command(pci);
	uint8_t bars[PCI_BARS_END - PCI_BAR0];

	memcpy(bars, pci->config + PCI_BAR0, sizeof(bars));
	for (unsigned i = 0; i < count && offset + i < PCI_CONFIG_SIZE; i++) {
		uint8_t *at = &pci->config[offset + i], value = ((const uint8_t *)data)[i];
		uint8_t writable = pci->writable[offset + i];

		*at = (uint8_t)((*at & ~writable) | (value & writable));
		*at &= (uint8_t) ~(value & pci->clear[offset + i]);
	}
	if (pci_command(pci) != before || memcmp(bars, pci->config + PCI_BAR0, sizeof(bars)))
		pci_moved(pci);
	if (pci_command(pci) != before && pci->owner.command)
		pci->owner.command(pci->owner.context, pci_command(pci));
}

/* Does the function answer an access at these addresses now? */
static bool pci_decodes(const struct pci_function *pci, unsigned bar, uint64_t offset,
			unsigned width)
{
	const struct pci_bar *at;

	if (bar >= PCI_BARS || (width != 1 && width != 2 && width != 4 && width != 8))
		return false;
	at = &pci->bars[bar];
	return pci_bar_enabled(pci, at) && offset < at->size && width <= at->size - offset;
}

uint64_t pci_bar_read(struct pci_function *pci, unsigned bar, uint64_t offset, unsigned width)
{
	if (!pci_decodes(pci, bar, offset, width))
		return UINT64_MAX;
	return pci->owner.read(pci->owner.context, bar, offset, width);
}

void pci_bar_write(struct pci_function *pci, unsigned bar, uint64_t offset, unsigned width,
		   uint64_t value)
{
	if (pci_decodes(pci, bar, offset, width))
		pci->owner.write(pci->owner.context, bar, offset, width, value);
}

void pci_line(struct pci_function *pci, bool level)
{
	pci->config[PCI_STATUS] &= (uint8_t)~STATUS_LINE;
	pci->config[PCI_STATUS] |= level ? STATUS_LINE : 0;
}

void pci_reset(struct pci_function *pci)
{
	uint16_t before = pci_command(pci);

	memcpy(pci->config, pci->initial, sizeof(pci->config));
	pci_moved(pci);
	if (pci->owner.reset)
		pci->owner.reset(pci->owner.context);
	if (before && pci->owner.command)
		pci->owner.command(pci->owner.context, 0);
}
