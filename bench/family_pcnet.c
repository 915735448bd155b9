/* SPDX-License-Identifier: Apache-2.0 */

/* 32-bit software: an initialization block, two rings of 512, a bit that demands transmission. */
#include "engine.h"

enum { SLOTS = 512, RDP = 0x10, RAP = 0x12, BDP = 0x16, TDMD = 8 };
enum { OWN = 1u << 31, STP = 1 << 25, ENP = 1 << 24, ONES = 0xf000 };

static void block_fill(struct drive *drive)
{
	uint8_t *block = drive->memory + BLOCK;

	memset(block, 0, 28);
	block[2] = block[3] = 9 << 4; /* both of 512 */
	memcpy(block + 4, engine_mac, 6);
	store32(drive, BLOCK + 20, RX_RING);
	store32(drive, BLOCK + 24, TX_RING);
}

static void program(struct drive *drive)
{
	static const struct write list[] = {
		{RAP, 2, 0},  {RDP, 2, 4}, /* CSR0: STOP */
		{RAP, 2, 20}, {BDP, 2, 2}, /* BCR20: software style 2 */
		{RAP, 2, 1},  {RDP, 2, BLOCK & 0xffff},
		{RAP, 2, 2},  {RDP, 2, BLOCK >> 16},
		{RAP, 2, 4},  {RDP, 2, 0x1115}, /* CSR4: it does not poll by itself */
		{RAP, 2, 0},  {RDP, 2, 1},	/* INIT */
		{RDP, 2, 2},			/* STRT */
	};

	block_fill(drive);
	for (unsigned i = 0; i < SLOTS; i++) {
		store32(drive, TX_RING + i * 16, tx_buffer(i, drive->length));
		store32(drive, TX_RING + i * 16 + 4, 0);
		store32(drive, RX_RING + i * 16, rx_buffer(i));
		store32(drive, RX_RING + i * 16 + 4, 0);
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++)
		store32(drive, TX_RING + (uint32_t)(drive->sent % SLOTS) * 16 + 4,
			OWN | STP | ENP | ONES | (0x1000 - drive->length));
	drive->write(drive, RDP, 2, TDMD);
}

static void idle(struct drive *drive, unsigned count)
{
	(void)count;
	drive->write(drive, RDP, 2, TDMD);
}

static void room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++)
		store32(drive, RX_RING + (uint32_t)(drive->got % SLOTS) * 16 + 4,
			OWN | ONES | (0x1000 - 1544));
}

static bool received(struct drive *drive, struct sink *sink)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		uint32_t status = load32(drive, RX_RING + i * 16 + 4);

		if ((status & (OWN | STP | ENP)) != (STP | ENP) ||
		    !frame_read(drive, sink, rx_buffer(i),
				(load32(drive, RX_RING + i * 16 + 8) & 0xfff) - 4))
			return false;
	}
	return true;
}

const struct family family_pcnet = {
	.name = "pcnet",
	.model = "pcnet",
	.bar = 1,
	.sends = {256, 256},
	.takes = {256, 256},
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = program,
	.send = send,
	.idle = idle,
	.room = room,
	.received = received,
};
