/* SPDX-License-Identifier: Apache-2.0 */

/* The switch: who gets what, when it waits, and what it costs others. */
#include "machine.h"
#include "packet.h"

#include "backend/switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS = 4, GOT_MAX = 4096 };

/* A NIC's side of one port: keeps what it gets. */
struct side {
	struct port *port;
	struct got {
		uint8_t head[64]; /* of the frame */
		uint32_t length;
		uint16_t flags;
		const void *from; /* where it lay */
	} got[GOT_MAX];
	unsigned count, room, writable;
	struct side *answers; /* sends a frame there from within */
};

struct wiring {
	struct clock clock;
	struct loop *loop;
	struct switch_net *net;
	struct side sides[PORTS];
	struct test_port uplink;
};

static struct wiring wiring;

static void frame_head(uint8_t *data, uint8_t to, uint8_t from)
{
	const uint8_t address[6] = {0x02, 0, 0, 0, 0, 0};

	memcpy(data, address, 6);
	memcpy(data + 6, address, 6);
	data[5] = to;
	data[11] = from;
	if (to == 0xff)
		memset(data, 0xff, 6);
	data[12] = 0x88;
	data[13] = 0xb5;
}

static unsigned send(struct side *side, uint8_t to, uint8_t from, unsigned count)
{
	static uint8_t data[1514];
	static struct frame frames[GOT_MAX];

	frame_head(data, to, from);
	for (unsigned i = 0; i < count; i++) {
		frames[i].iovs = 1;
		frames[i].length = sizeof(data);
		frames[i].iov[0] = (struct iovec){data, sizeof(data)};
	}
	return side->port->ops->transmit(side->port, frames, count);
}

static unsigned side_receive(void *context, const struct frame *frames, unsigned count)
{
	struct side *side = context;
	unsigned taken = count < side->room ? count : side->room;

	for (unsigned i = 0; i < taken; i++) {
		struct got *got = &side->got[side->count++];
		size_t held = frames[i].iov[0].iov_len;

		CHECK(side->count < GOT_MAX);
		memcpy(got->head, frames[i].iov[0].iov_base, held < 64 ? held : 64);
		got->length = frames[i].length;
		got->flags = frames[i].flags;
		got->from = frames[i].iov[0].iov_base;
	}
	side->room -= taken;
	if (side->answers && taken) {
		struct side *to = side->answers;

		side->answers = NULL;
		CHECK_EQUAL(send(side, (uint8_t)(1 + (to - wiring.sides)),
				 (uint8_t)(1 + (side - wiring.sides)), 1),
			    1);
		CHECK_EQUAL(to->count, 0); /* not from within */
	}
	return taken;
}

static void side_writable(void *context)
{
	((struct side *)context)->writable++;
}

static void wire(bool uplink, bool offloads)
{
	struct error err = {0};

	clock_init(&wiring.clock, true);
	clock_turn(&wiring.clock, 1000000000);
	wiring.loop = loop_new(&wiring.clock);
	test_port_init(&wiring.uplink, offloads);
	wiring.net = switch_new(wiring.loop, &err);
	CHECK(wiring.net);
	if (uplink)
		CHECK_EQUAL(switch_uplink(wiring.net, &wiring.uplink.port, NULL, &err), 0);
	memset(wiring.sides, 0, sizeof(wiring.sides));
	for (unsigned i = 0; i < PORTS; i++) {
		struct side *side = &wiring.sides[i];

		side->port = switch_join(wiring.net, NULL, &err);
		CHECK(side->port && side->port->ops->offloads);
		side->room = GOT_MAX;
		side->port->peer = (struct port_peer){
			.context = side, .receive = side_receive, .writable = side_writable};
	}
}

static void unwire(void)
{
	struct switch_stats stats;

	for (unsigned i = 0; i < PORTS; i++)
		wiring.sides[i].port->ops->close(wiring.sides[i].port);
	switch_look(wiring.net, &stats);
	CHECK_EQUAL(switch_missing_in(&stats), 0);
	CHECK_EQUAL(switch_missing_out(&stats), 0);
	switch_free(wiring.net);
	loop_free(wiring.loop);
	test_port_free(&wiring.uplink);
}

static void turn(void)
{
	for (unsigned i = 0; i < 64; i++)
		CHECK(loop_turn(wiring.loop, 0) == 0);
}

static void forget(void)
{
	for (unsigned i = 0; i < PORTS; i++) {
		wiring.sides[i].count = 0;
		wiring.sides[i].room = GOT_MAX;
	}
	test_port_forget(&wiring.uplink);
}

/* Each side says its address, 1 and up. */
static void introduce(void)
{
	for (unsigned i = 0; i < PORTS; i++)
		CHECK_EQUAL(send(&wiring.sides[i], 0xff, (uint8_t)(i + 1), 1), 1);
	forget();
}

static void check_counts(unsigned a, unsigned b, unsigned c, unsigned d)
{
	const unsigned wanted[] = {a, b, c, d};

	for (unsigned i = 0; i < PORTS; i++)
		CHECK_EQUAL(wiring.sides[i].count, wanted[i]);
}

static void test_learns_and_forgets(void)
{
	struct side *sides = wiring.sides;
	struct switch_stats stats;

	wire(false, true);
	CHECK_EQUAL(send(&sides[0], 2, 1, 3), 3); /* unknown: to all others */
	check_counts(0, 3, 3, 3);
	CHECK_EQUAL(send(&sides[1], 1, 2, 5), 5); /* known */
	check_counts(5, 3, 3, 3);
	CHECK_EQUAL(send(&sides[0], 2, 1, 1), 1);
	check_counts(5, 4, 3, 3);
	CHECK_EQUAL(send(&sides[1], 1, 2, 1), 1);
	check_counts(6, 4, 3, 3);
	CHECK_EQUAL(send(&sides[0], 1, 1, 1), 1); /* is at the port of origin */
	check_counts(6, 4, 3, 3);
	CHECK_EQUAL(send(&sides[2], 2, 1, 1), 1); /* 1 has moved */
	CHECK_EQUAL(send(&sides[1], 1, 2, 1), 1);
	check_counts(6, 5, 4, 3);
	clock_turn(&wiring.clock, 301000000000ull);
	CHECK_EQUAL(send(&sides[1], 1, 2, 1), 1);
	check_counts(7, 5, 5, 4);
	switch_look(wiring.net, &stats);
	CHECK_EQUAL(stats.ports, PORTS);
	CHECK_EQUAL(stats.flooded, 4);
	CHECK_EQUAL(sides[0].port->stats.tx.frames, 4);
	CHECK_EQUAL(sides[0].port->stats.tx.dropped[DROP_NOWHERE], 1);
	CHECK_EQUAL(sides[0].port->stats.rx.frames, 7);
	CHECK_EQUAL(sides[0].port->stats.rx.bytes, 7 * 1514);
	unwire();
}

static void test_groups_and_what_is_no_frame(void)
{
	uint8_t data[60] = {0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 1};
	struct frame frame = {.iovs = 1, .length = 60, .iov = {{data, 60}}};
	struct port *port;

	wire(false, true);
	port = wiring.sides[0].port;
	CHECK_EQUAL(port->ops->transmit(port, &frame, 1), 1);
	check_counts(0, 0, 0, 0);
	data[5] = 0x10; /* not one of bridges' own */
	CHECK_EQUAL(port->ops->transmit(port, &frame, 1), 1);
	check_counts(0, 1, 1, 1);
	frame.length = frame.iov[0].iov_len = 13;
	CHECK_EQUAL(port->ops->transmit(port, &frame, 1), 1);
	check_counts(0, 1, 1, 1);
	CHECK_EQUAL(port->ops->transmit(port, &frame, 0), 0);
	/* a group as source is no address */
	frame.length = frame.iov[0].iov_len = 60;
	memset(data, 2, 12);
	data[6] = 3;
	CHECK_EQUAL(port->ops->transmit(port, &frame, 1), 1);
	memcpy(data, data + 6, 6);
	port = wiring.sides[1].port;
	forget();
	CHECK_EQUAL(port->ops->transmit(port, &frame, 1), 1);
	check_counts(1, 0, 1, 1);
	unwire();
}

static void test_not_copied_unless_it_must_wait(void)
{
	struct side *sides = wiring.sides;
	const void *place;

	wire(false, true);
	introduce();
	send(&sides[0], 2, 1, 1);
	place = sides[1].got[0].from;
	sides[1].room = 1;
	CHECK_EQUAL(send(&sides[0], 2, 1, 4), 4);
	check_counts(0, 2, 0, 0);
	CHECK(sides[1].got[1].from == place);
	turn();
	check_counts(0, 2, 0, 0);
	CHECK_EQUAL(send(&sides[2], 2, 3, 1), 1); /* keeps its place behind the others */
	sides[1].room = GOT_MAX;
	sides[1].port->ops->resume(sides[1].port);
	turn();
	check_counts(0, 6, 0, 0);
	CHECK(sides[1].got[2].from != place);
	CHECK_EQUAL(sides[1].got[4].head[11], 1);
	CHECK_EQUAL(sides[1].got[5].head[11], 3);
	CHECK_EQUAL(sides[1].got[5].length, 1514);
	unwire();
}

/* The uplink is told what anybody takes. */
static void test_filters_of_all(void)
{
	struct side *sides = wiring.sides;
	struct port_filter one = {
		.broadcast = true, .all_vlans = true, .count = 1, .addresses = {2}};
	struct port_filter other = {.count = 2, .addresses = {2, 5}, .vlans = {[3] = 8}};
	const struct port_filter *told = &wiring.uplink.filter;

	wire(true, true);
	sides[0].port->ops->filter(sides[0].port, &one);
	sides[1].port->ops->filter(sides[1].port, &other);
	CHECK(told->broadcast && !told->all && told->count == 2 && told->all_vlans);
	memset(&one, 0, sizeof(one));
	sides[0].port->ops->filter(sides[0].port, &one);
	CHECK(!told->broadcast && told->count == 2 && !told->all_vlans && told->vlans[3] == 8);
	other.count = PORT_ADDRESSES;
	for (unsigned i = 0; i < PORT_ADDRESSES; i++)
		other.addresses[i] = i * 2 + 100;
	sides[1].port->ops->filter(sides[1].port, &other);
	CHECK(!told->all && told->count == PORT_ADDRESSES);
	one = (struct port_filter){.count = 2, .addresses = {4, 3}};
	sides[2].port->ops->filter(sides[2].port, &one);
	CHECK(told->all && told->all_groups); /* more than can be said */
	unwire();
}

/* One that takes nothing is waited for a little, and costs the others nothing more. */
static void test_a_slow_guest_stalls_nobody(void)
{
	struct side *sides = wiring.sides;
	struct switch_stats stats;
	unsigned taken;

	wire(false, true);
	introduce();
	sides[1].room = 0;
	taken = send(&sides[0], 2, 1, 2000);
	CHECK(taken > 100 && taken < 2000);
	CHECK_EQUAL(send(&sides[0], 3, 1, 1), 0); /* in order: it waits for that too */
	CHECK_EQUAL(send(&sides[3], 3, 4, 10), 10);
	CHECK_EQUAL(sides[2].count, 10);
	CHECK_EQUAL(sides[0].writable, 0);
	clock_turn(&wiring.clock, 11000000);
	CHECK_EQUAL(sides[0].writable, 1);
	CHECK_EQUAL(send(&sides[0], 2, 1, 1000), 1000); /* dropped now */
	CHECK_EQUAL(sides[1].port->stats.rx.dropped[DROP_NO_ROOM], 1000);
	CHECK_EQUAL(send(&sides[0], 3, 1, 10), 10);
	CHECK_EQUAL(sides[2].count, 20);
	CHECK_EQUAL(sides[1].count, 0);
	/* what goes to all waits for nobody */
	CHECK_EQUAL(send(&sides[0], 0xff, 1, 10), 10);
	CHECK_EQUAL(sides[2].count, 30);
	sides[1].room = GOT_MAX;
	sides[1].port->ops->resume(sides[1].port);
	turn();
	CHECK_EQUAL(sides[1].count, taken);
	CHECK_EQUAL(send(&sides[0], 2, 1, 10), 10);
	CHECK_EQUAL(sides[1].count, taken + 10);
	switch_look(wiring.net, &stats);
	CHECK_EQUAL(stats.dropped, 1010);
	CHECK_EQUAL(stats.held, 1);
	unwire();
}

static void test_a_busy_guest_loses_nothing(void)
{
	struct side *sides = wiring.sides;
	unsigned sent = 0;

	wire(false, true);
	introduce();
	sides[1].room = 0;
	for (unsigned i = 0; i < 200 && sent < 4000; i++) {
		sent += send(&sides[0], 2, 1, 4000 - sent < 400 ? 4000 - sent : 400);
		clock_turn(&wiring.clock, 100000);
		sides[1].room = 40; /* a little faster than the allowance asks for */
		sides[1].port->ops->resume(sides[1].port);
		turn();
		if (sides[1].count > GOT_MAX / 2 && sent < 4000)
			sides[1].room = 400;
	}
	sides[1].room = GOT_MAX;
	sides[1].port->ops->resume(sides[1].port);
	turn();
	CHECK_EQUAL(sides[1].count + sides[1].port->stats.rx.dropped[DROP_NO_ROOM], sent);
	CHECK(sides[0].writable > 0);
	unwire();
}

static void test_waiting_is_a_tenth_of_the_time(void)
{
	struct side *sides = wiring.sides;
	unsigned held = 0;

	wire(false, true);
	introduce();
	sides[1].room = 0;
	send(&sides[0], 2, 1, 2000);
	for (unsigned step = 0; step < 20000; step++) { /* of 0.1 ms */
		held += send(&sides[0], 3, 1, 1) == 0;
		clock_turn(&wiring.clock, 100000);
		send(&sides[0], 2, 1, 1);
		forget();
		sides[1].room = 0;
		if (step % 10)
			continue;
		sides[1].room = 1; /* it takes one frame now and then */
		sides[1].port->ops->resume(sides[1].port);
		turn();
	}
	CHECK(held > 200 && held < 2200);
	unwire();
}

static void test_an_answer_from_within_waits(void)
{
	struct side *sides = wiring.sides;

	wire(false, true);
	introduce();
	sides[1].answers = &sides[0];
	CHECK_EQUAL(send(&sides[0], 2, 1, 3), 3);
	check_counts(0, 3, 0, 0);
	turn();
	check_counts(1, 3, 0, 0);
	unwire();
}

static void test_a_guest_that_invents_addresses(void)
{
	static uint8_t data[60];
	struct frame frame = {.iovs = 1, .length = 60, .iov = {{data, 60}}};
	struct side *sides = wiring.sides;
	struct switch_stats stats;

	wire(false, true);
	introduce();
	frame_head(data, 0xff, 0);
	for (unsigned i = 0; i < 20000; i++) {
		data[7] = (uint8_t)(i >> 8);
		data[8] = (uint8_t)i;
		data[9] = 1;
		sides[3].port->ops->transmit(sides[3].port, &frame, 1);
		forget();
	}
	switch_look(wiring.net, &stats);
	CHECK(stats.addresses <= 128 + 3);
	CHECK_EQUAL(send(&sides[0], 2, 1, 1), 1); /* who was known, still is */
	check_counts(0, 1, 0, 0);
	unwire();
}

static void test_leaving(void)
{
	struct side *sides = wiring.sides;
	struct error err = {0};

	wire(false, true);
	introduce();
	sides[1].room = 0;
	send(&sides[0], 2, 1, 2000); /* waits, with a queue */
	sides[1].port->ops->close(sides[1].port);
	CHECK_EQUAL(sides[0].writable, 1);
	CHECK_EQUAL(send(&sides[0], 2, 1, 1), 1);
	CHECK_EQUAL(sides[2].count, 1); /* nobody is known to have it */
	sides[1].port = switch_join(wiring.net, NULL, &err);
	CHECK(sides[1].port);
	CHECK_EQUAL(send(&sides[0], 0xff, 1, 1), 1); /* nobody is behind it yet */
	unwire();
}

/* ---- an uplink ---- */

static uint32_t large(uint8_t *data, struct frame *frame)
{
	static uint8_t payload[4000];
	struct packet packet = {.to = {2, 0, 0, 0, 0, 9},
				.from = {2, 0, 0, 0, 0, 1},
				.payload = payload,
				.length = sizeof(payload)};
	uint32_t length;

	unit_fill(payload, sizeof(payload), 7);
	length = packet_build(&packet, data);
	*frame = (struct frame){.iovs = 1, .length = length, .iov = {{data, length}}};
	frame->flags = FRAME_TCP4 | FRAME_CHECKSUM;
	frame->header_length = (uint16_t)packet_header(&packet);
	frame->checksum_start = (uint16_t)packet_l4(&packet);
	frame->checksum_offset = 16;
	frame->segment_size = 1448;
	packet_open(&packet, data, true);
	return length;
}

static void test_large_segments(void)
{
	static uint8_t data[8192];
	struct side *sides = wiring.sides;
	struct frame frame;
	uint32_t length = large(data, &frame);

	wire(true, true);
	CHECK_EQUAL(sides[0].port->ops->transmit(sides[0].port, &frame, 1), 1);
	CHECK_EQUAL(wiring.uplink.count, 1); /* whole, to a port that takes it */
	CHECK_EQUAL(wiring.uplink.sent[0].length, length);
	CHECK_EQUAL(wiring.uplink.sent[0].flags, FRAME_TCP4 | FRAME_CHECKSUM);
	CHECK_EQUAL(wiring.uplink.sent[0].segment_size, 1448);
	CHECK_EQUAL(sides[1].got[0].length, length); /* NICs cut themselves */
	CHECK_EQUAL(sides[1].got[0].flags, FRAME_TCP4 | FRAME_CHECKSUM);
	unwire();
	wire(true, false);
	CHECK_EQUAL(sides[0].port->ops->transmit(sides[0].port, &frame, 1), 1);
	CHECK_EQUAL(wiring.uplink.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct sent *sent = &wiring.uplink.sent[i];

		CHECK_EQUAL(sent->flags, 0);
		CHECK_EQUAL(sent->length, i < 2 ? 54 + 1448 : 54 + 4000 - 2 * 1448);
		CHECK(!memcmp(sent->data + 54, data + 54 + i * 1448, sent->length - 54));
		CHECK_EQUAL(packet_sum(sent->data + 14, 20), 0xffff);
	}
	unwire();
}

static void test_checksums_for_a_plain_uplink(void)
{
	static uint8_t data[8192], payload[100];
	struct packet packet = {.to = {2, 0, 0, 0, 0, 9},
				.from = {2, 0, 0, 0, 0, 1},
				.payload = payload,
				.length = sizeof(payload)};
	struct port *port;
	static uint8_t whole[8192];
	uint32_t length = packet_build(&packet, whole);
	struct frame frame = {.iovs = 1, .length = length, .iov = {{data, length}}};

	memcpy(data, whole, length);
	packet_open(&packet, data, true);
	memcpy(data + 24, whole + 24, 2); /* the header's own sum is not left open */
	frame.flags = FRAME_CHECKSUM;
	frame.checksum_start = (uint16_t)packet_l4(&packet);
	frame.checksum_offset = (uint16_t)(packet_put(&packet) - packet_l4(&packet));
	wire(true, false);
	port = wiring.sides[0].port;
	CHECK_EQUAL(port->ops->transmit(port, &frame, 1), 1);
	CHECK_EQUAL(wiring.uplink.count, 1);
	CHECK_EQUAL(wiring.uplink.sent[0].flags, 0);
	CHECK_EQUAL(wiring.uplink.sent[0].length, length);
	CHECK(!memcmp(wiring.uplink.sent[0].data, whole, length));
	unwire();
}

static void test_an_uplink_waits_and_is_waited_for(void)
{
	static uint8_t data[1514];
	struct side *sides = wiring.sides;
	unsigned given = 0;

	wire(true, true);
	introduce();
	wiring.uplink.room = 2;
	CHECK_EQUAL(send(&sides[0], 9, 1, 5), 5); /* unknown */
	CHECK_EQUAL(wiring.uplink.count, 2);
	test_port_writable(&wiring.uplink);
	turn();
	CHECK_EQUAL(wiring.uplink.count, 5);
	forget();
	frame_head(data, 2, 9);
	CHECK(test_port_offer(&wiring.uplink, data, sizeof(data)));
	check_counts(0, 1, 0, 0);
	CHECK_EQUAL(wiring.uplink.count, 0); /* not back */
	sides[1].room = 0;
	while (given < 2000 && test_port_offer(&wiring.uplink, data, sizeof(data)))
		given++;
	CHECK(given < 2000);
	sides[1].room = GOT_MAX;
	sides[1].port->ops->resume(sides[1].port);
	turn();
	CHECK_EQUAL(wiring.uplink.resumed, 1);
	CHECK_EQUAL(sides[1].count, 1 + given);
	unwire();
	CHECK(wiring.uplink.closed);
}

UNIT_FILE(switch, {"learns_and_forgets", test_learns_and_forgets},
	  {"groups_and_what_is_no_frame", test_groups_and_what_is_no_frame},
	  {"not_copied_unless_it_must_wait", test_not_copied_unless_it_must_wait},
	  {"filters_of_all", test_filters_of_all},
	  {"a_slow_guest_stalls_nobody", test_a_slow_guest_stalls_nobody},
	  {"a_busy_guest_loses_nothing", test_a_busy_guest_loses_nothing},
	  {"waiting_is_a_tenth_of_the_time", test_waiting_is_a_tenth_of_the_time},
	  {"an_answer_from_within_waits", test_an_answer_from_within_waits},
	  {"a_guest_that_invents_addresses", test_a_guest_that_invents_addresses},
	  {"leaving", test_leaving}, {"large_segments", test_large_segments},
	  {"checksums_for_a_plain_uplink", test_checksums_for_a_plain_uplink},
	  {"an_uplink_waits_and_is_waited_for", test_an_uplink_waits_and_is_waited_for});
