/* SPDX-License-Identifier: Apache-2.0 */

/* Records that actions read and write, on a card that exists here only. */
#include "bare.h"

#include "nic/nic.h"

#include <string.h>

enum { DO = 0, ADDR = 4, A = 8, B = 12, LATE = 16, ORDER = 20, TAB = 0x40, SUM = 0x80 };
enum { LOAD = 1, STORE = 2, AFTER = 4, CLEAR = 8, PLAIN = 16, BACK = 32 };
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
	"<field name='BACK' bits='5' access='self-clear' do='load back at ADDR; store block at "
	"ADDR; "
	"load back at ADDR'/>"
	"</register>"
	"<register name='ADDR' at='4'/><register name='A' at='8'/><register name='B' at='12'/>"
	"<register name='LATE' at='16'/><register name='ORDER' at='20'/>"
	"<register name='TAB' at='0x40' count='4'/><register name='SUM' at='0x80'/>"
	"</bank>"
	"<record name='block' size='8' order='ORDER'>"
	"<field name='low' bits='15:0' to='A' value='low + 1'/><field bits='47:32' to='B'/>"
	"<field bits='31:16' value='A'/><field bits='63:56' value='0x5a'/></record>"
	"<record name='back' size='4'><field bits='31:16' to='B'/></record>"
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

/* A load finds what was stored before it, by messages too. */
static void test_order(void)
{
	for (unsigned by_messages = 0; by_messages < 2; by_messages++) {
		bare_new(&bare, bare_card(card_text), by_messages);
		bare_write(&bare, ADDR, AT);
		bare_write(&bare, A, 0x1234);
		bare_write(&bare, DO, BACK);
		CHECK_EQUAL(bare_read(&bare, B), 0x1234);
		CHECK(!memcmp(bare.memory + AT, "\0\0\x34\x12\0\0\0\x5a", 8));
		bare_free(&bare);
	}
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

/* ---- commands, and buffers that a slot describes elsewhere ---- */

static const char command_text[] =
	"<card name='odd' title='Odd'>"
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
	"<bar index='0' space='memory' size='4K' bank='r'/>"
	"<bank name='r'><register name='GO' at='0' do='start cu at GO' do-on='any'/>"
	"<register name='A' at='8'/><register name='DONE' at='12'/>"
	"<register name='LEFT' at='16' shows='cu.state'/></bank>"
	"<record name='cb' size='32'><field name='C' bits='0'/><field name='cmd' bits='15:8'/>"
	"<field name='EL' bits='31'/><field name='next' bits='63:32'/><field name='array' "
	"bits='95:64'/>"
	"<field name='n' bits='103:96'/><field name='bytes' bits='119:104'/></record>"
	"<record name='bd' size='8'><field name='at' bits='31:0'/><field name='size' bits='47:32'/>"
	"<field name='last' bits='63'/></record>"
	"<record name='value' size='4'><field bits='31:0' to='A'/></record>"
	"<ring name='cu' for='transmit' next='chain next' base='0' ready='C == 0' when='1'>"
	"<use record='cb' as='command' when='cmd == 1' do='load value at here + 16; DONE = DONE + "
	"1'/>"
	"<use record='cb' as='data' when='cmd == 2'><buffer address='here + 16' length='bytes'/>"
	"<buffers at='array' record='bd' count='n' address='at' length='size' last='last'/></use>"
	"<use record='cb' as='command'/>"
	"<complete write='C = 1'/><stop when='EL' as='stopped'/></ring></card>";

static void block(unsigned at, uint32_t first, uint32_t next, const uint32_t *rest)
{
	uint32_t words[8] = {first, next, rest[0], rest[1], rest[2], rest[3], rest[4], rest[5]};

	memcpy(bare.memory + at, words, sizeof(words));
}

static void commands(bool by_messages)
{
	static const uint32_t nothing[6], value[6] = {0, 0, 0x1234}, later[6] = {0, 0, 0x5678};
	static const uint32_t data[6] = {0x3000,     3 | 16u << 8, 0x11111111,
					 0x22222222, 0x33333333,   0x44444444};
	const uint64_t pieces[3] = {0x4000 | 30ull << 32, 0x5000 | 40ull << 32 | 1ull << 63,
				    0x6000 | 50ull << 32};

	bare_new(&bare, bare_card(command_text), by_messages);
	memcpy(bare.memory + 0x3000, pieces, sizeof(pieces));
	memset(bare.memory + 0x4000, 0xaa, 30);
	memset(bare.memory + 0x5000, 0xbb, 40);
	block(0x1000, 1 << 8, 0x1100, value);
	block(0x1100, 2 << 8, 0x1200, data);
	block(0x1200, 3 << 8, 0x1300, nothing);
	block(0x1300, 1u << 31 | 1 << 8, 0x1000, later);
	bare_write(&bare, 0, 0x1000);
	CHECK_EQUAL(bare_read(&bare, 8), 0x5678);
	CHECK_EQUAL(bare_read(&bare, 12), 2);
	CHECK_EQUAL(bare.port.count, 1);
	CHECK_EQUAL(bare.port.sent[0].length, 16 + 30 + 40); /* none after the last */
	CHECK_EQUAL(bare.port.sent[0].data[16], 0xaa);
	CHECK_EQUAL(bare.port.sent[0].data[46], 0xbb);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQUAL(bare.memory[0x1000 + i * 0x100] & 1, 1);
	bare_free(&bare);
}

static void test_commands(void)
{
	commands(false);
	commands(true);
}

UNIT_FILE(records, {"load", test_load}, {"recorded", test_recorded}, {"store", test_store},
	  {"order", test_order}, {"list", test_list}, {"nowhere", test_nowhere},
	  {"messages", test_messages}, {"commands", test_commands});
