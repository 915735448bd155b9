/* SPDX-License-Identifier: Apache-2.0 */

/* Records that actions read and write, on a card that exists here only. */
#include "bare.h"

#include "nic/nic.h"

#include <string.h>

enum { DO = 0, ADDR = 4, A = 8, B = 12, LATE = 16, ORDER = 20, TAB = 0x40, SUM = 0x80 };
enum { LOAD = 1, STORE = 2, AFTER = 4, CLEAR = 8, PLAIN = 16 };
enum { AT = 0x1000, NOWHERE = 0x7ff00000 };

static const char card_text[] =
	"<card name='odd' title='Odd'>"
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
	"<bar index='0' space='memory' size='4K' bank='r'/>"
	"<bank name='r'>"
	"<register name='DO' at='0'>"
	"<field name='LOAD' bits='0' access='self-clear' do='A = 1; load block at ADDR; LATE = 7'/>"
	"<field name='STORE' bits='1' access='self-clear' do='store block at ADDR; A = 0'/>"
	"<field name='AFTER' bits='2' access='self-clear' do='LATE = LATE + 1'/>"
	"<field name='CLEAR' bits='3' access='self-clear' do='reset all'/>"
	"<field name='PLAIN' bits='4' access='self-clear' do='load list at ADDR if LATE != 99'/>"
	"</register>"
	"<register name='ADDR' at='4'/><register name='A' at='8'/><register name='B' at='12'/>"
	"<register name='LATE' at='16'/><register name='ORDER' at='20'/>"
	"<register name='TAB' at='0x40' count='4'/><register name='SUM' at='0x80'/>"
	"</bank>"
	"<record name='block' size='8' order='ORDER'>"
	"<field name='low' bits='15:0' to='A' value='low + 1'/><field bits='47:32' to='B'/>"
	"<field bits='31:16' value='A'/><field bits='63:56' value='0x5a'/></record>"
	"<record name='list' size='2'><field name='n' bits='15:0'/>"
	"<list at='2' size='2' bytes='n' max='4' do='SUM = SUM + x + i'>"
	"<field name='x' bits='15:0' to='TAB[i]'/></list></record>"
	"<record name='s' size='16'><field name='a' bits='63:0'/></record>"
	"<ring name='out' for='transmit' base='0' end='entries 0' ready='until 0' cursor='B'"
	" next='array' when='0'><use record='s' as='data'><buffer address='a' "
	"length='1'/></use></ring>"
	"<reset name='all' clears='out' do='A = 0x55'/>"
	"</card>";

static struct bare bare;

static void put(const void *data, size_t length)
{
	memcpy(bare.memory + AT, data, length);
}

static void test_load(void)
{
	bare_new(&bare, bare_card(card_text), false);
	put("\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	bare_write(&bare, ADDR, AT);
	bare_write(&bare, DO, LOAD | AFTER);
	CHECK_EQUAL(bare_read(&bare, A), 0x2212);
	CHECK_EQUAL(bare_read(&bare, B), 0x6655);
	CHECK_EQUAL(bare_read(&bare, LATE), 8); /* after what was recorded before it */
	bare_write(&bare, ORDER, 1);
	bare_write(&bare, DO, LOAD);
	CHECK_EQUAL(bare_read(&bare, A), 0x3345);
	bare_free(&bare);
}

/* Registers change at once, up to the record. */
static void test_recorded(void)
{
	bare_new(&bare, bare_card(card_text), false);
	bare_write(&bare, ADDR, AT);
	nic_bar_write(bare.nic, 0, DO, 4, LOAD | AFTER);
	CHECK_EQUAL(bare_read(&bare, A), 1);
	CHECK_EQUAL(bare_read(&bare, LATE), 0);
	nic_bar_write(bare.nic, 0, DO, 4, AFTER); /* another access */
	CHECK_EQUAL(bare_read(&bare, LATE), 1);
	bare_settle(&bare);
	CHECK_EQUAL(bare_read(&bare, LATE), 8);
	nic_bar_write(bare.nic, 0, DO, 4, LOAD | CLEAR); /* the reset waits behind the load */
	bare_settle(&bare);
	CHECK_EQUAL(bare_read(&bare, A), 0x55);
	nic_bar_write(bare.nic, 0, DO, 4, LOAD | AFTER);
	nic_bar_write(bare.nic, 0, LATE, 4, 0);
	nic_bar_write(bare.nic, 0, DO, 4, CLEAR); /* what a reset drops never happens */
	bare_settle(&bare);
	CHECK_EQUAL(bare_read(&bare, A), 0x55);
	CHECK_EQUAL(bare_read(&bare, LATE), 0);
	nic_reset(bare.nic);
	bare_free(&bare);
}

static void test_store(void)
{
	bare_new(&bare, bare_card(card_text), false);
	memset(bare.memory + AT, 0xff, 12);
	bare_write(&bare, ADDR, AT);
	bare_write(&bare, A, 0x1234);
	bare_write(&bare, DO, STORE);
	CHECK(!memcmp(bare.memory + AT, "\0\0\x34\x12\0\0\0\x5a\xff\xff\xff\xff", 12));
	CHECK_EQUAL(bare_read(&bare, A), 0);
	bare_write(&bare, ORDER, 1);
	bare_write(&bare, DO, STORE);
	CHECK(!memcmp(bare.memory + AT, "\0\0\0\0\x5a\0\0\0", 8));
	bare_free(&bare);
}

static void test_list(void)
{
	bare_new(&bare, bare_card(card_text), false);
	put("\x06\0\x01\0\x02\0\x03\0\x04\0\x05\0", 12);
	bare_write(&bare, ADDR, AT);
	bare_write(&bare, DO, PLAIN);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQUAL(bare_read(&bare, TAB + i * 4), i < 3 ? i + 1 : 0);
	CHECK_EQUAL(bare_read(&bare, SUM), 1 + 2 + 3 + 0 + 1 + 2);
	put("\xff\xff", 2); /* no more than the card says */
	bare_write(&bare, DO, PLAIN);
	CHECK_EQUAL(bare_read(&bare, TAB + 12), 4);
	bare_write(&bare, LATE, 99);
	bare_write(&bare, TAB, 0x77);
	bare_write(&bare, DO, PLAIN); /* its condition does not hold */
	CHECK_EQUAL(bare_read(&bare, TAB), 0x77);
	bare_free(&bare);
}

/* Nothing is loaded from where there is no memory, and what follows is not done. */
static void test_nowhere(void)
{
	static const uint32_t places[] = {NOWHERE, BARE_MEMORY - 1, BARE_MEMORY - 4, 0xffffffff};

	bare_new(&bare, bare_card(card_text), false);
	for (unsigned i = 0; i < 4; i++) {
		bare_write(&bare, ADDR, places[i]);
		bare_write(&bare, DO, LOAD | STORE | PLAIN | AFTER);
		CHECK_EQUAL(bare_read(&bare, A), 1);
		CHECK_EQUAL(bare_read(&bare, LATE), i + 1);
	}
	memset(bare.memory + BARE_MEMORY - 2, 0xff, 2); /* the record is there, its list is not */
	bare_write(&bare, ADDR, BARE_MEMORY - 2);
	bare_write(&bare, DO, PLAIN);
	CHECK_EQUAL(bare_read(&bare, SUM), 0);
	bare_free(&bare);
}

static void test_messages(void)
{
	bare_new(&bare, bare_card(card_text), true);
	put("\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	bare_write(&bare, ADDR, AT);
	bare_write(&bare, DO, LOAD | AFTER);
	CHECK_EQUAL(bare_read(&bare, A), 0x2212);
	CHECK_EQUAL(bare_read(&bare, LATE), 8);
	bare_write(&bare, DO, STORE);
	CHECK(!memcmp(bare.memory + AT, "\0\0\x12\x22", 4));
	put("\x06\0\x01\0\x02\0\x03\0\x04\0\x05\0", 12);
	bare_write(&bare, DO, PLAIN); /* two reads, one after the other */
	CHECK_EQUAL(bare_read(&bare, TAB + 8), 3);
	bare.refuse = 1;
	bare_write(&bare, A, 0);
	bare_write(&bare, DO, LOAD);
	CHECK_EQUAL(bare_read(&bare, A), 1);
	bare.refuse = 0;
	for (unsigned i = 0; i < 100; i++) /* more than are kept, before anything is answered */
		nic_bar_write(bare.nic, 0, DO, 4, LOAD | AFTER);
	bare_settle(&bare);
	nic_bar_write(bare.nic, 0, DO, 4, LOAD);
	nic_reset(bare.nic);
	bare_free(&bare);
}

UNIT_FILE(records, {"load", test_load}, {"recorded", test_recorded}, {"store", test_store},
	  {"list", test_list}, {"nowhere", test_nowhere}, {"messages", test_messages});
