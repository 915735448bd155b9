/* SPDX-License-Identifier: Apache-2.0 */

/* The switch: what a port may do, what it gets, and what is counted there. */
#include "machine.h"

#include "backend/switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDES = 5, GOT_MAX = 64, NO_TAG = -1 };

struct side {
	struct port *port;
	uint8_t got[GOT_MAX][80];
	uint32_t lengths[GOT_MAX];
	unsigned count, room;
};

static struct wires {
	struct clock clock;
	struct loop *loop;
	struct switch_net *net;
	struct side sides[SIDES];
	struct test_port uplinks[2];
	bool left; /* somebody has, with his counts */
} wires;

static unsigned side_receive(void *context, const struct frame *frames, unsigned count)
{
	struct side *side = context;
	unsigned taken = 0;

	for (; taken < count && side->room; taken++, side->room--) {
		const struct frame *frame = &frames[taken];
		size_t at = 0;

		CHECK(side->count < GOT_MAX);
		for (unsigned i = 0; i < frame->iovs; i++) {
			size_t part = frame->iov[i].iov_len;

			if (at + part <= sizeof(side->got[0]))
				memcpy(side->got[side->count] + at, frame->iov[i].iov_base, part);
			at += part;
		}
		CHECK_EQUAL(at, frame->length);
		side->lengths[side->count++] = frame->length;
	}
	return taken;
}

static struct switch_port words(const char *text)
{
	struct switch_port port = {.mac = {2, 0, 0, 0, 0, 1}};
	struct error err = {0};
	char copy[256], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", text);
	while (*text && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		*value++ = 0;
		CHECK_EQUAL(switch_port_word(&port, word, value, &err), 1);
	}
	return port;
}

/* Side N has the address N + 1. */
static void wire(const char *const *ports, unsigned uplinks)
{
	struct error err = {0};

	memset(&wires, 0, sizeof(wires));
	clock_init(&wires.clock, true);
	clock_turn(&wires.clock, 1000000000);
	wires.loop = loop_new(&wires.clock);
	wires.net = switch_new(wires.loop, &err);
	CHECK(wires.net);
	for (unsigned i = 0; i < 2; i++) {
		test_port_init(&wires.uplinks[i], true);
		if (i < uplinks)
			CHECK_EQUAL(switch_uplink(wires.net, &wires.uplinks[i].port, NULL, &err),
				    0);
	}
	for (unsigned i = 0; i < SIDES && ports[i]; i++) {
		struct side *side = &wires.sides[i];
		struct switch_port port = words(ports[i]);

		port.mac[5] = (uint8_t)(i + 1);
		side->port = switch_join(wires.net, &port, &err);
		CHECK(side->port);
		side->room = GOT_MAX;
		side->port->peer = (struct port_peer){.context = side, .receive = side_receive};
	}
}

/* Everything that a port was offered is accounted for there, too. */
static void check_all(void)
{
	struct switch_port_look look;
	struct switch_stats stats;
	unsigned index = 0;
	uint64_t in = 0;

	switch_look(wires.net, &stats);
	CHECK_EQUAL(switch_missing_in(&stats), 0);
	CHECK_EQUAL(switch_missing_out(&stats), 0);
	while (switch_look_port(wires.net, &index, &look)) {
		const struct port_way *tx = &look.stats.tx, *rx = &look.stats.rx;

		CHECK_EQUAL(tx->offered, tx->frames + port_dropped(tx));
		CHECK_EQUAL(rx->offered, rx->frames + port_dropped(rx) + rx->waits);
		in += tx->offered;
	}
	if (!wires.left)
		CHECK_EQUAL(in, stats.in);
}

static void unwire(void)
{
	check_all();
	for (unsigned i = 0; i < SIDES; i++) {
		if (wires.sides[i].port)
			wires.sides[i].port->ops->close(wires.sides[i].port);
	}
	switch_free(wires.net);
	loop_free(wires.loop);
	for (unsigned i = 0; i < 2; i++)
		test_port_free(&wires.uplinks[i]);
}

static uint32_t build(uint8_t *data, uint8_t to, uint8_t from, int tci)
{
	const uint8_t head[12] = {2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from};
	const uint8_t tag[4] = {0x81, 0, (uint8_t)(tci >> 8), (uint8_t)tci};
	unsigned at = 12;

	memset(data, 0x5a, 64);
	memcpy(data, head, 12);
	if (to == 0xff)
		memset(data, 0xff, 6);
	if (tci != NO_TAG) {
		memcpy(data + 12, tag, 4);
		at += 4;
	}
	data[at] = 0x88;
	data[at + 1] = 0xb5;
	return 60;
}

/* In PIECES of equal size, or so. */
static unsigned send_pieces(unsigned from, const uint8_t *data, uint32_t length, unsigned pieces)
{
	struct port *port = wires.sides[from].port;
	struct frame frame = {.length = length, .iovs = (uint16_t)pieces};
	uint32_t at = 0;

	for (unsigned i = 0; i < pieces; i++) {
		uint32_t part = i + 1 < pieces ? length / pieces : length - at;

		frame.iov[i] = (struct iovec){(uint8_t *)(uintptr_t)data + at, part};
		at += part;
	}
	return port->ops->transmit(port, &frame, 1);
}

static void send_tagged(unsigned from, uint8_t to, int tci)
{
	uint8_t data[64];

	CHECK_EQUAL(send_pieces(from, data, build(data, to, (uint8_t)(from + 1), tci), 1), 1);
}

static void send(unsigned from, uint8_t to)
{
	send_tagged(from, to, NO_TAG);
}

static void forget(void)
{
	for (unsigned i = 0; i < SIDES; i++) {
		wires.sides[i].count = 0;
		wires.sides[i].room = GOT_MAX;
	}
	for (unsigned i = 0; i < 2; i++)
		test_port_forget(&wires.uplinks[i]);
}

static void check_got(unsigned a, unsigned b, unsigned c, unsigned d, unsigned e)
{
	const unsigned wanted[SIDES] = {a, b, c, d, e};

	for (unsigned i = 0; i < SIDES; i++)
		CHECK_EQUAL(wires.sides[i].count, wanted[i]);
	forget();
}

static uint64_t lost(unsigned side, enum port_drop why)
{
	return wires.sides[side].port->stats.tx.dropped[why];
}

static void test_isolated_ports(void)
{
	wire((const char *const[SIDES]){"isolated=on", "isolated=on", "", ""}, 1);
	send(0, 0xff);
	CHECK_EQUAL(wires.uplinks[0].count, 1);
	check_got(0, 0, 1, 1, 0);
	send(1, 0xff);
	check_got(0, 0, 1, 1, 0);
	send(0, 2);
	check_got(0, 0, 0, 0, 0);
	CHECK_EQUAL(lost(0, DROP_ISOLATED), 1);
	send(2, 0xff);
	check_got(1, 1, 0, 1, 0);
	send(2, 1);
	send(0, 3);
	check_got(1, 0, 1, 0, 0);
	unwire();
}

static void test_held_to_its_address(void)
{
	uint8_t data[64];

	wire((const char *const[SIDES]){"spoofchk=on", "", "spoofchk=on"}, 0);
	send(1, 0xff);
	send(0, 0xff);
	check_got(1, 1, 2, 0, 0);
	CHECK_EQUAL(send_pieces(0, data, build(data, 3, 2, NO_TAG), 1), 1); /* as side 1 */
	CHECK_EQUAL(lost(0, DROP_SPOOFED), 1);
	check_got(0, 0, 0, 0, 0);
	send(2, 2); /* who has it, still has it */
	check_got(0, 1, 0, 0, 0);
	CHECK_EQUAL(send_pieces(1, data, build(data, 1, 77, NO_TAG), 1), 1); /* that one may */
	check_got(1, 0, 0, 0, 0);
	unwire();
}

/* The sender writes to it when it has been looked at: what was seen is what goes on. */
static uint8_t hostile[64];

static unsigned hostile_receive(void *context, const struct frame *frames, unsigned count)
{
	build(hostile, 2, 99, 20);
	return side_receive(context, frames, count);
}

static void test_changed_under_way(void)
{
	struct frame frames[2];

	wire((const char *const[SIDES]){"trunk=10-11,spoofchk=on", "", "trunk=10-20"}, 0);
	wires.sides[1].port->peer.receive = hostile_receive;
	build(hostile, 0xff, 1, 10);
	for (unsigned i = 0; i < 2; i++)
		frames[i] = (struct frame){.length = 60, .iovs = 1, .iov = {{hostile, 60}}};
	CHECK_EQUAL(wires.sides[0].port->ops->transmit(wires.sides[0].port, frames, 1), 1);
	CHECK_EQUAL(wires.sides[2].count, 1);
	CHECK_EQUAL(wires.sides[2].got[0][11], 1);
	CHECK_EQUAL(wires.sides[2].got[0][15], 10);
	unwire();
}

/* ---- VLANs ---- */

static void check_tag(unsigned side, int tci, uint32_t length)
{
	const uint8_t *data = wires.sides[side].got[0];
	unsigned at = tci == NO_TAG ? 12 : 16;

	CHECK_EQUAL(wires.sides[side].count, 1);
	CHECK_EQUAL(wires.sides[side].lengths[0], length);
	if (tci != NO_TAG) {
		CHECK_EQUAL(data[12] << 8 | data[13], 0x8100);
		CHECK_EQUAL(data[14] << 8 | data[15], tci);
	}
	CHECK_EQUAL(data[at] << 8 | data[at + 1], 0x88b5);
	CHECK_EQUAL(data[at + 2], 0x5a);
}

static const char *const vlans[SIDES] = {"vlan=10", "vlan=10", "vlan=20", "trunk=10,trunk=20-30",
					 "vlan=20,trunk=10"};

static void test_vlans_without_tags(void)
{
	wire(vlans, 1);
	send(0, 0xff);
	check_tag(1, NO_TAG, 60);
	CHECK_EQUAL(wires.sides[2].count, 0);
	check_tag(3, 10, 64);
	check_tag(4, 10, 64);
	CHECK_EQUAL(wires.uplinks[0].count, 1); /* an ordinary port: all, with their tags */
	CHECK_EQUAL(wires.uplinks[0].sent[0].data[15], 10);
	forget();
	send_tagged(0, 0xff, 10);
	check_got(0, 0, 0, 0, 0);
	CHECK_EQUAL(lost(0, DROP_VLAN), 1);
	send_tagged(0, 0xff, 0xe000); /* a priority is no VLAN, and stays */
	check_tag(1, 0xe000, 60);
	check_tag(3, 0xe00a, 60);
	forget();
	unwire();
}

static void test_vlans_at_a_trunk(void)
{
	wire(vlans, 0);
	send_tagged(3, 0xff, 0x600a);
	check_tag(0, NO_TAG, 60); /* padded: without it there are 56 */
	check_tag(1, NO_TAG, 60);
	check_tag(4, 0x600a, 60);
	CHECK_EQUAL(wires.sides[2].count, 0);
	forget();
	send_tagged(3, 0xff, 20);
	check_tag(2, NO_TAG, 60);
	check_tag(4, NO_TAG, 60);
	check_got(0, 0, 1, 0, 1);
	send(3, 0xff);
	send_tagged(3, 0xff, 11);
	CHECK_EQUAL(lost(3, DROP_VLAN), 2);
	check_got(0, 0, 0, 0, 0);
	send(4, 0xff); /* VLAN 20 */
	check_tag(2, NO_TAG, 60);
	check_tag(3, 20, 64);
	forget();
	unwire();
}

static void test_addresses_are_a_vlans_own(void)
{
	wire(vlans, 0);
	send(0, 0xff);
	send_tagged(3, 0xff, 10);
	send_tagged(3, 0xff, 20);
	send(2, 0xff);
	forget();
	send(0, 4); /* is in 10 and in 20 */
	check_got(0, 0, 0, 1, 0);
	send(2, 4);
	check_got(0, 0, 0, 1, 0);
	send(2, 1); /* known in 10 only: unknown here */
	check_got(0, 0, 0, 1, 1);
	unwire();
}

/* A frame of as many pieces as there can be, one that must wait, and large segments. */
static void test_tags_of_what_is_hard(void)
{
	uint8_t data[64];
	struct side *sides = wires.sides;
	struct frame large = {.length = 60,
			      .iovs = 1,
			      .flags = FRAME_TCP4 | FRAME_CHECKSUM,
			      .header_length = 54,
			      .checksum_start = 34,
			      .iov = {{data, 60}}};

	wire(vlans, 1);
	build(data, 0xff, 1, NO_TAG);
	CHECK_EQUAL(send_pieces(0, data, 60, 60), 1);
	check_tag(3, 10, 64);
	build(data, 0xff, 1, NO_TAG);
	forget();
	CHECK_EQUAL(send_pieces(0, data, 60, FRAME_IOVS), 1);
	check_tag(3, 10, 64);
	check_tag(1, NO_TAG, 60);
	forget();
	sides[3].room = 0;
	send(0, 0xff);
	check_all();
	sides[3].room = GOT_MAX;
	sides[3].port->ops->resume(sides[3].port);
	for (unsigned i = 0; i < 8; i++)
		CHECK(loop_turn(wires.loop, 0) == 0);
	check_tag(3, 10, 64);
	forget();
	CHECK_EQUAL(sides[0].port->ops->transmit(sides[0].port, &large, 1), 1);
	CHECK_EQUAL(wires.uplinks[0].sent[0].header_length, 58);
	CHECK_EQUAL(wires.uplinks[0].sent[0].checksum_start, 38);
	unwire();
}

static void test_changed_while_it_runs(void)
{
	struct switch_port none = {0}, ten = words("vlan=10");
	char text[64];

	wire((const char *const[SIDES]){"isolated=on,vlan=7", "vlan=10"}, 0);
	send(0, 0xff);
	check_got(0, 0, 0, 0, 0);
	switch_change(wires.sides[0].port, &ten);
	send(0, 0xff);
	check_got(0, 1, 0, 0, 0);
	switch_change(wires.sides[1].port, &none);
	send(1, 1); /* in VLAN 0 now */
	check_got(0, 0, 0, 0, 0);
	send_tagged(1, 0xff, 10);
	check_got(1, 0, 0, 0, 0);
	unwire();
	none = words("trunk=4094,trunk=1-3,trunk=7,vlan=2,isolated=on,spoofchk=on");
	switch_port_text(&none, text, sizeof(text));
	CHECK(!strcmp(text, "isolated=on,spoofchk=on,vlan=2,trunk=1-3,trunk=7,trunk=4094"));
}

static void test_words(void)
{
	static const char *const wrong[][2] = {
		{"vlan", "0"},	{"vlan", "4095"}, {"vlan", "x"},	{"vlan", ""},
		{"trunk", "0"}, {"trunk", "5-3"}, {"trunk", "1-4095"},	{"trunk", "1-"},
		{"trunk", "-"}, {"trunk", "1,2"}, {"isolated", "true"}, {"spoofchk", ""},
	};
	char spec[] = "tap,ifname=a,vlan=5,trunk=7-8,queues=2,trunk=9";
	char bad[] = "tap,vlan=5000", text[64];
	struct switch_port port = {0};
	struct error err = {0};

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CHECK(switch_port_word(&port, wrong[i][0], wrong[i][1], &err) < 0);
	CHECK_EQUAL(switch_port_word(&port, "mac", "5", &err), 0);
	port = (struct switch_port){0};
	CHECK_EQUAL(switch_port_take(&port, spec, &err), 0);
	CHECK(!strcmp(spec, "tap,ifname=a,queues=2"));
	switch_port_text(&port, text, sizeof(text));
	CHECK(!strcmp(text, "vlan=5,trunk=7-9"));
	CHECK(switch_port_take(&port, bad, &err) < 0);
}

/* ---- who gets what ---- */

static void takes(unsigned side, const struct port_filter *filter)
{
	wires.sides[side].port->ops->filter(wires.sides[side].port, filter);
}

static void test_only_to_who_takes_it(void)
{
	const struct port_filter none = {0}, all = {.all = true, .all_vlans = true};
	const struct port_filter one = {.broadcast = true,
					.all_vlans = true,
					.count = 2,
					.addresses = {0x020000000002, 0x0100005e000001}};
	struct port_filter five = {.broadcast = true, .vlans = {32}};
	uint8_t data[64];

	wire((const char *const[SIDES]){"", "", "", "", ""}, 1);
	takes(1, &one);
	takes(2, &none);
	takes(3, &all);
	takes(4, &five);
	send(0, 0xff);
	CHECK_EQUAL(wires.uplinks[0].count, 1);
	check_got(0, 1, 0, 0, 1);
	send(0, 50); /* unknown: who is promiscuous, and the way out */
	CHECK_EQUAL(wires.uplinks[0].count, 1);
	check_got(0, 0, 0, 1, 0);
	send_tagged(0, 0xff, 5);
	check_got(0, 1, 0, 0, 1);
	send_tagged(0, 0xff, 6);
	check_got(0, 1, 0, 0, 0);
	build(data, 0, 1, NO_TAG);
	memcpy(data, (const uint8_t[]){0x01, 0, 0x5e, 0, 0, 2}, 6);
	CHECK_EQUAL(send_pieces(0, data, 60, 1), 1); /* a group that nobody joined */
	CHECK_EQUAL(wires.uplinks[0].count, 1);
	check_got(0, 0, 0, 0, 0);
	unwire();
}

static void test_filters_of_vlans(void)
{
	const struct port_filter open = {.broadcast = true, .all_vlans = true};
	const struct port_filter *told = &wires.uplinks[0].filter;

	wire((const char *const[SIDES]){"vlan=10", "trunk=64-65"}, 1);
	takes(0, &open);
	CHECK(told->broadcast && !told->all_vlans && told->vlans[0] == 1 << 10);
	takes(1, &open);
	CHECK(!told->all_vlans && told->vlans[1] == 3);
	unwire();
}

static void test_two_uplinks(void)
{
	uint8_t data[64];

	wire((const char *const[SIDES]){"", ""}, 2);
	CHECK(wires.uplinks[0].filter.all && wires.uplinks[1].filter.all_groups);
	build(data, 9, 8, NO_TAG);
	CHECK(test_port_offer(&wires.uplinks[0], data, 60)); /* unknown */
	CHECK_EQUAL(wires.uplinks[1].count, 1);
	CHECK_EQUAL(wires.uplinks[0].count, 0);
	check_got(1, 1, 0, 0, 0);
	build(data, 8, 9, NO_TAG);
	CHECK(test_port_offer(&wires.uplinks[1], data, 60)); /* from one to the other */
	CHECK_EQUAL(wires.uplinks[0].count, 1);
	check_got(0, 0, 0, 0, 0);
	send(0, 9);
	CHECK_EQUAL(wires.uplinks[1].count, 1);
	CHECK_EQUAL(wires.uplinks[0].count, 0);
	unwire();
}

/* ---- the table of addresses ---- */

static void invent(unsigned side, unsigned count, uint32_t seed)
{
	uint8_t data[64];

	for (unsigned i = 0; i < count; i++) {
		build(data, 0xff, 0, NO_TAG);
		memcpy(data + 7, &(uint32_t){seed + i * 2654435761u}, 4);
		CHECK_EQUAL(send_pieces(side, data, 60, 1), 1);
		forget();
	}
}

static void test_those_who_invent_push_nobody_out(void)
{
	struct switch_stats stats;
	struct port *crowd[60];
	struct error err = {0};

	wire((const char *const[SIDES]){"", "", ""}, 0);
	send(0, 0xff);
	send(1, 0xff);
	for (unsigned i = 0; i < 60; i++) {
		crowd[i] = wires.sides[2].port = switch_join(wires.net, NULL, &err);
		CHECK(crowd[i]);
		invent(2, 300, i * 7919);
	}
	switch_look(wires.net, &stats);
	CHECK(stats.addresses > 3500 && stats.addresses <= 4096);
	forget();
	send(0, 2);
	check_got(0, 1, 0, 0, 0);
	CHECK_EQUAL(wires.sides[0].port->stats.tx.offered, 2);
	CHECK_EQUAL(stats.flooded, 2 + 60 * 300);
	clock_turn(&wires.clock, 301000000000ull);
	send(1, 1); /* forgotten: to all */
	switch_look(wires.net, &stats);
	CHECK_EQUAL(stats.flooded, 3 + 60 * 300);
	wires.left = true;
	for (unsigned i = 0; i < 59; i++)
		crowd[i]->ops->close(crowd[i]);
	unwire();
}

static void test_a_newcomer_finds_room(void)
{
	struct port *crowd[60];
	struct error err = {0};
	unsigned known = 0;

	wire((const char *const[SIDES]){"", ""}, 0);
	for (unsigned i = 0; i < 60; i++) {
		crowd[i] = wires.sides[2].port = switch_join(wires.net, NULL, &err);
		invent(2, 300, i * 7919);
	}
	for (unsigned i = 0; i < 8; i++) {
		uint8_t data[64];

		build(data, 0xff, (uint8_t)(100 + i), NO_TAG);
		CHECK_EQUAL(send_pieces(0, data, 60, 1), 1);
		forget();
		send(1, (uint8_t)(100 + i));
		known += wires.sides[0].count == 1;
		forget();
	}
	CHECK_EQUAL(known, 8);
	wires.left = true;
	for (unsigned i = 0; i < 59; i++)
		crowd[i]->ops->close(crowd[i]);
	unwire();
}

UNIT_FILE(switch_ports, {"isolated_ports", test_isolated_ports},
	  {"held_to_its_address", test_held_to_its_address},
	  {"changed_under_way", test_changed_under_way},
	  {"vlans_without_tags", test_vlans_without_tags},
	  {"vlans_at_a_trunk", test_vlans_at_a_trunk},
	  {"addresses_are_a_vlans_own", test_addresses_are_a_vlans_own},
	  {"tags_of_what_is_hard", test_tags_of_what_is_hard},
	  {"changed_while_it_runs", test_changed_while_it_runs}, {"words", test_words},
	  {"only_to_who_takes_it", test_only_to_who_takes_it},
	  {"filters_of_vlans", test_filters_of_vlans}, {"two_uplinks", test_two_uplinks},
	  {"those_who_invent_push_nobody_out", test_those_who_invent_push_nobody_out},
	  {"a_newcomer_finds_room", test_a_newcomer_finds_room});
