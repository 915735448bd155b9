/* SPDX-License-Identifier: Apache-2.0 */

/* C+ mode: two rings of 64 whose slots say themselves whose they are, and a poll register. */
#include "engine.h"

enum { SLOTS = 64, TPPOLL = 0xd9 };
enum { OWN = 1u << 31, EOR = 1 << 30, FS = 1 << 29, LS = 1 << 28 };

static uint32_t end_of_ring(uint64_t slot)
{
	return slot % SLOTS == SLOTS - 1 ? EOR : 0;
}

static void program(struct drive *drive)
{
	static const struct write list[] = {
		{0x37, 1, 0x10},       {0x50, 1, 0xc0}, /* 9346CR: configuration may be written */
		{0xe0, 2, 0x03},			/* CPCMD: both rings */
		{0x37, 1, 0x0c},			/* CR: TE, RE */
		{0x20, 4, TX_RING},    {0x24, 4, 0},	      {0xe4, 4, RX_RING},
		{0xe8, 4, 0},	       {0x40, 4, 0x03000700}, /* TCR */
		{0x44, 4, 0x0000e70a},			      /* RCR: APM, AB */
		{0x3c, 2, 0},				      /* IMR */
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		store32(drive, TX_RING + i * 16, end_of_ring(i));
		store32(drive, TX_RING + i * 16 + 8, tx_buffer(i, drive->length));
		store32(drive, RX_RING + i * 16, end_of_ring(i));
		store32(drive, RX_RING + i * 16 + 8, rx_buffer(i));
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++)
		store32(drive, TX_RING + (uint32_t)(drive->sent % SLOTS) * 16,
			OWN | FS | LS | end_of_ring(drive->sent) | drive->length);
	drive->write(drive, TPPOLL, 1, 0x40);
}

static void idle(struct drive *drive, unsigned count)
{
	(void)count;
	drive->write(drive, TPPOLL, 1, 0x40);
}

static void room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++)
		store32(drive, RX_RING + (uint32_t)(drive->got % SLOTS) * 16,
			OWN | end_of_ring(drive->got) | 1600);
}

static bool received(struct drive *drive, struct sink *sink)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		uint32_t status = load32(drive, RX_RING + i * 16);

		if ((status & (OWN | FS | LS)) != (FS | LS) ||
		    !frame_read(drive, sink, rx_buffer(i), (status & 0x1fff) - 4))
			return false;
	}
	return true;
}

const struct family family_rtl8139cp = {
	.name = "rtl8139cp",
	.model = "rtl8139",
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
