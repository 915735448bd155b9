/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Traps for cards with a buffer instead of slots, and frames whose headers lie to
 * a card that believes them.
 */
#include "family.h"

static struct foe foe, fresh;

static void begin(const char *name)
{
	foe_new(&foe, test_card(name), false);
	foe_new(&fresh, test_card(name), false);
	foe_reset(&fresh);
	foe.room = 1 << 30;
}

static void end(void)
{
	foe_check(&foe);
	foe_reset(&foe);
	foe_settle(&foe);
	foe_like_new(&foe, &fresh);
	foe_free(&foe);
	foe_free(&fresh);
}

/* ---- a stream in guest memory, and slots in registers ---- */

static void slots_in_registers(void)
{
	for (unsigned i = 0; i < foe_times(600); i++) {
		uint32_t address = i & 1 ? (uint32_t)foe_address(&foe) : FOE_BUFFERS;

		foe_write(&foe, 1, 0x40, 4, i & 2 ? 0x60700 : 0x700);
		foe_write(&foe, 1, 0x20 + i % 4 * 4, 4, address);
		foe_write(&foe, 1, 0x10 + i % 4 * 4, 4, foe_number() & ~0x2000ull);
	}
	foe_settle(&foe);
}

static void stream_anywhere(void)
{
	static const uint32_t starts[] = {0,
					  FOE_BUFFERS,
					  FOE_BUFFERS + 1,
					  MACHINE_MEMORY - 16,
					  MACHINE_MEMORY - 8192,
					  MACHINE_MEMORY - 8192 - 20,
					  0xc0000000,
					  0xfffffff0};

	for (unsigned i = 0; i < 8 * 8; i++) {
		foe_write(&foe, 1, 0x37, 1, 0x10);
		foe_write(&foe, 1, 0x30, 4, starts[i % 8]);
		foe_write(&foe, 1, 0x37, 1, 0x0c);
		foe_write(&foe, 1, 0x44, 4, 0xe70f | (i / 8 & 3) << 11 | (i / 32 & 1) << 7);
		for (unsigned k = 0; k < foe_times(60); k++) {
			foe_offer(&foe, k % 3 ? 60 + k : 1514);
			foe_write(&foe, 1, 0x38, 2, k & 1 ? foe_number() : unit_random());
			foe_read(&foe, 1, 0x37, 1);
		}
	}
}

static void test_streams(void)
{
	static const char *const names[] = {"rtl8139", "rtl8139cp"};

	for (unsigned i = 0; i < 2; i++) {
		begin(names[i]);
		foe_write(&foe, 1, 0x37, 1, 0x0c);
		slots_in_registers();
		stream_anywhere();
		slots_in_registers(); /* and back into the stream */
		end();
	}
}

/* ---- a buffer on the card: pages, boundaries, lengths in every relation ---- */

static void page(unsigned number, bool stopped)
{
	foe_write(&foe, 0, 0, 1, number << 6 | 0x20 | (stopped ? 1 : 2));
}

static void buffer_start(unsigned first, unsigned stop, unsigned boundary, unsigned current)
{
	page(0, true);
	foe_write(&foe, 0, 0x01, 1, first);
	foe_write(&foe, 0, 0x02, 1, stop);
	foe_write(&foe, 0, 0x03, 1, boundary);
	foe_write(&foe, 0, 0x0c, 1, 0x1c);
	foe_write(&foe, 0, 0x0d, 1, unit_random() % 8 ? 0 : 2);
	foe_write(&foe, 0, 0x0e, 1, unit_random());
	page(1, true);
	foe_write(&foe, 0, 0x07, 1, current);
	page(0, false);
}

static void remote(unsigned address, unsigned count, bool out)
{
	foe_write(&foe, 0, 0x08, 2, address);
	foe_write(&foe, 0, 0x0a, 2, count);
	foe_write(&foe, 0, 0x00, 1, out ? 0x12 : 0x0a);
	for (unsigned i = 0; i < 6; i++) {
		if (out)
			foe_write(&foe, 0, 0x10 + i % 2, 1u << i % 4, unit_random());
		else
			foe_read(&foe, 0, 0x10, 1u << i % 4);
	}
}

static void send(unsigned from, unsigned length)
{
	foe_write(&foe, 0, 0x04, 1, from);
	foe_write(&foe, 0, 0x05, 1, length);
	foe_write(&foe, 0, 0x06, 1, length >> 8);
	foe_write(&foe, 0, 0x00, 1, 0x26);
}

static void test_pages(void)
{
	static const uint8_t pages[] = {0, 1, 0x3f, 0x40, 0x46, 0x7f, 0x80, 0xff};
	static const uint16_t places[] = {0, 1, 0x3fff, 0x4000, 0x7ffe, 0x7fff, 0x8000, 0xffff};

	begin("ne2000");
	for (unsigned i = 0; i < 8 * 8 * 8 * 8; i += foe_times(5) < 5 ? 5 : 1) {
		buffer_start(pages[i % 8], pages[i / 8 % 8], pages[i / 64 % 8], pages[i / 512]);
		foe_offer(&foe, i % 3 ? 60 : 1514);
		foe_offer(&foe, 300);
	}
	for (unsigned i = 0; i < 64; i++) {
		remote(places[i % 8], places[i / 8], false);
		remote(places[i % 8], places[i / 8], true);
		send(pages[i % 8], places[i / 8]);
	}
	end();
}

/* ---- headers that lie ---- */

static void headers(uint8_t *frame)
{
	static const uint8_t kinds[][2] = {{0x08, 0x00}, {0x86, 0xdd}, {0x81, 0x00}, {0x88, 0xb5}};
	const uint8_t *kind = kinds[unit_random() % 8 < 5 ? 0 : unit_random() % 4];

	unit_fill(frame, 1600, unit_random());
	memcpy(frame + 12, kind, 2);
	frame[14] =
		(uint8_t)(kind[0] == 0x86 ? 0x60
					  : 0x40 | (unit_random() % 4 ? 5 : unit_random() % 16));
	frame[16] = (uint8_t)(unit_random() % 3 ? 5 : unit_random());
	frame[23] = frame[20] = (uint8_t)(unit_random() % 2 ? 6 : 17);
	frame[46] = (uint8_t)(unit_random() % 2 ? 0x50 : unit_random());
}

/* OPTIONS: what the card shall do, in the bits of its descriptors. */
static void lie(const char *name, uint32_t options, uint32_t more)
{
	const struct family *family = family_of(test_card(name));

	begin(name);
	family->start(&foe, FAMILY_TX, FAMILY_RX, false);
	for (unsigned i = 0; i < foe_times(3000); i++) {
		static const uint16_t lengths[] = {14, 15, 33, 34, 53, 54, 55, 60, 100, 1514};
		uint8_t *slot = foe.memory + FAMILY_TX;
		const struct family_slot is = {
			FOE_BUFFERS, lengths[unit_random() % 10], 0, true, true, true};

		headers(foe.memory + FOE_BUFFERS);
		family->tx(slot, &is);
		put32(slot + 4, unit_random() & more);
		slot[2] |= (uint8_t)(unit_random() & options >> 16);
		slot[3] |= (uint8_t)(unit_random() & options >> 24);
		family->kick(&foe);
		CHECK(!(slot[3] & 0x80)); /* done with, one way or another */
	}
	foe_settle(&foe);
	CHECK(foe.sent > 0);
	end();
}

static void test_lies(void)
{
	lie("rtl8139cp", 0x0fff0000, 0x2ffff);
	lie("rtl8169", 0x0fff0000, 0x2ffff);
	lie("rtl8168", 0x07fc0000, 0xfffeffff);
}

UNIT_FILE(holes_more, {"streams", test_streams}, {"pages", test_pages}, {"lies", test_lies});
