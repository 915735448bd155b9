/* SPDX-License-Identifier: Apache-2.0 */

/* Rings without descriptors in guest memory: slots that are registers, streams of frames. */
#include "bare.h"

#include "nic/nic.h"

#include <string.h>

enum {
	CTRL = 0, /* 1: on, 2: frames wrap, 4: frames wait for room */
	READ = 4,
	WRITE = 8,
	SIZE = 12,
	CAUSE = 16,
	BASE = 20,
	SLOT = 24,
	FROM = 28,
	STATUS = 32, /* [4]; 0: length and go, bit 31: done */
	ADDRESS = 48,
	FREE = 64,
};

#define REGISTERS                                                                                  \
	"<card name='odd' title='Odd'>"                                                            \
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"                      \
	"<bar index='0' space='memory' size='256' bank='r'/>"                                      \
	"<memory name='m' size='8K'/>"                                                             \
	"<bank name='r'><register name='CTRL' at='0'><field name='ON' bits='0'/>"                  \
	"<field name='WRAPS' bits='1'/></register>"                                                \
	"<register name='READ' at='4'/><register name='WRITE' at='8'/><register name='SIZE' "      \
	"at='12'/>"                                                                                \
	"<register name='CAUSE' at='16' access='w1c'><field name='RX' bits='0'/>"                  \
	"<field name='FULL' bits='1'/><field name='TX' bits='2'/></register>"                      \
	"<register name='BASE' at='20'/><register name='SLOT' at='24'/><register name='FROM' "     \
	"at='28'/>"                                                                                \
	"<register name='STATUS' at='32' count='4' do='wake tx' do-on='any' reset='0x80000000'>"   \
	"<field name='LENGTH' bits='15:0'/><field name='DONE' bits='31'/></register>"              \
	"<register name='ADDRESS' at='48' count='4'/>"                                             \
	"<register name='FREE' at='64' shows='rx.ready'/>"                                         \
	"<register name='MASK' at='68' reset='7'/></bank>"                                         \
	"<record name='h' size='4'><field name='next' bits='15:0'/>"                               \
	"<field name='length' bits='31:16'/></record>"                                             \
	"<receive rings='rx'><accept class='all'/></receive>"                                      \
	"<interrupt line='INTA' cause='CAUSE' mask='MASK'/>"

#define SENDS(place)                                                                               \
	"<ring name='tx' for='transmit' when='CTRL.ON' next='registers' end='entries 4' "          \
	"cursor='SLOT'"                                                                            \
	" ready='not STATUS[i].DONE'><use as='data'><buffer " place                                \
	" address='ADDRESS[i]' length='STATUS[i].LENGTH'/></use><pad to='60'/>"                    \
	"<complete do='set STATUS[i].DONE; raise CAUSE.TX'/></ring>"

#define RECEIVES(attributes, stream)                                                               \
	"<ring name='rx' for='receive' when='CTRL.ON' next='stream' base='BASE' end='bytes SIZE'"  \
	" cursor='WRITE' empty='raise CAUSE.FULL' " attributes "><stream header='h' read='READ' "  \
	"from='FROM' wraps='CTRL.WRAPS' " stream "/>"                                              \
	"<complete write='next = frame.next; length = frame.length' do='raise CAUSE.RX'/></ring>"

static const char in_guest[] = REGISTERS SENDS("") RECEIVES("", "align='4'") "</card>";
static const char on_board[] =
	REGISTERS SENDS("in='m'") RECEIVES("hold='yes'", "in='m' unit='64'") "</card>";

enum { RING = 0x10000, BUFFERS = 0x20000 };

static struct bare bare;
static uint8_t frame[2048];

static void begin(const char *text, bool by_messages)
{
	bare_new(&bare, bare_card(text), by_messages);
	bare_write(&bare, BASE, RING);
	bare_write(&bare, SIZE, 1024);
	bare_write(&bare, CTRL, 3);
	unit_fill(frame, sizeof(frame), 1);
}

static bool offer(unsigned length)
{
	bool taken = test_port_offer(&bare.port, frame, length);

	bare_settle(&bare);
	return taken;
}

static void check_frame(unsigned at, unsigned size, unsigned length)
{
	const uint8_t *ring = bare.memory + RING;

	CHECK_EQUAL(ring[at + 2] | ring[at + 3] << 8, length);
	for (unsigned i = 0; i < length; i++)
		CHECK_EQUAL(ring[(at + 4 + i) % size], frame[i]);
}

/* ---- slots that are registers ---- */

static void send(unsigned slot, unsigned length)
{
	unit_fill(bare.memory + BUFFERS + slot * 2048, length, slot);
	bare_write(&bare, ADDRESS + slot * 4, BUFFERS + slot * 2048);
	bare_write(&bare, STATUS + slot * 4, length);
}

static void test_slots_in_turn(bool by_messages)
{
	begin(in_guest, by_messages);
	send(1, 100);
	CHECK_EQUAL(bare.port.count, 0); /* it is slot 0's turn */
	send(0, 1000);
	CHECK_EQUAL(bare.port.count, 2);
	CHECK_EQUAL(bare.port.sent[0].length, 1000);
	CHECK_EQUAL(bare.port.sent[1].length, 100);
	CHECK(!memcmp(bare.port.sent[1].data, bare.memory + BUFFERS + 2048, 100));
	CHECK_EQUAL(bare_read(&bare, STATUS + 4), 0x80000000 | 100);
	CHECK_EQUAL(bare_read(&bare, SLOT), 2);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 4);
	CHECK_EQUAL(bare.rises, 1);
	for (unsigned i = 2; i < 40; i++)
		send(i % 4, 14 + i);
	CHECK_EQUAL(bare.port.count, 40);
	CHECK_EQUAL(bare.port.sent[2].length, 60);
	bare_free(&bare);
}

static void test_slots(void)
{
	test_slots_in_turn(false);
	test_slots_in_turn(true);
}

static void test_slots_that_make_no_sense(void)
{
	static const uint32_t addresses[] = {BARE_MEMORY, BARE_MEMORY - 1, 0xffffffff};

	begin(in_guest, false);
	for (unsigned i = 0; i < 12; i++) {
		bare_write(&bare, ADDRESS + i % 4 * 4, i < 3 ? addresses[i] : BUFFERS);
		bare_write(&bare, STATUS + i % 4 * 4, i < 6 ? 0x7fff : i < 9 ? 0 : 13);
		CHECK_EQUAL(bare_read(&bare, STATUS + i % 4 * 4) >> 31, 1); /* done all the same */
	}
	test_port_forget(&bare.port);
	bare_write(&bare, SLOT, 4); /* there is none */
	send(0, 64);
	CHECK_EQUAL(bare.port.count, 0);
	bare_write(&bare, SLOT, 0);
	bare_write(&bare, STATUS, 64);
	CHECK_EQUAL(bare.port.count, 1);
	/* the network is full: the slot waits */
	bare.port.room = 0;
	send(1, 64);
	CHECK_EQUAL(bare_read(&bare, STATUS + 4), 64);
	bare.port.room = 10;
	test_port_writable(&bare.port);
	bare_settle(&bare);
	CHECK_EQUAL(bare_read(&bare, STATUS + 4), 0x80000000 | 64);
	bare_free(&bare);
}

static void test_out_of_the_card(void)
{
	begin(on_board, false);
	bare_write(&bare, ADDRESS, 8 << 10 | 1);
	bare_write(&bare, STATUS, 64);
	bare_write(&bare, ADDRESS + 4, (8 << 10) - 63);
	bare_write(&bare, STATUS + 4, 64);
	CHECK_EQUAL(bare.port.count, 0);
	bare_write(&bare, ADDRESS + 8, (8 << 10) - 64);
	bare_write(&bare, STATUS + 8, 64);
	CHECK_EQUAL(bare.port.count, 1);
	CHECK_EQUAL(bare.port.sent[0].length, 64);
	bare_free(&bare);
}

/* ---- streams ---- */

static void test_wraps(bool by_messages)
{
	unsigned at = 0;

	begin(in_guest, by_messages);
	CHECK_EQUAL(bare_read(&bare, FREE), 1024);
	for (unsigned i = 0; i < 60; i++) {
		unsigned length = 60 + i % 5 * 31, next = (at + 4 + length + 3) / 4 * 4 % 1024;

		CHECK(offer(length));
		CHECK_EQUAL(bare_read(&bare, CAUSE), 1);
		CHECK_EQUAL(bare_read(&bare, WRITE), next);
		check_frame(at, 1024, length);
		CHECK_EQUAL(bare.memory[RING + at] | bare.memory[RING + at + 1] << 8, next);
		CHECK_EQUAL(bare_read(&bare, FREE), 1024 - (next + 1024 - at) % 1024);
		bare_write(&bare, READ, next + i % 3 * 1024); /* it may run on */
		bare_write(&bare, CAUSE, 1);
		at = next;
	}
	bare_free(&bare);
}

static void test_stream(void)
{
	test_wraps(false);
	test_wraps(true);
}

static void test_past_the_end(void)
{
	begin(in_guest, false);
	bare_write(&bare, CTRL, 1);
	bare_write(&bare, WRITE, 1000);
	bare_write(&bare, READ, 1000);
	CHECK(offer(200));
	check_frame(1000, 1 << 20, 200);
	CHECK_EQUAL(bare_read(&bare, WRITE), 1204 - 1024);
	bare_free(&bare);
}

static void test_full(void)
{
	begin(in_guest, false);
	CHECK(offer(508)); /* 512 */
	CHECK_EQUAL(bare_read(&bare, FREE), 512);
	CHECK(offer(508)); /* would make it look empty: dropped */
	CHECK_EQUAL(bare_read(&bare, CAUSE), 3);
	CHECK_EQUAL(bare_read(&bare, WRITE), 512);
	CHECK(offer(504));
	CHECK_EQUAL(bare_read(&bare, WRITE), 1020);
	CHECK(offer(60));
	CHECK_EQUAL(nic_stats(bare.nic)->rx_no_room, 2);
	bare_write(&bare, READ, 512);
	CHECK(offer(60));
	CHECK_EQUAL(bare_read(&bare, WRITE), 1020 + 64 - 1024);
	check_frame(1020, 1024, 60);
	bare_free(&bare);
}

/* Frames that wait are taken once as much is free as the first of them needs. */
static void test_held(void)
{
	begin(on_board, false);
	bare_write(&bare, FROM, 256);
	bare_write(&bare, BASE, 4096);
	bare_write(&bare, WRITE, 4);
	bare_write(&bare, READ, 4);
	CHECK_EQUAL(bare_read(&bare, FREE), 768);
	CHECK(offer(600));
	CHECK_EQUAL(bare_read(&bare, WRITE), 14);
	CHECK(!offer(600));
	CHECK_EQUAL(bare_read(&bare, CAUSE), 3);
	bare_write(&bare, CAUSE, 3);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 2); /* the frame is still there, and says so */
	CHECK(bare.level);
	CHECK_EQUAL(bare.port.resumed, 0);
	bare_write(&bare, READ, 11);
	CHECK_EQUAL(bare.port.resumed, 0); /* not enough yet */
	bare_write(&bare, READ, 14);
	CHECK_EQUAL(bare.port.resumed, 1);
	CHECK(offer(600));
	CHECK_EQUAL(bare_read(&bare, WRITE), 14 + 10 - 16 + 4);
	/* what waits for a receiver that is switched off is lost */
	CHECK(!offer(600));
	bare_write(&bare, CTRL, 0);
	CHECK_EQUAL(bare.port.resumed, 2);
	CHECK(offer(600));
	CHECK_EQUAL(nic_stats(bare.nic)->rx_stopped, 1);
	bare_free(&bare);
}

/* Pointers in every relation, in guest memory and on the card. */
static void test_wild_pointers(const char *text, uint32_t base)
{
	static const uint32_t numbers[] = {0,	  1,	   3,	       4,	  63,
					   64,	  127,	   1023,       1024,	  0xffff,
					   65536, 1 << 20, 0x7fffffff, 0xfffffff0};
	enum { COUNT = sizeof(numbers) / sizeof(*numbers) };

	begin(text, false);
	for (unsigned i = 0; i < 6000; i++) {
		bare_write(&bare, WRITE, numbers[unit_random() % COUNT]);
		bare_write(&bare, READ, numbers[unit_random() % COUNT]);
		bare_write(&bare, SIZE, numbers[unit_random() % COUNT]);
		bare_write(&bare, FROM, numbers[unit_random() % COUNT]);
		bare_write(&bare, BASE, i % 3 ? base : numbers[unit_random() % COUNT]);
		bare_write(&bare, CTRL, unit_random() % 4 | 1);
		offer(60 + unit_random() % 1400);
		CHECK(bare_read(&bare, FREE) <= 65536);
	}
	bare_write(&bare, BASE, base);
	bare_write(&bare, FROM, 0);
	bare_write(&bare, SIZE, 4096);
	bare_write(&bare, CTRL, 3);
	bare_write(&bare, WRITE, 0);
	bare_write(&bare, READ, 0);
	bare_write(&bare, CAUSE, 7);
	CHECK(offer(60));
	CHECK_EQUAL(bare_read(&bare, CAUSE), 1);
	bare_free(&bare);
}

static void test_wild(void)
{
	test_wild_pointers(in_guest, RING);
	test_wild_pointers(on_board, 4096);
}

UNIT_FILE(streams, {"slots", test_slots},
	  {"slots_that_make_no_sense", test_slots_that_make_no_sense},
	  {"out_of_the_card", test_out_of_the_card}, {"stream", test_stream},
	  {"past_the_end", test_past_the_end}, {"full", test_full}, {"held", test_held},
	  {"wild", test_wild});
