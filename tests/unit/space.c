/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/space.h"
#include "unit.h"

#include <string.h>

/* An owner that is memory, and notes what it is asked. */
struct owner {
	struct space_owner ops;
	struct space_claim claim;
	uint8_t memory[64];
	unsigned accesses;
	uint64_t size;
	/* dropped, and a claim moved, by the next write */
	struct space_claim *drops;
};

static uint64_t owner_read(void *context, unsigned which, uint64_t offset, unsigned width)
{
	struct owner *owner = context;
	uint64_t value = 0;

	CHECK(which == 7 && (width == 1 || width == 2 || width == 4 || width == 8));
	CHECK(offset + width <= owner->size);
	owner->accesses++;
	memcpy(&value, owner->memory + offset % 57, width);
	return value;
}

static void owner_write(void *context, unsigned which, uint64_t offset, unsigned width,
			uint64_t value)
{
	struct owner *owner = context;

	CHECK(which == 7 && (width == 1 || width == 2 || width == 4 || width == 8));
	CHECK(offset + width <= owner->size);
	CHECK(width == 8 || value >> width * 8 == 0);
	owner->accesses++;
	memcpy(owner->memory + offset % 57, &value, width);
	if (owner->drops)
		space_drop(owner->drops);
}

static void claim(struct space *space, struct owner *owner, uint64_t base, uint64_t size)
{
	owner->ops = (struct space_owner){owner, owner_read, owner_write};
	owner->size = size;
	space_claim(space, &owner->claim, &owner->ops, 7, base, size);
}

static void test_nobody(void)
{
	struct space space = {0};

	for (unsigned width = 1; width < 8; width++)
		CHECK_EQUAL(space_read(&space, 0x1000, width), (1ull << width * 8) - 1);
	CHECK_EQUAL(space_read(&space, UINT64_MAX, 8), UINT64_MAX);
	space_write(&space, 0, 8, 0);
}

static void test_widths(void)
{
	struct space space = {0};
	struct owner owner = {0};

	claim(&space, &owner, 0x100, 57);
	for (unsigned width = 1; width <= 8; width++) {
		for (unsigned at = 0; at + width <= 57; at++) {
			uint64_t value = 0x8877665544332211ull ^ at;
			uint64_t mask = width == 8 ? UINT64_MAX : (1ull << width * 8) - 1;

			space_write(&space, 0x100 + at, width, value);
			CHECK_EQUAL(space_read(&space, 0x100 + at, width), value & mask);
		}
	}
}

static void test_straddling(void)
{
	struct space space = {0};
	struct owner low = {0}, high = {0};

	claim(&space, &low, 0x100, 16);
	claim(&space, &high, 0x112, 16); /* two bytes are nobody's */
	space_write(&space, 0x10d, 8, 0x8877665544332211ull);
	CHECK(!memcmp(low.memory + 13, "\x11\x22\x33", 3));
	CHECK(!memcmp(high.memory, "\x66\x77\x88", 3));
	CHECK_EQUAL(space_read(&space, 0x10d, 8), 0x887766ffff332211ull);
	CHECK_EQUAL(space_read(&space, 0xfc, 8), 0xffffffffull);
	CHECK_EQUAL(space_read(&space, 0x11f, 8), 0xffffffffff000000ull);
	CHECK_EQUAL(low.accesses, 5); /* 2 + 1, 2 + 1, 4 */
}

static void test_first_has_it(void)
{
	struct space space = {0};
	struct owner first = {0}, second = {0};

	claim(&space, &first, 0x104, 4);
	claim(&space, &second, 0x100, 16);
	memset(first.memory, 0xaa, sizeof(first.memory));
	memset(second.memory, 0x55, sizeof(second.memory));
	CHECK_EQUAL(space_read(&space, 0x102, 8), 0x5555aaaaaaaa5555ull);
	space_drop(&first.claim);
	space_drop(&first.claim);
	CHECK_EQUAL(space_read(&space, 0x102, 8), 0x5555555555555555ull);
	claim(&space, &first, 0x104, 4); /* behind the second now */
	CHECK_EQUAL(space_read(&space, 0x104, 4), 0x55555555u);
	claim(&space, &second, 0x200, 16);
	CHECK_EQUAL(space_read(&space, 0x104, 4), 0xaaaaaaaau);
	CHECK_EQUAL(space_read(&space, 0x108, 4), 0xffffffffu);
}

static void test_dropped_within_an_access(void)
{
	struct space space = {0};
	struct owner low = {0}, high = {0};

	claim(&space, &low, 0x100, 4);
	claim(&space, &high, 0x104, 4);
	low.drops = &high.claim;
	space_write(&space, 0x102, 4, 0x44332211);
	CHECK(low.accesses == 1 && high.accesses == 0);
	low.drops = &low.claim;
	space_write(&space, 0x100, 8, 0);
	CHECK_EQUAL(space_read(&space, 0x100, 1), 0xff);
}

static void test_ends(void)
{
	struct space space = {0};
	struct owner owner = {0};

	claim(&space, &owner, 0, 0);
	CHECK_EQUAL(space_read(&space, 0, 1), 0xff);
	claim(&space, &owner, UINT64_MAX - 15, 1000);
	owner.size = 16;
	CHECK_EQUAL(space_read(&space, UINT64_MAX - 3, 8), 0xffffffff00000000ull);
	CHECK_EQUAL(space_read(&space, UINT64_MAX - 17, 4), 0x0000ffffu);
	CHECK_EQUAL(owner.accesses, 2);
}

/* A thousand claims come, move and go; every byte is who the rule says it is. */
static void test_many_claims(void)
{
	static struct owner owners[16];
	struct owner *order[16];
	struct space space = {0};
	unsigned count = 0;

	memset(owners, 0, sizeof(owners));
	for (unsigned i = 0; i < 16; i++)
		memset(owners[i].memory, (int)i, sizeof(owners[i].memory));
	for (unsigned step = 0; step < 1000; step++) {
		struct owner *owner = &owners[unit_random() % 16];
		uint64_t addr = unit_random() % 256, value;
		unsigned kept = 0, width = 1 + unit_random() % 8;

		for (unsigned i = 0; i < count; i++) {
			if (order[i] != owner)
				order[kept++] = order[i];
		}
		count = kept;
		if (unit_random() % 4) {
			claim(&space, owner, unit_random() % 256, 1 + unit_random() % 50);
			order[count++] = owner;
		} else {
			space_drop(&owner->claim);
		}
		value = space_read(&space, addr, width);
		for (unsigned k = 0; k < width; k++) {
			uint8_t expected = 0xff;

			for (unsigned i = 0; i < count && expected == 0xff; i++) {
				if (addr + k - order[i]->claim.base < order[i]->claim.size)
					expected = (uint8_t)(order[i] - owners);
			}
			CHECK_EQUAL((uint8_t)(value >> k * 8), expected);
		}
	}
}

UNIT_FILE(space, {"nobody", test_nobody}, {"widths", test_widths}, {"straddling", test_straddling},
	  {"first_has_it", test_first_has_it},
	  {"dropped_within_an_access", test_dropped_within_an_access}, {"ends", test_ends},
	  {"many_claims", test_many_claims});
