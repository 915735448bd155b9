/* SPDX-License-Identifier: Apache-2.0 */

/* Large frames of the guest, cut by the card or left to the port. */
#include "driver.h"

#include <string.h>

static uint8_t frame[PACKET_MAX], expected[PACKET_MAX];

/* The I-th segment as the book has it. */
static uint32_t segment_build(const struct packet *whole, unsigned index, unsigned mss,
			      uint8_t *out)
{
	struct packet packet = *whole;
	uint32_t at = index * mss;

	CHECK(at < whole->length || index == 0);
	packet.length = whole->length - at < mss ? whole->length - at : mss;
	packet.payload += at;
	packet.sequence += at;
	packet.id = (uint16_t)(packet.id + index);
	if (at + packet.length < whole->length)
		packet.flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	return packet_build(&packet, out);
}

static void send_large(struct driver *driver, const struct packet *packet, unsigned mss,
		       unsigned command, uint16_t tci)
{
	uint32_t length = packet_build(packet, frame), done = 0;
	unsigned header = packet_header(packet);

	packet_open(packet, frame, false);
	if (!packet->v6)
		memset(frame + packet_l3(packet) + 2, 0, 2); /* as Linux leaves it */
	else
		memset(frame + packet_l3(packet) + 4, 0, 2);
	tx_context(driver, packet, TSE | 3, packet->length, header, mss);
	while (done < length) {
		uint32_t part = done ? 4000 : header + 50;
		bool last = part >= length - done;

		part = last ? length - done : part;
		tx_data(driver, tx_copy(driver, frame + done, part), part,
			TSE | IFCS | command | (last ? EOP | RS : 0u), IXSM | TXSM, tci);
		done += part;
	}
	tx_kick(driver);
	driver_settle(driver);
}

static const struct large {
	uint32_t length;
	unsigned mss;
	bool v6;
	unsigned options, tcp_options;
	bool tagged;
} larges[] = {
	{2920, 1460, false, 0, 0, false},   {2921, 1460, true, 0, 0, false},
	{60000, 1448, false, 0, 12, false}, {60000, 1428, true, 0, 12, false},
	{10000, 99, false, 8, 0, false},    {65000, 8000, false, 0, 40, false},
	{5000, 1460, false, 0, 0, true},    {5000, 1440, true, 0, 12, true},
	{100, 1460, false, 0, 0, false},    {1460, 1460, true, 0, 0, false},
	{1461, 1460, false, 40, 40, false}, {3000, 1, false, 0, 0, false},
};

static void check_segments(struct driver *driver, const struct packet *packet, unsigned mss)
{
	unsigned count = (packet->length + mss - 1) / mss;

	CHECK_EQUAL(driver->port.count, count < SENT_MAX ? count : SENT_MAX);
	for (unsigned i = 0; i < driver->port.count; i++) {
		uint32_t length = segment_build(packet, i, mss, expected);

		check_sent(driver, i, expected, length);
	}
}

static struct packet large_packet(const struct large *large)
{
	struct packet packet = packet_out(large->length);

	packet.v6 = large->v6;
	packet.options = large->options;
	packet.tcp_options = large->tcp_options;
	packet.tagged = large->tagged;
	packet.tci = 7;
	packet.flags = TCP_ACK | TCP_PSH | TCP_FIN;
	return packet;
}

static void test_segments(void)
{
	struct driver driver;

	driver_new(&driver, false);
	for (unsigned i = 0; i < sizeof(larges) / sizeof(*larges); i++) {
		struct packet packet = large_packet(&larges[i]);

		if (packet.length / larges[i].mss >= SENT_MAX)
			packet.length = (SENT_MAX - 1) * larges[i].mss;
		test_port_forget(&driver.port);
		driver.port.room = SENT_MAX;
		send_large(&driver, &packet, larges[i].mss, 0, 0);
		check_segments(&driver, &packet, larges[i].mss);
		CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD);
		CHECK_EQUAL(reg(&driver, 0x40d4), driver.port.count); /* TPT, TOT, TSCTC */
		CHECK_EQUAL(reg(&driver, 0x40c8), driver.port.used + 4 * driver.port.count);
		CHECK_EQUAL(reg(&driver, 0x40cc), 0);
		CHECK_EQUAL(reg(&driver, 0x40f8), 1);
	}
	driver_free(&driver);
}

/* A port that cuts itself gets the whole and what it needs to know. */
static void test_segments_left_to_the_port(void)
{
	struct driver driver;

	driver_new(&driver, true);
	for (unsigned i = 0; i < sizeof(larges) / sizeof(*larges); i++) {
		struct packet packet = large_packet(&larges[i]);
		struct sent *sent = &driver.port.sent[0];
		unsigned mss = larges[i].mss;
		uint32_t length;

		test_port_forget(&driver.port);
		send_large(&driver, &packet, mss, 0, 0);
		CHECK_EQUAL(driver.port.count, 1);
		CHECK_EQUAL(sent->flags, FRAME_CHECKSUM | (packet.v6 ? FRAME_TCP6 : FRAME_TCP4));
		CHECK_EQUAL(sent->segment_size, packet.length < mss ? packet.length : mss);
		CHECK_EQUAL(sent->header_length, packet_header(&packet));
		CHECK_EQUAL(sent->checksum_start, packet_l4(&packet));
		length = packet_build(&packet, expected);
		port_finish(sent);
		check_sent(&driver, 0, expected, length);
	}
	driver_free(&driver);
}

static void test_segments_with_a_tag(void)
{
	for (unsigned offloads = 0; offloads < 2; offloads++) {
		struct packet packet = packet_out(4000);
		struct driver driver;

		driver_new(&driver, offloads);
		set(&driver, CTRL, reg(&driver, CTRL) | CTRL_VME);
		set(&driver, VET, 0x8100);
		send_large(&driver, &packet, 1000, VLE, 0x3007);
		packet.tagged = true;
		packet.tci = 0x3007;
		if (offloads) {
			CHECK_EQUAL(driver.port.sent[0].header_length, packet_header(&packet));
			CHECK_EQUAL(driver.port.sent[0].checksum_start, packet_l4(&packet));
			port_finish(&driver.port.sent[0]);
			check_sent(&driver, 0, expected, packet_build(&packet, expected));
		} else {
			check_segments(&driver, &packet, 1000);
		}
		driver_free(&driver);
	}
}

static void test_segments_and_a_full_port(void)
{
	struct packet packet = packet_out(4000);
	struct driver driver;

	driver_new(&driver, false);
	driver.port.room = 0;
	send_large(&driver, &packet, 1000, 0, 0);
	CHECK_EQUAL(driver.port.count, 0);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, 0);
	test_port_writable(&driver.port);
	driver_settle(&driver);
	check_segments(&driver, &packet, 1000);
	/* full in the middle: the rest follows, and nothing twice */
	test_port_forget(&driver.port);
	driver.port.room = 2;
	send_large(&driver, &packet, 1000, 0, 0);
	CHECK_EQUAL(driver.port.count, 2);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, 0);
	test_port_writable(&driver.port);
	driver_settle(&driver);
	check_segments(&driver, &packet, 1000);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD);
	/* plain frames around a large one keep their order */
	test_port_forget(&driver.port);
	driver.port.room = SENT_MAX;
	set(&driver, TCTL, 0);
	unit_fill(frame, 100, 9);
	tx_legacy(&driver, tx_copy(&driver, frame, 100), 100, EOP, 0, 0, 0);
	send_large(&driver, &packet, 2000, 0, 0);
	tx_legacy(&driver, tx_copy(&driver, frame, 100), 100, EOP, 0, 0, 0);
	tx_kick(&driver);
	set(&driver, TCTL, TCTL_EN);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.count, 4);
	CHECK(driver.port.sent[0].length == 100 && driver.port.sent[3].length == 100);
	driver_free(&driver);
}

static void port_sent_some(struct driver *driver, unsigned count)
{
	driver->port.port.peer.sent(driver->port.port.peer.context, count);
	driver_settle(driver);
}

/* Of a frame that was cut here the port speaks segment by segment. */
static void test_segments_that_have_gone_later(void)
{
	struct packet packet = packet_out(11500);
	struct driver driver;

	driver_new(&driver, false);
	driver.port.ops.defers = true;
	driver.port.room = 3;
	send_large(&driver, &packet, 1000, 0, 0);
	CHECK_EQUAL(driver.port.count, 3);
	driver.port.room = 7;
	port_sent_some(&driver, 3);
	CHECK_EQUAL(driver.port.count, 10);
	test_port_writable(&driver.port);
	driver_settle(&driver);
	check_segments(&driver, &packet, 1000);
	port_sent_some(&driver, 8);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, 0);
	port_sent_some(&driver, 1);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD);
	CHECK_EQUAL(driver.port.count, 12);
	driver_free(&driver);
}

/* Checksums use one context, segmentation the other; both stay until replaced. */
static void test_contexts_stay(void)
{
	struct packet packet = packet_out(200), large = packet_out(3000);
	struct driver driver;
	uint32_t length;

	driver_new(&driver, false);
	tx_packet(&driver, &packet, 1);
	send_large(&driver, &large, 1000, 0, 0);
	test_port_forget(&driver.port);
	length = packet_build(&packet, frame);
	packet_open(&packet, frame, true);
	tx_data(&driver, tx_copy(&driver, frame, length), length, EOP, IXSM | TXSM, 0);
	tx_kick(&driver);
	length = packet_build(&packet, expected);
	check_sent(&driver, 0, expected, length);
	test_port_forget(&driver.port);
	length = packet_build(&large, frame);
	packet_open(&large, frame, false);
	tx_data(&driver, tx_copy(&driver, frame, length), length, EOP | TSE, IXSM | TXSM, 0);
	tx_kick(&driver);
	check_segments(&driver, &large, 1000);
	driver_free(&driver);
}

/* What a port would have completed is complete when it comes back, too. */
static void test_loopback_with_offloads(void)
{
	static struct received received;

	for (unsigned offloads = 0; offloads < 2; offloads++) {
		struct packet packet = packet_out(500), large = packet_out(5000);
		struct driver driver;
		uint32_t length;

		driver_new(&driver, offloads);
		rx_fill(&driver, 63);
		set(&driver, RCTL, reg(&driver, RCTL) | RCTL_LBM | RCTL_UPE);
		tx_packet(&driver, &packet, 2);
		CHECK(rx_take(&driver, &received));
		length = packet_build(&packet, expected);
		CHECK(received.length == length && !memcmp(received.data, expected, length));
		CHECK(received.status & TCPCS && !received.errors);
		send_large(&driver, &large, 1000, 0, 0);
		for (unsigned i = 0; i < 5; i++) {
			CHECK(rx_take(&driver, &received));
			length = segment_build(&large, i, 1000, expected);
			CHECK(received.length == length &&
			      !memcmp(received.data, expected, length));
		}
		CHECK(!rx_take(&driver, &received));
		/* more than the card keeps inside is lost */
		large.length = 60000;
		send_large(&driver, &large, 500, 0, 0);
		CHECK_EQUAL(driver.port.count, 0);
		driver_free(&driver);
	}
}

/* A tag of another type than 0x8100 */
static void test_segments_with_a_service_tag(void)
{
	struct packet packet = packet_out(4000);
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, CTRL, reg(&driver, CTRL) | CTRL_VME);
	set(&driver, VET, 0x88a8);
	send_large(&driver, &packet, 1000, VLE, 0x3007);
	CHECK_EQUAL(driver.port.count, 4);
	packet.tagged = true;
	packet.tci = 0x3007;
	for (unsigned i = 0; i < 4; i++) {
		uint32_t length = segment_build(&packet, i, 1000, expected);

		memcpy(expected + 12, "\x88\xa8", 2);
		check_sent(&driver, i, expected, length);
	}
	driver_free(&driver);
}

UNIT_FILE(segments, {"segments", test_segments},
	  {"segments_left_to_the_port", test_segments_left_to_the_port},
	  {"segments_with_a_tag", test_segments_with_a_tag},
	  {"segments_and_a_full_port", test_segments_and_a_full_port},
	  {"segments_that_have_gone_later", test_segments_that_have_gone_later},
	  {"contexts_stay", test_contexts_stay},
	  {"loopback_with_offloads", test_loopback_with_offloads},
	  {"segments_with_a_service_tag", test_segments_with_a_service_tag});
