/* SPDX-License-Identifier: Apache-2.0 */

/* Which frames a card takes. */
#include "driver.h"

#include <string.h>

static uint8_t frame[PACKET_MAX];
static struct received received;

static bool passes(struct driver *driver, const uint8_t *to, int tag)
{
	struct packet packet = packet_in(100);
	uint32_t length;
	bool taken;

	memcpy(packet.to, to, 6);
	packet.tagged = tag >= 0;
	packet.tci = (uint16_t)tag;
	length = packet_build(&packet, frame);
	CHECK(test_port_offer(&driver->port, frame, length));
	taken = rx_take(driver, &received);
	if (taken)
		rx_fill(driver, 1);
	return taken;
}

static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
static const uint8_t other[6] = {0x52, 0x54, 0, 1, 2, 3};
static const uint8_t group[6] = {0x33, 0x33, 0, 1, 0xa5, 0x5a};

static void test_unicast(void)
{
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 20);
	CHECK(passes(&driver, test_mac, -1));
	CHECK(!passes(&driver, other, -1));
	set(&driver, RAL + 15 * 8, 0x01005452);
	set(&driver, RAH + 15 * 8, 0x0302);
	CHECK(!passes(&driver, other, -1)); /* not valid */
	set(&driver, RAH + 15 * 8, 0x80000302);
	CHECK(passes(&driver, other, -1));
	set(&driver, RAH, 0);
	CHECK(!passes(&driver, test_mac, -1));
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_UPE);
	CHECK(passes(&driver, test_mac, -1));
	CHECK(!passes(&driver, group, -1));
	driver_free(&driver);
}

static void test_broadcast(void)
{
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 20);
	CHECK(passes(&driver, broadcast, -1));
	set(&driver, RCTL, reg(&driver, RCTL) & ~(uint32_t)RCTL_BAM);
	CHECK(!passes(&driver, broadcast, -1));
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_UPE | RCTL_MPE); /* stations, other groups */
	CHECK(!passes(&driver, broadcast, -1));
	CHECK_EQUAL(reg(&driver, 0x4078), 1); /* BPRC */
	driver_free(&driver);
}

static void test_multicast_hash(void)
{
	static const unsigned shifts[] = {4, 3, 2, 0};
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 20);
	for (unsigned offset = 0; offset < 4; offset++) {
		unsigned hash = ((group[4] | (unsigned)group[5] << 8) >> shifts[offset]) & 0xfff;

		set(&driver, RCTL, RCTL_EN | RCTL_SECRC | offset << RCTL_MO);
		CHECK(!passes(&driver, group, -1));
		set(&driver, MTA + hash / 32 * 4, 1u << hash % 32);
		CHECK(passes(&driver, group, -1));
		set(&driver, MTA + hash / 32 * 4, ~(1u << hash % 32));
		CHECK(!passes(&driver, group, -1));
		set(&driver, MTA + hash / 32 * 4, 0);
	}
	set(&driver, RCTL, RCTL_EN | RCTL_SECRC | RCTL_MPE);
	CHECK(passes(&driver, group, -1));
	CHECK(!passes(&driver, other, -1));
	driver_free(&driver);
}

static void test_vlan_filter(void)
{
	struct driver driver;

	driver_new(&driver, false);
	rx_fill(&driver, 20);
	set(&driver, VET, 0x8100);
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_VFE);
	CHECK(!passes(&driver, test_mac, 0x123));
	CHECK(passes(&driver, test_mac, -1)); /* untagged */
	set(&driver, VFTA + 0x123 / 32 * 4, 1u << 0x123 % 32);
	CHECK(passes(&driver, test_mac, 0x123));
	CHECK(passes(&driver, test_mac, 0xe123)); /* priority is not looked at */
	CHECK(!passes(&driver, test_mac, 0x124));
	CHECK(!passes(&driver, other, 0x123));
	driver_free(&driver);
}

UNIT_FILE(filter, {"unicast", test_unicast}, {"broadcast", test_broadcast},
	  {"multicast_hash", test_multicast_hash}, {"vlan_filter", test_vlan_filter});
