/* SPDX-License-Identifier: Apache-2.0 */

/* Drivers that mean harm, or are wrong: the card does nothing, or something harmless. */
#include "driver.h"

#include <string.h>

static uint8_t frame[PACKET_MAX];

/* The card is as good as new after a reset. */
static void check_alive(struct driver *driver)
{
	static struct received received;

	set(driver, CTRL, CTRL_RST);
	driver_settle(driver);
	driver_start(driver);
	test_port_forget(&driver->port);
	memset(frame, 0, 64);
	memcpy(frame, test_mac, 6);
	tx_legacy(driver, tx_copy(driver, frame, 64), 64, EOP | RS, 0, 0, 0);
	tx_kick(driver);
	driver_settle(driver);
	CHECK_EQUAL(driver->port.count, 1);
	CHECK_EQUAL(tx_slot(driver, 1)->high & DD, DD);
	rx_fill(driver, 4);
	CHECK(test_port_offer(&driver->port, frame, 64));
	CHECK(rx_take(driver, &received));
	CHECK_EQUAL(received.length, 64);
	test_port_forget(&driver->port);
}

static void test_addresses_out_of_memory(void)
{
	static const uint64_t addresses[] = {MACHINE_MEMORY, MACHINE_MEMORY - 1, 1ull << 40,
					     UINT64_MAX,     UINT64_MAX - 63,	 0xc0000000};
	struct driver driver;

	driver_new(&driver, false);
	for (unsigned i = 0; i < 6; i++) {
		tx_legacy(&driver, addresses[i], 64, EOP | RS, 0, 0, 0);
		tx_data(&driver, addresses[i], 64, EOP | RS, TXSM | IXSM, 0);
		tx_kick(&driver);
		driver_settle(&driver);
		CHECK_EQUAL(driver.port.count, 0);
		CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD); /* passed over */
	}
	memcpy(frame, test_mac, 6);
	rx_fill(&driver, 6);
	for (unsigned i = 0; i < 6; i++)
		rx_slot(&driver, i)->address = addresses[i];
	for (unsigned i = 0; i < 6; i++)
		CHECK(test_port_offer(&driver.port, frame, 64));
	CHECK_EQUAL(reg(&driver, RDH), 6);
	check_alive(&driver);
	driver_free(&driver);
}

static void test_rings_out_of_memory(void)
{
	static const uint64_t bases[] = {MACHINE_MEMORY, MACHINE_MEMORY - 256, 1ull << 40,
					 UINT64_MAX - 255};
	struct driver driver;

	driver_new(&driver, false);
	for (unsigned i = 0; i < 4; i++) {
		set(&driver, TDBAL, (uint32_t)bases[i]);
		set(&driver, TDBAH, (uint32_t)(bases[i] >> 32));
		set(&driver, RDBAL, (uint32_t)bases[i]);
		set(&driver, RDBAH, (uint32_t)(bases[i] >> 32));
		set(&driver, TDT, 40);
		set(&driver, RDT, 40);
		driver_settle(&driver);
		for (unsigned k = 0; k < 40; k++)
			CHECK(test_port_offer(&driver.port, frame, 64));
		set(&driver, TDT, 1);
		driver_settle(&driver);
		CHECK_EQUAL(driver.port.count, 0);
	}
	check_alive(&driver);
	driver_free(&driver);
}

/* Ring lengths, tails and heads in every relation to one another. */
static void test_heads_and_tails(void)
{
	static const uint32_t numbers[] = {0, 1, 7, 8, 63, 64, 65, 255, 0x7fff, 0xffff};
	static const uint32_t lengths[] = {0, 128, 1024, 0xfff80};
	struct driver driver;

	driver_new(&driver, false);
	for (unsigned i = 0; i < 64; i++) {
		tx_legacy(&driver, TX_BUFFERS, 64, EOP | RS, 0, 0, 0);
		*rx_slot(&driver, i) = (struct slot){RX_BUFFERS, 0, 0};
	}
	for (unsigned i = 0; i < 400; i++) {
		uint32_t head = numbers[i % 10], tail = numbers[i / 10 % 10];
		uint32_t length = lengths[i / 100];

		set(&driver, TDLEN, length);
		set(&driver, RDLEN, length);
		set(&driver, TDH, head);
		set(&driver, RDH, head);
		set(&driver, TDT, tail);
		set(&driver, RDT, tail);
		test_port_forget(&driver.port);
		for (unsigned turn = 0; turn < 300; turn++)
			loop_turn(driver.machine.loop, 0);
		CHECK(test_port_offer(&driver.port, frame, 64));
		if (head >= length / 16 || tail >= length / 16)
			CHECK_EQUAL(driver.port.count, 0);
		test_port_forget(&driver.port);
		set(&driver, TDH, 0); /* moved while the ring is at work */
		set(&driver, TDLEN, 128);
	}
	check_alive(&driver);
	driver_free(&driver);
}

static void test_frames_without_end(void)
{
	struct driver driver;

	driver_new(&driver, false);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 63; i++)
			tx_legacy(&driver, TX_BUFFERS, 16, RS, 0, 0, 0);
		tx_kick(&driver);
		driver_settle(&driver);
		CHECK_EQUAL(reg(&driver, TDH), driver.tx_tail); /* not stuck */
		CHECK_EQUAL(driver.port.count, 0);
	}
	/* more pieces than a frame may have, and more bytes */
	for (unsigned i = 0; i < 62; i++)
		tx_legacy(&driver, TX_BUFFERS + i * 100, 1, 0, 0, 0, 0);
	tx_legacy(&driver, TX_BUFFERS, 60, EOP | RS, 0, 0, 0);
	tx_kick(&driver);
	driver_settle(&driver);
	for (unsigned i = 0; i < 20; i++)
		tx_data(&driver, TX_BUFFERS, 0xfffff, i == 19 ? EOP | RS : 0, 0, 0);
	tx_legacy(&driver, TX_BUFFERS, 0xffff, 0, 0, 0, 0);
	tx_legacy(&driver, TX_BUFFERS, 0xffff, EOP | RS, 0, 0, 0);
	tx_legacy(&driver, TX_BUFFERS, 0, EOP | RS, 0, 0, 0);
	tx_legacy(&driver, TX_BUFFERS, 13, EOP | RS, 0, 0, 0);
	tx_kick(&driver);
	driver_settle(&driver);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD);
	CHECK(driver.port.count <= 1);
	check_alive(&driver);
	driver_free(&driver);
}

/* A ring larger than one budget, all of one frame. */
static void test_long_ring(void)
{
	struct driver driver;

	driver_new(&driver, false);
	driver.tx_entries = 4096; /* over the receive ring, which is off */
	set(&driver, RCTL, 0);
	set(&driver, TDLEN, 4096 * 16);
	for (unsigned i = 0; i < 4000; i++)
		tx_legacy(&driver, TX_BUFFERS, 16, i % 1000 == 999 ? EOP : 0, 0, 0, 0);
	tx_kick(&driver);
	driver_settle(&driver);
	CHECK_EQUAL(reg(&driver, TDH), 4000);
	for (unsigned i = 0; i < 400; i++)
		tx_legacy(&driver, TX_BUFFERS, 64, EOP | RS, 0, 0, 0);
	tx_kick(&driver);
	driver_settle(&driver);
	CHECK(driver.port.count >= 400);
	check_alive(&driver);
	driver_free(&driver);
}

static void test_impossible_segments(void)
{
	static const struct {
		unsigned header, mss, length;
	} cases[] = {{54, 0, 3000},	  {0, 1000, 3000},    {53, 1000, 3000}, {255, 1000, 3000},
		     {252, 1000, 252},	  {54, 1000, 54},     {54, 1000, 30},	{54, 0xffff, 3000},
		     {54, 0x3fff, 60000}, {200, 65535, 65535}};
	struct packet packet = packet_out(60000);
	struct driver driver;

	for (unsigned i = 0; i < 20; i++) {
		bool offloads = i >= 10;
		unsigned k = i % 10;

		driver_new(&driver, offloads);
		packet.v6 = k & 1;
		packet_build(&packet, frame);
		tx_context(&driver, &packet, TSE, 60000, cases[k].header, cases[k].mss);
		tx_data(&driver, tx_copy(&driver, frame, cases[k].length), cases[k].length,
			TSE | EOP | RS, IXSM | TXSM, 0);
		tx_kick(&driver);
		driver_settle(&driver);
		CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD);
		if (k < 8 && k != 6) /* that one is padded to something possible */
			CHECK_EQUAL(driver.port.count, 0);
		check_alive(&driver);
		driver_free(&driver);
	}
}

/* Segments and tags of what is no TCP: whatever comes out, its lengths are right. */
static void test_noise_in_descriptors(void)
{
	for (unsigned offloads = 0; offloads < 2; offloads++) {
		struct packet packet = packet_out(3000);
		struct driver driver;

		driver_new(&driver, offloads);
		set(&driver, CTRL, reg(&driver, CTRL) | CTRL_VME);
		for (unsigned i = 0; i < 4000; i++) {
			uint64_t buffer;
			uint32_t length;

			if (i % 8 == 0)
				test_port_forget(&driver.port);
			packet.v6 = unit_random() & 1;
			length = packet_build(&packet, frame);
			frame[12 + unit_random() % 50] = (uint8_t)unit_random();
			buffer = tx_copy(&driver, frame, length);
			if (unit_random() & 1)
				tx_context(&driver, &packet, unit_random() & 0xff, 3000,
					   unit_random() & 0xff, 1000 + unit_random() % 9000);
			else if (unit_random() & 1)
				tx_put(&driver, (uint64_t)unit_random() << 32 | unit_random(),
				       0x20000000 | (unit_random() & 0xffffff),
				       unit_random() | 0xff000000);
			tx_data(&driver, buffer, unit_random() % 3200, unit_random() & 0xff,
				unit_random() & 3, (uint16_t)unit_random());
			if (unit_random() % 16 == 0)
				tx_put(&driver, unit_random(), unit_random(), unit_random());
			tx_legacy(&driver, buffer, unit_random() % 2000, unit_random() & 0xdf,
				  unit_random() & 0xff, unit_random() & 0xff, 0);
			tx_kick(&driver);
			loop_turn(driver.machine.loop, 0);
		}
		check_alive(&driver);
		driver_free(&driver);
	}
}

/* The same descriptors over and over, changed while they are worked on; registers at random. */
static void test_noise_in_registers(void)
{
	static const unsigned hot[] = {RCTL, TCTL, TDT,	 RDT,  TDLEN, RDLEN, TDH,  RDH,
				       CTRL, EECD, MDIC, EERD, ICS,   IMS,   RDTR, ITR};
	struct driver driver;

	driver_new(&driver, false);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned at = unit_random() % 3 ? hot[unit_random() % 16] : unit_random() % 0x6000;
		uint32_t value = unit_random() >> unit_random() % 32;

		if (i % 100 == 0) {
			unit_fill(driver.memory + TX_RING, 1024, i);
			unit_fill(driver.memory + RX_RING, 1024, i + 1);
			test_port_forget(&driver.port);
			clock_turn(&driver.machine.clock, 50000);
		}
		if (i % 1000 == 0)
			driver_start(&driver);
		if (unit_random() % 4 == 0)
			reg(&driver, at);
		else
			set(&driver, at, value);
		if (unit_random() % 8 == 0)
			test_port_offer(&driver.port, frame, 60 + unit_random() % 1500);
		if (unit_random() % 64 == 0)
			test_port_forget(&driver.port);
	}
	inprocess_config_write(driver.machine.vm, bus_bdf(0, 3, 0), 4, 2, 7);
	check_alive(&driver);
	driver_free(&driver);
}

/* A frame that needs more slots than the engine looks at. */
static void test_receive_of_many_slots(void)
{
	struct driver driver;

	driver_new(&driver, false);
	driver.rx_entries = 256;
	set(&driver, RDLEN, 256 * 16);
	set(&driver, RCTL, RCTL_EN | RCTL_UPE | RCTL_LPE | 3 << RCTL_BSIZE);
	for (unsigned i = 0; i < 256; i++)
		*rx_slot(&driver, i) = (struct slot){RX_BUFFERS, 0, 0};
	set(&driver, RDT, 255);
	CHECK(test_port_offer(&driver.port, frame, 16380));
	CHECK_EQUAL(reg(&driver, RDH), 64);
	CHECK(test_port_offer(&driver.port, frame, 16384));
	CHECK_EQUAL(reg(&driver, RDH), 64);
	CHECK(test_port_offer(&driver.port, frame, 60000));
	driver_free(&driver);
}

UNIT_FILE(hostile, {"addresses_out_of_memory", test_addresses_out_of_memory},
	  {"rings_out_of_memory", test_rings_out_of_memory},
	  {"heads_and_tails", test_heads_and_tails},
	  {"frames_without_end", test_frames_without_end}, {"long_ring", test_long_ring},
	  {"impossible_segments", test_impossible_segments},
	  {"noise_in_descriptors", test_noise_in_descriptors},
	  {"noise_in_registers", test_noise_in_registers},
	  {"receive_of_many_slots", test_receive_of_many_slots});
