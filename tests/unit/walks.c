/* SPDX-License-Identifier: Apache-2.0 */

/* Rings whose slots say themselves whose they are and where the next one is. */
#include "bare.h"

#include "nic/nic.h"
#include "nic/snapshot.h"

#include <stdio.h>
#include <string.h>

enum {
	CTRL = 0, /* 1: transmit, 2: receive */
	TX = 4,
	RX = 8,
	KICK = 12, /* 1: wake tx, 2: wake rx, 4: start tx at TX, 8: start tx, 16: stop tx,
		     32: start rx */
	CAUSE = 16,
	STATE = 24, /* of tx; and of rx, 4 further up */
	INDEX = 28,
};
enum { SENT = 1, RECEIVED = 2, DRY = 4, FULL = 8, STOPPED = 16, LAST_SENT = 32 };
enum { FIRST = 1u << 28, LAST = 1u << 29, END = 1u << 30, OWN = 1u << 31 }; /* of word 1 */

#define REGISTERS                                                                                  \
	"<card name='odd' title='Odd'>"                                                            \
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"                      \
	"<bar index='0' space='memory' size='256' bank='r'/>"                                      \
	"<bank name='r'><register name='CTRL' at='0'><field name='TE' bits='0'/>"                  \
	"<field name='RE' bits='1'/></register>"                                                   \
	"<register name='TX' at='4'/><register name='RX' at='8'/>"                                 \
	"<register name='KICK' at='12' access='self-clear'>"                                       \
	"<field name='W' bits='0' do='wake tx'/><field name='R' bits='1' do='wake rx'/>"           \
	"<field name='A' bits='2' do='start tx at TX'/><field name='S' bits='3' do='start tx'/>"   \
	"<field name='P' bits='4' do='stop tx'/><field name='B' bits='5' do='start rx'/>"          \
	"</register>"                                                                              \
	"<register name='CAUSE' at='16' access='w1c'><field name='SENT' bits='0'/>"                \
	"<field name='RX' bits='1'/><field name='DRY' bits='2'/><field name='FULL' bits='3'/>"     \
	"<field name='STOP' bits='4'/><field name='LAST' bits='5'/></register>"                    \
	"<register name='STATE' at='24' shows='rx.state:tx.state'/>"                               \
	"<register name='INDEX' at='28' shows='tx.index'/></bank>"                                 \
	"<record name='d' size='16'><field name='next' bits='31:0'/>"                              \
	"<field name='length' bits='47:32'/><field name='MORE' bits='59'/>"                        \
	"<field name='FIRST' bits='60'/><field name='LAST' bits='61'/>"                            \
	"<field name='END' bits='62'/><field name='OWN' bits='63'/>"                               \
	"<field name='address' bits='95:64'/><field name='other' bits='127:96'/></record>"         \
	"<receive rings='rx'><accept class='all'/></receive>"

#define SENDS(attributes, parts)                                                                   \
	"<ring name='tx' for='transmit' ready='OWN' empty='raise CAUSE.DRY' " attributes ">"       \
	"<use record='d' as='data' first='FIRST' last='LAST'>"                                     \
	"<buffer address='address' length='length'/>"                                              \
	"<buffer address='other' length='64' when='MORE'/></use><pad to='60'/>"                    \
	"<complete write='OWN = 0' do='raise CAUSE.SENT'/>"                                        \
	"<complete at='last' do='raise CAUSE.LAST'/>" parts "</ring>"

#define RECEIVES(attributes, parts) RECEIVES_DRY("raise CAUSE.FULL", attributes, parts)
#define RECEIVES_DRY(empty, attributes, parts)                                                     \
	"<ring name='rx' for='receive' empty='" empty "' ready='not OWN' " attributes ">"          \
	"<use record='d' as='room'><buffer address='address' length='length'/>"                    \
	"<buffer address='other' length='64' when='MORE'/></use>"                                  \
	"<complete write='length = frame.put; FIRST = frame.first; LAST = frame.last; OWN = 1'/>"  \
	"<complete at='last' do='raise CAUSE.RX'/>" parts "</ring></card>"

#define TX_ARRAY SENDS("when='CTRL.TE' next='array' base='TX' end='bit END'", "")
#define RX_ARRAY(more) RECEIVES("when='CTRL.RE' next='array' base='RX' end='bit END' " more, "")

static const char arrays[] = REGISTERS TX_ARRAY RX_ARRAY("");
static const char holds[] = REGISTERS TX_ARRAY RX_ARRAY("hold='yes'");
static const char halts[] = REGISTERS TX_ARRAY RECEIVES_DRY(
	"raise CAUSE.FULL; stop rx",
	"when='CTRL.RE' next='array' base='RX' end='bit END' hold='yes'", "");
static const char strides[] =
	REGISTERS SENDS("when='CTRL.TE' next='array stride 32' base='TX' end='entries 3'", "")
		RX_ARRAY("");
static const char chains[] =
	REGISTERS SENDS("when='CTRL.TE' next='chain next if not END; here + 16' cursor='TX'",
			"<stop when='next == 0 and not END' as='suspended' do='raise CAUSE.STOP'/>")
		RECEIVES("when='CTRL.RE' next='chain next' cursor='RX'",
			 "<stop when='next == 0' as='suspended' do='raise CAUSE.STOP'/>");
static const char started[] =
	REGISTERS SENDS("next='chain next' base='RX'",
			"<stop when='END' as='stopped' do='raise CAUSE.STOP'/>") RX_ARRAY("");

enum { SLOTS = 0x1000, RXSLOTS = 0x2000, BUFFERS = 0x10000, BUFFER = 0x1000 };

static struct bare bare;
static uint8_t frame[2048];

static void begin(const char *text, bool by_messages)
{
	bare_new(&bare, bare_card(text), by_messages);
	bare_write(&bare, TX, SLOTS);
	bare_write(&bare, RX, RXSLOTS);
	unit_fill(frame, sizeof(frame), 1);
}

static uint32_t *word(uint32_t slot, unsigned n)
{
	return (uint32_t *)(void *)(bare.memory + slot) + n;
}

static void slot(uint32_t at, uint32_t next, uint32_t flags, uint32_t buffer)
{
	*word(at, 0) = next;
	*word(at, 2) = BUFFERS + buffer * BUFFER;
	*word(at, 3) = BUFFERS + buffer * BUFFER + 0x800;
	*word(at, 1) = flags;
	unit_fill(bare.memory + BUFFERS + buffer * BUFFER, 2048, buffer);
}

static uint32_t state(void)
{
	return bare_read(&bare, STATE) & 3;
}

static void test_array(bool by_messages)
{
	begin(arrays, by_messages);
	for (unsigned i = 0; i < 4; i++)
		slot(SLOTS + i * 16, 0, OWN | FIRST | LAST | (i == 3 ? END : 0) | (100 + i), i);
	slot(SLOTS + 64, 0, OWN | FIRST | LAST | 777, 4); /* behind the end */
	bare_write(&bare, CTRL, 1);
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 4); /* once, though the first comes again */
	CHECK_EQUAL(bare.port.sent[3].length, 103);
	CHECK_EQUAL(*word(SLOTS + 48, 1), FIRST | LAST | END | 103);
	CHECK_EQUAL(state(), 2);
	CHECK_EQUAL(bare_read(&bare, CAUSE), SENT | DRY | LAST_SENT);
	for (unsigned i = 0; i < 13; i++) {
		CHECK_EQUAL(bare_read(&bare, INDEX), i % 4);
		*word(SLOTS + i % 4 * 16, 1) |= OWN;
		bare_write(&bare, KICK, 1);
		CHECK_EQUAL(bare.port.count, 5 + i);
	}
	bare_write(&bare, TX, SLOTS + 64); /* a new base is where it goes on */
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.sent[bare.port.count - 1].length, 777);
	bare_free(&bare);
}

static void test_arrays(void)
{
	test_array(false);
	test_array(true);
}

static void test_frames(bool by_messages)
{
	begin(arrays, by_messages);
	slot(SLOTS, 0, OWN | LAST | 500, 0); /* no frame begins here */
	slot(SLOTS + 16, 0, OWN | FIRST | 50, 1);
	slot(SLOTS + 32, 0, OWN | FIRST | 60, 2); /* and that one never ended */
	slot(SLOTS + 48, 0, OWN | (1u << 27) | 0, 3);
	slot(SLOTS + 64, 0, LAST | END | 70, 4);
	bare_write(&bare, CTRL, 1);
	CHECK_EQUAL(bare.port.count, 0); /* its end is not there yet */
	CHECK_EQUAL(*word(SLOTS, 1), LAST | 500);
	*word(SLOTS + 64, 1) |= OWN;
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 1);
	CHECK_EQUAL(bare.port.sent[0].length, 60 + 64 + 70);
	CHECK(!memcmp(bare.port.sent[0].data + 60, bare.memory + BUFFERS + 3 * BUFFER + 0x800, 64));
	for (unsigned i = 0; i < 5; i++) /* a lap without an end */
		*word(SLOTS + i * 16, 1) = OWN | (i == 0 ? FIRST : 0) | (i == 4 ? END : 0) | 20;
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 1);
	CHECK_EQUAL(*word(SLOTS, 1) & OWN, 0);
	bare_free(&bare);
}

static void test_frames_in_pieces(void)
{
	test_frames(false);
	test_frames(true);
}

static void test_strides(void)
{
	begin(strides, false);
	for (unsigned i = 0; i < 3; i++)
		slot(SLOTS + i * 32, 0, OWN | FIRST | LAST | (100 + i), i);
	bare_write(&bare, CTRL, 1);
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 3);
	CHECK_EQUAL(bare.port.sent[2].length, 102);
	CHECK_EQUAL(bare_read(&bare, INDEX), 0);
	bare_free(&bare);
}

static void test_chain(bool by_messages)
{
	begin(chains, by_messages);
	slot(SLOTS, SLOTS + 0x100, OWN | FIRST | LAST | 100, 0);
	slot(SLOTS + 0x100, 0, OWN | END | FIRST | LAST | 101, 1); /* the next stands behind it */
	slot(SLOTS + 0x110, 0, OWN | FIRST | LAST | 102, 2);	   /* no next */
	bare_write(&bare, CTRL, 1);
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 3);
	CHECK_EQUAL(state(), 3);
	CHECK_EQUAL(bare_read(&bare, TX), SLOTS + 0x110);
	CHECK_EQUAL(bare_read(&bare, CAUSE), SENT | LAST_SENT | STOPPED);
	bare_write(&bare, CAUSE, 0xff);
	bare_write(&bare, KICK, 1); /* still none */
	CHECK_EQUAL(state(), 3);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 0);
	slot(SLOTS + 0x200, SLOTS, OWN | FIRST | LAST | 103, 3);
	*word(SLOTS + 0x110, 0) = SLOTS + 0x200;
	CHECK_EQUAL(bare.port.count, 3);
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 4);
	CHECK_EQUAL(state(), 2);
	CHECK_EQUAL(bare_read(&bare, TX), SLOTS);
	slot(SLOTS + 0x300, SLOTS + 0x300, OWN | FIRST | LAST | 104, 4); /* its own next */
	bare_write(&bare, TX, SLOTS + 0x300);
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 5);
	CHECK_EQUAL(bare_read(&bare, TX), SLOTS + 0x300);
	bare_free(&bare);
}

static void test_chains(void)
{
	test_chain(false);
	test_chain(true);
}

/* Of a register that has no lower bits. */
static void test_crooked_link(void)
{
	static const char whole[] = "at='4'/>";
	const char *at = strstr(chains, whole);
	char text[sizeof(chains) + 32];

	snprintf(text, sizeof(text), "%.*sat='4' mask='0xfffffff0'/>%s", (int)(at - chains), chains,
		 at + strlen(whole));
	begin(text, false);
	slot(SLOTS, SLOTS + 0x10b, OWN | FIRST | LAST | 100, 0);
	slot(SLOTS + 0x100, SLOTS + 0x20b, OWN | FIRST | LAST | 101, 1);
	bare_write(&bare, CTRL, 1);
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 2);
	CHECK_EQUAL(bare_read(&bare, TX), SLOTS + 0x200);
	slot(SLOTS + 0x300, SLOTS, OWN | FIRST | LAST | 102, 2);
	bare_write(&bare, TX, SLOTS + 0x300);
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 3);
	CHECK_EQUAL(bare_read(&bare, TX), SLOTS);
	bare_free(&bare);
}

static void test_started(void)
{
	begin(started, false);
	slot(RXSLOTS, RXSLOTS + 16, OWN | FIRST | LAST | 100, 0);
	slot(RXSLOTS + 16, RXSLOTS, OWN | END | FIRST | LAST | 101, 1);
	slot(SLOTS, SLOTS, OWN | FIRST | LAST | 102, 2);
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(state(), 0);
	bare_write(&bare, KICK, 8);
	CHECK_EQUAL(bare.port.count, 2);
	CHECK_EQUAL(state(), 0);
	CHECK_EQUAL(bare_read(&bare, CAUSE), SENT | LAST_SENT | STOPPED);
	*word(RXSLOTS, 1) |= OWN;
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 2); /* waking does not start */
	bare_write(&bare, KICK, 4);
	CHECK_EQUAL(bare.port.count, 3);
	CHECK_EQUAL(bare.port.sent[2].length, 102);
	CHECK_EQUAL(state(), 2);
	bare_write(&bare, KICK, 16);
	CHECK_EQUAL(state(), 0);
	bare_free(&bare);
}

/* ---- receive ---- */

static bool offer(unsigned length)
{
	for (unsigned i = 0; i < 100; i++) { /* as often as it says that it can take it now */
		unsigned resumed = bare.port.resumed;

		bool taken = test_port_offer(&bare.port, frame, length);

		bare_settle(&bare);
		if (taken)
			return true;
		if (bare.port.resumed == resumed)
			return false;
	}
	unit_failed(__FILE__, __LINE__, "a frame never finds its way");
}

static void test_receive(bool by_messages)
{
	begin(arrays, by_messages);
	for (unsigned i = 0; i < 4; i++)
		slot(RXSLOTS + i * 16, 0, (i == 3 ? END : 0) | (i == 1 ? 1u << 27 : 0) | 512, i);
	bare_write(&bare, CTRL, 2);
	offer(100);
	CHECK_EQUAL(*word(RXSLOTS, 1), OWN | FIRST | LAST | 100);
	CHECK(!memcmp(bare.memory + BUFFERS, frame, 100));
	offer(600); /* 512, 64 in the other buffer, 24 in the next slot */
	CHECK_EQUAL(*word(RXSLOTS + 16, 1), OWN | FIRST | 1u << 27 | 576);
	CHECK_EQUAL(*word(RXSLOTS + 32, 1), OWN | LAST | 24);
	CHECK(!memcmp(bare.memory + BUFFERS + BUFFER + 0x800, frame + 512, 64));
	CHECK(!memcmp(bare.memory + BUFFERS + 2 * BUFFER, frame + 576, 24));
	CHECK_EQUAL(bare_read(&bare, CAUSE), RECEIVED);
	offer(600); /* one slot is not enough: nothing of it */
	CHECK_EQUAL(*word(RXSLOTS + 48, 1), END | 512);
	CHECK_EQUAL(bare_read(&bare, CAUSE), RECEIVED | FULL);
	CHECK_EQUAL(bare_read(&bare, STATE) >> 2, 2);
	offer(60);
	CHECK_EQUAL(*word(RXSLOTS + 48, 1), OWN | FIRST | LAST | END | 60);
	*word(RXSLOTS, 1) = 512;
	offer(200); /* nobody had to wake it */
	CHECK_EQUAL(*word(RXSLOTS, 1), OWN | FIRST | LAST | 200);
	CHECK_EQUAL(bare_read(&bare, STATE) >> 2, 1);
	bare_free(&bare);
}

static void test_receives(void)
{
	test_receive(false);
	test_receive(true);
}

static void test_receive_chain(void)
{
	begin(chains, false);
	slot(RXSLOTS, RXSLOTS + 64, 512, 0);
	slot(RXSLOTS + 64, 0, 512, 1);
	slot(RXSLOTS + 128, RXSLOTS, 512, 2);
	bare_write(&bare, CTRL, 2);
	offer(100);
	CHECK_EQUAL(bare_read(&bare, CAUSE), RECEIVED);
	offer(600);
	CHECK_EQUAL(*word(RXSLOTS + 64, 1), 512);
	offer(101);
	CHECK_EQUAL(*word(RXSLOTS + 64, 1), OWN | FIRST | LAST | 101);
	CHECK_EQUAL(bare_read(&bare, STATE) >> 2, 3);
	CHECK_EQUAL(bare_read(&bare, CAUSE), RECEIVED | FULL | STOPPED);
	*word(RXSLOTS + 64, 0) = RXSLOTS + 128;
	offer(102); /* it is suspended: a frame does not wake it */
	CHECK_EQUAL(*word(RXSLOTS + 128, 1), 512);
	CHECK_EQUAL(bare_read(&bare, STATE) >> 2, 3);
	bare_write(&bare, KICK, 2);
	offer(103);
	CHECK_EQUAL(*word(RXSLOTS + 128, 1), OWN | FIRST | LAST | 103);
	bare_free(&bare);
}

/* Nobody tells when a slot is given back; the frame is not lost, though. */
static void test_hold(void)
{
	begin(holds, false);
	slot(RXSLOTS, 0, END | OWN | 512, 0);
	bare_write(&bare, CTRL, 2);
	CHECK(!offer(100));
	*word(RXSLOTS, 1) = END | 512;
	bare_settle(&bare);
	CHECK_EQUAL(bare.port.resumed, 0);
	clock_turn(&bare.clock, 200000);
	bare_settle(&bare);
	CHECK_EQUAL(bare.port.resumed, 1);
	CHECK(offer(100));
	CHECK_EQUAL(*word(RXSLOTS, 1), END | OWN | FIRST | LAST | 100);
	bare_free(&bare);
}

/* Running dry stops the ring: the frame waits for its start, and some time later for nothing. */
static void test_hold_until_started(void)
{
	begin(halts, false);
	slot(RXSLOTS, 0, END | OWN | 512, 0);
	bare_write(&bare, CTRL, 2);
	CHECK(!offer(100));
	clock_turn(&bare.clock, 200000);
	bare_settle(&bare);
	CHECK_EQUAL(bare_read(&bare, CAUSE), FULL);
	CHECK_EQUAL(bare_read(&bare, STATE) >> 2, 0);
	*word(RXSLOTS, 1) = END | 512;
	clock_turn(&bare.clock, 1000000);
	bare_settle(&bare);
	CHECK_EQUAL(bare.port.resumed, 0);
	bare_write(&bare, KICK, 32);
	bare_settle(&bare);
	CHECK_EQUAL(bare.port.resumed, 1);
	CHECK(offer(100));
	CHECK_EQUAL(*word(RXSLOTS, 1), END | OWN | FIRST | LAST | 100);
	CHECK(!offer(101));
	clock_turn(&bare.clock, 50000000);
	bare_settle(&bare);
	CHECK_EQUAL(bare.port.resumed, 2);
	CHECK(offer(101));
	CHECK_EQUAL(nic_stats(bare.nic)->rx_stopped, 1);
	bare_free(&bare);
}

/* ---- saved, and gone on with elsewhere ---- */

static struct saved { /* in the order of the walk */
	uint8_t data[1 << 20];
	size_t at;
	bool loading;
} saved;

static bool move(void *context, const char *key, uint8_t *data, size_t length)
{
	struct saved *to = context;

	(void)key;
	CHECK(length <= sizeof(to->data) - to->at);
	if (to->loading)
		memcpy(data, to->data + to->at, length);
	else
		memcpy(to->data + to->at, data, length);
	to->at += length;
	return true;
}

static bool move_number(void *context, const char *key, uint64_t *value)
{
	return move(context, key, (uint8_t *)value, sizeof(*value));
}

/* Another NIC with the same memory; what it is loaded with is looked at twice. */
static void replace(const char *text)
{
	struct exchange exchange = {&saved, false, move_number, move, NULL};
	static uint8_t memory[BARE_MEMORY];

	saved.at = 0;
	saved.loading = false;
	CHECK_EQUAL(nic_save(bare.nic, &exchange), 0);
	memcpy(saved.data + saved.at, saved.data, saved.at);
	memcpy(memory, bare.memory, sizeof(memory));
	bare_free(&bare);
	bare_new(&bare, bare_card(text), false);
	memcpy(bare.memory, memory, sizeof(memory));
	saved.at = 0;
	exchange.loading = saved.loading = true;
	CHECK_EQUAL(nic_load(bare.nic, &exchange), 0);
	bare_settle(&bare);
}

static void test_saved(void)
{
	begin(arrays, false);
	for (unsigned i = 0; i < 4; i++) {
		slot(SLOTS + i * 16, 0, OWN | FIRST | LAST | (i == 3 ? END : 0) | (100 + i), i);
		slot(RXSLOTS + i * 16, 0, (i == 3 ? END : 0) | 512, 4 + i);
	}
	*word(SLOTS + 32, 1) &= ~OWN;
	bare_write(&bare, CTRL, 3);
	bare_write(&bare, KICK, 1);
	offer(100);
	CHECK_EQUAL(bare.port.count, 2);
	replace(arrays);
	CHECK_EQUAL(bare_read(&bare, INDEX), 2);
	*word(SLOTS + 32, 1) |= OWN;
	bare_write(&bare, KICK, 1);
	CHECK_EQUAL(bare.port.count, 2);
	CHECK_EQUAL(bare.port.sent[0].length, 102);
	offer(200);
	CHECK_EQUAL(*word(RXSLOTS + 16, 1), OWN | FIRST | LAST | 200);
	bare_free(&bare);
}

/* ---- lists that no driver makes ---- */

static void noise(const char *text, bool by_messages, unsigned seed)
{
	begin(text, by_messages);
	for (unsigned i = 0; i < 64; i++) {
		uint32_t next = unit_random() % 4 ? SLOTS + unit_random() % 64 * 16 : unit_random();

		slot(SLOTS + i * 16, next,
		     (unit_random() & ~0xc000u) | (unit_random() % 4 ? OWN : 0), i % 8);
	}
	bare_write(&bare, RX, SLOTS + seed % 64 * 16);
	bare_write(&bare, CTRL, 3);
	for (unsigned i = 0; i < 8; i++) {
		bare_write(&bare, KICK, unit_random() % 8);
		test_port_forget(&bare.port);
		offer(60 + unit_random() % 1400);
		if (i == 5)
			bare_write(&bare, TX, unit_random());
	}
	bare_free(&bare);
}

static void test_noise(void)
{
	for (unsigned i = 0; i < 60; i++) {
		noise(chains, i % 2, i);
		noise(arrays, i % 2, i);
	}
}

/* A frame waits for a slot that is fetched; when that is not ready, it is dropped and not kept. */
static void test_fetched_and_not_ready(void)
{
	begin(arrays, true);
	slot(RXSLOTS, 0, END | OWN | 512, 0);
	bare_write(&bare, CTRL, 2);
	CHECK(!test_port_offer(&bare.port, frame, 100));
	bare_settle(&bare);
	CHECK_EQUAL(bare.port.resumed, 1);
	CHECK(test_port_offer(&bare.port, frame, 100));
	CHECK_EQUAL(bare_read(&bare, CAUSE), FULL);
	bare_free(&bare);
}

/* What an operator looks at is not fetched for him: it would be old when the card wants it. */
static void test_looking_fetches_nothing(void)
{
	struct ring_look look;
	unsigned asked;

	begin(arrays, true);
	slot(SLOTS, 0, END | OWN | 512, 0);
	bare_write(&bare, CTRL, 3);
	asked = bare.asked;
	for (unsigned i = 0; nic_look_ring(bare.nic, i, &look); i++)
		CHECK_EQUAL(look.ready, 0);
	CHECK_EQUAL(bare.asked, asked);
	bare_free(&bare);
}

UNIT_FILE(walks, {"looking_fetches_nothing", test_looking_fetches_nothing},
	  {"fetched_and_not_ready", test_fetched_and_not_ready}, {"arrays", test_arrays},
	  {"frames", test_frames_in_pieces}, {"strides", test_strides}, {"chains", test_chains},
	  {"crooked_link", test_crooked_link}, {"started", test_started},
	  {"receive", test_receives}, {"receive_chain", test_receive_chain}, {"hold", test_hold},
	  {"hold_until_started", test_hold_until_started}, {"saved", test_saved},
	  {"noise", test_noise});
