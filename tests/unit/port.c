/* SPDX-License-Identifier: Apache-2.0 */

/* The port seam: filters, frames that have gone later, the host's NIC and its errors. */
#include "bare.h"
#include "driver.h"

#include "nic/nic.h"

#include <string.h>

static uint8_t frame[PACKET_MAX];

static uint64_t number(const uint8_t *mac)
{
	uint64_t value = 0;

	memcpy(&value, mac, 6);
	return value;
}

static bool told(const struct port_filter *filter, uint64_t address)
{
	for (unsigned i = 0; i < filter->count; i++) {
		if (filter->addresses[i] == address)
			return true;
	}
	return false;
}

/* ---- filters ---- */

static void test_filter_is_told_when_it_changes(void)
{
	struct driver driver;
	const struct port_filter *filter = &driver.port.filter;
	unsigned times;

	driver_new(&driver, true);
	driver_settle(&driver);
	CHECK(told(filter, number(test_mac)));
	CHECK(filter->broadcast && !filter->all && !filter->all_groups && filter->all_vlans);
	times = driver.port.filters;
	tx_packet(&driver, &(struct packet){0}, 1);
	set(&driver, ITR, 100);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.filters, times); /* nothing of it has changed */

	set(&driver, RAL + 8, 0x005e0001);
	set(&driver, RAH + 8, 0x80000500);
	driver_settle(&driver);
	CHECK(told(filter, 0x0500005e0001) && filter->count == 2);
	set(&driver, MTA + 40, 0x10);
	driver_settle(&driver);
	CHECK(filter->all_groups && !filter->all); /* a hash says no addresses */
	set(&driver, MTA + 40, 0);
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_UPE);
	driver_settle(&driver);
	CHECK(filter->all && !filter->all_groups && filter->broadcast);
	set(&driver, RCTL, (reg(&driver, RCTL) | RCTL_MPE) & ~(uint32_t)(RCTL_UPE | RCTL_BAM));
	driver_settle(&driver);
	CHECK(!filter->all && filter->all_groups && !filter->broadcast);
	set(&driver, RCTL, reg(&driver, RCTL) & ~(uint32_t)RCTL_MPE);
	driver_settle(&driver);
	CHECK(!filter->all && !filter->broadcast && !filter->all_groups);

	set(&driver, RCTL, reg(&driver, RCTL) & ~(uint32_t)RCTL_EN);
	driver_settle(&driver);
	CHECK(filter->count == 0); /* takes nothing */
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_EN);
	driver_settle(&driver);
	CHECK_EQUAL(filter->count, 2);
	set(&driver, CTRL, CTRL_RST);
	driver_settle(&driver);
	CHECK_EQUAL(filter->count, 0);
	driver_free(&driver);
}

static void test_filter_of_vlans(void)
{
	struct driver driver;
	const struct port_filter *filter = &driver.port.filter;

	driver_new(&driver, true);
	set(&driver, VFTA + 4 * 4, 1u << 5);
	driver_settle(&driver);
	CHECK(filter->all_vlans);
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_VFE);
	driver_settle(&driver);
	CHECK(!filter->all_vlans);
	for (unsigned id = 0; id < PORT_VLANS; id++)
		CHECK_EQUAL(filter->vlans[id / 64] >> id % 64 & 1, id == 4 * 32 + 5);
	driver_free(&driver);
}

/* Whatever is programmed: what the NIC takes, the port was told to hand over. */
static void test_filter_is_never_too_narrow(void)
{
	struct driver driver;
	struct received received;
	unsigned taken = 0, spared = 0;

	driver_new(&driver, false);
	rx_fill(&driver, 30);
	set(&driver, VET, 0x8100);
	for (unsigned turn = 0; turn < 400; turn++) {
		struct packet packet = packet_in(100);
		uint32_t length, random = unit_random();
		bool passes, wanted;

		set(&driver, RCTL,
		    RCTL_EN | RCTL_SECRC | (random & (RCTL_BAM | RCTL_VFE)) |
			    (random % 7 ? 0 : RCTL_UPE) | (random % 5 ? 0 : RCTL_MPE));
		set(&driver, RAL + 8 * (random >> 8 & 15), random & 0x00030303);
		set(&driver, RAH + 8 * (random >> 8 & 15), random << 16 & 0x80000000);
		set(&driver, MTA + 4 * (random >> 12 & 127), random % 3 ? 0 : ~0u);
		set(&driver, VFTA + 4 * (random >> 20 & 127), random >> 3);
		driver_settle(&driver);
		random = unit_random();
		memset(packet.to, 0, 6);
		memcpy(packet.to,
		       random & 1 ? test_mac : (uint8_t *)&(uint32_t){random >> 8 & 0x030303},
		       random & 1 ? 6 : 4);
		if (random % 9 == 0)
			memset(packet.to, 255, 6);
		packet.tagged = random >> 4 & 1;
		packet.tci = (uint16_t)(random >> 5);
		length = packet_build(&packet, frame);
		wanted = port_filter_takes(&driver.port.filter, frame, length);
		CHECK(test_port_offer(&driver.port, frame, length));
		passes = rx_take(&driver, &received);
		CHECK(!passes || wanted);
		if (passes)
			rx_fill(&driver, 1);
		taken += passes;
		spared += !wanted;
	}
	CHECK(taken > 20 && spared > 20);
	driver_free(&driver);
}

/* Cards whose conditions ask for whom a frame is, whose addresses come in a frame, … */
static void test_filter_of_other_cards(void)
{
	static const char *const names[] = {"natsemi", "sis900", "rtl8139", "tulip", "via-rhine"};

	for (unsigned i = 0; i < 5; i++) {
		struct port_filter none = {0};
		struct bare bare;

		bare_new(&bare, test_card(names[i]), false);
		bare_settle(&bare);
		CHECK(!memcmp(&bare.port.filter, &none, sizeof(none)) && bare.port.filters == 1);
		bare_free(&bare);
	}
}

/* ---- frames that have gone later ---- */

static void sent(struct driver *driver, unsigned count)
{
	driver->port.port.peer.sent(driver->port.port.peer.context, count);
	driver_settle(driver);
}

static unsigned done_of(struct driver *driver, unsigned slots)
{
	unsigned done = 0;

	for (unsigned i = 0; i < slots; i++)
		done += tx_slot(driver, slots - i)->high & DD;
	return done;
}

static void queue(struct driver *driver, unsigned count)
{
	struct packet packet = packet_out(100);
	uint32_t length = packet_build(&packet, frame);

	for (unsigned i = 0; i < count; i++)
		tx_legacy(driver, tx_copy(driver, frame, length), length, EOP | IFCS | RS, 0, 0, 0);
	tx_kick(driver);
	driver_settle(driver);
}

static void test_the_driver_is_told_when_the_port_says_so(void)
{
	struct driver driver;

	driver_new(&driver, true);
	driver.port.ops.defers = true;
	queue(&driver, 10);
	CHECK_EQUAL(driver.port.count, 10);
	CHECK_EQUAL(done_of(&driver, 10), 0);
	CHECK_EQUAL(reg(&driver, TDH), 0);
	sent(&driver, 3);
	CHECK_EQUAL(done_of(&driver, 10), 3);
	CHECK_EQUAL(reg(&driver, TDH), 3);
	queue(&driver, 5);
	CHECK_EQUAL(driver.port.count, 15); /* each once */
	CHECK_EQUAL(reg(&driver, TDH), 3);
	sent(&driver, 12);
	CHECK_EQUAL(reg(&driver, TDH), 15);
	CHECK_EQUAL(done_of(&driver, 15), 15);
	CHECK_EQUAL(driver.port.count, 15);
	sent(&driver, 5); /* of nothing */
	queue(&driver, 1);
	CHECK_EQUAL(reg(&driver, TDH), 15);
	driver_free(&driver);
}

static void test_gone_while_given(void)
{
	struct driver driver;

	driver_new(&driver, true);
	driver.port.ops.defers = true;
	driver.port.room = 4;
	queue(&driver, 10);
	CHECK_EQUAL(driver.port.count, 4);
	driver.port.room = 4;
	sent(&driver, 2); /* what is done makes room */
	CHECK_EQUAL(driver.port.count, 8);
	CHECK_EQUAL(reg(&driver, TDH), 2);
	test_port_writable(&driver.port);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.count, 10);
	/* a ring that is stopped forgets them; what the port still says of them is of no ring */
	set(&driver, CTRL, CTRL_RST);
	driver_settle(&driver);
	driver_start(&driver);
	test_port_forget(&driver.port);
	queue(&driver, 3);
	CHECK_EQUAL(driver.port.count, 3);
	sent(&driver, 8);
	CHECK_EQUAL(done_of(&driver, 3), 0);
	sent(&driver, 2);
	CHECK_EQUAL(done_of(&driver, 3), 2);
	driver_free(&driver);
}

/* ---- the host's NIC ---- */

static void test_health_reaches_the_card(void)
{
	struct port_health health = {.mbps = 100, .rx_errors = 3, .rx_missed = 5, .tx_errors = 7};
	struct driver driver;
	struct port *port = &driver.port.port;
	uint32_t missed;

	driver_new(&driver, true);
	missed = reg(&driver, 0x4010);
	CHECK_EQUAL(reg(&driver, STATUS) >> 6 & 3, 2); /* not known: as fast as it can */
	port_health(port, &health);
	driver_settle(&driver);
	CHECK_EQUAL(reg(&driver, STATUS) >> 6 & 3, 1);
	CHECK_EQUAL(reg(&driver, 0x4010), 5 + missed); /* MPC */
	CHECK_EQUAL(reg(&driver, 0x4000), 3);	       /* CRCERRS */
	health.rx_errors = 4;
	health.mbps = 10000;
	port_health(port, &health);
	CHECK_EQUAL(reg(&driver, 0x4000), 1);
	CHECK_EQUAL(reg(&driver, STATUS) >> 6 & 3, 2);
	driver_free(&driver);
}

static void test_carrier_and_operator(void)
{
	struct driver driver;
	struct port *port = &driver.port.port;

	driver_new(&driver, true);
	CHECK(reg(&driver, STATUS) & 2);
	instance_link(driver.instance, false);
	CHECK(!(reg(&driver, STATUS) & 2));
	port_link(port, false);
	port_link(port, true); /* does not undo what the operator has said */
	CHECK(!(reg(&driver, STATUS) & 2));
	port_link(port, false);
	instance_link(driver.instance, true);
	CHECK(!(reg(&driver, STATUS) & 2));
	port_link(port, true);
	CHECK(reg(&driver, STATUS) & 2);
	driver_free(&driver);
}

UNIT_FILE(port, {"filter_is_told_when_it_changes", test_filter_is_told_when_it_changes},
	  {"filter_of_vlans", test_filter_of_vlans},
	  {"filter_is_never_too_narrow", test_filter_is_never_too_narrow},
	  {"filter_of_other_cards", test_filter_of_other_cards},
	  {"the_driver_is_told_when_the_port_says_so",
	   test_the_driver_is_told_when_the_port_says_so},
	  {"gone_while_given", test_gone_while_given},
	  {"health_reaches_the_card", test_health_reaches_the_card},
	  {"carrier_and_operator", test_carrier_and_operator});
