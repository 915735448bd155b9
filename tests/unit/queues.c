/* SPDX-License-Identifier: Apache-2.0 */

/* Counted rings, completion rings, phases, messages without causes. */
#include "queues.h"

#include <errno.h>
#include <string.h>

/* What instance 2 says of frame NUMBER of transmit ring 1, and the phase it says it in. */
static void check_sent_result(unsigned number)
{
	const uint32_t *got = result(0, number);

	CHECK_EQUAL(got[0], 0xabcd0000 | (0x100 + number));
	CHECK_EQUAL(got[1] & 0xff, 1);
	CHECK_EQUAL(got[3] >> 31, number / DONE_SLOTS % 2 == 0);
}

static void test_lap(bool by_messages)
{
	begin(by_messages);
	for (unsigned i = 0; i < 37; i++) {
		give(60 + i, LAST | ASKS);
		ring_bell();
		CHECK_EQUAL(bare.port.count, i + 1);
		CHECK_EQUAL(bare.port.sent[i].length, 60 + i);
		check_sent_result(i);
		bare_write(&bare, HEADS + 8, i + 1 + DONE_SLOTS);
		bare_write(&bare, WHICH, 1);
		CHECK_EQUAL(bare_read(&bare, INDEX), (i + 1) % TX_SLOTS);
	}
	CHECK_EQUAL(bare_read(&bare, COUNT), 37);
	CHECK_EQUAL(bare.told[3], 1); /* masks itself */
	CHECK_EQUAL(faults(), 0);
	bare_free(&bare);
}

static void test_laps(void)
{
	test_lap(false);
	test_lap(true);
}

/* The bell lies: further than there are slots; further than slots have the phase. */
static void test_bells(void)
{
	begin(false);
	give(100, LAST | ASKS);
	bare_write(&bare, TX_BELL + 4, TX_SLOTS + 1);
	CHECK_EQUAL(bare.port.count, 0);
	bare_write(&bare, TX_BELL + 4, TX_SLOTS);
	CHECK_EQUAL(bare.port.count, 1);
	bare_write(&bare, TX_BELL + 4, 0);
	CHECK_EQUAL(bare.port.count, 1);
	give(101, ASKS); /* the end of this frame never comes */
	give(102, ASKS);
	give(103, ASKS);
	give(104, ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 1);
	give(105, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 2);
	bare_free(&bare);
}

/* One batch: a record for each that asks, one telling. */
static void test_batch(void)
{
	begin(false);
	give(100, LAST | ASKS);
	give(30, ASKS);
	give(70, LAST);
	give(101, LAST);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 3);
	CHECK_EQUAL(bare.port.sent[1].length, 100);
	check_sent_result(0);
	CHECK_EQUAL(result(0, 1)[0], 0xabcd0101); /* of the first slot of the second frame */
	CHECK_EQUAL(result(0, 2)[3], 0);
	CHECK_EQUAL(bare_read(&bare, COUNT), 1);
	bare_free(&bare);
}

static void test_full(void)
{
	begin(false);
	bare_write(&bare, HEADS + 8, 1);
	give(100, LAST | ASKS);
	give(101, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 1); /* the second waits for room for its result */
	CHECK_EQUAL(result(0, 1)[3], 0);
	bare_write(&bare, HEADS + 8, 1);
	CHECK_EQUAL(bare.port.count, 1);
	bare_write(&bare, HEADS + 8, 3);
	CHECK_EQUAL(bare.port.count, 2);
	check_sent_result(1);
	bare_write(&bare, HEADS + 12, 0);
	slot(RX, 0, RX_SLOTS, 2048, 0);
	bare_write(&bare, RX_BELL + 8, 1);
	CHECK(!test_port_offer(&bare.port, frame, 100));
	CHECK_EQUAL(*word(BUFFERS), *word(BUFFERS));
	bare_write(&bare, HEADS + 12, 1);
	CHECK(bare.port.resumed);
	CHECK(test_port_offer(&bare.port, frame, 100));
	CHECK_EQUAL(result(1, 0)[0], 100u << 16 | 0x100);
	CHECK_EQUAL(faults(), 0);
	bare_free(&bare);
}

/* ---- opened and closed ---- */

static void test_open(void)
{
	begin(false);
	CHECK_EQUAL(bare_read(&bare, FREE), 0);
	open_ring(OPEN_TX, 0, TX + 0x100, 4, 2);
	CHECK_EQUAL(bare_read(&bare, FREE), 2);
	open_ring(OPEN_TX, 2, TX + 0x200, 4, 2);
	open_ring(OPEN_TX, 3, TX + 0x300, 4, 2);
	CHECK_EQUAL(bare_read(&bare, FREE), 4); /* none is */
	CHECK_EQUAL(faults(), 0);
	open_ring(OPEN_TX, 4, TX, 4, 2); /* there is no such */
	CHECK_EQUAL(faults(), 1);
	act(CLOSE_TX, 77);
	CHECK_EQUAL(faults(), 2);
	act(CLOSE_TX, 2);
	CHECK_EQUAL(bare_read(&bare, FREE), 2);
	act(CLOSE_TX, 2);
	CHECK_EQUAL(faults(), 3);
	bare_write(&bare, TX_BELL + 8, 1); /* of one that is closed */
	CHECK_EQUAL(faults(), 4);
	CHECK_EQUAL(state(2), 1 << 2 | 1 << 4);
	for (unsigned depth = 0; depth < 2; depth++) { /* that makes no sense */
		open_ring(OPEN_TX, 2, TX, depth ? 1 << 17 : 0, 2);
		CHECK_EQUAL(state(2) & 3, 0);
	}
	CHECK_EQUAL(faults(), 6);
	open_ring(OPEN_TX, 2, 0x7fffff00, 64, 2); /* memory that is none */
	bare_write(&bare, TX_BELL + 8, 1);
	CHECK_EQUAL(bare.port.count, 0);
	bare_free(&bare);
}

static void test_again(void)
{
	begin(false);
	for (unsigned i = 0; i < 3; i++)
		give(60 + i, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 3);
	act(CLOSE_TX, 1);
	give(70, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 3);
	open_ring(OPEN_TX, 1, TX, TX_SLOTS,
		  2); /* it begins at its first slot, in the first phase */
	memset(word(TX), 0, TX_SLOTS * 16);
	rung = 0;
	give(80, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 4);
	CHECK_EQUAL(bare.port.sent[3].length, 80);
	CHECK_EQUAL(result(0, 3)[0], 0xabcd0100); /* its results go on where they were */
	bare_free(&bare);
}

/* Results have nowhere to go: frames do go, and that is counted. */
static void test_orphan(void)
{
	begin(false);
	act(CLOSE_DONE, 2);
	give(100, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 1);
	CHECK_EQUAL(faults(), 1);
	CHECK_EQUAL(result(0, 0)[3], 0);
	open_ring(OPEN_TX, 1, TX, TX_SLOTS, 99); /* nor is there such a one */
	rung = 0;
	give(100, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 2);
	CHECK_EQUAL(faults(), 2);
	open_ring(OPEN_DONE, 2, 0x7ffffff0, 8, 3); /* there is one, without memory */
	open_ring(OPEN_TX, 1, TX, TX_SLOTS, 2);
	rung = 0;
	give(100, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 3);
	CHECK_EQUAL(faults(), 3);
	bare_free(&bare);
}

/* ---- messages ---- */

static void tell(void)
{
	static uint32_t head;

	give(100, LAST | ASKS);
	ring_bell();
	head = bare_read(&bare, HEADS + 8);
	bare_write(&bare, HEADS + 8, head + 1);
}

static void test_vectors(void)
{
	begin(false);
	tell();
	CHECK_EQUAL(bare.told[3], 1);
	tell();
	tell();
	CHECK_EQUAL(bare.told[3], 1); /* masked since the first */
	bare_write(&bare, ARM + 12, 1);
	CHECK_EQUAL(bare.told[3], 2); /* once, of both */
	bare_write(&bare, ARM + 12, 1);
	CHECK_EQUAL(bare.told[3], 2); /* nothing was left to tell */
	tell();
	CHECK_EQUAL(bare.told[3], 3);
	bare_write(&bare, ARM + 12, 1);
	bare_write(&bare, OFF, 1);
	tell();
	CHECK_EQUAL(bare.told[3], 3);
	bare_write(&bare, OFF, 0);
	CHECK_EQUAL(bare.told[3], 4);
	bare_free(&bare);
}

static void test_delays(void)
{
	begin(false);
	bare_write(&bare, DELAY, 1000);
	tell();
	clock_turn(&bare.clock, 600);
	tell(); /* the first counts */
	CHECK_EQUAL(bare.told[3], 0);
	clock_turn(&bare.clock, 400);
	CHECK_EQUAL(bare.told[3], 1);
	bare_write(&bare, ARM + 12, 1);
	CHECK_EQUAL(bare.told[3], 1);
	tell();
	bare_write(&bare, DELAY, 100); /* what is sooner wins */
	tell();
	clock_turn(&bare.clock, 100);
	CHECK_EQUAL(bare.told[3], 2);
	bare_free(&bare);
}

static void test_interval(void)
{
	begin(false);
	act(CLOSE_DONE, 2);
	open_ring(OPEN_DONE, 2, DONE, DONE_SLOTS,
		  5); /* does not mask itself, but keeps a distance */
	clock_turn(&bare.clock, 5000000);
	tell();
	CHECK_EQUAL(bare.told[5], 1);
	clock_turn(&bare.clock, 400000);
	tell();
	tell();
	CHECK_EQUAL(bare.told[5], 1);
	clock_turn(&bare.clock, 600000);
	CHECK_EQUAL(bare.told[5], 2);
	clock_turn(&bare.clock, 2000000);
	CHECK_EQUAL(bare.told[5], 2);
	act(CLOSE_DONE, 2);
	open_ring(OPEN_DONE, 2, DONE, DONE_SLOTS, 6); /* nobody's */
	tell();
	CHECK_EQUAL(bare.told[6], 0);
	CHECK_EQUAL(faults(), 1);
	bare_free(&bare);
}

/* ---- for modules ---- */

static void test_interface(void)
{
	const struct ring_opening with = {TX + 0x800, 4, 2, -1}, results = {DONE + 0x400, 4, -1, 1};
	const struct ring_opening none = {TX, 4, 2, 7}, wide = {1ull << 40, 4, 2, -1};
	uint32_t record[4] = {1, 2, 3, 4};

	begin(false);
	CHECK_EQUAL(nic_ring_open(bare.nic, 0, &with), 0);
	CHECK_EQUAL(nic_ring_open(bare.nic, 2, &results), 0);
	CHECK_EQUAL(nic_ring_open(bare.nic, 0, &none), -EINVAL); /* it has no vector= */
	CHECK_EQUAL(nic_ring_open(bare.nic, 0, &wide), -EINVAL);
	CHECK_EQUAL(nic_ring_open(bare.nic, 0, &with), 2);
	CHECK_EQUAL(nic_ring_open(bare.nic, 0, &with), 3);
	CHECK_EQUAL(nic_ring_open(bare.nic, 0, &with), -ENOSPC);
	CHECK_EQUAL(nic_ring_open(bare.nic, 99, &with), -EINVAL);
	CHECK_EQUAL(nic_ring_close(bare.nic, 0, 2), 0);
	CHECK_EQUAL(nic_ring_close(bare.nic, 0, 2), -EINVAL);
	CHECK_EQUAL(nic_ring_close(bare.nic, 0, 99), -EINVAL);
	CHECK_EQUAL(nic_ring_wake(bare.nic, 0, 99), -EINVAL);
	CHECK_EQUAL(nic_ring_wake(bare.nic, 0, 1), 0);
	slot(TX + 0x800, 0, 4, 222, LAST | ASKS);
	bare_write(&bare, TX_BELL, 1);
	CHECK_EQUAL(bare.port.count, 1);
	CHECK_EQUAL(result(0, 0)[1] & 0xff, 0);
	bare_write(&bare, HEADS, 2);
	CHECK_EQUAL(nic_ring_produce(bare.nic, 2, 0, record, sizeof(record)), 0);
	CHECK_EQUAL(word(DONE + 0x400)[2], 3);
	CHECK_EQUAL(word(DONE + 0x400)[3], 4 | 1u << 31); /* its phase is set */
	CHECK_EQUAL(nic_ring_produce(bare.nic, 2, 0, record, 33), -EINVAL);
	CHECK_EQUAL(nic_ring_produce(bare.nic, 2, 0, record, 200), -EINVAL);
	CHECK_EQUAL(nic_ring_produce(bare.nic, 2, 1, record, sizeof(record)), -EINVAL);
	CHECK_EQUAL(nic_ring_produce(bare.nic, 0, 0, record, sizeof(record)), -EINVAL);
	CHECK_EQUAL(nic_ring_produce(bare.nic, 2, 0, record, sizeof(record)), 0);
	CHECK_EQUAL(nic_ring_produce(bare.nic, 2, 0, record, sizeof(record)), -ENOSPC);
	bare_write(&bare, COUNT, 0); /* any work: now it is told */
	CHECK_EQUAL(bare.told[1], 1);
	bare_free(&bare);
}

/* Whichever message its register names when it is sent; one beyond the last goes nowhere. */
static void causes_choose_their_message(void)
{
	static const char chosen[] =
		"<card name='odd' title='Odd'>"
		"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
		"<capability kind='msi-x' vectors='8' bar='0' table='0x800' pending='0xc00'/>"
		"<bar index='0' space='memory' size='4K' bank='r'/>"
		"<bank name='r'><register name='CAUSE' at='0' access='w1s'>"
		"<field name='A' bits='0'/></register><register name='MASK' at='4'/>"
		"<register name='WHICH' at='8'/></bank>"
		"<interrupt vector='2-4' cause='CAUSE.A' mask='MASK' number='WHICH' "
		"on-send='clear'/></card>";
	static struct bare bare;

	bare_new(&bare, bare_card(chosen), false);
	bare_write(&bare, 4, 1);
	for (unsigned which = 0; which < 4; which++) {
		bare_write(&bare, 8, which);
		bare_write(&bare, 0, 1);
	}
	for (unsigned i = 0; i < BARE_VECTORS; i++)
		CHECK_EQUAL(bare.told[i], i >= 2 && i <= 4);
	bare_free(&bare);
}

UNIT_FILE(queues, {"laps", test_laps}, {"bells", test_bells}, {"batch", test_batch},
	  {"full", test_full}, {"open", test_open}, {"again", test_again}, {"orphan", test_orphan},
	  {"vectors", test_vectors}, {"delays", test_delays},
	  {"causes_choose_their_message", causes_choose_their_message}, {"interval", test_interval},
	  {"interface", test_interface});
