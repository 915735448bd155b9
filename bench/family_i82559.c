/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Command blocks in a circle, each frame's with one buffer descriptor, the last
 * of a run suspends; receive frame areas with the frames behind their heads.
 */
#include "engine.h"

enum { SLOTS = 64, CB_SIZE = 64, RX_SLOTS = 64, COMMAND = 2, POINTER = 4 };
enum { CU_START = 0x10, CU_RESUME = 0x20, CU_BASE = 0x60, RU_START = 1, RU_BASE = 6 };
enum {
	TRANSMIT = 4 << 16,
	CONFIGURE = 2 << 16,
	FLEXIBLE = 1 << 19,
	SUSPEND = 1 << 30,
	TELL = 1 << 29
};

static uint32_t cb_at(uint64_t slot)
{
	return TX_RING + (uint32_t)(slot % SLOTS) * CB_SIZE;
}

static void blocks_fill(struct drive *drive)
{
	static const uint8_t configuration[22] = {22, 8,    0,	  0,	0,    0, 0x32, 3,
						  1,  0,    0x2e, 0,	0x60, 0, 0xf2, 0x48,
						  0,  0x40, 0xf2, 0x80, 0x3f, 5};

	for (unsigned i = 0; i < SLOTS; i++) {
		store32(drive, cb_at(i), 0);
		store32(drive, cb_at(i) + 4, cb_at(i + 1u));
		store32(drive, cb_at(i) + 8, cb_at(i) + 16);	      /* descriptors */
		store32(drive, cb_at(i) + 12, 1u << 24 | 0xe0 << 16); /* one; threshold */
		store32(drive, cb_at(i) + 16, tx_buffer(i, drive->length));
		store32(drive, cb_at(i) + 20, 1u << 16 | drive->length);
	}
	store32(drive, BLOCK, CONFIGURE | SUSPEND);
	store32(drive, BLOCK + 4, TX_RING);
	memcpy(drive->memory + BLOCK + 8, configuration, sizeof(configuration));
	for (unsigned i = 0; i < RX_SLOTS; i++) {
		store32(drive, rx_buffer(i), 0);
		store32(drive, rx_buffer(i) + 4, rx_buffer((i + 1) % RX_SLOTS));
		store32(drive, rx_buffer(i) + 8, 0xffffffff);
		store32(drive, rx_buffer(i) + 12, 1536 << 16);
	}
}

static void program(struct drive *drive)
{
	static const struct write list[] = {
		{8, 4, 2}, /* selective reset */
		{3, 1, 1}, /* interrupts are masked */
		{POINTER, 4, 0},
		{COMMAND, 1, CU_BASE},
		{COMMAND, 1, RU_BASE},
		{POINTER, 4, BLOCK},
		{COMMAND, 1, CU_START},
		{POINTER, 4, RX_BUFFERS},
		{COMMAND, 1, RU_START},
	};

	blocks_fill(drive);
	drive->position = BLOCK; /* where it is suspended */
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void send(struct drive *drive, unsigned count)
{
	uint32_t before = drive->position;

	for (unsigned i = 0; i < count; i++, drive->sent++) {
		drive->position = cb_at(drive->sent);
		store32(drive, drive->position,
			TRANSMIT | FLEXIBLE | (i + 1 == count ? SUSPEND | TELL : 0));
	}
	store32(drive, before, load32(drive, before) & ~(uint32_t)SUSPEND);
	drive->write(drive, COMMAND, 1, CU_RESUME);
}

static void idle(struct drive *drive, unsigned count)
{
	(void)count;
	drive->write(drive, COMMAND, 1, 0);
}

static void room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++) {
		uint32_t at = rx_buffer(drive->got % RX_SLOTS);

		store32(drive, at, 0);
		store32(drive, at + 12, 1536 << 16);
	}
}

static bool received(struct drive *drive, struct sink *sink)
{
	for (unsigned i = 0; i < RX_SLOTS; i++) {
		uint32_t at = rx_buffer(i), count = load32(drive, at + 12) & 0xffff;

		if ((load32(drive, at) & 0xa000) != 0xa000 ||
		    !frame_read(drive, sink, at + 16, count & 0x3fff))
			return false;
	}
	return true;
}

const struct family family_i82559 = {
	.name = "i82559",
	.model = "i82559c",
	.bar = 0,
	.sends = {8, 8},
	.takes = {64, 64},
	.tx_slots = SLOTS,
	.rx_slots = RX_SLOTS,
	.program = program,
	.send = send,
	.idle = idle,
	.room = room,
	.received = received,
};
