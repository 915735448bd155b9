/* SPDX-License-Identifier: Apache-2.0 */

/* What firmware does with a bus, by configuration accesses alone. */
#include "front/inprocess.h"

enum {
	CONFIG_VENDOR = 0x00,
	CONFIG_COMMAND = 0x04,
	CONFIG_BAR0 = 0x10,
	CONFIG_ROM = 0x30,
	CONFIG_LINE = 0x3c,
	CONFIG_PIN = 0x3d,
	COMMAND_ALL = 7, /* I/O, memory, bus master */
	LINE_FIRST = 32,
};

struct placing {
	struct inprocess *vm;
	uint64_t memory, io; /* free from here */
};

static uint64_t take(uint64_t *free_from, uint64_t size)
{
	uint64_t base = (*free_from + size - 1) & ~(size - 1);

	*free_from = base + size;
	return base;
}

/* Places a BAR; how many of the six registers it has. */
static unsigned place_bar(struct placing *placing, uint32_t bdf, unsigned index)
{
	unsigned at = CONFIG_BAR0 + index * 4, width;
	uint64_t kind = inprocess_config_read(placing->vm, bdf, at, 4), address, size;

	width = (kind & 7) == 4 ? 8 : 4;
	inprocess_config_write(placing->vm, bdf, at, width, UINT64_MAX);
	address =
		inprocess_config_read(placing->vm, bdf, at, width) & ((kind & 1) ? ~3ull : ~15ull);
	size = address & -address;
	if (address)
		inprocess_config_write(placing->vm, bdf, at, width,
				       take((kind & 1) ? &placing->io : &placing->memory, size));
	return width / 4;
}

/* It has its place, and is switched on by who wants to read it. */
static void place_rom(struct placing *placing, uint32_t bdf)
{
	uint64_t mask;

	inprocess_config_write(placing->vm, bdf, CONFIG_ROM, 4, 0xfffff800);
	mask = inprocess_config_read(placing->vm, bdf, CONFIG_ROM, 4);
	if (mask)
		inprocess_config_write(placing->vm, bdf, CONFIG_ROM, 4,
				       take(&placing->memory, mask & -mask));
}

static void place_function(struct placing *placing, uint32_t bdf)
{
	for (unsigned i = 0; i < PCI_BARS;)
		i += place_bar(placing, bdf, i);
	place_rom(placing, bdf);
	if (inprocess_config_read(placing->vm, bdf, CONFIG_PIN, 1))
		inprocess_config_write(placing->vm, bdf, CONFIG_LINE, 1, LINE_FIRST + (bdf >> 3));
}

static bool present(struct inprocess *vm, uint32_t bdf)
{
	return inprocess_config_read(vm, bdf, CONFIG_VENDOR, 2) != 0xffff;
}

unsigned inprocess_scan(struct inprocess *vm)
{
	struct placing placing = {vm, INPROCESS_BARS, INPROCESS_PORTS};
	unsigned found = 0;

	for (unsigned device = 0; device < BUS_DEVICES; device++) {
		uint32_t bdf = bus_bdf(0, device, 0);

		if (!present(vm, bdf))
			continue;
		inprocess_config_write(vm, bdf, CONFIG_COMMAND, 2, 0);
		place_function(&placing, bdf);
		inprocess_config_write(vm, bdf, CONFIG_COMMAND, 2, COMMAND_ALL);
		found++;
	}
	return found;
}
