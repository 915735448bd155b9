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
	PCI_ROM_ADDRESS = 0x30,
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
	ROM_ENABLE = 1,
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

static unsigned register_of(unsigned bar)
{
	return bar == PCI_ROM ? PCI_ROM_ADDRESS : PCI_BAR0 + bar * 4;
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
	*pci = (struct pci_function){.owner = *owner};
	memcpy(pci->bars, bars, PCI_BARS * sizeof(*bars));
	put(pci->initial + PCI_VENDOR, 2, identity->vendor);
	put(pci->initial + PCI_DEVICE, 2, identity->device);
	put(pci->initial + PCI_REVISION, 1, identity->revision);
	put(pci->initial + PCI_CLASS, 3, identity->class_code);
	put(pci->initial + PCI_SUBSYSTEM_VENDOR, 2, identity->subsystem_vendor);
	put(pci->initial + PCI_SUBSYSTEM, 2, identity->subsystem);
	put(pci->initial + PCI_INTERRUPT_PIN, 1, identity->interrupt_pin);
	pci->bars[PCI_ROM].size = identity->rom;
	if (identity->rom)
		put(pci->writable + PCI_ROM_ADDRESS, 4, ~(identity->rom - 1u) | ROM_ENABLE);
	put(pci->writable + PCI_COMMAND, 2, COMMAND_WRITABLE);
	put(pci->clear + PCI_STATUS, 2, 0xf900);
	put(pci->writable + PCI_CACHE_LINE, 1, 0xff);
	put(pci->writable + PCI_LATENCY, 1, 0xff);
	put(pci->writable + PCI_INTERRUPT_LINE, 1, 0xff);
	for (unsigned i = 0; i < PCI_BARS; i++)
		pci_init_bar(pci, i);
	memcpy(pci->config, pci->initial, sizeof(pci->config));
}

static bool is_free(const struct pci_function *pci, unsigned at, unsigned size)
{
	if (at < PCI_FIRST_CAPABILITY || at > PCI_CONFIG_SIZE || size > PCI_CONFIG_SIZE - at)
		return false;
	for (unsigned i = 0; i < size; i++) {
		if (pci->taken[at + i])
			return false;
	}
	return true;
}

int pci_add_window(struct pci_function *pci, unsigned at, unsigned size)
{
	if (!is_free(pci, at, size))
		return -ENOSPC;
	memset(pci->taken + at, PCI_OWNED, size);
	return 0;
}

int pci_add_capability(struct pci_function *pci, unsigned at, uint8_t id, const uint8_t *body,
		       const uint8_t *writable, unsigned size)
{
	unsigned room = (size + 3u) & ~3u, place = at ? at : PCI_FIRST_CAPABILITY;

	while (!at && place < PCI_CONFIG_SIZE && !is_free(pci, place, room))
		place += 4;
	if (size < 2 || !is_free(pci, place, room))
		return -ENOSPC;
	memset(pci->taken + place, PCI_CAPABILITY, room);
	memcpy(pci->initial + place, body, size);
	memcpy(pci->writable + place, writable, size);
	pci->writable[place] = pci->writable[place + 1] = 0;
	pci->initial[place] = id;
	pci->initial[place + 1] = pci->initial[PCI_CAPABILITIES];
	pci->initial[PCI_CAPABILITIES] = (uint8_t)place;
	pci->initial[PCI_STATUS] |= STATUS_CAPABILITIES;
	memcpy(pci->config, pci->initial, sizeof(pci->config));
	return (int)place;
}

unsigned pci_capability(const struct pci_function *pci, uint8_t id)
{
	unsigned at = pci->config[PCI_CAPABILITIES];

	while (at && pci->config[at] != id)
		at = pci->config[at + 1];
	return at;
}

static bool pci_bar_enabled(const struct pci_function *pci, unsigned bar)
{
	const struct pci_bar *at = &pci->bars[bar];

	return at->size && (pci_command(pci) & (at->io ? COMMAND_IO : COMMAND_MEMORY)) &&
	       (bar != PCI_ROM || pci->config[PCI_ROM_ADDRESS] & ROM_ENABLE);
}

uint64_t pci_bar_address(const struct pci_function *pci, unsigned bar)
{
	const struct pci_bar *at = &pci->bars[bar];
	uint64_t address = 0;

	if (!pci_bar_enabled(pci, bar))
		return 0;
	memcpy(&address, pci->config + register_of(bar), at->wide ? 8 : 4);
	return address & (at->io ? ~3ull : ~15ull);
}

static void pci_moved(const struct pci_function *pci)
{
	if (pci->watch.moved)
		pci->watch.moved(pci->watch.context);
}

/* Runs of bytes that are the owner's, at most a word of them at once. */
static unsigned owned(const struct pci_function *pci, unsigned offset, unsigned count)
{
	unsigned run = 0;

	while (run < count && run < 4 && offset + run < PCI_CONFIG_SIZE &&
	       pci->taken[offset + run] == PCI_OWNED)
		run++;
	return run;
}

void pci_config_read(const struct pci_function *pci, unsigned offset, unsigned count, void *data)
{
	uint8_t *to = data;

	for (unsigned i = 0; i < count;) {
		unsigned run = owned(pci, offset + i, count - i);
		uint32_t value = 0xff;

		if (run && pci->owner.config_read)
			value = pci->owner.config_read(pci->owner.context, offset + i, run,
						       count <= 4);
		else if (offset + i < PCI_CONFIG_SIZE)
			value = pci->config[offset + i];
		for (unsigned k = 0; k < (run ? run : 1); k++)
			to[i + k] = (uint8_t)(value >> k * 8);
		i += run ? run : 1;
	}
}

static void config_put(struct pci_function *pci, unsigned offset, uint8_t value)
{
	uint8_t *at = &pci->config[offset], writable = pci->writable[offset];

	*at = (uint8_t)((*at & ~writable) | (value & writable));
	*at &= (uint8_t) ~(value & pci->clear[offset]);
}

static void config_owned(struct pci_function *pci, unsigned offset, unsigned run,
			 const uint8_t *data)
{
	uint32_t value = 0;

	for (unsigned k = 0; k < run; k++)
		value |= (uint32_t)data[k] << k * 8;
	if (pci->owner.config_write)
		pci->owner.config_write(pci->owner.context, offset, run, value);
}

void pci_config_write(struct pci_function *pci, unsigned offset, unsigned count, const void *data)
{
	uint16_t before = pci_command(pci);
	uint8_t places[PCI_CAPABILITIES - PCI_BAR0];
	const uint8_t *from = data;

	memcpy(places, pci->config + PCI_BAR0, sizeof(places));
	for (unsigned i = 0; i < count && offset + i < PCI_CONFIG_SIZE;) {
		unsigned run = owned(pci, offset + i, count - i);

		if (run && count <= 4)
			config_owned(pci, offset + i, run, from + i);
		else if (!run)
			config_put(pci, offset + i, from[i]);
		i += run ? run : 1;
	}
	if (pci_command(pci) != before || memcmp(places, pci->config + PCI_BAR0, sizeof(places)))
		pci_moved(pci);
	if (pci_command(pci) != before && pci->owner.command)
		pci->owner.command(pci->owner.context, pci_command(pci));
}

/* Does the function answer an access at these addresses now? */
static bool pci_decodes(const struct pci_function *pci, unsigned bar, uint64_t offset,
			unsigned width)
{
	const struct pci_bar *at;

	if (bar >= PCI_REGIONS || (width != 1 && width != 2 && width != 4 && width != 8))
		return false;
	at = &pci->bars[bar];
	return pci_bar_enabled(pci, bar) && offset < at->size && width <= at->size - offset;
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
	if (bar != PCI_ROM && pci_decodes(pci, bar, offset, width))
		pci->owner.write(pci->owner.context, bar, offset, width, value);
}

void pci_rom_read(struct pci_function *pci, uint64_t offset, unsigned count, void *data)
{
	uint64_t size = pci->bars[PCI_ROM].size;

	for (unsigned i = 0; i < count; i++) {
		uint64_t at = offset + i;

		((uint8_t *)data)[i] = 0xff;
		if (at >= offset && at < size)
			((uint8_t *)data)[i] =
				(uint8_t)pci->owner.read(pci->owner.context, PCI_ROM, at, 1);
	}
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
