/* SPDX-License-Identifier: Apache-2.0 */

/* The RTL8029 and RTL8139C as their drivers use them, and then worse. */
#include "bare.h"

#include "nic/nic.h"

#include <string.h>

static struct bare bare;
static uint8_t frame[2048];

static uint32_t in(unsigned at, unsigned width)
{
	return (uint32_t)(nic_bar_read(bare.nic, 0, at, width) & (UINT64_MAX >> (64 - width * 8)));
}

static void out(unsigned at, unsigned width, uint32_t value)
{
	nic_bar_write(bare.nic, 0, at, width, value);
	bare_settle(&bare);
}

static bool offer(unsigned length, uint8_t first)
{
	bool taken;

	unit_fill(frame, length, length);
	memcpy(frame, test_mac, 6);
	frame[0] |= first;
	taken = test_port_offer(&bare.port, frame, length);
	bare_settle(&bare);
	return taken;
}

/* ---- RTL8029: names as in the data sheet, page 0 unless said ---- */

enum { CR, PSTART, PSTOP, BNRY, TPSR, TBCR0, TBCR1, ISR, RSAR, RBCR = 10, RCR = 12, TCR, DCR, IMR };
enum { DATA = 0x10, RESET = 0x1f };
enum { PRX = 1, PTX = 2, OVW = 0x10, RDC = 0x40, RST = 0x80 };
enum { FIRST = 0x40, RING = 0x4c, END = 0x80 };

static void remote(unsigned address, unsigned count, unsigned command)
{
	out(RBCR, 1, count & 0xff);
	out(RBCR + 1, 1, count >> 8);
	out(RSAR, 1, address & 0xff);
	out(RSAR + 1, 1, address >> 8);
	out(CR, 1, command);
}

static void ne2000_start(void)
{
	bare_new(&bare, test_card("ne2000"), false);
	out(CR, 1, 0x21);
	out(DCR, 1, 0x49);
	out(PSTART, 1, RING);
	out(BNRY, 1, END - 1);
	out(PSTOP, 1, END);
	out(ISR, 1, 0xff);
	out(CR, 1, 0x61);
	for (unsigned i = 0; i < 6; i++)
		out(1 + i, 1, test_mac[i]);
	out(7, 1, RING);
	out(CR, 1, 0x21);
	out(CR, 1, 0x22);
	out(TCR, 1, 0);
	out(RCR, 1, 4);
	out(IMR, 1, 0x3f);
}

static void test_ne2000_reset(void)
{
	bare_new(&bare, test_card("ne2000"), false);
	CHECK_EQUAL(in(CR, 1), 0x21);
	CHECK_EQUAL(in(10, 2), 0x4350); /* 'P' 'C' */
	out(DCR, 1, 0x49);
	in(RESET, 1);
	CHECK_EQUAL(in(ISR, 1), RST);
	out(ISR, 1, 0xff);
	CHECK_EQUAL(in(ISR, 1), RST); /* a state, not a cause */
	remote(0, 32, 0x0a);
	CHECK_EQUAL(in(ISR, 1), 0);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQUAL(in(DATA, 1), test_mac[i]);
	for (unsigned i = 6; i < 14; i++)
		CHECK_EQUAL(in(DATA, 1), 0);
	CHECK_EQUAL(in(DATA, 4), 0x57575757);
	CHECK_EQUAL(in(ISR, 1), RDC);
	out(CR, 1, 0xe0); /* neither started nor stopped: as it was */
	CHECK_EQUAL(in(CR, 1), 0xe2);
	CHECK_EQUAL(in(14, 2), 0x8029);
	bare_free(&bare);
}

static void test_ne2000_send(void)
{
	ne2000_start();
	unit_fill(frame, 1514, 7);
	remote(FIRST << 8, 1514, 0x12);
	for (unsigned i = 0; i + 4 <= 1514; i += 4)
		out(DATA, 4,
		    frame[i] | frame[i + 1] << 8 | frame[i + 2] << 16 |
			    (uint32_t)frame[i + 3] << 24);
	CHECK_EQUAL(in(ISR, 1), 0);
	out(DATA, 2, frame[1512] | frame[1513] << 8);
	CHECK_EQUAL(in(ISR, 1), RDC);
	out(ISR, 1, RDC);
	out(TBCR0, 1, 1514 & 0xff);
	out(TBCR1, 1, 1514 >> 8);
	out(TPSR, 1, FIRST);
	out(CR, 1, 0x26);
	CHECK_EQUAL(bare.port.count, 1);
	CHECK_EQUAL(bare.port.sent[0].length, 1514);
	CHECK(!memcmp(bare.port.sent[0].data, frame, 1514));
	CHECK_EQUAL(in(CR, 1), 0x22);
	CHECK_EQUAL(in(TPSR, 1), 1); /* TSR */
	CHECK_EQUAL(in(ISR, 1), PTX);
	CHECK(bare.level);
	/* in loopback nothing goes out, and beyond the memory there is no frame */
	out(TCR, 1, 2);
	out(CR, 1, 0x26);
	out(TCR, 1, 0);
	out(TPSR, 1, 0xff);
	out(CR, 1, 0x26);
	CHECK_EQUAL(in(CR, 1), 0x22);
	CHECK_EQUAL(bare.port.count, 1);
	bare_free(&bare);
}

/* One frame out of the ring, as lib8390 takes it: its length, 0: there is none. */
static unsigned take(void)
{
	unsigned page, curr, header, length;

	out(CR, 1, 0x60);
	curr = in(7, 1);
	out(CR, 1, 0x20);
	page = in(BNRY, 1) + 1;
	page = page >= END ? RING : page;
	if (page == curr)
		return 0;
	remote(page << 8, 4, 0x0a);
	header = in(DATA, 4);
	length = (header >> 16) - 4;
	CHECK_EQUAL(header & 0xff, 1);
	remote(page * 256 + 4, length, 0x0a);
	for (unsigned i = 0; i + 4 <= length; i += 4) {
		uint32_t got = in(DATA, 4);

		CHECK(!memcmp(frame + i, &got, 4));
	}
	for (unsigned i = length & ~3u; i + 2 <= length; i += 2)
		CHECK_EQUAL(in(DATA, 2), frame[i] | frame[i + 1] << 8);
	if (length & 1)
		CHECK_EQUAL(in(DATA, 1), frame[length - 1]);
	page = header >> 8 & 0xff;
	out(BNRY, 1, page == RING ? END - 1 : page - 1);
	out(ISR, 1, PRX | RDC);
	return length;
}

static void test_ne2000_receive(void)
{
	ne2000_start();
	for (unsigned length = 60; length <= 1518; length += 1 + length / 9) {
		CHECK(offer(length, 0));
		CHECK_EQUAL(in(ISR, 1), PRX);
		CHECK_EQUAL(take(), length);
		CHECK_EQUAL(take(), 0);
		out(ISR, 1, 0xff);
	}
	CHECK_EQUAL(nic_stats(bare.nic)->undeclared, 0);
	/* 52 pages, one of which stays free: then frames wait, and the card says so */
	for (unsigned i = 0; i < 8; i++)
		CHECK(offer(1514, 0));
	CHECK(!offer(1514, 0));
	CHECK_EQUAL(in(ISR, 1), PRX | OVW);
	CHECK_EQUAL(take(), 1514);
	CHECK_EQUAL(bare.port.resumed, 1);
	bare_free(&bare);
}

/* ---- RTL8139C ---- */

enum {
	TSD = 0x10,
	TSAD = 0x20,
	RBSTART = 0x30,
	COMMAND = 0x37,
	CAPR = 0x38,
	CBR = 0x3a,
	MASK = 0x3c,
	STATUS = 0x3e,
	RXCONFIG = 0x44,
	TIMER = 0x48,
	CR9346 = 0x50,
	TIMERINT = 0x54,
};

enum { BUFFER = 0x10000, DATA_AT = 0x40000 };

static void rtl8139_start(uint32_t rxconfig)
{
	bare_new(&bare, test_card("rtl8139"), false);
	out(COMMAND, 1, 0x10);
	CHECK_EQUAL(in(COMMAND, 1), 1);
	out(RBSTART, 4, BUFFER);
	out(COMMAND, 1, 0x0c);
	out(RXCONFIG, 4, rxconfig | 0xf78a);
	out(MASK, 2, 0xe07f);
}

static void test_rtl8139_send(void)
{
	rtl8139_start(0);
	for (unsigned i = 0; i < 10; i++) {
		unsigned slot = i % 4;

		CHECK_EQUAL(in(TSD + slot * 4, 4) & 0x2000, 0x2000);
		unit_fill(bare.memory + DATA_AT, 100 + i, i);
		out(TSAD + slot * 4, 4, DATA_AT);
		out(TSD + slot * 4, 4, 0x80000 | (100 + i));
		CHECK_EQUAL(in(TSD + slot * 4, 4), 0x8a000 | (100 + i));
		CHECK_EQUAL(bare.port.count, i + 1);
		CHECK(!memcmp(bare.port.sent[i].data, bare.memory + DATA_AT, 100 + i));
		CHECK_EQUAL(in(STATUS, 2), 4);
		out(STATUS, 2, 4);
		CHECK(!bare.level);
	}
	bare_free(&bare);
}

static void test_rtl8139_receive(void)
{
	unsigned at = 0;

	rtl8139_start(0x1000); /* 32 KiB, frames in one piece */
	for (unsigned i = 0; i < 300; i++) {
		unsigned length = 60 + unit_random() % 1455, base = BUFFER + at % 0x8000;

		CHECK(offer(length, 0));
		CHECK_EQUAL(in(COMMAND, 1), 0x0c);
		CHECK_EQUAL(in(STATUS, 2), 1);
		CHECK_EQUAL(bare.memory[base] | bare.memory[base + 1] << 8, 0x4001);
		CHECK_EQUAL(bare.memory[base + 2] | bare.memory[base + 3] << 8, length + 4);
		CHECK(!memcmp(bare.memory + base + 4, frame, length));
		at = (at + length + 4 + 4 + 3) & ~3u;
		out(CAPR, 2, (at - 16) & 0xffff);
		out(STATUS, 2, 0x51);
		CHECK_EQUAL(in(COMMAND, 1), 0x0d);
		CHECK_EQUAL(in(CBR, 2), at % 0x8000);
	}
	/* a driver that is lost starts again */
	CHECK(offer(60, 0));
	out(COMMAND, 1, 4);
	out(COMMAND, 1, 0x0c);
	CHECK_EQUAL(in(CBR, 2), 0);
	CHECK_EQUAL(in(CAPR, 2), 0xfff0);
	for (unsigned i = 0; i < 40; i++)
		CHECK(offer(1514, 0));
	CHECK_EQUAL(in(STATUS, 2), 0x11);
	CHECK_EQUAL(in(0x4c, 4), 40 - 21);
	bare_free(&bare);
}

static void test_rtl8139_locks_and_timer(void)
{
	rtl8139_start(0);
	CHECK_EQUAL(in(0, 4), 0x12005452);
	out(0, 4, 0x44332211);
	CHECK_EQUAL(in(0, 4), 0x12005452);
	out(CR9346, 1, 0xc0);
	out(0, 4, 0x44332210);
	CHECK_EQUAL(in(0, 4), 0x44332210);
	out(CR9346, 1, 0x40); /* as from the EEPROM */
	CHECK_EQUAL(in(0, 4), 0x12005452);
	CHECK_EQUAL(in(CR9346, 1), 1);
	out(TIMERINT, 4, 1000);
	out(TIMER, 4, 0);
	clock_turn(&bare.clock, 29990);
	CHECK_EQUAL(in(STATUS, 2), 0);
	CHECK_EQUAL(in(TIMER, 4), 999);
	clock_turn(&bare.clock, 10);
	CHECK_EQUAL(in(STATUS, 2), 0x4000);
	CHECK(bare.level);
	out(STATUS, 2, 0x4000);
	clock_turn(&bare.clock, 1000000);
	CHECK_EQUAL(in(STATUS, 2), 0);
	nic_link(bare.nic, false);
	CHECK_EQUAL(in(STATUS, 2), 0x20);
	CHECK_EQUAL(in(0x58, 1) & 4, 4);
	CHECK_EQUAL(in(0x64, 2) & 4, 0);
	CHECK_EQUAL(in(0x74, 2), 0xb40);
	CHECK_EQUAL(in(0x74, 2), 0x340);
	bare_free(&bare);
}

/* ---- both, at random ---- */

static void test_noise_on(const char *name, unsigned size, unsigned port)
{
	static const uint32_t numbers[] = {0,	 1,    0x20, 0x22,	 0x26,	     0x0c, 0x40,
					   0x4c, 0x80, 0xff, 0xffff,	 0x10000,    0x61, 0xf78a,
					   60,	 1514, 8192, 0x7fffffff, 0xffffffff, 0x12, 0x0a};

	bare_new(&bare, test_card(name), false);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned width = 1u << unit_random() % 3, at = unit_random() % size;
		uint32_t value = unit_random() % 3 ? numbers[unit_random() % (sizeof(numbers) / 4)]
						   : unit_random();

		at = unit_random() % 4 ? at : port;
		if (unit_random() % 3)
			out(at, width, value);
		else
			in(at, width);
		if (unit_random() % 8 == 0)
			offer(60 + unit_random() % 1455, unit_random() & 1);
		if (i % 512 == 0)
			clock_turn(&bare.clock, 1000000);
		if (bare.port.count > 400)
			test_port_forget(&bare.port);
	}
	nic_reset(bare.nic);
	CHECK(!bare.level);
	bare_free(&bare);
}

static void test_noise(void)
{
	test_noise_on("ne2000", 32, DATA);
	test_noise_on("rtl8139", 256, COMMAND);
}

UNIT_FILE(realtek, {"ne2000_reset", test_ne2000_reset}, {"ne2000_send", test_ne2000_send},
	  {"ne2000_receive", test_ne2000_receive}, {"rtl8139_send", test_rtl8139_send},
	  {"rtl8139_receive", test_rtl8139_receive},
	  {"rtl8139_locks_and_timer", test_rtl8139_locks_and_timer}, {"noise", test_noise});
