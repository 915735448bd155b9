/* SPDX-License-Identifier: Apache-2.0 */

/* Drivers for cards that the bench has no peer for, whose slots lead to one another. */
#include "short.h"

/* ---- linked slots, of which the last leads nowhere ---- */

enum { LINK_OWN = 1u << 31, LINK_INTR = 1 << 29 };

static void link_program(struct drive *drive)
{
	static const struct write list[] = {
		{0x00, 4, 0x100},      {0x00, 4, 0x0a},	 {0x20, 4, TX_RING}, {0x30, 4, RX_RING},
		{0x48, 4, 0xf8000000}, {0x14, 4, 0x1ff}, {0x18, 4, 1},	     {0x00, 4, 0x04},
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		const uint32_t tx[] = {tx_at(i + 1u), 0, tx_buffer(i, drive->length), 0};
		const uint32_t rx[] = {rx_at(i + 1u), LINK_OWN, rx_buffer(i), 0};

		slots_fill(drive, i, tx, rx);
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void link_send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++) {
		uint32_t at = tx_at(drive->sent);

		store32(drive, at, i + 1 == count && count % 3 == 0 ? 0 : tx_at(drive->sent + 1));
		store32(drive, at + 8, tx_buffer(drive->sent, drive->length));
		store32(drive, at + 4, LINK_OWN | (i % 4 ? 0 : LINK_INTR) | drive->length);
	}
	drive->write(drive, 0x00, 4, 1);
}

static void link_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++) {
		store32(drive, rx_at(drive->got), rx_at(drive->got + 1));
		store32(drive, rx_at(drive->got) + 8, rx_buffer(drive->got % SLOTS));
		store32(drive, rx_at(drive->got) + 4, 1600);
	}
	drive->write(drive, 0x00, 4, 4);
}

const struct family family_natsemi = {
	.name = "natsemi",
	.bar = 1,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = link_program,
	.send = link_send,
	.room = link_room,
	.received = received,
};

const struct family family_sis900 = {
	.name = "sis900",
	.bar = 1,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = link_program,
	.send = link_send,
	.room = link_room,
	.received = received,
};

/* ---- linked slots in a circle, by ports ---- */

enum { RHINE_OWN = 1u << 31, RHINE_FRAME = 7 << 21 };

static void rhine_program(struct drive *drive)
{
	static const struct write list[] = {
		{0x09, 1, 0x80},    {0x06, 1, 0x0e},	{0x0e, 2, 0xffff},
		{0x18, 4, RX_RING}, {0x1c, 4, TX_RING}, {0x08, 1, 0x1a},
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		const uint32_t tx[] = {0, 0, tx_buffer(i, drive->length), tx_at(i + 1u)};
		const uint32_t rx[] = {0, 1600, rx_buffer(i), rx_at(i + 1u)};

		slots_fill(drive, i, tx, rx);
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void rhine_send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++) {
		uint32_t at = tx_at(drive->sent);

		store32(drive, at + 4, RHINE_FRAME | drive->length);
		store32(drive, at + 8, tx_buffer(drive->sent, drive->length));
		store32(drive, at + 12, tx_at(drive->sent + 1));
		store32(drive, at, RHINE_OWN);
	}
	drive->write(drive, 0x08, 1, 0x3a);
}

static void rhine_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++) {
		store32(drive, rx_at(drive->got) + 4, 1600);
		store32(drive, rx_at(drive->got) + 8, rx_buffer(drive->got % SLOTS));
		store32(drive, rx_at(drive->got) + 12, rx_at(drive->got + 1));
		store32(drive, rx_at(drive->got), RHINE_OWN);
	}
	drive->write(drive, 0x08, 1, 0x5a);
}

const struct family family_via_rhine = {
	.name = "via-rhine",
	.bar = 0,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = rhine_program,
	.send = rhine_send,
	.room = rhine_room,
	.received = received,
};

/* ---- lists that end; commands in one register ---- */

enum { EL3_COMMAND = 0x0e, EL3_DOWN = 0x24, EL3_UP = 0x38, EL3_LAST = 1u << 31 };

static void el3_program(struct drive *drive)
{
	static const struct write list[] = {
		{EL3_COMMAND, 2, 0},
		{EL3_COMMAND, 2, 1 << 11 | 2}, /* window 2: the address */
		{0x00, 2, 0x5452},
		{0x02, 2, 0x1200},
		{0x04, 2, 0x5634},
		{EL3_COMMAND, 2, 16 << 11 | 7},
		{EL3_COMMAND, 2, 15 << 11 | 0x7ff},
		{EL3_COMMAND, 2, 14 << 11 | 0x7ff},
		{EL3_UP, 4, RX_RING},
		{EL3_COMMAND, 2, 9 << 11},
		{EL3_COMMAND, 2, 4 << 11},
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		const uint32_t tx[] = {0, 0, tx_buffer(i, drive->length), EL3_LAST};
		const uint32_t rx[] = {rx_at(i + 1u), 1 << 15, rx_buffer(i), EL3_LAST | 1600};

		slots_fill(drive, i, tx, rx);
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void el3_send(struct drive *drive, unsigned count)
{
	uint32_t first = tx_at(drive->sent);

	for (unsigned i = 0; i < count; i++, drive->sent++) {
		uint32_t at = tx_at(drive->sent);

		store32(drive, at, i + 1 == count ? 0 : tx_at(drive->sent + 1));
		store32(drive, at + 4, (i % 3 ? 0 : EL3_LAST) | (i % 5 ? 0 : 1 << 15));
		store32(drive, at + 8, tx_buffer(drive->sent, drive->length));
		store32(drive, at + 12, EL3_LAST | drive->length);
	}
	drive->write(drive, EL3_DOWN, 4, first);
}

static void el3_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++) {
		uint32_t at = rx_at(drive->got);

		store32(drive, at, rx_at(drive->got + 1));
		store32(drive, at + 8, rx_buffer(drive->got % SLOTS));
		store32(drive, at + 12, EL3_LAST | 1600);
		store32(drive, at + 4, 0);
	}
	drive->write(drive, EL3_COMMAND, 2, 6 << 11 | 1);
}

const struct family family_3c905c = {
	.name = "3c905c",
	.bar = 1,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = el3_program,
	.send = el3_send,
	.room = el3_room,
	.received = received,
};

/* ---- lists with own bits, and a command for each direction ---- */

enum { EPIC_OWN = 1 << 15, EPIC_LAST = 1 << 20, EPIC_TELL = 1 << 18, EPIC_NO_FCS = 1 << 19 };

static void epic_program(struct drive *drive)
{
	static const struct write list[] = {
		{0x0c, 4, 1},	    {0x0c, 4, 2},	{0x08, 4, 0xffff}, {0x60, 4, 0x0c},
		{0x84, 4, RX_RING}, {0xc4, 4, TX_RING}, {0x00, 4, 0x0a},
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		const uint32_t tx[] = {0, tx_buffer(i, drive->length), 0, tx_at(i + 1u)};
		const uint32_t rx[] = {0, rx_buffer(i), 1600, rx_at(i + 1u)};

		slots_fill(drive, i, tx, rx);
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void epic_send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++) {
		uint32_t at = tx_at(drive->sent);

		store32(drive, at + 4, tx_buffer(drive->sent, drive->length));
		store32(drive, at + 8,
			EPIC_LAST | (drive->sent % 3 ? 0 : EPIC_TELL) |
				(drive->sent % 7 ? 0 : EPIC_NO_FCS) | drive->length);
		store32(drive, at + 12, tx_at(drive->sent + 1));
		store32(drive, at, drive->length << 16 | EPIC_OWN);
	}
	drive->write(drive, 0x00, 4, 4);
}

static void epic_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++) {
		uint32_t at = rx_at(drive->got);

		store32(drive, at + 4, rx_buffer(drive->got % SLOTS));
		store32(drive, at + 8, 1600);
		store32(drive, at + 12, rx_at(drive->got + 1));
		store32(drive, at, EPIC_OWN);
	}
	drive->write(drive, 0x00, 4, 8);
}

const struct family family_epic100 = {
	.name = "epic100",
	.bar = 1,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = epic_program,
	.send = epic_send,
	.room = epic_room,
	.received = received,
};

/* ---- lists that end, whose head the driver finds 0 ---- */

enum { ALTA_TX_LIST = 0x04, ALTA_LAST = 1u << 31, ALTA_INDICATE = 0x8000 };

static void alta_program(struct drive *drive)
{
	static const struct write list[] = {
		{0x30, 4, 0xff0000}, {0x10, 4, RX_RING}, {0x54, 2, 0x5452},
		{0x56, 2, 0x1200},   {0x58, 2, 0x5634},	 {0x5a, 2, 1518},
		{0x5c, 1, 0x05},     {0x52, 2, 0x0920},	 {0x4c, 2, 0x5c6},
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		const uint32_t rx[] = {rx_at(i + 1u), ALTA_INDICATE, rx_buffer(i),
				       ALTA_LAST | 1600};

		memcpy(drive->memory + rx_at(i), rx, sizeof(rx));
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void alta_send(struct drive *drive, unsigned count)
{
	uint32_t first = tx_at(drive->sent);

	for (unsigned i = 0; i < count; i++, drive->sent++) {
		const uint32_t tx[] = {i + 1 < count ? tx_at(drive->sent + 1) : 0,
				       (uint32_t)(drive->sent % SLOTS) << 2 | ALTA_INDICATE,
				       tx_buffer(drive->sent, drive->length),
				       ALTA_LAST | drive->length};

		memcpy(drive->memory + tx_at(drive->sent), tx, sizeof(tx));
	}
	drive->write(drive, ALTA_TX_LIST, 4, first);
}

static void alta_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++)
		store32(drive, rx_at(drive->got) + 4, 0);
}

const struct family family_dfe580tx = {
	.name = "dfe580tx",
	.bar = 1,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = alta_program,
	.send = alta_send,
	.room = alta_room,
	.received = received,
};
