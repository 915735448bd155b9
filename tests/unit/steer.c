/* SPDX-License-Identifier: Apache-2.0 */

/* Frames into many rings; and what is left of these by a snapshot, and by noise. */
#include "packet.h"
#include "queues.h"

#include "nic/snapshot.h"

#include <string.h>

static void rooms(unsigned which, unsigned from, unsigned count)
{
	for (unsigned i = from; i < from + count; i++)
		slot(RX + which * 0x400 - 0x800, i, RX_SLOTS, 512, 0);
	bare_write(&bare, RX_BELL + which * 4, from + count);
}

/* As often as it says that it can take it now. */
static bool offer(const uint8_t *data, uint32_t length)
{
	for (unsigned i = 0; i < 100; i++) {
		unsigned resumed = bare.port.resumed;
		bool taken = test_port_offer(&bare.port, data, length);

		bare_settle(&bare);
		if (taken || bare.port.resumed == resumed)
			return taken;
	}
	unit_failed(__FILE__, __LINE__, "a frame never finds its way");
}

static void test_receive(bool by_messages)
{
	begin(by_messages);
	rooms(2, 0, 4);
	CHECK(offer(frame, 1200));
	CHECK(!memcmp(bare.memory + BUFFERS, frame, 512));
	CHECK(!memcmp(bare.memory + BUFFERS + 2 * BUFFER, frame + 1024, 176));
	CHECK_EQUAL(result(1, 0)[0], 512u << 16 | 0x100);
	CHECK_EQUAL(result(1, 0)[1], 2 | 1 << 8);
	CHECK_EQUAL(result(1, 1)[1], 2);
	CHECK_EQUAL(result(1, 2)[0], 176u << 16 | 0x102);
	CHECK_EQUAL(result(1, 2)[1], 2 | 2 << 8);
	CHECK_EQUAL(result(1, 2)[3], 1u << 31);
	CHECK_EQUAL(bare.told[4], 1);
	bare_free(&bare);
}

static void test_receives(void)
{
	test_receive(false);
	test_receive(true);
}

/* The table that those who thought of it publish, for the key that the card begins with. */
static const struct {
	uint8_t from[16], to[16];
	bool v6;
	uint16_t from_port, to_port;
	uint32_t with_ports, without;
} hashes[] = {
	{{66, 9, 149, 187}, {161, 142, 100, 80}, false, 2794, 1766, 0x51ccc178, 0x323e8fc2},
	{{199, 92, 111, 2}, {65, 69, 140, 83}, false, 14230, 4739, 0xc626b0ea, 0xd718262a},
	{{24, 19, 198, 95}, {12, 22, 207, 184}, false, 12898, 38024, 0x5c2b394a, 0xd2d0a5de},
	{{0x3f, 0xfe, 0x25, 0x01, 0x02, 0, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7},
	 {0x3f, 0xfe, 0x25, 0x01, 0x02, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1},
	 true,
	 2794,
	 1766,
	 0x40207d3d,
	 0x2cc18cd5},
};

static uint32_t hash_frame(unsigned k, bool ports, uint8_t *out)
{
	struct packet packet = {.v6 = hashes[k].v6, .udp = k % 2, .payload = frame, .length = 64};
	uint32_t length = packet_build(&packet, out);
	unsigned bytes = packet.v6 ? 16 : 4, l3 = packet_l3(&packet), l4 = packet_l4(&packet);

	memcpy(out + l3 + (packet.v6 ? 8 : 12), hashes[k].from, bytes);
	memcpy(out + l3 + (packet.v6 ? 8 : 12) + bytes, hashes[k].to, bytes);
	out[l4] = (uint8_t)(hashes[k].from_port >> 8);
	out[l4 + 1] = (uint8_t)hashes[k].from_port;
	out[l4 + 2] = (uint8_t)(hashes[k].to_port >> 8);
	out[l4 + 3] = (uint8_t)hashes[k].to_port;
	if (!ports)
		out[l3 + (packet.v6 ? 6 : 9)] = 99; /* neither TCP nor UDP */
	return length;
}

static void test_hashes(void)
{
	static uint8_t out[PACKET_MAX];
	unsigned got = 0;

	begin(false);
	for (unsigned k = 0; k < sizeof(hashes) / sizeof(*hashes) * 2; k++) {
		rooms(2, k, 1);
		CHECK(test_port_offer(&bare.port, out, hash_frame(k / 2, k % 2, out)));
		CHECK_EQUAL(result(1, got++)[2],
			    k % 2 ? hashes[k / 2].with_ports : hashes[k / 2].without);
	}
	bare_free(&bare);
}

/* The table says 1, 2, 3 and one that there is not; only 1 and 2 are open, in rings of their own.
 */
static void test_steers(void)
{
	static uint8_t out[PACKET_MAX];
	unsigned to[4] = {0};

	begin(false);
	open_ring(OPEN_RX, 1, RX - 0x400, RX_SLOTS, 3);
	for (unsigned i = 0; i < 8; i++)
		bare_write(&bare, TABLE + i * 4, i % 4 + 1 + (i % 4 == 3) * 100);
	for (unsigned k = 0; k < 8; k++) {
		uint32_t hash, number;

		rooms(1, to[1], 1);
		rooms(2, to[2], 1);
		CHECK(offer(out, hash_frame(k / 2, k % 2, out)));
		hash = result(1, k)[2];
		number = hash % 8 % 4 + 1;
		if (number > 2)
			number = 1; /* the first that is open */
		CHECK_EQUAL(result(1, k)[1] & 0xff, number);
		to[number]++;
		bare_write(&bare, HEADS + 12, k + 1 + DONE_SLOTS);
	}
	CHECK(to[1] && to[2]);
	memset(out, 0xff, 64); /* no IP */
	rooms(2, to[2], 1);
	CHECK(offer(out, 64));
	CHECK_EQUAL(result(1, 8)[2], 0);
	act(CLOSE_RX, 1);
	act(CLOSE_RX, 2);
	CHECK(offer(out, 64)); /* and dropped */
	CHECK_EQUAL(nic_stats(bare.nic)->rx_stopped, 1);
	bare_free(&bare);
}

/* A frame waits for room in one ring; that one is closed, and it goes into another. */
static void test_held(void)
{
	begin(false);
	open_ring(OPEN_RX, 1, RX - 0x400, RX_SLOTS, 3);
	CHECK(!offer(frame, 100));
	rooms(2, 0, 1);
	CHECK(!bare.port.resumed);
	act(CLOSE_RX, 1);
	CHECK(bare.port.resumed);
	CHECK(offer(frame, 100));
	CHECK_EQUAL(result(1, 0)[1] & 0xff, 2);
	bare_free(&bare);
}

static void test_peek(void)
{
	begin(false);
	bare_write(&bare, DEPTH, 0x1234);
	bare_write(&bare, WHICH, DEPTH);
	CHECK_EQUAL(bare_read(&bare, PEEK), 0x1234);
	bare_write(&bare, WHICH, PEEK); /* itself */
	CHECK_EQUAL(bare_read(&bare, PEEK), 0);
	bare_write(&bare, WHICH, 0xfffffff0);
	CHECK_EQUAL(bare_read(&bare, PEEK), 0);
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

static void replace(void)
{
	struct exchange exchange = {&saved, false, move_number, move, NULL};
	static uint8_t memory[BARE_MEMORY];

	saved.at = 0;
	saved.loading = false;
	CHECK_EQUAL(nic_save(bare.nic, &exchange), 0);
	memcpy(saved.data + saved.at, saved.data, saved.at);
	memcpy(memory, bare.memory, sizeof(memory));
	bare_free(&bare);
	bare_new(&bare, bare_card_file("tests/unit/queues.xml"), false);
	memcpy(bare.memory, memory, sizeof(memory));
	saved.at = 0;
	exchange.loading = saved.loading = true;
	CHECK_EQUAL(nic_load(bare.nic, &exchange), 0);
	bare_settle(&bare);
}

static void test_saved(void)
{
	begin(false);
	for (unsigned i = 0; i < TX_SLOTS - 1; i++)
		give(60 + i, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.told[3], 1);
	replace();
	CHECK_EQUAL(state(1), 2 | 0 << 2);
	CHECK_EQUAL(state(2), 1 << 2 | 1 << 4);
	for (unsigned i = 0; i < 3; i++)
		give(70 + i, LAST | ASKS);
	ring_bell();
	CHECK_EQUAL(bare.port.count, 3);
	CHECK_EQUAL(bare.port.sent[0].length, 70);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQUAL(result(0, i)[0], 0xabcd0100 + i);
	CHECK_EQUAL(bare.told[3], 0); /* still masked */
	bare_write(&bare, ARM + 12, 1);
	CHECK_EQUAL(bare.told[3], 1);
	bare_free(&bare);
}

/* ---- what no driver does ---- */

static void noise(bool by_messages)
{
	begin(by_messages);
	for (unsigned i = 0; i < 400; i++) {
		unsigned at = unit_random() % 57 * 4;

		if (unit_random() % 3 == 0)
			open_ring(1u << unit_random() % 7, unit_random() % 5,
				  unit_random() % 8 ? TX + unit_random() % 0x3000 : unit_random(),
				  unit_random() % 8 ? unit_random() % 20 : unit_random(),
				  unit_random() % 8);
		bare_write(&bare, at, unit_random() % 4 ? unit_random() % 24 : unit_random());
		bare_read(&bare, at);
		for (unsigned k = 0; k < 64; k++)
			*word(TX + unit_random() % 0x800 * 4) =
				unit_random() % 3 ? unit_random() : 0x20000;
		test_port_forget(&bare.port);
		test_port_offer(&bare.port, frame, 60 + unit_random() % 3000);
		bare_settle(&bare);
		clock_turn(&bare.clock, unit_random() % 3000);
	}
	bare_free(&bare);
}

static void test_noise(void)
{
	for (unsigned i = 0; i < 20; i++)
		noise(i % 2);
}

UNIT_FILE(steer, {"receive", test_receives}, {"hashes", test_hashes}, {"steers", test_steers},
	  {"held", test_held}, {"peek", test_peek}, {"saved", test_saved}, {"noise", test_noise});
