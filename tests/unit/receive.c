/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <string.h>

static uint8_t frame[PACKET_MAX], expected[PACKET_MAX];
static struct received received;

static void check_received(const void *data, uint32_t length)
{
	CHECK_EQUAL(received.length, length);
	for (uint32_t i = 0; i < length; i++) {
		if (received.data[i] != ((const uint8_t *)data)[i])
			unit_failed(__FILE__, __LINE__, "a frame of %u bytes differs at %u", length,
				    i);
	}
}

static uint32_t build_in(uint32_t length)
{
	struct packet packet = packet_in(length);

	return packet_build(&packet, frame);
}

static void test_plain(void)
{
	struct driver driver;
	uint32_t length;

	driver_new(&driver, false);
	rx_fill(&driver, 10);
	length = build_in(500);
	CHECK(test_port_offer(&driver.port, frame, length));
	CHECK(rx_take(&driver, &received));
	check_received(frame, length);
	CHECK_EQUAL(reg(&driver, RDH), 1);
	CHECK_EQUAL(reg(&driver, ICR) & RXT0, RXT0);
	length = build_in(1);
	memset(frame + length, 0, 60);
	CHECK(test_port_offer(&driver.port, frame, length));
	CHECK(rx_take(&driver, &received));
	check_received(frame, 60); /* padded */
	CHECK(!rx_take(&driver, &received));
	CHECK(test_port_offer(&driver.port, frame, 13)); /* no frame */
	CHECK(!rx_take(&driver, &received));
	driver_free(&driver);
}

static uint32_t crc32(const uint8_t *data, size_t length)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < length * 8; i++) {
		bool bit = (crc ^ (uint32_t)(data[i / 8] >> i % 8)) & 1;

		crc = crc >> 1 ^ (bit ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void test_frame_check_sequence(void)
{
	struct driver driver;
	uint32_t length = build_in(500), crc;

	driver_new(&driver, false);
	rx_fill(&driver, 10);
	set(&driver, RCTL, reg(&driver, RCTL) & ~(uint32_t)RCTL_SECRC);
	CHECK(test_port_offer(&driver.port, frame, length));
	CHECK(rx_take(&driver, &received));
	crc = crc32(frame, length);
	memcpy(frame + length, &crc, 4);
	check_received(frame, length + 4);
	driver_free(&driver);
}

static void test_sizes_and_chains(void)
{
	static const struct {
		unsigned bits;
		bool extended;
		unsigned size;
	} sizes[] = {{0, false, 2048}, {1, false, 1024}, {2, false, 512}, {3, false, 256},
		     {1, true, 16384}, {2, true, 8192},	 {3, true, 4096}};
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 63);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		driver.rx_size = sizes[i].size;
		set(&driver, RCTL,
		    RCTL_EN | RCTL_LPE | RCTL_SECRC | RCTL_BAM | sizes[i].bits << RCTL_BSIZE |
			    (sizes[i].extended ? RCTL_BSEX : 0));
		for (unsigned step = 0; step < 40; step++) {
			uint32_t length = build_in(6 + unit_random() % 8000);

			if (step == 0)
				length = build_in(sizes[i].size > 9000 ? 9000 : sizes[i].size - 54);
			CHECK(test_port_offer(&driver.port, frame, length));
			CHECK(rx_take(&driver, &received));
			check_received(frame, length);
			CHECK_EQUAL(received.slots, (length + sizes[i].size - 1) / sizes[i].size);
			rx_fill(&driver, received.slots);
		}
	}
	driver_free(&driver);
}

static void test_scattered_by_the_port(void)
{
	struct driver driver;
	uint32_t length = build_in(900);
	struct frame scattered = {.length = length};

	driver_new(&driver, false);
	rx_fill(&driver, 5);
	for (uint32_t at = 0; at < length; scattered.iovs++) {
		uint32_t part = length - at < 37 ? length - at : 37;

		scattered.iov[scattered.iovs] = (struct iovec){frame + at, part};
		at += part;
	}
	CHECK(test_port_offer_frame(&driver.port, &scattered));
	CHECK(rx_take(&driver, &received));
	check_received(frame, length);
	driver_free(&driver);
}

static void test_too_long(void)
{
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 20);
	build_in(3000);
	CHECK(test_port_offer(&driver.port, frame, 1518));
	CHECK(rx_take(&driver, &received));
	CHECK(test_port_offer(&driver.port, frame, 1519));
	CHECK(!rx_take(&driver, &received));
	CHECK_EQUAL(reg(&driver, 0x40ac), 1); /* ROC */
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_LPE);
	CHECK(test_port_offer(&driver.port, frame, 1519));
	CHECK(rx_take(&driver, &received));
	driver_free(&driver);
}

static void test_no_room(void)
{
	struct driver driver;
	uint32_t length = build_in(100);

	driver_new(&driver, false);
	CHECK(test_port_offer(&driver.port, frame, length)); /* dropped */
	CHECK_EQUAL(reg(&driver, ICR) & (RXO | RXT0), RXO);
	CHECK_EQUAL(reg(&driver, 0x4010), 1); /* MPC */
	CHECK_EQUAL(reg(&driver, 0x4010), 0);
	rx_fill(&driver, 2);
	for (unsigned i = 0; i < 5; i++)
		CHECK(test_port_offer(&driver.port, frame, length));
	CHECK_EQUAL(reg(&driver, 0x4010), 3);
	CHECK(rx_take(&driver, &received) && rx_take(&driver, &received));
	CHECK(!rx_take(&driver, &received));
	rx_fill(&driver, 1);
	driver.rx_size = 256;
	set(&driver, RCTL, reg(&driver, RCTL) | 3 << RCTL_BSIZE);
	length = build_in(400); /* one slot is not enough: nothing is written */
	CHECK(test_port_offer(&driver.port, frame, length));
	CHECK_EQUAL(reg(&driver, RDH), 2);
	CHECK(!rx_take(&driver, &received));
	driver_free(&driver);
}

static void test_disabled(void)
{
	struct driver driver;
	uint32_t length = build_in(100);

	driver_new(&driver, false);
	rx_fill(&driver, 10);
	set(&driver, RCTL, 0);
	CHECK(test_port_offer(&driver.port, frame, length));
	CHECK_EQUAL(reg(&driver, RDH), 0);
	CHECK_EQUAL(reg(&driver, ICR), 0);
	driver_free(&driver);
}

static void test_low_on_slots(void)
{
	struct driver driver;
	uint32_t length = build_in(100);

	driver_new(&driver, false);
	rx_fill(&driver, 34); /* half of 64 is 32 */
	CHECK(test_port_offer(&driver.port, frame, length));
	CHECK_EQUAL(reg(&driver, ICR) & RXDMT0, 0);
	CHECK(test_port_offer(&driver.port, frame, length));
	CHECK_EQUAL(reg(&driver, ICR) & RXDMT0, RXDMT0);
	driver_free(&driver);
}

static void test_wrap_around(void)
{
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 63);
	for (unsigned i = 0; i < 500; i++) {
		unsigned burst = 1 + unit_random() % 63;

		for (unsigned k = 0; k < burst; k++) {
			uint32_t length = build_in(100 + k);

			CHECK(test_port_offer(&driver.port, frame, length));
		}
		for (unsigned k = 0; k < burst; k++) {
			uint32_t length = build_in(100 + k);

			CHECK(rx_take(&driver, &received));
			check_received(frame, length);
		}
		rx_fill(&driver, burst);
	}
	driver_free(&driver);
}

static void test_empty_slots_are_passed_over(void)
{
	struct driver driver;
	uint32_t length = build_in(600);

	driver_new(&driver, false);
	driver.rx_size = 256;
	set(&driver, RCTL, reg(&driver, RCTL) | 3 << RCTL_BSIZE);
	rx_fill(&driver, 10);
	rx_slot(&driver, 0)->address = 0;
	rx_slot(&driver, 2)->address = 0;
	CHECK(test_port_offer(&driver.port, frame, length));
	CHECK(rx_take(&driver, &received));
	CHECK_EQUAL(received.slots, 5);
	check_received(frame, length);
	driver_free(&driver);
}

/* ---- checksums ---- */

static void receive_packet(struct driver *driver, const struct packet *packet, unsigned flags,
			   int flip)
{
	struct frame offered = {.iovs = 1, .flags = (uint16_t)flags};
	uint32_t length = packet_build(packet, frame);

	if (flip >= 0)
		frame[flip] ^= 0x10;
	offered.iov[0] = (struct iovec){frame, length};
	offered.length = length;
	if (flags & FRAME_CHECKSUM) {
		packet_open(packet, frame, true);
		if (!packet->v6) { /* the host's IPv4 header is complete */
			packet_build(packet, expected);
			memcpy(frame, expected, packet_l4(packet));
		}
		offered.checksum_start = (uint16_t)packet_l4(packet);
		offered.checksum_offset = (uint16_t)(packet_put(packet) - packet_l4(packet));
	}
	CHECK(test_port_offer_frame(&driver->port, &offered));
	CHECK(rx_take(driver, &received));
	rx_fill(driver, 1);
}

static void test_checksum_bits(void)
{
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 63);
	for (unsigned kind = 0; kind < 16; kind++) {
		for (uint32_t length = 60; length < 1400; length += 133) {
			struct packet packet = packet_in(length);
			unsigned ip;

			packet.v6 = kind & 1;
			packet.udp = kind & 2;
			packet.tagged = kind & 4;
			packet.options = (kind & 8) && !packet.v6 ? 20 : 0;
			ip = packet.v6 ? 0 : IPCS;
			receive_packet(&driver, &packet, 0, -1);
			CHECK_EQUAL(received.status & ~VP, DD | REOP | ip | TCPCS);
			CHECK_EQUAL(received.errors, 0);
			receive_packet(&driver, &packet, 0, (int)packet_header(&packet));
			CHECK_EQUAL(received.errors, TCPE);
			receive_packet(&driver, &packet, 0, (int)packet_l4(&packet) + 1);
			CHECK_EQUAL(received.errors, TCPE);
			if (!packet.v6) { /* time to live: not in the pseudo-header */
				receive_packet(&driver, &packet, 0, (int)packet_l3(&packet) + 8);
				CHECK_EQUAL(received.errors, IPE);
			}
			receive_packet(&driver, &packet, FRAME_VALID, (int)packet_header(&packet));
			CHECK_EQUAL(received.errors, 0);
			receive_packet(&driver, &packet, FRAME_CHECKSUM, -1);
			CHECK_EQUAL(received.errors, 0);
			check_received(expected, packet_build(&packet, expected));
		}
	}
	driver_free(&driver);
}

static void test_checksum_bits_switched_off(void)
{
	struct packet packet = packet_in(100);
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 63);
	set(&driver, RXCSUM, 0x100);
	receive_packet(&driver, &packet, 0, -1);
	CHECK_EQUAL(received.status, DD | REOP | IPCS);
	set(&driver, RXCSUM, 0x200);
	receive_packet(&driver, &packet, 0, -1);
	CHECK_EQUAL(received.status, DD | REOP | TCPCS);
	set(&driver, RXCSUM, 0);
	receive_packet(&driver, &packet, 0, 30);
	CHECK_EQUAL(received.status, DD | REOP | RIXSM);
	CHECK_EQUAL(received.errors, 0);
	driver_free(&driver);
}

static void test_what_has_no_checksum(void)
{
	struct packet packet = packet_in(100);
	struct driver driver;
	uint32_t length;

	driver_new(&driver, false);
	rx_fill(&driver, 63);
	packet.udp = true;
	length = packet_build(&packet, frame);
	memset(frame + packet_put(&packet), 0, 2);
	CHECK(test_port_offer(&driver.port, frame, length) && rx_take(&driver, &received));
	CHECK_EQUAL(received.status, DD | REOP | IPCS);
	frame[20] = 0x20; /* a fragment */
	CHECK(test_port_offer(&driver.port, frame, length) && rx_take(&driver, &received));
	CHECK_EQUAL(received.status, DD | REOP | IPCS);
	CHECK_EQUAL(received.errors, IPE);
	for (unsigned i = 0; i < 4; i++) { /* lengths that lie, versions, no IP at all */
		static const uint8_t at[] = {16, 14, 14, 12}, value[] = {0xff, 0x44, 0x75, 0x12};

		packet_build(&packet, frame);
		frame[at[i]] = value[i];
		CHECK(test_port_offer(&driver.port, frame, length) && rx_take(&driver, &received));
		CHECK_EQUAL(received.status, DD | REOP | RIXSM);
	}
	packet.v6 = true;
	length = packet_build(&packet, frame);
	frame[18] = 0xff;
	CHECK(test_port_offer(&driver.port, frame, length) && rx_take(&driver, &received));
	CHECK_EQUAL(received.status, DD | REOP | RIXSM);
	driver_free(&driver);
}

/* ---- large segments of the host ---- */

static struct frame large_frame(const struct packet *packet, unsigned mss)
{
	uint32_t length = packet_build(packet, frame);

	return (struct frame){
		.iov = {{frame, length}},
		.iovs = 1,
		.length = length,
		.flags = FRAME_CHECKSUM | (packet->v6 ? FRAME_TCP6 : FRAME_TCP4),
		.header_length = (uint16_t)packet_header(packet),
		.segment_size = (uint16_t)mss,
		.checksum_start = (uint16_t)packet_l4(packet),
		.checksum_offset = 16,
	};
}

static void take_segment(struct driver *driver, const struct packet *whole, unsigned index,
			 unsigned mss)
{
	static const uint8_t zeros[60];
	struct packet packet = *whole;
	uint32_t at = index * mss, length;

	packet.length = whole->length - at < mss ? whole->length - at : mss;
	packet.payload += at;
	packet.sequence += at;
	packet.id = (uint16_t)(packet.id + index);
	if (at + packet.length < whole->length)
		packet.flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	length = packet_build(&packet, expected);
	CHECK(rx_take(driver, &received));
	if (length < 60) {
		memcpy(expected + length, zeros, 60 - length);
		length = 60;
	}
	check_received(expected, length);
	CHECK_EQUAL(received.errors, 0);
	CHECK_EQUAL(received.status & TCPCS, TCPCS);
}

static void test_large_segments(void)
{
	struct driver driver;

	driver_new(&driver, true);
	rx_fill(&driver, 63);
	for (unsigned kind = 0; kind < 8; kind++) {
		struct packet packet = packet_in(29900 + kind); /* 23 segments and a rest */
		struct frame large;
		unsigned mss = 1300;

		packet.v6 = kind & 1;
		packet.tcp_options = kind & 2 ? 12 : 0;
		packet.tagged = kind & 4;
		packet.flags = TCP_ACK | TCP_PSH;
		large = large_frame(&packet, mss);
		CHECK(test_port_offer_frame(&driver.port, &large));
		for (unsigned i = 0; i * mss < packet.length; i++) {
			take_segment(&driver, &packet, i, mss);
			rx_fill(&driver, 1);
		}
		CHECK(!rx_take(&driver, &received));
	}
	driver_free(&driver);
}

/* No room in the middle: the port keeps the frame, and gets to know when to come again. */
static void test_large_segment_waits_for_room(void)
{
	struct packet packet = packet_in(10000);
	struct driver driver;
	struct frame large;
	unsigned taken = 0;

	driver_new(&driver, true);
	large = large_frame(&packet, 1000);
	rx_fill(&driver, 3);
	CHECK(!test_port_offer_frame(&driver.port, &large));
	for (unsigned round = 0; taken < 10; round++) {
		CHECK(round < 5);
		while (taken < 10 && taken < 3 * (round + 1))
			take_segment(&driver, &packet, taken++, 1000);
		CHECK(!rx_take(&driver, &received));
		CHECK_EQUAL(driver.port.resumed, round);
		rx_fill(&driver, 3);
		driver_settle(&driver);
		CHECK_EQUAL(driver.port.resumed, taken < 10 ? round + 1 : round);
		if (taken < 10)
			CHECK_EQUAL(test_port_offer_frame(&driver.port, &large), taken + 3 >= 10);
	}
	CHECK_EQUAL(reg(&driver, 0x4010), 0);
	driver_free(&driver);
}

static void test_large_segments_that_lie(void)
{
	struct packet packet = packet_in(5000);
	struct driver driver;
	struct frame large;

	driver_new(&driver, true);
	rx_fill(&driver, 10);
	for (unsigned i = 0; i < 5; i++) {
		large = large_frame(&packet, 1000);
		if (i == 0)
			large.segment_size = 0;
		if (i == 1)
			large.header_length = 20;
		if (i == 2)
			large.header_length = 60000;
		if (i == 3)
			frame[14] = 0x15;
		if (i == 4)
			large.length = large.iov[0].iov_len = 54;
		CHECK(test_port_offer_frame(&driver.port, &large));
		CHECK(!rx_take(&driver, &received));
	}
	large = large_frame(&packet, 1000);
	large.flags = FRAME_CHECKSUM;
	large.length = 1000;
	large.iov[0].iov_len = 1000;
	large.checksum_start = 999;
	CHECK(test_port_offer_frame(&driver.port, &large)); /* nowhere to put it: as it is */
	CHECK(rx_take(&driver, &received));
	driver_free(&driver);
}

/* ---- VLAN ---- */

static void test_vlan_strip(void)
{
	struct packet packet = packet_in(300);
	struct driver driver;
	uint32_t length;

	driver_new(&driver, false);
	rx_fill(&driver, 20);
	set(&driver, VET, 0x8100);
	packet.tagged = true;
	packet.tci = 0x6005;
	length = packet_build(&packet, frame);
	CHECK(test_port_offer(&driver.port, frame, length) && rx_take(&driver, &received));
	check_received(frame, length);
	CHECK_EQUAL(received.status & VP, 0);
	set(&driver, CTRL, reg(&driver, CTRL) | CTRL_VME);
	CHECK(test_port_offer(&driver.port, frame, length) && rx_take(&driver, &received));
	packet.tagged = false;
	check_received(expected, packet_build(&packet, expected));
	CHECK_EQUAL(received.status, DD | REOP | VP | IPCS | TCPCS);
	CHECK_EQUAL(received.special, 0x6005);
	length = packet_build(&packet, frame);
	CHECK(test_port_offer(&driver.port, frame, length) && rx_take(&driver, &received));
	CHECK_EQUAL(received.status & VP, 0);
	driver_free(&driver);
}

UNIT_FILE(receive, {"plain", test_plain}, {"frame_check_sequence", test_frame_check_sequence},
	  {"sizes_and_chains", test_sizes_and_chains},
	  {"scattered_by_the_port", test_scattered_by_the_port}, {"too_long", test_too_long},
	  {"no_room", test_no_room}, {"disabled", test_disabled},
	  {"low_on_slots", test_low_on_slots}, {"wrap_around", test_wrap_around},
	  {"empty_slots_are_passed_over", test_empty_slots_are_passed_over},
	  {"checksum_bits", test_checksum_bits},
	  {"checksum_bits_switched_off", test_checksum_bits_switched_off},
	  {"what_has_no_checksum", test_what_has_no_checksum},
	  {"large_segments", test_large_segments},
	  {"large_segment_waits_for_room", test_large_segment_waits_for_room},
	  {"large_segments_that_lie", test_large_segments_that_lie},
	  {"vlan_strip", test_vlan_strip});
