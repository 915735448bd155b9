/* SPDX-License-Identifier: Apache-2.0 */

/* Everything that is counted adds up, whatever happened; and each reason is told for what it is. */
#include "bare.h"
#include "driver.h"

#include <stdlib.h>
#include <string.h>

static struct error err;

static const struct nic_stats *check(struct driver *driver)
{
	struct nic_sums sums;

	instance_sums(driver->instance, &sums);
	check_sums(&sums);
	return instance_nic_stats(driver->instance);
}

static void kick(struct driver *driver)
{
	tx_kick(driver);
	driver_settle(driver);
}

/* ---- slots ---- */

static void good(struct driver *driver, unsigned length, unsigned command)
{
	tx_legacy(driver, TX_BUFFERS, length, command, 0, 0, 0);
}

static void cut_at_nothing(struct driver *driver)
{
	struct packet packet = packet_out(3000);

	tx_context(driver, &packet, TSE, 3000, 54, 0);
	tx_data(driver, TX_BUFFERS, 3054, EOP | RS | TSE, 0, 0);
}

static void test_reasons_of_slots(void)
{
	struct driver driver;
	const uint64_t *rejected;

	driver_new(&driver, false);
	rejected = check(&driver)->tx_slots.rejected;
	good(&driver, 60, EOP | RS);
	kick(&driver);
	CHECK_EQUAL(check(&driver)->tx_slots.completed, 1);
	tx_legacy(&driver, MACHINE_MEMORY, 60, EOP, 0, 0, 0);
	good(&driver, 60, EOP | RS); /* with the one before it in one batch */
	kick(&driver);
	CHECK_EQUAL(rejected[SLOT_MEMORY], 1);
	CHECK_EQUAL(check(&driver)->tx_slots.completed, 2);
	good(&driver, 5, 0);
	good(&driver, 8, EOP | RS);
	kick(&driver);
	CHECK_EQUAL(rejected[SLOT_SHORT], 2);
	for (unsigned i = 0; i < 63; i++)
		good(&driver, 1, i == 62 ? EOP | RS : 0);
	kick(&driver);
	CHECK_EQUAL(rejected[SLOT_LONG], 63);
	for (unsigned i = 0; i < 63; i++)
		good(&driver, 16, RS);
	kick(&driver);
	CHECK_EQUAL(rejected[SLOT_ENDLESS], 63);
	cut_at_nothing(&driver);
	kick(&driver);
	CHECK_EQUAL(rejected[SLOT_ASKS], 1); /* the context is none of it */
	CHECK_EQUAL(check(&driver)->tx_slots.completed, 3);
	CHECK_EQUAL(check(&driver)->tx_slots.fetched, 1 + 2 + 2 + 63 + 63 + 2);
	CHECK_EQUAL(check(&driver)->tx_faults, 5);
	set(&driver, TDBAL, MACHINE_MEMORY);
	good(&driver, 60, EOP);
	kick(&driver);
	CHECK_EQUAL(rejected[SLOT_MEMORY], 2);
	driver_free(&driver);
}

static void test_slots_that_are_none(void)
{
	static const char text[] =
		"<card name='odd' title='Odd'>"
		"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
		"<bar index='0' space='memory' size='4K' bank='r'/>"
		"<bank name='r'><register name='TAIL' at='0' do='wake tx' do-on='any'/>"
		"<register name='HEAD' at='4'/></bank>"
		"<record name='slot' size='16'><field name='address' bits='63:0'/>"
		"<field name='length' bits='79:64'/><field name='KIND' bits='88'/>"
		"<field name='FIRST' bits='89'/><field name='LAST' bits='90'/></record>"
		"<ring name='tx' for='transmit' next='array' base='0x10000' end='entries 16' "
		"cursor='HEAD' ready='until TAIL'>"
		"<use record='slot' as='data' when='not KIND' first='FIRST' last='LAST'>"
		"<buffer address='address' length='length'/></use></ring></card>";
	enum { KIND = 1, FIRST = 2, LAST = 4 };
	static const uint8_t flags[] = {LAST,  FIRST, FIRST | LAST, KIND,  KIND | FIRST,
					FIRST, KIND,  LAST,	    FIRST, LAST};
	const struct nic_slots *slots;
	struct bare bare;

	bare_new(&bare, bare_card(text), false);
	for (unsigned i = 0; i < sizeof(flags); i++) {
		uint8_t *slot = bare.memory + 0x10000 + i * 16;

		slot[2] = 2; /* 0x20000 */
		slot[8] = 30;
		slot[11] = flags[i];
	}
	bare_write(&bare, 0, sizeof(flags));
	slots = &nic_stats(bare.nic)->tx_slots;
	CHECK_EQUAL(bare.port.count, 3);
	CHECK_EQUAL(slots->fetched, 10);
	CHECK_EQUAL(slots->rejected[SLOT_STRAY], 1);
	CHECK_EQUAL(slots->rejected[SLOT_ENDLESS], 1);
	CHECK_EQUAL(slots->rejected[SLOT_UNKNOWN], 3);
	CHECK_EQUAL(slots->completed, 5);
	bare_free(&bare);
}

static void test_receive_buffers_that_are_none(void)
{
	uint8_t frame[64] = {0};
	const struct nic_slots *slots;
	struct driver driver;

	driver_new(&driver, false);
	memcpy(frame, test_mac, 6);
	rx_fill(&driver, 3);
	rx_slot(&driver, 1)->address = MACHINE_MEMORY;
	for (unsigned i = 0; i < 4; i++)
		test_port_offer(&driver.port, frame, sizeof(frame));
	slots = &check(&driver)->rx_slots;
	CHECK_EQUAL(slots->fetched, 3);
	CHECK_EQUAL(slots->completed, 2);
	CHECK_EQUAL(slots->rejected[SLOT_MEMORY], 1);
	CHECK_EQUAL(check(&driver)->rx_no_room, 1);
	driver_free(&driver);
}

/* ---- anything, in any order ---- */

static void send_anything(struct driver *driver)
{
	struct packet packet = packet_out(1000 + unit_random() % 4000);

	for (unsigned i = unit_random() % 6; i < 6; i++) {
		unsigned length =
			unit_random() % 8 ? 14 + unit_random() % 1500 : unit_random() % 20;
		uint64_t at = unit_random() % 16 ? TX_BUFFERS : MACHINE_MEMORY - 30;

		switch (unit_random() % 4) {
		case 0:
			tx_context(driver, &packet, unit_random() % 2 ? TSE : 0, packet.length, 54,
				   unit_random() % 5 * 300);
			break;
		case 1:
			tx_data(driver, at, length,
				RS | (unit_random() % 3 ? EOP : 0) | (unit_random() % 2 ? TSE : 0),
				unit_random() % 4, 0);
			break;
		default:
			tx_legacy(driver, at, length, RS | (unit_random() % 4 ? EOP : 0), 0, 0, 0);
		}
	}
	tx_kick(driver);
}

static void offer_anything(struct driver *driver)
{
	static uint8_t data[8192];
	struct frame frame = {.iovs = 1,
			      .length = unit_random() % 8 ? 60 + unit_random() % 1460
							  : unit_random() % 3000};
	struct packet packet = packet_in(1 + unit_random() % 5000);

	memset(data, 0, sizeof(data));
	memcpy(data, test_mac, 6);
	data[0] ^= unit_random() % 4 == 0;
	if (unit_random() % 3 == 0) {
		frame.length = packet_build(&packet, data);
		frame.flags = FRAME_TCP4;
		frame.header_length = 54;
		frame.segment_size = (uint16_t)(unit_random() % 900);
	}
	frame.iov[0] = (struct iovec){data, frame.length};
	test_port_offer_frame(&driver->port, &frame);
	if (unit_random() % 2)
		rx_fill(driver, 2);
}

static void sent(struct driver *driver, unsigned count)
{
	struct port_peer *peer = &driver->port.port.peer;

	if (driver->port.ops.defers && count)
		peer->sent(peer->context, count);
}

static void change_anything(struct driver *driver)
{
	const struct rate_limits some = {.tx_frames = 20000, .rx_frames = 20000}, none = {0};

	switch (unit_random() % 12) {
	case 0:
		set(driver, CTRL, CTRL_RST);
		driver_start(driver);
		break;
	case 1:
		set(driver, RCTL, reg(driver, RCTL) ^ (unit_random() % 2 ? RCTL_EN : RCTL_LBM));
		break;
	case 2:
		set(driver, TCTL, reg(driver, TCTL) ^ TCTL_EN);
		break;
	case 3:
		instance_link(driver->instance, unit_random() % 2);
		break;
	case 4:
		if (instance_reload(driver->instance, test_card("e1000"), false, &err) < 0)
			unit_failed(__FILE__, __LINE__, "%s", err.text);
		break;
	case 5:
		CHECK(instance_rate(driver->instance, unit_random() % 2 ? &some : &none, &err) ==
		      0);
		break;
	default:
		driver->port.room = unit_random() % 3 ? SENT_MAX : unit_random() % 4;
		if (driver->port.room)
			test_port_writable(&driver->port);
	}
}

static void anything(bool offloads, bool defers)
{
	struct driver driver;
	unsigned had = 0;

	driver_new(&driver, offloads);
	driver.port.ops.defers = defers;
	CHECK(instance_rate(driver.instance, &(struct rate_limits){.tx_frames = 1}, &err) == 0);
	CHECK(instance_rate(driver.instance, &(struct rate_limits){0}, &err) == 0);
	for (unsigned i = 0; i < 3000; i++) {
		send_anything(&driver);
		check(&driver);
		offer_anything(&driver);
		check(&driver);
		clock_turn(&driver.machine.clock, unit_random() % 200000);
		loop_turn(driver.machine.loop, 0);
		check(&driver);
		had += driver.port.count;
		test_port_forget(&driver.port);
		if (defers && had && unit_random() % 2) {
			unsigned some = unit_random() % (had + 1);

			sent(&driver, some);
			had -= some;
		}
		if (unit_random() % 4 == 0)
			change_anything(&driver);
		check(&driver);
	}
	CHECK(check(&driver)->tx_frames > 1000 && check(&driver)->rx_frames > 300);
	driver_free(&driver);
}

static void test_anything(void)
{
	for (unsigned i = 0; i < 4; i++)
		anything(i & 1, i & 2);
}

UNIT_FILE(sums, {"reasons_of_slots", test_reasons_of_slots},
	  {"slots_that_are_none", test_slots_that_are_none},
	  {"receive_buffers_that_are_none", test_receive_buffers_that_are_none},
	  {"anything", test_anything});
