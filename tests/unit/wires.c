/* SPDX-License-Identifier: Apache-2.0 */

/* Serial buses, standard PHYs, windows and access widths, on cards that exist here only. */
#include "bare.h"

#include "nic/nic.h"

#include <string.h>

#define CARD(body)                                                                                 \
	"<card name='odd' title='Odd'>"                                                            \
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"                      \
	"<bar index='0' space='memory' size='4K' bank='r'/>" body "</card>"

static struct bare bare;

/* ---- MDIO ---- */

enum { PINS = 0, MDC = 1, MDIO = 2, DIRECTION = 4, ANSWER = 8, SEPARATE = 4 };

/* One wire for both ways, as natsemi has it; two of them, as tulip. */
static const char mdio_card[] =
	CARD("<bank name='r'><register name='P' at='0'/><register name='Q' at='4'/></bank>"
	     "<phy id='0x20005c21' address='3'/>"
	     "<phy name='second' id='0x01410c20' address='7' speeds='1000-full 100-full'/>"
	     "<pins of='P' to='phy' clock='0' in='1' out='1' direction='2'/>"
	     "<pins of='P' to='second' clock='0' in='1' out='1' direction='2'/>"
	     "<pins of='Q' to='second' clock='0' in='1' out='3' direction='2' inverted='direction "
	     "out'/>");

static bool clock_bit(bool in)
{
	uint32_t level = DIRECTION | (in ? MDIO : 0u);

	bare_write(&bare, PINS, level);
	bare_write(&bare, PINS, level | MDC);
	return bare_read(&bare, PINS) & MDIO;
}

static void clock_bits(unsigned count, uint64_t value)
{
	while (count--)
		clock_bit(value >> count & 1);
}

static bool clock_in(void)
{
	bool bit;

	bare_write(&bare, PINS, MDC);
	bit = bare_read(&bare, PINS) & MDIO;
	bare_write(&bare, PINS, 0);
	return bit;
}

static uint32_t mdio_read(unsigned chip, unsigned at)
{
	uint32_t value = 0;

	clock_bits(32, UINT32_MAX);
	clock_bits(14, 6u << 10 | chip << 5 | at);
	bare_write(&bare, PINS, 0);
	if (clock_in())
		return 0x10000; /* nobody */
	for (unsigned i = 0; i < 16; i++)
		value = value << 1 | clock_in();
	return value;
}

static void mdio_write(unsigned chip, unsigned at, uint16_t value)
{
	clock_bits(2, 3);
	clock_bits(14, 5u << 10 | chip << 5 | at);
	clock_bits(2, 2);
	clock_bits(16, value);
}

static void test_mdio(void)
{
	bare_new(&bare, bare_card(mdio_card), false);
	CHECK_EQUAL(mdio_read(3, 2), 0x2000);
	CHECK_EQUAL(mdio_read(3, 3), 0x5c21);
	CHECK_EQUAL(mdio_read(7, 2), 0x0141);
	CHECK_EQUAL(mdio_read(4, 2), 0x10000);
	CHECK_EQUAL(mdio_read(3, 1), 0x786d);
	mdio_write(3, 4, 0x0081);
	CHECK_EQUAL(mdio_read(3, 4), 0x0081);
	CHECK_EQUAL(mdio_read(7, 4), 0x0101); /* the other one did not listen */
	mdio_write(3, 2, 0x1111);
	CHECK_EQUAL(mdio_read(3, 2), 0x2000);
	mdio_write(3, 0, 0x8000); /* reset */
	CHECK_EQUAL(mdio_read(3, 4), 0x01e1);
	CHECK_EQUAL(mdio_read(7, 15), 0x2000);
	/* what is not a frame is passed over */
	clock_bits(40, 0);
	CHECK_EQUAL(mdio_read(3, 2), 0x2000);
	clock_bits(1, 1);
	clock_bits(20, 0);
	CHECK_EQUAL(mdio_read(3, 2), 0x2000);
	bare_free(&bare);
}

/* Wires of their own for both ways, two of them inverted; samples before the clock rises. */
static void test_mdio_two_wires(void)
{
	uint32_t command = 0xd800u | 7 << 5 | 2, value = 0;

	bare_new(&bare, bare_card(mdio_card), false);
	for (unsigned i = 16; i-- > 0;) {
		bare_write(&bare, SEPARATE, command >> i & 1 ? MDIO : 0);
		bare_write(&bare, SEPARATE, (command >> i & 1 ? MDIO : 0) | MDC);
	}
	for (unsigned i = 0; i < 19; i++) {
		bare_write(&bare, SEPARATE, DIRECTION);
		value = value << 1 | !(bare_read(&bare, SEPARATE) & ANSWER);
		bare_write(&bare, SEPARATE, DIRECTION | MDC);
	}
	CHECK_EQUAL(value >> 1 & 0xffff, 0x0141);
	bare_free(&bare);
}

/* ---- the link as a PHY sees it ---- */

enum { BMSR_LINK = 4, BMSR_DONE = 0x20, CAUSE = 8 };

static void test_negotiation(void)
{
	bare_new(&bare,
		 bare_card(CARD(
			 "<bank name='r'><register name='P' at='0'/><register name='C' at='8'/>"
			 "<register name='UP' at='12' access='ro' shows='link.up'/></bank>"
			 "<phy id='0x00010002' address='3' negotiate='10ms'/>"
			 "<pins of='P' to='phy' clock='0' in='1' out='1' direction='2'/>"
			 "<on event='link' do='C = C + 1'/>")),
		 false);
	CHECK_EQUAL(mdio_read(3, 1) & (BMSR_LINK | BMSR_DONE), 0);
	clock_turn(&bare.clock, 10000000);
	CHECK_EQUAL(bare_read(&bare, 12), 1);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 1);
	CHECK_EQUAL(mdio_read(3, 1) & (BMSR_LINK | BMSR_DONE), BMSR_DONE); /* it was down */
	CHECK_EQUAL(mdio_read(3, 1) & (BMSR_LINK | BMSR_DONE), BMSR_LINK | BMSR_DONE);
	CHECK_EQUAL(mdio_read(3, 5), 0x41e1);
	/* a short drop is seen once */
	nic_link(bare.nic, false);
	nic_link(bare.nic, true);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 2);
	clock_turn(&bare.clock, 10000000);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 3);
	CHECK_EQUAL(mdio_read(3, 1) & BMSR_LINK, 0);
	CHECK_EQUAL(mdio_read(3, 1) & BMSR_LINK, BMSR_LINK);
	/* and so is one that the driver asks for */
	mdio_write(3, 0, 0x1200);
	CHECK_EQUAL(mdio_read(3, 0), 0x1000);
	CHECK_EQUAL(bare_read(&bare, 12), 0);
	CHECK_EQUAL(mdio_read(3, 5), 0);
	clock_turn(&bare.clock, 10000000);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 5);
	nic_link(bare.nic, false);
	mdio_write(3, 0, 0x9000); /* nobody is there to negotiate with */
	clock_turn(&bare.clock, 100000000);
	CHECK_EQUAL(bare_read(&bare, 12), 0);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 6);
	bare_free(&bare);
}

/* ---- Microwire ---- */

enum { SK = 1, CS = 2, DI = 4, DO = 8 };

static bool wire_bit(bool in)
{
	/* select is active low here */
	bare_write(&bare, PINS, in ? DI : 0);
	bare_write(&bare, PINS, (in ? DI : 0) | SK);
	return bare_read(&bare, PINS) & DO;
}

static void wire_bits(unsigned count, unsigned value)
{
	while (count--)
		wire_bit(value >> count & 1);
}

static void wire_end(void)
{
	bare_write(&bare, PINS, CS);
}

static uint16_t lsb_word(void)
{
	uint16_t value = 0;

	for (unsigned i = 0; i < 16; i++)
		value |= (uint16_t)(wire_bit(false) << i);
	return value;
}

static void test_microwire_low_bit_first(void)
{
	bare_new(&bare,
		 bare_card(CARD(
			 "<bank name='r'><register name='P' at='0'/></bank>"
			 "<eeprom words='16'><mac words='6-9' shift='15'/><word at='1' "
			 "value='0x1234'/>"
			 "<crc word='15'/></eeprom>"
			 "<pins of='P' to='eeprom' clock='0' select='1' in='2' out='3' order='lsb' "
			 "dummy='1' inverted='select'/>")),
		 false);
	wire_bits(9, 6u << 6 | 1);
	CHECK(!wire_bit(false));
	CHECK_EQUAL(lsb_word(), 0x1234);
	wire_end();
	wire_bits(9, 4u << 6 | 0x30); /* write enable */
	wire_end();
	wire_bits(9, 5u << 6 | 2);
	for (unsigned i = 0; i < 16; i++)
		wire_bit(0x5678 >> i & 1);
	wire_end();
	wire_bits(9, 6u << 6 | 2);
	CHECK(!wire_bit(false));
	CHECK_EQUAL(lsb_word(), 0x5678);
	/* 52:54:00:12:34:56, as wires_card's words 6 to 9 have it one bit late */
	wire_end();
	wire_bits(9, 6u << 6 | 6);
	wire_bit(false);
	CHECK_EQUAL(lsb_word(), (test_mac[0] & 1) << 15);
	CHECK_EQUAL(lsb_word(), (test_mac[0] | test_mac[1] << 8 | test_mac[2] << 16) >> 1 & 0xffff);
	wire_end();
	wire_bits(9, 4u << 6 | 0x10); /* write all */
	for (unsigned i = 0; i < 16; i++)
		wire_bit(0xa5a5 >> i & 1);
	wire_end();
	wire_bits(9, 6u << 6 | 15);
	wire_bit(false);
	CHECK_EQUAL(lsb_word(), 0xa5a5);
	wire_end();
	wire_bits(9, 4u << 6 | 0x20); /* erase all */
	wire_end();
	wire_bits(9, 6u << 6 | 14);
	wire_bit(false);
	CHECK_EQUAL(lsb_word(), 0xffff);
	bare_free(&bare);
}

/* ---- index and data ---- */

static void test_index_and_data(void)
{
	bare_new(
		&bare,
		bare_card(CARD(
			"<bank name='r'><register name='RAP' at='0'/><register name='RDP' at='4'/>"
			"<register name='BDP' at='8' size='2'/><register name='SELF' "
			"at='12'/></bank>"
			"<bank name='csr' width='16'><register name='ZERO' at='0' access='rw rc'/>"
			"<register name='ONE' at='2'/><register name='TWO' at='4' "
			"access='w1c'/></bank>"
			"<bank name='bytes' width='8'><register name='B' at='0' count='64'/></bank>"
			"<window to='csr' index='RAP' data='RDP[15:0]'/>"
			"<window to='bytes' index='RAP' data='BDP' unit='2' done='RAP = RAP + 1' "
			"chip='RAP &lt; 8'/>"
			"<window to='r' index='3' data='SELF'/>")),
		false);
	bare_write(&bare, 0, 1);
	bare_write(&bare, 4, 0xaaaa1234);
	CHECK_EQUAL(bare_read(&bare, 4), 0x1234);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 5, 1), 0x12);
	nic_bar_write(bare.nic, 0, 5, 1, 0x77);
	CHECK_EQUAL(bare_read(&bare, 4), 0x7734);
	bare_write(&bare, 0, 0);
	bare_write(&bare, 4, 0x55);
	CHECK_EQUAL(bare_read(&bare, 4), 0x55);
	CHECK_EQUAL(bare_read(&bare, 4), 0);
	bare_write(&bare, 0, 1000);
	CHECK_EQUAL(bare_read(&bare, 4), 0xffffffff);
	bare_write(&bare, 4, 1);
	/* it steps */
	bare_write(&bare, 0, 0);
	for (unsigned i = 0; i < 10; i++)
		nic_bar_write(bare.nic, 0, 8, 2, 0x100 * i + i);
	CHECK_EQUAL(bare_read(&bare, 0), 8);
	bare_write(&bare, 0, 6);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 8, 2), 0x606);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 8, 2), 0x707);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 8, 2), 0xffff);
	bare_read(&bare, 12); /* leads to itself and ends */
	bare_write(&bare, 12, 1);
	bare_free(&bare);
}

/* ---- accesses of other sizes ---- */

static void test_widths(void)
{
	bare_new(&bare,
		 bare_card(CARD(
			 "<bank name='r' accesses='accept'>"
			 "<register name='A' at='0' size='2'/>"
			 "<register name='WIDE' at='4' size='2' widths='4' do='A = new'/>"
			 "<register name='NARROW' at='4' size='2' widths='1 2'/></bank>"
			 "<bank name='strict' accesses='ignore'><register name='S' at='0'/></bank>"
			 "<bar index='1' space='memory' size='16' bank='strict'/>")),
		 false);
	bare_write(&bare, 0, 0x12345678);
	CHECK_EQUAL(bare_read(&bare, 0), 0x5678);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 0, 1), 0x78);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 1, 1), 0); /* within a register nothing begins */
	nic_bar_write(bare.nic, 0, 0, 1, 0x9a);
	CHECK_EQUAL(bare_read(&bare, 0), 0x009a);
	nic_bar_write(bare.nic, 0, 4, 2, 0x1111);
	CHECK_EQUAL(bare_read(&bare, 0), 0x009a);
	bare_write(&bare, 4, 0x2222);
	CHECK_EQUAL(bare_read(&bare, 0), 0x2222);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 4, 2), 0x1111);
	nic_bar_write(bare.nic, 1, 0, 4, 0x12345678);
	nic_bar_write(bare.nic, 1, 0, 2, 0);
	nic_bar_write(bare.nic, 1, 2, 4, 0);
	nic_bar_write(bare.nic, 1, 0, 8, 0);
	CHECK_EQUAL(nic_bar_read(bare.nic, 1, 0, 4), 0x12345678);
	CHECK_EQUAL(nic_bar_read(bare.nic, 1, 0, 2), 0);
	bare_free(&bare);
}

UNIT_FILE(wires, {"mdio", test_mdio}, {"mdio_two_wires", test_mdio_two_wires},
	  {"negotiation", test_negotiation},
	  {"microwire_low_bit_first", test_microwire_low_bit_first},
	  {"index_and_data", test_index_and_data}, {"widths", test_widths});
