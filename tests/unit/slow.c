/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Guest memory by messages: answers come late, one by one, sometimes are put
 * off or fail; what is sent and received is the same.
 */
#include "bare.h"
#include "driver.h"

#include "nic/nic.h"

#include <string.h>

static uint8_t frame[PACKET_MAX], expected[PACKET_MAX];
static struct bare bare;

static void start(struct driver *driver)
{
	bare_new(&bare, test_card("e1000"), true);
	memset(driver, 0, sizeof(*driver));
	driver->nic = bare.nic;
	driver->memory = bare.memory;
	driver_start(driver);
	bare_settle(&bare);
}

static void send(struct driver *driver, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned length = 60 + i * 97;

		unit_fill(frame, length, i);
		tx_legacy(driver, tx_copy(driver, frame, length / 2), length / 2, 0, 0, 0, 0);
		tx_legacy(driver, tx_copy(driver, frame + length / 2, length - length / 2),
			  length - length / 2, EOP | RS, 0, 0, 0);
	}
	tx_kick(driver);
}

static void check_all_sent(unsigned count)
{
	CHECK_EQUAL(bare.port.count, count);
	for (unsigned i = 0; i < count; i++) {
		unsigned length = 60 + i * 97;

		unit_fill(expected, length, i);
		CHECK_EQUAL(bare.port.sent[i].length, length);
		CHECK(!memcmp(bare.port.sent[i].data, expected, length));
	}
}

static void test_transmit(void)
{
	struct driver driver;

	start(&driver);
	set(&driver, IMS, TXDW);
	send(&driver, 10);
	CHECK_EQUAL(bare.port.count, 0);
	nic_work(bare.nic);
	CHECK_EQUAL(bare.port.count, 0); /* descriptors are on their way */
	bare_settle(&bare);
	check_all_sent(10);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD);
	CHECK(bare.level); /* not before the results were in memory */
	CHECK_EQUAL(reg(&driver, TDH), 20);
	bare_free(&bare);
}

static void test_transmit_with_a_full_transport(void)
{
	struct driver driver;

	for (unsigned busy = 2; busy < 6; busy++) {
		start(&driver);
		bare.busy = busy;
		send(&driver, 12);
		bare_settle(&bare);
		check_all_sent(12);
		bare_free(&bare);
	}
}

static void test_transport_that_fails(void)
{
	struct driver driver;

	for (unsigned refuse = 1; refuse < 9; refuse++) {
		start(&driver);
		bare.refuse = refuse;
		send(&driver, 12);
		bare_settle(&bare);
		CHECK_EQUAL(reg(&driver, TDH), 24); /* what fails is passed over */
		bare.refuse = 0;
		test_port_forget(&bare.port);
		send(&driver, 5);
		bare_settle(&bare);
		check_all_sent(5);
		bare_free(&bare);
	}
}

static void test_segments(void)
{
	struct packet packet = packet_out(9000);
	struct driver driver;
	uint32_t length = packet_build(&packet, frame);

	start(&driver);
	packet_open(&packet, frame, false);
	tx_context(&driver, &packet, TSE, packet.length, packet_header(&packet), 1000);
	for (uint32_t at = 0; at < length; at += 1000)
		tx_data(&driver, tx_copy(&driver, frame + at, 1000),
			length - at < 1000 ? length - at : 1000,
			at + 1000 < length ? TSE : TSE | EOP | RS, IXSM | TXSM, 0);
	tx_kick(&driver);
	bare_settle(&bare);
	CHECK_EQUAL(bare.port.count, 9);
	for (unsigned i = 0; i < 9; i++)
		CHECK_EQUAL(bare.port.sent[i].length, 1054);
	bare_free(&bare);
}

static bool offer(unsigned length)
{
	unit_fill(frame, length, length);
	memcpy(frame, test_mac, 6);
	return test_port_offer(&bare.port, frame, length);
}

/* The port holds what cannot be looked at yet, and is asked for it again. */
static bool offer_until_taken(unsigned length)
{
	for (unsigned i = 0; i < 10; i++) {
		unsigned resumed = bare.port.resumed;

		if (offer(length))
			return true;
		bare_settle(&bare);
		CHECK_EQUAL(bare.port.resumed, resumed + 1);
	}
	return false;
}

static void test_receive(void)
{
	static struct received received;
	struct driver driver;

	start(&driver);
	set(&driver, IMS, RXT0);
	rx_fill(&driver, 40);
	bare_settle(&bare);
	for (unsigned i = 0; i < 30; i++) {
		unsigned length = 60 + i * 40;

		CHECK(offer_until_taken(length));
		bare_settle(&bare);
		CHECK(rx_take(&driver, &received));
		CHECK_EQUAL(received.length, length);
		CHECK(!memcmp(received.data, frame, length));
		CHECK(bare.level);
		reg(&driver, ICR);
		CHECK(!bare.level);
	}
	bare.refuse = 1;
	offer_until_taken(100);
	bare_settle(&bare);
	bare_free(&bare);
}

static void test_loopback(void)
{
	static struct received received;
	struct driver driver;

	start(&driver);
	rx_fill(&driver, 40);
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_LBM | RCTL_UPE);
	unit_fill(frame, 300, 1);
	frame[0] = 2;
	for (unsigned i = 0; i < 20; i++)
		tx_legacy(&driver, tx_copy(&driver, frame, 300), 300, EOP | RS, 0, 0, 0);
	tx_kick(&driver);
	bare_settle(&bare);
	for (unsigned i = 0; i < 20; i++) {
		CHECK(rx_take(&driver, &received));
		CHECK(!memcmp(received.data, frame, 300));
	}
	bare_free(&bare);
}

static void test_reset_while_waiting(void)
{
	struct driver driver;

	start(&driver);
	send(&driver, 10);
	nic_work(bare.nic);
	set(&driver, CTRL, CTRL_RST);
	nic_reset(bare.nic);
	bare_settle(&bare);
	CHECK_EQUAL(bare.port.count, 0);
	driver_start(&driver);
	send(&driver, 10);
	bare_settle(&bare);
	check_all_sent(10);
	bare_free(&bare);
}

UNIT_FILE(slow, {"transmit", test_transmit},
	  {"transmit_with_a_full_transport", test_transmit_with_a_full_transport},
	  {"transport_that_fails", test_transport_that_fails}, {"segments", test_segments},
	  {"receive", test_receive}, {"loopback", test_loopback},
	  {"reset_while_waiting", test_reset_while_waiting});
