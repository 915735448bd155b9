/* SPDX-License-Identifier: Apache-2.0 */

/* A setup frame with the addresses, two rings that end by a bit, a poll register. */
#include "engine.h"

enum { SLOTS = 128, SETUP = BLOCK, ADDRESSES = BLOCK + 64 };
enum { CSR1 = 0x08, CSR3 = 0x18, CSR4 = 0x20, CSR6 = 0x30 };
enum {
	OWN = 1u << 31,
	IC = 1u << 31,
	LAST = 1 << 30,
	FIRST = 1 << 29,
	IS_SETUP = 1 << 27,
	END = 1 << 25,
	ST = 1 << 13,
	SR = 1 << 1,
	RX_FS = 1 << 9,
	RX_LS = 1 << 8,
};

static uint32_t end_of_ring(uint64_t slot)
{
	return slot % SLOTS == SLOTS - 1 ? END : 0;
}

static void setup_fill(struct drive *drive)
{
	for (unsigned i = 0; i < 16; i++) {
		for (unsigned k = 0; k < 3; k++)
			memcpy(drive->memory + ADDRESSES + i * 12 + k * 4, engine_mac + k * 2, 2);
	}
	store32(drive, SETUP, OWN);
	store32(drive, SETUP + 4, IS_SETUP | END | 192);
	store32(drive, SETUP + 8, ADDRESSES);
}

static void program(struct drive *drive)
{
	static const struct write list[] = {
		{0x00, 4, 1},	  {CSR6, 4, 0}, /* reset */
		{CSR4, 4, SETUP}, {CSR6, 4, ST},      {CSR1, 4, 1},	  {CSR6, 4, 0},
		{0x38, 4, 0},	  {CSR3, 4, RX_RING}, {CSR4, 4, TX_RING}, {CSR6, 4, ST | SR},
	};

	setup_fill(drive);
	for (unsigned i = 0; i < SLOTS; i++) {
		store32(drive, TX_RING + i * 16, 0);
		store32(drive, TX_RING + i * 16 + 8, tx_buffer(i, drive->length));
		store32(drive, TX_RING + i * 16 + 12, 0);
		store32(drive, RX_RING + i * 16, 0);
		store32(drive, RX_RING + i * 16 + 4, end_of_ring(i) | 1536);
		store32(drive, RX_RING + i * 16 + 8, rx_buffer(i));
		store32(drive, RX_RING + i * 16 + 12, 0);
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++) {
		uint32_t at = TX_RING + (uint32_t)(drive->sent % SLOTS) * 16;

		store32(drive, at + 4,
			FIRST | LAST | (i + 1 == count ? IC : 0) | end_of_ring(drive->sent) |
				drive->length);
		store32(drive, at, OWN);
	}
	drive->write(drive, CSR1, 4, 1);
}

static void idle(struct drive *drive, unsigned count)
{
	(void)count;
	drive->write(drive, CSR1, 4, 1);
}

static void room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++)
		store32(drive, RX_RING + (uint32_t)(drive->got % SLOTS) * 16, OWN);
}

static bool received(struct drive *drive, struct sink *sink)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		uint32_t status = load32(drive, RX_RING + i * 16);

		if ((status & (OWN | RX_FS | RX_LS)) != (RX_FS | RX_LS) ||
		    !frame_read(drive, sink, rx_buffer(i), (status >> 16 & 0x3fff) - 4))
			return false;
	}
	return true;
}

const struct family family_tulip = {
	.name = "tulip",
	.model = "tulip",
	.bar = 1,
	.sends = {64, 64},
	.takes = {64, 64},
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = program,
	.send = send,
	.idle = idle,
	.room = room,
	.received = received,
};
