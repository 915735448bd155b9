/* SPDX-License-Identifier: Apache-2.0 */
#include "family.h"

#include <stdio.h>

static const uint32_t own = 1u << 31;

static uint32_t bit(bool set, unsigned number)
{
	return (uint32_t)set << number;
}

/* ---- 8254x ---- */

static void gigabit_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	const uint32_t writes[][2] = {
		{0x0000, 0x40},
		{0x3800, tx},
		{0x3804, 0},
		{0x3808, FAMILY_SLOTS / 8 * 128},
		{0x3810, 0},
		{0x2800, rx},
		{0x2804, 0},
		{0x2808, FAMILY_SLOTS / 8 * 128},
		{0x2810, 0},
		{0x0400, 0x0a},
		{0x0100, 0x803a | (loop ? 3 << 6 : 0)},
	};

	for (unsigned i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		foe_write(foe, 0, writes[i][0], 4, writes[i][1]);
}

static void gigabit_tx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, is->address);
	put32(slot + 8, (is->length & 0xffff) | bit(is->last, 24) | 0x0a000000);
}

static void gigabit_rx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, is->address);
}

static void gigabit_kick(struct foe *foe)
{
	foe_write(foe, 0, 0x2818, 4, FAMILY_SLOTS / 8 * 8 - 1);
	foe_write(foe, 0, 0x3818, 4, FAMILY_SLOTS / 8 * 8 - 1);
}

/* ---- rings of own bits that end with a bit: RTL8139C+, RTL8169, RTL8168 ---- */

static void plus_ring(struct foe *foe, uint32_t tx, uint32_t rx)
{
	foe_write(foe, 1, 0xe4, 4, rx);
	foe_write(foe, 1, 0x20, 4, tx);
}

static void plus_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	unsigned bar = foe->card->bars[2].size && !foe->card->bars[2].io ? 2 : 1;

	if (bar == 1)
		foe_write(foe, 1, 0xe0, 2, 0x2b);
	foe_write(foe, bar, 0x37, 1, 0x0c);
	foe_write(foe, bar, 0xda, 2, 0x3fff);
	foe_write(foe, bar, 0x44, 4, 0xe70f);
	foe_write(foe, bar, 0x40, 4, loop ? 0x60700 : 0x700);
	plus_ring(foe, tx, rx);
}

static void plus_tx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, own | bit(is->end, 30) | bit(is->first, 29) | bit(is->last, 28) |
			    (is->length & 0xffff));
	put32(slot + 8, is->address);
}

static void plus_rx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, own | bit(is->end, 30) | (is->length & 0x1fff));
	put32(slot + 8, is->address);
}

static void plus_kick(struct foe *foe)
{
	foe_write(foe, 1, 0xd9, 1, 0x40);
	foe_write(foe, 1, 0x38, 1, 0x40);
}

/* ---- PCnet, style 2 ---- */

static void pcnet_write(struct foe *foe, unsigned number, uint32_t value)
{
	foe_write(foe, 0, 0x12, 2, number);
	foe_write(foe, 0, 0x10, 2, value);
}

static void pcnet_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	uint8_t *block = foe->memory + 0x8000;

	foe_write(foe, 0, 0x12, 2, 20);
	foe_write(foe, 0, 0x16, 2, 2);
	memset(block, 0, 28);
	put32(block, 0x90908000 | (loop ? 4 : 0));
	put32(block + 20, rx);
	put32(block + 24, tx);
	pcnet_write(foe, 1, 0x8000);
	pcnet_write(foe, 2, 0);
	pcnet_write(foe, 0, 1);
	pcnet_write(foe, 0, 2);
}

static void pcnet_tx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, is->address);
	put32(slot + 4,
	      own | bit(is->first, 25) | bit(is->last, 24) | 0xf000 | ((0u - is->length) & 0xfff));
}

static void pcnet_kick(struct foe *foe)
{
	pcnet_write(foe, 0, 8);
}

/* ---- 21143 ---- */

static void tulip_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	foe_write(foe, 1, 0x18, 4, rx);
	foe_write(foe, 1, 0x20, 4, tx);
	foe_write(foe, 1, 0x30, 4, 0x320020c2 | (loop ? 0x400 : 0));
}

static void tulip_slot(uint8_t *slot, const struct family_slot *is, uint32_t flags)
{
	put32(slot, own);
	put32(slot + 4, flags | bit(is->end, 25) | (is->length & 0x7ff) |
				(is->next ? 1 << 24 : (is->length >> 11 & 0x7ff) << 11));
	put32(slot + 8, is->address);
	put32(slot + 12, is->next ? is->next : is->address);
}

static void tulip_tx(uint8_t *slot, const struct family_slot *is)
{
	tulip_slot(slot, is, bit(is->first, 29) | bit(is->last, 30));
}

static void tulip_rx(uint8_t *slot, const struct family_slot *is)
{
	tulip_slot(slot, is, 0);
}

static void tulip_kick(struct foe *foe)
{
	foe_write(foe, 1, 0x10, 4, 1);
	foe_write(foe, 1, 0x08, 4, 1);
}

/* ---- DP83815, SiS 900 ---- */

static void linked_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	foe_write(foe, 1, 0x20, 4, tx);
	foe_write(foe, 1, 0x30, 4, rx);
	foe_write(foe, 1, 0x24, 4, loop ? 0x20000102 : 0x102);
	foe_write(foe, 1, 0x48, 4, 0xf0000000);
}

static void linked_slot(uint8_t *slot, const struct family_slot *is, uint32_t flags)
{
	put32(slot, is->next);
	put32(slot + 4, flags | (is->length & 0xfff));
	put32(slot + 8, is->address);
}

static void linked_tx(uint8_t *slot, const struct family_slot *is)
{
	linked_slot(slot, is, own | bit(!is->last, 30));
}

static void linked_rx(uint8_t *slot, const struct family_slot *is)
{
	linked_slot(slot, is, 0);
}

static void linked_kick(struct foe *foe)
{
	foe_write(foe, 1, 0, 4, 5);
}

/* ---- Rhine ---- */

static void rhine_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	foe_write(foe, 0, 0x18, 4, rx);
	foe_write(foe, 0, 0x1c, 4, tx);
	foe_write(foe, 0, 0x06, 2, loop ? 0x021f : 0x1f);
	foe_write(foe, 0, 0x08, 1, 0x1a);
}

static void rhine_tx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, own);
	put32(slot + 4, bit(is->last, 22) | bit(is->first, 21) | (is->length & 0x7ff));
	put32(slot + 8, is->address);
	put32(slot + 12, is->next);
}

static void rhine_kick(struct foe *foe)
{
	foe_write(foe, 0, 0x09, 1, 0x60);
}

/* ---- 8255x: data within the blocks, or behind an array of descriptors ---- */

static void express_command(struct foe *foe, uint32_t pointer, unsigned command)
{
	foe_write(foe, 0, 4, 4, pointer);
	foe_write(foe, 0, 2, 1, command);
}

static void express_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	uint8_t *block = foe->memory + 0x8000;

	memset(block, 0, 64);
	put32(block, 0x80020000);
	memcpy(block + 8, "\x16\x08\0\0\0\0\x32\x03\0\0\x2e\0\x60\0\xf2\xc9\0\x40\xfa\x80\x3f\x0d",
	       22);
	block[8 + 10] |= loop ? 0x40 : 0;
	express_command(foe, 0, 0x60);
	express_command(foe, 0, 0x06);
	express_command(foe, 0x8000, 0x10);
	express_command(foe, rx, 0x01);
	put32(foe->memory + 0x9000, tx);
}

static void express_tx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, 0x000c0000);
	put32(slot + 4, is->next);
	put32(slot + 8, is->address & ~7u); /* an array of what lies there */
	put32(slot + 12, (is->last ? 0x02000000 : 0xff000000) | (is->length & 0x3fff));
}

static void express_rx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, 0);
	put32(slot + 4, is->next);
	put32(slot + 12, (is->length & 0x3fff) << 16);
}

static void express_kick(struct foe *foe)
{
	uint32_t tx;

	memcpy(&tx, foe->memory + 0x9000, 4);
	express_command(foe, tx, 0x10);
}

static void express_close(uint8_t *slot)
{
	slot[3] |= 0x80;
}

/* ---- 3C90xC: lists that end with 0, and else never ---- */

static void tornado_command(struct foe *foe, unsigned code, unsigned parameter)
{
	foe_write(foe, 1, 0x0e, 2, code << 11 | parameter);
}

static void tornado_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	(void)loop;
	tornado_command(foe, 16, 0x0f);
	tornado_command(foe, 4, 0);
	tornado_command(foe, 9, 0);
	put32(foe->memory + 0x9000, tx);
	put32(foe->memory + 0x9004, rx);
}

static void tornado_tx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, is->next);
	put32(slot + 4, own);
	put32(slot + 8, is->address);
	put32(slot + 12, (is->last ? own : 0) | (is->length & 0x1fff));
}

static void tornado_rx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, is->next);
	put32(slot + 4, 0);
	put32(slot + 8, is->address);
	put32(slot + 12, own | (is->length & 0x1fff));
}

static void tornado_kick(struct foe *foe)
{
	uint32_t lists[2];

	memcpy(lists, foe->memory + 0x9000, sizeof(lists));
	foe_write(foe, 1, 0x38, 4, lists[1]);
	foe_write(foe, 1, 0x24, 4, lists[0]);
}

static void tornado_close(uint8_t *slot)
{
	put32(slot, 0);
}

/* ---- GEM: kick and completion registers ---- */

static void gem_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	const uint32_t writes[][2] = {
		{0x2008, tx}, {0x200c, 0}, {0x4004, rx},
		{0x4008, 0},  {0x2004, 7}, {0x4000, 7},
		{0x6030, 1},  {0x6034, 9}, {0x603c, loop ? 2 : 0},
	};

	for (unsigned i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		foe_write(foe, 0, writes[i][0], 4, writes[i][1]);
}

static void gem_tx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, bit(is->first, 31) | bit(is->last, 30) | (is->length & 0x7fff));
	put32(slot + 8, is->address);
}

static void gem_rx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, own | (is->length & 0x7fff) << 16);
	put32(slot + 8, is->address);
}

static void gem_kick(struct foe *foe)
{
	foe_write(foe, 0, 0x4100, 4, 252);
	foe_write(foe, 0, 0x2000, 4, 255);
}

/* ---- EPIC/100 ---- */

static void epic_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	const uint32_t writes[][2] = {
		{0x0c, 0x412}, {0x60, 0x2c}, {0x70, loop ? 0x7a : 0x78},
		{0x84, rx},    {0xc4, tx},   {0x00, 0x0a},
	};

	for (unsigned i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		foe_write(foe, 1, writes[i][0], 4, writes[i][1]);
}

static void epic_slot(uint8_t *slot, const struct family_slot *is, uint32_t flags)
{
	put32(slot, 1 << 15);
	put32(slot + 4, is->address);
	put32(slot + 8, flags | (is->length & 0xffff));
	put32(slot + 12, is->next);
}

static void epic_tx(uint8_t *slot, const struct family_slot *is)
{
	epic_slot(slot, is, bit(is->last, 20) | 1 << 18);
}

static void epic_rx(uint8_t *slot, const struct family_slot *is)
{
	epic_slot(slot, is, 0);
}

static void epic_kick(struct foe *foe)
{
	foe_write(foe, 1, 0x00, 4, 0x0c);
}

/* ---- Velocity: slots for room are a quarter as large as those with data ---- */

static void velocity_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	foe_write(foe, 1, 0x38, 4, rx);
	foe_write(foe, 1, 0x40, 4, tx);
	foe_write(foe, 1, 0x50, 2, 4 * FAMILY_SLOTS - 1);
	foe_write(foe, 1, 0x52, 2, FAMILY_SLOTS - 1);
	foe_write(foe, 1, 0x5e, 2, 4 * FAMILY_SLOTS);
	foe_write(foe, 1, 0x06, 2, loop ? 0x013e : 0x3e);
	foe_write(foe, 1, 0x32, 1, 1);
	foe_write(foe, 1, 0x30, 2, 1);
	foe_write(foe, 1, 0x0c, 4, 2);
	foe_write(foe, 1, 0x08, 4, 0x0d);
}

static void velocity_tx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, own);
	put32(slot + 4, 2u << 28 | bit(is->first, 25) | bit(is->last, 24));
	put32(slot + 8, is->address);
	put32(slot + 12, (is->length & 0x3fff) << 16);
}

static void velocity_rx(uint8_t *slot, const struct family_slot *is)
{
	for (unsigned i = 0; i < 64; i += 16) {
		put32(slot + i, own);
		put32(slot + i + 8, is->address);
		put32(slot + i + 12, (is->length & 0x7fff) << 16);
	}
}

static void velocity_kick(struct foe *foe)
{
	foe_write(foe, 1, 0x32, 1, 4);
	foe_write(foe, 1, 0x30, 2, 4);
}

/* ---- ST201: lists that end ---- */

static void alta_close(uint8_t *slot)
{
	put32(slot, 0);
}

static void alta_start(struct foe *foe, uint32_t tx, uint32_t rx, bool loop)
{
	(void)loop; /* it has none */
	foe_write(foe, 1, 0x10, 4, rx);
	foe_write(foe, 1, 0x5a, 2, 0xffff);
	foe_write(foe, 1, 0x5c, 1, 0x0f);
	foe_write(foe, 1, 0x52, 2, 0x0920);
	foe_write(foe, 1, 0x04, 4, tx);
}

static void alta_tx(uint8_t *slot, const struct family_slot *is)
{
	put32(slot, is->next);
	put32(slot + 4, 0x8000);
	put32(slot + 8, is->address);
	put32(slot + 12, own | (is->length & 0x1fff));
}

static void alta_rx(uint8_t *slot, const struct family_slot *is)
{
	alta_tx(slot, is);
	put32(slot + 4, 0);
}

static void alta_kick(struct foe *foe)
{
	foe_write(foe, 1, 0x00, 4, 0xa00);
	foe_write(foe, 1, 0x04, 4, FAMILY_TX);
}

const struct family families[] = {
	{" e1000 e1000-82545em ", 16, NULL, gigabit_start, gigabit_tx, gigabit_rx, gigabit_kick},
	{" rtl8139cp rtl8169 rtl8168 ", 16, NULL, plus_start, plus_tx, plus_rx, plus_kick},
	{" pcnet ", 16, NULL, pcnet_start, pcnet_tx, pcnet_tx, pcnet_kick},
	{" tulip ", 16, NULL, tulip_start, tulip_tx, tulip_rx, tulip_kick},
	{" natsemi sis900 ", 16, NULL, linked_start, linked_tx, linked_rx, linked_kick},
	{" via-rhine ", 16, NULL, rhine_start, rhine_tx, rhine_tx, rhine_kick},
	{" 3c905c ", 16, tornado_close, tornado_start, tornado_tx, tornado_rx, tornado_kick},
	{" sungem ", 16, NULL, gem_start, gem_tx, gem_rx, gem_kick},
	{" epic100 ", 16, NULL, epic_start, epic_tx, epic_rx, epic_kick},
	{" dfe580tx ", 16, alta_close, alta_start, alta_tx, alta_rx, alta_kick},
	{" vt6122 ", 64, NULL, velocity_start, velocity_tx, velocity_rx, velocity_kick},
	{" i82559 ", 64, express_close, express_start, express_tx, express_rx, express_kick},
};
const unsigned families_count = sizeof(families) / sizeof(*families);

const struct family *family_of(const struct card *card)
{
	char name[80];

	snprintf(name, sizeof(name), " %s ", card->name);
	for (unsigned i = 0; i < families_count; i++) {
		if (strstr(families[i].cards, name))
			return &families[i];
	}
	return NULL;
}
