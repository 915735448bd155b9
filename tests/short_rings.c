/* SPDX-License-Identifier: Apache-2.0 */

/* Drivers for cards that the bench has no peer for, whose slots follow one another. */
#include "short.h"

/* ---- slots that say whose they are and where the ring ends ---- */

enum { RTL_OWN = 1u << 31, RTL_EOR = 1 << 30, RTL_FS = 1 << 29, RTL_LS = 1 << 28 };

static uint32_t rtl_end(uint64_t slot)
{
	return slot % SLOTS == SLOTS - 1 ? RTL_EOR : 0;
}

static void rtl_program(struct drive *drive)
{
	static const struct write list[] = {
		{0x37, 1, 0x10},   {0x50, 1, 0xc0},    {0xe0, 2, 0x20}, {0x20, 4, TX_RING},
		{0x24, 4, 0},	   {0xe4, 4, RX_RING}, {0xe8, 4, 0},	{0x44, 4, 0x0000e70e},
		{0xda, 2, 0x3fff}, {0x3c, 2, 0xffff},  {0x37, 1, 0x0c},
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		memset(drive->memory + tx_at(i), 0, 16);
		memset(drive->memory + rx_at(i), 0, 16);
		store32(drive, tx_at(i), rtl_end(i));
		store32(drive, tx_at(i) + 8, tx_buffer(i, drive->length));
		store32(drive, rx_at(i), rtl_end(i));
		store32(drive, rx_at(i) + 8, rx_buffer(i));
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void rtl_send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++) {
		store32(drive, tx_at(drive->sent) + 8, tx_buffer(drive->sent, drive->length));
		store32(drive, tx_at(drive->sent),
			RTL_OWN | RTL_FS | RTL_LS | rtl_end(drive->sent) | drive->length);
	}
	drive->write(drive, 0x38, 1, 0x40);
}

static void rtl_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++) {
		store32(drive, rx_at(drive->got) + 8, rx_buffer(drive->got % SLOTS));
		store32(drive, rx_at(drive->got), RTL_OWN | rtl_end(drive->got) | 1600);
	}
}

const struct family family_rtl8169 = {
	.name = "rtl8169",
	.bar = 1,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = rtl_program,
	.send = rtl_send,
	.room = rtl_room,
	.received = received,
};

/* The same registers, in another BAR. */
const struct family family_rtl8168 = {
	.name = "rtl8168",
	.bar = 2,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = rtl_program,
	.send = rtl_send,
	.room = rtl_room,
	.received = received,
};

/* ---- kick registers: the transmit one behind the last, the receive one with a slot to spare ----
 */

enum { GEM_TX_KICK = 0x2000, GEM_RX_KICK = 0x4100, GEM_ENTRIES_64 = 1 << 1 };

static void gem_program(struct drive *drive)
{
	static const struct write list[] = {
		{0x1010, 4, 3},
		{0x2004, 4, GEM_ENTRIES_64},
		{0x2008, 4, TX_RING},
		{0x200c, 4, 0},
		{0x2000, 4, 0},
		{0x4000, 4, GEM_ENTRIES_64 | 14 << 13},
		{0x4004, 4, RX_RING},
		{0x4008, 4, 0},
		{0x4100, 4, 0},
		{0x4108, 4, 2 | 4 << 12},
		{0x6054, 4, 1522},
		{0x6080, 4, 0x3456},
		{0x6084, 4, 0x0012},
		{0x6088, 4, 0x5254},
		{0x6030, 4, 1},
		{0x6034, 4, 0x25},
		{0x2004, 4, GEM_ENTRIES_64 | 1},
		{0x4000, 4, GEM_ENTRIES_64 | 14 << 13 | 1},
		{0x0010, 4, 4},
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		const uint32_t tx[] = {0, 0, tx_buffer(i, drive->length), 0};
		const uint32_t rx[] = {1u << 31 | 1600 << 16, 0, rx_buffer(i), 0};

		slots_fill(drive, i, tx, rx);
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void gem_send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++) {
		uint32_t at = tx_at(drive->sent);

		store32(drive, at + 8, tx_buffer(drive->sent, drive->length));
		store32(drive, at + 4, drive->sent % SLOTS == 0);
		store32(drive, at, 3u << 30 | drive->length);
	}
	drive->write(drive, GEM_TX_KICK, 4, drive->sent % SLOTS);
}

static void gem_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++)
		store32(drive, rx_at(drive->got), 1u << 31 | 1600 << 16);
	drive->write(drive, GEM_RX_KICK, 4, drive->got % SLOTS);
}

const struct family family_sungem = {
	.name = "sungem",
	.bar = 0,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = gem_program,
	.send = gem_send,
	.room = gem_room,
	.received = received,
};

/* ---- lists of elements, two for each frame; put indices, and a list that the card writes ---- */

enum { ELEMENTS = 2 * SLOTS, RX_PUT = 0x464, TX_PUT = 0x6e4 };
enum {
	LE_ADDRESS = 0xa1u << 24,
	LE_PACKET = 0xc1u << 24,
	LE_SUM = 0x9fu << 24,
	LE_VLAN = 0xa2u << 24
};
enum { LE_LAST = 1 << 23, LE_TAGGED = 1 << 21, LE_CALSUM = 1 << 17 };

static void element(struct drive *drive, uint32_t at, uint32_t low, uint32_t high)
{
	store32(drive, at, low);
	store32(drive, at + 4, high);
}

static void yukon_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++) {
		element(drive, rx_at(drive->got), 0, LE_ADDRESS);
		element(drive, rx_at(drive->got) + 8, rx_buffer(drive->got % SLOTS),
			LE_PACKET | 1600);
	}
	drive->write(drive, RX_PUT, 2, drive->got * 2 % ELEMENTS);
}

static void yukon_program(struct drive *drive)
{
	static const struct write list[] = {
		{0x004, 1, 1},
		{0x004, 1, 2},
		{0xe88, 4, BLOCK},
		{0xe84, 2, 255},
		{0xe80, 4, 8},
		{0x81c, 4, 0},
		{0xc48, 4, 8},
		{0x2818, 2, 0x200},
		{0x280c, 2, 0xe000},
		{0x2828, 2, 0x5452},
		{0x282c, 2, 0x1200},
		{0x2830, 2, 0x5634},
		{0x434, 4, 0x2aaa},
		{0x434, 4, 0x100},
		{0x450, 4, 1},
		{0x450, 4, 2},
		{0x458, 4, RX_RING},
		{0x454, 2, ELEMENTS - 1},
		{0x450, 4, 8},
		{0x6b4, 4, 0xaaa},
		{0x6b4, 4, 0x100},
		{0x6d0, 4, 1},
		{0x6d0, 4, 2},
		{0x6d8, 4, TX_RING},
		{0x6d4, 2, ELEMENTS - 1},
		{0x6d0, 4, 8},
		{0x2804, 2, 0x1800},
		{0x00c, 4, 1u << 30},
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		memset(drive->memory + tx_at(i), 0, 16);
		memset(drive->memory + rx_at(i), 0, 16);
	}
	writes(drive, list, sizeof(list) / sizeof(*list));
	drive->sent = drive->got = 0;
}

static void yukon_send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++) {
		static const uint32_t before[] = {LE_ADDRESS, LE_SUM, LE_VLAN | 0x500};
		unsigned kind = drive->sent % 3;

		element(drive, tx_at(drive->sent), kind == 1 ? 34 << 16 | 40 : 0, before[kind]);
		element(drive, tx_at(drive->sent) + 8, tx_buffer(drive->sent, drive->length),
			LE_PACKET | LE_LAST | drive->length | (kind == 1 ? LE_CALSUM : 0) |
				(kind == 2 ? LE_TAGGED : 0));
	}
	drive->write(drive, TX_PUT, 2, drive->sent * 2 % ELEMENTS);
}

const struct family family_yukon2 = {
	.name = "yukon2",
	.bar = 0,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = yukon_program,
	.send = yukon_send,
	.room = yukon_room,
	.received = received,
};

/* ---- free descriptors one way, and a ring of returned ones back ---- */

enum { ALX_RFD = RX_RING, ALX_RRD = BLOCK, ALX_EOP = 1u << 31, ALX_IP = 1 << 9, ALX_TCP = 1 << 10 };

static void alx_program(struct drive *drive)
{
	static const struct write list[] = {
		{0x1400, 4, 1},	      {0x149c, 4, 1522},       {0x1580, 4, TX_RING},
		{0x1584, 4, SLOTS},   {0x1550, 4, ALX_RFD},    {0x1560, 4, SLOTS},
		{0x1564, 4, 1600},    {0x1568, 4, ALX_RRD},    {0x1578, 4, SLOTS},
		{0x1590, 4, 0x20},    {0x15a0, 4, 1u << 31},   {0x1600, 4, 0},
		{0x1604, 4, 0x18000}, {0x1480, 4, 0x040000c3},
	};

	for (unsigned i = 0; i < SLOTS; i++) {
		store32(drive, ALX_RFD + i * 8, rx_buffer(i));
		store32(drive, ALX_RFD + i * 8 + 4, 0);
	}
	memset(drive->memory + TX_RING, 0, SLOTS * 16);
	memset(drive->memory + ALX_RRD, 0, SLOTS * 16);
	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void alx_send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++) {
		uint32_t at = tx_at(drive->sent);

		store32(drive, at, drive->length);
		store32(drive, at + 4, ALX_EOP | (drive->sent % 3 ? 0 : ALX_IP | ALX_TCP));
		store32(drive, at + 8, tx_buffer(drive->sent, drive->length));
	}
	drive->write(drive, 0x15f2, 2, drive->sent % SLOTS);
}

static void alx_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++)
		store32(drive, ALX_RFD + (uint32_t)(drive->got % SLOTS) * 8,
			rx_buffer(drive->got % SLOTS));
	drive->write(drive, 0x15e0, 2, drive->got % SLOTS);
}

const struct family family_ar8161 = {
	.name = "ar8161",
	.bar = 0,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = alx_program,
	.send = alx_send,
	.room = alx_room,
	.received = received,
};

/* ---- two rings with slots of two sizes; fragments in the slot itself ---- */

enum { VELOCITY_OWN = 1u << 31, VELOCITY_TIC = 1 << 23, VELOCITY_FRAME = 3 << 24 };

static uint32_t velocity_at(uint64_t slot)
{
	return TX_RING + (uint32_t)(slot % SLOTS) * 64;
}

static void velocity_program(struct drive *drive)
{
	static const struct write list[] = {
		{0x08, 4, 0x8000},     {0x93, 1, 0x20},	     {0x18, 4, 0},	 {0x38, 4, RX_RING},
		{0x50, 2, SLOTS - 1},  {0x52, 2, SLOTS - 1}, {0x40, 4, TX_RING}, {0x06, 1, 0x18},
		{0x32, 1, 1},	       {0x30, 2, 1},	     {0x28, 4, 0xffff},	 {0x0c, 4, 2},
		{0x08, 4, 0x0200080d},
	};

	memset(drive->memory + TX_RING, 0, SLOTS * 64);
	memset(drive->memory + RX_RING, 0, SLOTS * 16);
	writes(drive, list, sizeof(list) / sizeof(*list));
}

/* Every other frame is in two pieces. */
static void velocity_send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++) {
		uint32_t at = velocity_at(drive->sent),
			 from = tx_buffer(drive->sent, drive->length);
		uint32_t head = drive->sent % 2 ? 20 : drive->length;

		store32(drive, at + 4, VELOCITY_FRAME | VELOCITY_TIC | (2 + drive->sent % 2) << 28);
		store32(drive, at + 8, from);
		store32(drive, at + 12, head << 16);
		store32(drive, at + 16, from + head);
		store32(drive, at + 20, (drive->length - head) << 16);
		store32(drive, at, VELOCITY_OWN | drive->length << 16);
	}
	drive->write(drive, 0x30, 2, 4);
}

static void velocity_room(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->got++) {
		store32(drive, rx_at(drive->got) + 8, rx_buffer(drive->got % SLOTS));
		store32(drive, rx_at(drive->got) + 12, VELOCITY_OWN | 1600 << 16);
		store32(drive, rx_at(drive->got), VELOCITY_OWN);
	}
	drive->write(drive, 0x5e, 2, count);
}

const struct family family_vt6122 = {
	.name = "vt6122",
	.bar = 1,
	.tx_slots = SLOTS,
	.rx_slots = SLOTS,
	.program = velocity_program,
	.send = velocity_send,
	.room = velocity_room,
	.received = received,
};
