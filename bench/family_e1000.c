/* SPDX-License-Identifier: Apache-2.0 */

/* Legacy descriptors, one a frame; a ring of 512, which the tail tells of. */
#include "engine_e1000.h"

void e1000_fill(uint8_t *memory, uint32_t at, unsigned slots, uint32_t length)
{
	for (unsigned i = 0; i < slots; i++) {
		const struct tx_slot slot = {.address = tx_buffer(i, length),
					     .length = (uint16_t)length,
					     .command = TX_EOP | TX_IFCS | TX_RS};

		memcpy(memory + at + i * sizeof(slot), &slot, sizeof(slot));
	}
}

static void program(struct drive *drive)
{
	const struct write list[] = {
		{REG_TCTL, 4, 0},
		{REG_RCTL, 4, 0},
		{REG_TDBAL, 4, TX_RING},
		{REG_TDBAH, 4, 0},
		{REG_TDLEN, 4, E1000_RING * 16},
		{REG_TDH, 4, 0},
		{REG_TDT, 4, 0},
		{REG_RDBAL, 4, RX_RING},
		{REG_RDBAH, 4, 0},
		{REG_RDLEN, 4, E1000_RING * 16},
		{REG_RDH, 4, 0},
		{REG_RDT, 4, 0},
		{REG_TCTL, 4, TCTL_EN},
		{REG_RCTL, 4, RCTL_EN | (drive->fcs ? 0 : RCTL_SECRC)},
	};

	e1000_fill(drive->memory, TX_RING, E1000_RING, drive->length);
	for (unsigned i = 0; i < E1000_RING; i++) {
		const struct rx_slot slot = {.address = rx_buffer(i)};

		memcpy(drive->memory + RX_RING + i * sizeof(slot), &slot, sizeof(slot));
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void send(struct drive *drive, unsigned count)
{
	drive->sent += count;
	drive->write(drive, REG_TDT, 4, drive->sent % E1000_RING);
}

static void idle(struct drive *drive, unsigned count)
{
	(void)count;
	drive->write(drive, REG_TDT, 4, drive->sent % E1000_RING);
}

static void room(struct drive *drive, unsigned count)
{
	drive->got += count;
	drive->write(drive, REG_RDT, 4, drive->got % E1000_RING);
}

static bool received(struct drive *drive, struct sink *sink)
{
	for (unsigned i = 0; i < E1000_RING; i++) {
		struct rx_slot slot;

		memcpy(&slot, drive->memory + RX_RING + i * sizeof(slot), sizeof(slot));
		if ((slot.status & (DD | EOP)) != (DD | EOP) ||
		    !frame_read(drive, sink, (uint32_t)slot.address,
				slot.length - (drive->fcs ? 4u : 0u)))
			return false;
	}
	return true;
}

const struct family family_e1000 = {
	.name = "e1000",
	.model = "e1000",
	.bar = 0,
	.hand = true,
	.sends = {256, 256},
	.takes = {256, 256},
	.tx_slots = E1000_RING,
	.rx_slots = E1000_RING,
	.program = program,
	.send = send,
	.idle = idle,
	.room = room,
	.received = received,
};
