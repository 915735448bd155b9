/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <string.h>

static uint8_t frame[PACKET_MAX], expected[PACKET_MAX];

static void test_legacy(void)
{
	struct driver driver;

	driver_new(&driver, false);
	unit_fill(frame, 1514, 1);
	tx_legacy(&driver, tx_copy(&driver, frame, 1514), 1514, EOP | IFCS | RS, 0, 0, 0);
	CHECK_EQUAL(driver.port.count, 0); /* not before the tail moves */
	tx_kick(&driver);
	check_sent(&driver, 0, frame, 1514);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD);
	CHECK_EQUAL(reg(&driver, TDH), 1);
	driver_settle(&driver);
	CHECK_EQUAL(reg(&driver, ICR) & (TXDW | TXQE), TXDW | TXQE);
	/* in pieces, without a report */
	tx_legacy(&driver, tx_copy(&driver, frame, 13), 13, 0, 0, 0, 0);
	tx_legacy(&driver, 0, 0, 0, 0, 0, 0);
	tx_legacy(&driver, tx_copy(&driver, frame + 13, 1), 1, 0, 0, 0, 0);
	tx_kick(&driver);
	CHECK_EQUAL(driver.port.count, 1); /* open */
	tx_legacy(&driver, tx_copy(&driver, frame + 14, 700), 700, EOP, 0, 0, 0);
	tx_kick(&driver);
	check_sent(&driver, 1, frame, 714);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, 0);
	CHECK_EQUAL(reg(&driver, ICR) & TXDW, 0);
	driver_free(&driver);
}

static void test_padding(void)
{
	struct driver driver;

	driver_new(&driver, false);
	unit_fill(frame, 60, 1);
	memset(frame + 20, 0, 40);
	tx_legacy(&driver, tx_copy(&driver, frame, 20), 20, EOP, 0, 0, 0);
	tx_kick(&driver);
	check_sent(&driver, 0, frame, 60);
	set(&driver, TCTL, TCTL_EN);
	tx_legacy(&driver, tx_copy(&driver, frame, 20), 20, EOP, 0, 0, 0);
	tx_kick(&driver);
	check_sent(&driver, 1, frame, 20);
	driver_free(&driver);
}

static void test_many_wrap_around(void)
{
	struct driver driver;
	unsigned sent = 0;

	driver_new(&driver, false);
	for (unsigned round = 0; round < 100; round++) {
		unsigned burst = 1 + unit_random() % 63;

		test_port_forget(&driver.port);
		for (unsigned i = 0; i < burst; i++) {
			unit_fill(frame, 64, sent + i);
			tx_legacy(&driver, tx_copy(&driver, frame, 64), 64, EOP | RS, 0, 0, 0);
		}
		tx_kick(&driver);
		driver_settle(&driver);
		CHECK_EQUAL(driver.port.count, burst);
		for (unsigned i = 0; i < burst; i++) {
			unit_fill(frame, 64, sent + i);
			check_sent(&driver, i, frame, 64);
		}
		sent += burst;
		CHECK_EQUAL(reg(&driver, TDH), driver.tx_tail);
	}
	CHECK_EQUAL(reg(&driver, 0x4080), sent); /* GPTC */
	driver_free(&driver);
}

static void test_back_pressure(void)
{
	struct driver driver;

	driver_new(&driver, false);
	driver.port.room = 5;
	for (unsigned i = 0; i < 12; i++) {
		unit_fill(frame, 100, i);
		tx_legacy(&driver, tx_copy(&driver, frame, 100), 100, EOP | RS, 0, 0, 0);
	}
	tx_kick(&driver);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.count, 5);
	CHECK_EQUAL(reg(&driver, TDH), 5);
	CHECK_EQUAL(tx_slot(&driver, 7)->high & DD, 0);
	CHECK_EQUAL(reg(&driver, ICR) & TXQE, 0);
	tx_kick(&driver); /* asks again, in vain */
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.count, 5);
	test_port_writable(&driver.port);
	driver_settle(&driver);
	reg(&driver, STATUS);
	CHECK_EQUAL(driver.port.count, 12);
	for (unsigned i = 0; i < 12; i++) {
		unit_fill(frame, 100, i);
		check_sent(&driver, i, frame, 100);
	}
	CHECK_EQUAL(reg(&driver, ICR) & TXQE, TXQE);
	driver_free(&driver);
}

static void test_disabled_and_link_down(void)
{
	struct driver driver;

	driver_new(&driver, false);
	unit_fill(frame, 64, 1);
	set(&driver, TCTL, 0);
	tx_legacy(&driver, tx_copy(&driver, frame, 64), 64, EOP | RS, 0, 0, 0);
	tx_kick(&driver);
	CHECK_EQUAL(driver.port.count, 0);
	set(&driver, TCTL, TCTL_EN);
	CHECK_EQUAL(driver.port.count, 1);
	instance_link(driver.instance, false);
	CHECK_EQUAL(reg(&driver, ICR) & LSC, LSC);
	tx_legacy(&driver, tx_copy(&driver, frame, 64), 64, EOP | RS, 0, 0, 0);
	tx_kick(&driver);
	CHECK_EQUAL(driver.port.count, 1); /* lost, as without a cable */
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD);
	driver_free(&driver);
}

static void test_bus_master_off(void)
{
	struct driver driver;

	driver_new(&driver, false);
	inprocess_config_write(driver.machine.vm, bus_bdf(0, 3, 0), 4, 2, 3);
	tx_legacy(&driver, tx_copy(&driver, frame, 64), 64, EOP | RS, 0, 0, 0);
	tx_kick(&driver);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.count, 0);
	CHECK_EQUAL(tx_slot(&driver, 1)->high, 0);
	inprocess_config_write(driver.machine.vm, bus_bdf(0, 3, 0), 4, 2, 7);
	tx_legacy(&driver, tx_copy(&driver, frame, 64), 64, EOP | RS, 0, 0, 0);
	tx_kick(&driver);
	driver_settle(&driver);
	CHECK(driver.port.count >= 1);
	driver_free(&driver);
}

/* ---- checksums ---- */

static void checksums(bool offloads)
{
	static const uint32_t lengths[] = {0, 1, 18, 100, 101, 1400, 1401};
	struct driver driver;

	driver_new(&driver, offloads);
	for (unsigned kind = 0; kind < 16; kind++) {
		for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
			struct packet packet = packet_out(lengths[i]);
			uint32_t length;

			packet.v6 = kind & 1;
			packet.udp = kind & 2;
			packet.tagged = kind & 4;
			packet.tci = 0x2005;
			packet.options = (kind & 8) && !packet.v6 ? 12 : 0;
			packet.tcp_options = kind & 8 ? 12 : 0;
			length = packet_build(&packet, expected);
			memset(expected + length, 0, 60);
			test_port_forget(&driver.port);
			tx_packet(&driver, &packet, 1 + i % 4);
			CHECK_EQUAL(driver.port.count, 1);
			CHECK_EQUAL(driver.port.sent[0].flags, offloads ? FRAME_CHECKSUM : 0);
			port_finish(&driver.port.sent[0]);
			check_sent(&driver, 0, expected, length < 60 ? 60 : length);
		}
	}
	driver_free(&driver);
}

static void test_checksums(void)
{
	checksums(false);
}

static void test_checksums_left_to_the_port(void)
{
	checksums(true);
}

static void test_legacy_checksum(void)
{
	struct packet packet = packet_out(333);
	struct driver driver;
	uint32_t length = packet_build(&packet, expected);

	driver_new(&driver, false);
	memcpy(frame, expected, length);
	packet_open(&packet, frame, true);
	memcpy(frame + 24, expected + 24, 2);
	tx_legacy(&driver, tx_copy(&driver, frame, 100), 100, 0, 0, 0, 0);
	tx_legacy(&driver, tx_copy(&driver, frame + 100, length - 100), length - 100, EOP | IC | RS,
		  packet_put(&packet), packet_l4(&packet), 0);
	tx_kick(&driver);
	check_sent(&driver, 0, expected, length);
	driver_free(&driver);
}

/* Sums that end before the frame does, and offsets that make no sense. */
static void test_checksum_ranges(void)
{
	struct packet packet = packet_out(100);
	struct driver driver;
	uint32_t length = packet_build(&packet, expected);
	uint64_t buffer;

	driver_new(&driver, false);
	buffer = tx_copy(&driver, expected, length);
	/* start 14, put 24, end 33: the IPv4 header alone, over its present sum */
	tx_put(&driver, 14 | 24 << 8 | 33ull << 16, (uint32_t)DEXT << 24, 0);
	tx_data(&driver, buffer, length, EOP, IXSM, 0);
	tx_kick(&driver);
	CHECK_EQUAL(driver.port.sent[0].data[24] << 8 | driver.port.sent[0].data[25], 0xffff);
	test_port_forget(&driver.port);
	for (unsigned i = 0; i < 200; i++) {
		tx_put(&driver, (uint64_t)unit_random() << 32 | unit_random(), (uint32_t)DEXT << 24,
		       0);
		tx_data(&driver, buffer, length, EOP, unit_random() & 3, 0);
		tx_legacy(&driver, buffer, length, EOP | IC, unit_random() & 255,
			  unit_random() & 255, 0);
		tx_kick(&driver);
		CHECK_EQUAL(driver.port.count, 2);
		CHECK_EQUAL(driver.port.sent[1].length, length);
		test_port_forget(&driver.port);
	}
	driver_free(&driver);
}

static void test_vlan_insert(void)
{
	struct driver driver;

	driver_new(&driver, false);
	unit_fill(frame, 100, 1);
	tx_legacy(&driver, tx_copy(&driver, frame, 100), 100, EOP | VLE, 0, 0, 0x6123);
	tx_kick(&driver);
	check_sent(&driver, 0, frame, 100); /* VME is off */
	set(&driver, CTRL, reg(&driver, CTRL) | CTRL_VME);
	set(&driver, VET, 0x88a8);
	memcpy(expected, frame, 12);
	memcpy(expected + 12, "\x88\xa8\x61\x23", 4);
	memcpy(expected + 16, frame + 12, 88);
	tx_legacy(&driver, tx_copy(&driver, frame, 7), 7, 0, 0, 0, 0);
	tx_legacy(&driver, tx_copy(&driver, frame + 7, 93), 93, EOP | VLE, 0, 0, 0x6123);
	tx_legacy(&driver, tx_copy(&driver, frame, 100), 100, EOP, 0, 0, 0x6123);
	tx_kick(&driver);
	check_sent(&driver, 1, expected, 104);
	check_sent(&driver, 2, frame, 100);
	driver_free(&driver);
}

static void test_loopback(void)
{
	static struct received received;
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 63);
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_LBM | RCTL_UPE);
	for (unsigned length = 20; length < 1500; length += 170) {
		unit_fill(frame, length, length);
		frame[0] &= 0xfe;
		tx_legacy(&driver, tx_copy(&driver, frame, length), length, EOP | RS, 0, 0, 0);
	}
	tx_kick(&driver);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.count, 0);
	for (unsigned length = 20; length < 1500; length += 170) {
		unit_fill(frame, length, length);
		frame[0] &= 0xfe;
		CHECK(rx_take(&driver, &received));
		CHECK_EQUAL(received.length, length < 60 ? 60 : length);
		CHECK(!memcmp(received.data, frame, length));
	}
	driver_free(&driver);
}

UNIT_FILE(transmit, {"legacy", test_legacy}, {"padding", test_padding},
	  {"many_wrap_around", test_many_wrap_around}, {"back_pressure", test_back_pressure},
	  {"disabled_and_link_down", test_disabled_and_link_down},
	  {"bus_master_off", test_bus_master_off}, {"checksums", test_checksums},
	  {"checksums_left_to_the_port", test_checksums_left_to_the_port},
	  {"legacy_checksum", test_legacy_checksum}, {"checksum_ranges", test_checksum_ranges},
	  {"vlan_insert", test_vlan_insert}, {"loopback", test_loopback});
