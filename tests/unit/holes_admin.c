/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Queues that are opened by commands: a driver asks for what cannot be, closes
 * what others stand on, and goes on using it. Each command has its answer.
 */
#include "family.h"

enum {
	AQ = 0x8000,
	ACQ = 0x9000,
	ENTRIES = 32, /* of both */
	CREATE_SQ = 1,
	CREATE_CQ = 3,
	DESTROY_CQ = 4,
	TXQ_TX = 1 << 5,
};

static struct foe foe, fresh;
static unsigned commands;

static uint8_t *entry(uint32_t queue)
{
	return foe.memory + queue + (size_t)(commands % ENTRIES) * 64;
}

static void admin_start(void)
{
	const uint32_t writes[][2] = {{0x10, AQ},  {0x14, 0}, {0x18, 64 << 16 | ENTRIES},
				      {0x20, ACQ}, {0x24, 0}, {0x28, 64 << 16 | ENTRIES}};

	foe_reset(&foe);
	memset(foe.memory + AQ, 0, 0x2000);
	commands = 0;
	for (unsigned i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		foe_write(&foe, 0, writes[i][0], 4, writes[i][1]);
}

/* The status that its answer has. */
static unsigned command(unsigned opcode, const uint8_t *more)
{
	uint8_t *slot = entry(AQ), *answer = entry(ACQ);
	unsigned phase = commands / ENTRIES % 2 == 0;

	memcpy(slot + 4, more, 60);
	put16(slot, commands & 0xfff);
	slot[2] = (uint8_t)opcode;
	slot[3] = (uint8_t)phase;
	foe_write(&foe, 0, 0x2c, 4, commands + 1);
	foe_settle(&foe);
	CHECK_EQUAL(answer[3] & 1, phase);
	CHECK_EQUAL(answer[0] | (answer[1] & 0xf) << 8, commands & 0xfff);
	commands++;
	return answer[2];
}

static void put_address(uint8_t *at, uint64_t address)
{
	memcpy(at, &address, 6);
}

static unsigned create_cq(unsigned words, unsigned depth, uint32_t vector, uint64_t address)
{
	uint8_t more[60] = {0};

	more[1] = (uint8_t)words;
	put16(more + 2, depth);
	put32(more + 4, vector);
	put_address(more + 8, address);
	return command(CREATE_CQ, more);
}

static unsigned create_sq(unsigned way, unsigned depth, unsigned cq, uint64_t address)
{
	uint8_t more[60] = {0};

	more[0] = (uint8_t)way;
	more[2] = 1;
	put16(more + 4, cq);
	put16(more + 6, depth);
	put_address(more + 8, address);
	return command(CREATE_SQ, more);
}

static unsigned any_of(const uint32_t *values, unsigned count)
{
	return values[unit_random() % count];
}

#define ANY(...)                                                                                   \
	any_of((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static void any_command(void)
{
	unsigned depth = ANY(0, 1, 2, 16, 63, 1024, 1025, 0xffff);
	uint8_t more[60];

	switch (unit_random() % 4) {
	case 0:
		create_cq(ANY(0, 2, 2, 4, 4, 31), depth, ANY(0, 1, 32, 33, UINT32_MAX),
			  foe_address(&foe));
		break;
	case 1:
		create_sq(ANY(0, 1, 1, 2, 2, 7) << 5, depth, ANY(0, 1, 31, 32, 33, 63, 64, 0xffff),
			  foe_address(&foe));
		break;
	default:
		unit_fill(more, sizeof(more), unit_random());
		put16(more, ANY(0, 1, 31, 32, 63, 64, 512, 0xffff));
		more[2] = (uint8_t)(ANY(0, 1, 2, 7) << 5);
		put_address(more + 4, foe_address(&foe));
		more[13] = (uint8_t)ANY(0, 1, 2, 10, 11, 12, 14, 18, 20, 26, 27, 28, 255);
		command(ANY(0, 1, 2, 3, 4, 8, 8, 9, 9, 11, 255), more);
	}
}

static void use_queues(void)
{
	for (unsigned i = 0; i < 8; i++) {
		unsigned ring = unit_random() % foe.card->instances;

		foe_slots(&foe, ring);
		foe_write(&foe, 0, (i & 1 ? 0x1000 : 0x1100) + unit_random() % 33 * 4, 4,
			  ANY(0, 1, 16, 1023, 0xffff));
		foe_write(&foe, 0, 0x1800 + unit_random() % 34 * 4, 4, unit_random());
		foe_offer(&foe, ANY(60, 1514, 9000));
	}
	memset(foe.memory + ACQ, 0, 0x1000); /* whatever was put there */
}

/* After everything it opens queues as ever. */
static void works(void)
{
	admin_start();
	CHECK_EQUAL(create_cq(2, 16, 1, FOE_BUFFERS), 0);
	CHECK_EQUAL(create_sq(TXQ_TX, 16, 0, FOE_BUFFERS + 4096), 0);
}

/* A queue whose results have nowhere to go any more. */
static void close_under(void)
{
	uint8_t more[60] = {0}, *slot = foe.memory + FOE_BUFFERS + 4096;

	works();
	command(DESTROY_CQ, more); /* number 0 */
	for (unsigned i = 0; i < 4; i++) {
		put32(slot + (size_t)i * 16, 0x19000000 | 60); /* REPORT, EOP, phase */
		put32(slot + (size_t)i * 16 + 8, FOE_BUFFERS + 8192);
	}
	foe_write(&foe, 0, 0x1000, 4, 4);
	foe_settle(&foe);
	create_cq(2, 1, 1, FOE_BUFFERS); /* a smaller one in its place */
	foe_write(&foe, 0, 0x1000, 4, 8);
	foe_settle(&foe);
	foe_check(&foe);
}

static void test_commands(void)
{
	foe_new(&foe, test_card("ena"), false);
	foe_new(&fresh, test_card("ena"), false);
	foe_reset(&fresh);
	works();
	close_under();
	for (unsigned round = 0; round < foe_times(40); round++) {
		foe.temper = round % 16;
		admin_start();
		for (unsigned i = 0; i < 40; i++) {
			any_command();
			if (i % 8 == 0)
				admin_start();
		}
		use_queues();
		foe_settle(&foe);
		foe_check(&foe);
		foe_reset(&foe);
		foe_like_new(&foe, &fresh);
		works();
	}
	foe_free(&foe);
	foe_free(&fresh);
}

UNIT_FILE(holes_admin, {"commands", test_commands});
