/* SPDX-License-Identifier: Apache-2.0 */

/* EEPROM, PHY, counters, resets, register access. */
#include "driver.h"

#include <string.h>

static uint8_t frame[2048];

/* ---- EEPROM ---- */

static uint16_t eerd(struct driver *driver, unsigned word)
{
	uint32_t value;

	set(driver, EERD, word << 8 | 1);
	value = reg(driver, EERD);
	CHECK_EQUAL(value & 0x11, 0x10); /* done, start has cleared itself */
	return (uint16_t)(value >> 16);
}

static void test_eeprom(void)
{
	struct driver driver;
	uint16_t sum = 0;

	driver_new(&driver, false);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQUAL(eerd(&driver, i), test_mac[i * 2] | test_mac[i * 2 + 1] << 8);
	for (unsigned i = 0; i < 64; i++)
		sum = (uint16_t)(sum + eerd(&driver, i));
	CHECK_EQUAL(sum, 0xbaba);
	CHECK_EQUAL(eerd(&driver, 64), 0xffff); /* there is no more */
	driver_free(&driver);
}

enum { SK = 1, CS = 2, DI = 4, DO = 8, REQ = 0x40, GNT = 0x80 };

static bool bit(struct driver *driver, bool in)
{
	uint32_t level = REQ | CS | (in ? DI : 0u);

	set(driver, EECD, level);
	set(driver, EECD, level | SK);
	set(driver, EECD, level);
	return reg(driver, EECD) & DO;
}

static void bits(struct driver *driver, unsigned count, unsigned value)
{
	while (count--)
		bit(driver, value >> count & 1);
}

static uint16_t word_in(struct driver *driver)
{
	unsigned value = 0;

	for (unsigned i = 0; i < 16; i++)
		value = value << 1 | bit(driver, false);
	return (uint16_t)value;
}

static void deselect(struct driver *driver)
{
	set(driver, EECD, REQ);
	set(driver, EECD, REQ | SK);
	set(driver, EECD, REQ);
}

static uint16_t wires_read(struct driver *driver, unsigned address)
{
	uint16_t value;

	bits(driver, 3, 6);
	bits(driver, 6, address);
	CHECK_EQUAL(reg(driver, EECD) & DO, 0); /* the leading zero */
	value = word_in(driver);
	deselect(driver);
	return value;
}

static void wires_write(struct driver *driver, unsigned address, uint16_t value)
{
	bits(driver, 3, 5);
	bits(driver, 6, address);
	bits(driver, 16, value);
	CHECK_EQUAL(reg(driver, EECD) & DO, DO); /* ready */
	deselect(driver);
}

static void wires_command(struct driver *driver, unsigned opcode, unsigned address)
{
	bits(driver, 3, opcode);
	bits(driver, 6, address);
	deselect(driver);
}

static void test_microwire(void)
{
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, EECD, REQ);
	CHECK_EQUAL(reg(&driver, EECD) & GNT, GNT);
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQUAL(wires_read(&driver, i), eerd(&driver, i));
	/* goes on with the next word */
	bits(&driver, 3, 6);
	bits(&driver, 6, 0);
	for (unsigned i = 0; i < 66; i++)
		CHECK_EQUAL(word_in(&driver), i < 64 ? eerd(&driver, i) : 0xffff);
	deselect(&driver);
	/* leading zeros before the start bit */
	bits(&driver, 5, 0);
	CHECK_EQUAL(wires_read(&driver, 1), eerd(&driver, 1));
	set(&driver, EECD, 0);
	CHECK_EQUAL(reg(&driver, EECD) & GNT, 0);
	driver_free(&driver);
}

static void test_microwire_writes(void)
{
	struct driver driver;

	driver_new(&driver, false);
	wires_write(&driver, 40, 0x1234); /* not enabled */
	CHECK_EQUAL(wires_read(&driver, 40), 0);
	wires_command(&driver, 4, 0x30);
	wires_write(&driver, 40, 0x1234);
	CHECK_EQUAL(wires_read(&driver, 40), 0x1234);
	CHECK_EQUAL(eerd(&driver, 40), 0x1234);
	wires_command(&driver, 7, 40); /* erase */
	CHECK_EQUAL(wires_read(&driver, 40), 0xffff);
	wires_command(&driver, 4, 0x00);
	wires_write(&driver, 40, 0x1234);
	CHECK_EQUAL(wires_read(&driver, 40), 0xffff);
	/* a new address in the EEPROM is the card's after a reset */
	wires_command(&driver, 4, 0x30);
	wires_write(&driver, 2, 0x7856);
	set(&driver, CTRL, CTRL_RST);
	CHECK_EQUAL(reg(&driver, RAH), 0x80007856);
	driver_free(&driver);
}

/* ---- PHY ---- */

enum { MDI_WRITE = 1 << 26, MDI_READ = 2 << 26, MDI_READY = 1 << 28, MDI_INTERRUPT = 1 << 29 };

static uint16_t phy_read(struct driver *driver, unsigned at, unsigned chip)
{
	set(driver, MDIC, MDI_READ | chip << 21 | at << 16);
	CHECK_EQUAL(reg(driver, MDIC) & MDI_READY, MDI_READY);
	return (uint16_t)reg(driver, MDIC);
}

static void test_phy(void)
{
	struct driver driver;

	driver_new(&driver, false);
	CHECK_EQUAL(phy_read(&driver, 2, 1), 0x0141);
	CHECK_EQUAL(phy_read(&driver, 3, 1), 0x0c20);
	CHECK_EQUAL(phy_read(&driver, 2, 2), 0xffff); /* no such chip */
	CHECK_EQUAL(phy_read(&driver, 1, 1) & 0x24, 0x24);
	instance_link(driver.instance, false);
	CHECK_EQUAL(phy_read(&driver, 1, 1) & 0x24, 0);
	set(&driver, MDIC, MDI_WRITE | 1 << 21 | 4 << 16 | 0x0de1);
	CHECK_EQUAL(phy_read(&driver, 4, 1), 0x0de1);
	set(&driver, MDIC, MDI_WRITE | 2 << 21 | 4 << 16 | 0x1111);
	CHECK_EQUAL(phy_read(&driver, 4, 1), 0x0de1);
	set(&driver, MDIC, MDI_WRITE | 1 << 21 | 2 << 16 | 0x1111);
	CHECK_EQUAL(phy_read(&driver, 2, 1), 0x0141); /* read-only */
	CHECK_EQUAL(reg(&driver, ICR) & MDAC, 0);
	set(&driver, MDIC, MDI_READ | MDI_INTERRUPT | 1 << 21 | 2 << 16);
	CHECK_EQUAL(reg(&driver, ICR) & MDAC, MDAC);
	set(&driver, CTRL, CTRL_PHY_RST);
	CHECK_EQUAL(phy_read(&driver, 4, 1), 0x01e1);
	driver_free(&driver);
}

/* ---- counters ---- */

static void send(struct driver *driver, unsigned length, uint8_t first)
{
	unit_fill(frame, length, length);
	memset(frame, first, 6);
	tx_legacy(driver, tx_copy(driver, frame, length), length, EOP, 0, 0, 0);
	tx_kick(driver);
}

static void offer(struct driver *driver, unsigned length, uint8_t first)
{
	unit_fill(frame, length, length);
	memset(frame, first, 6);
	rx_fill(driver, 1);
	CHECK(test_port_offer(&driver->port, frame, length));
}

static void test_counters(void)
{
	static const unsigned lengths[] = {60, 61, 123, 124, 251, 252, 507, 508, 1019, 1020, 1514};
	static const unsigned sizes[6] = {1, 2, 2, 2, 2, 2};
	struct driver driver;
	uint64_t bytes = 0;

	driver_new(&driver, false);
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_UPE | RCTL_MPE);
	for (unsigned i = 0; i < 11; i++) {
		uint8_t first = i == 0 ? 0xff : i < 4 ? 0x01 : 0x02;

		send(&driver, lengths[i], first);
		offer(&driver, lengths[i], i == 1 ? 0x02 : first); /* multicast is filtered */
		bytes += lengths[i] + 4;
	}
	CHECK_EQUAL(reg(&driver, 0x4080), 11); /* GPTC */
	CHECK_EQUAL(reg(&driver, 0x4080), 0);
	CHECK_EQUAL(reg(&driver, 0x40d4), 11);
	CHECK_EQUAL(reg(&driver, 0x40f0), 3);
	CHECK_EQUAL(reg(&driver, 0x40f4), 1);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQUAL(reg(&driver, 0x40d8 + i * 4), sizes[i]);
	CHECK_EQUAL(reg(&driver, 0x4090), bytes);
	CHECK_EQUAL(reg(&driver, 0x4090), bytes); /* the low half stays */
	CHECK_EQUAL(reg(&driver, 0x4094), 0);
	CHECK_EQUAL(reg(&driver, 0x4090), 0); /* until the high half is read */
	CHECK_EQUAL(reg(&driver, 0x40c8), bytes);
	CHECK_EQUAL(reg(&driver, 0x40d0), 11); /* TPR, GPRC */
	CHECK_EQUAL(reg(&driver, 0x4074), 11);
	CHECK_EQUAL(reg(&driver, 0x4088), bytes);
	CHECK_EQUAL(reg(&driver, 0x40c0), bytes);
	CHECK_EQUAL(reg(&driver, 0x407c), 2);
	CHECK_EQUAL(reg(&driver, 0x4078), 1);
	driver_free(&driver);
}

/* ---- resets ---- */

static void test_soft_reset(void)
{
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, MTA + 4, 0x1234);
	set(&driver, VFTA + 4, 0x5678);
	set(&driver, RAL + 8, 0x9abc);
	set(&driver, RAL, 0);
	set(&driver, IMS, 0xff);
	set(&driver, ICS, LSC);
	CHECK(driver_fired(&driver) > 0);
	send(&driver, 60, 2);
	set(&driver, CTRL, CTRL_RST);
	CHECK_EQUAL(reg(&driver, CTRL), 0x201);
	CHECK_EQUAL(reg(&driver, IMS), 0);
	CHECK_EQUAL(reg(&driver, ICR), 0);
	CHECK_EQUAL(reg(&driver, TDH), 0);
	CHECK_EQUAL(reg(&driver, TCTL), 0);
	CHECK_EQUAL(reg(&driver, 0x4080), 0);
	CHECK_EQUAL(reg(&driver, MTA + 4), 0x1234);
	CHECK_EQUAL(reg(&driver, VFTA + 4), 0x5678);
	CHECK_EQUAL(reg(&driver, RAL + 8), 0x9abc);
	CHECK_EQUAL(reg(&driver, RAL), 0x12005452);
	CHECK_EQUAL(reg(&driver, RAH), 0x80005634);
	CHECK_EQUAL(driver_fired(&driver), 0);
	test_port_forget(&driver.port);
	driver_start(&driver);
	send(&driver, 60, 2);
	CHECK_EQUAL(driver.port.count, 1);
	driver_free(&driver);
}

/* Nothing of a card's state outlives the one who plugged it in. */
static void test_function_reset(void)
{
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, MTA + 4, 0x1234);
	set(&driver, ITR, 1000);
	set(&driver, MDIC, MDI_WRITE | 1 << 21 | 4 << 16 | 0x0de1);
	inprocess_unplug(driver.machine.vm, 3);
	CHECK_EQUAL(reg(&driver, STATUS), 0xffffffff);
	machine_unplug(driver.instance);
	driver.instance = machine_plug(&driver.machine, 3, test_card("e1000"), &driver.port);
	CHECK_EQUAL(inprocess_scan(driver.machine.vm), 1);
	CHECK_EQUAL(reg(&driver, MTA + 4), 0);
	CHECK_EQUAL(reg(&driver, ITR), 0);
	CHECK_EQUAL(phy_read(&driver, 4, 1), 0x01e1);
	driver_free(&driver);
}

/* ---- accesses ---- */

static uint64_t narrow(struct driver *driver, unsigned at, unsigned width)
{
	return inprocess_read(driver->machine.vm, INPROCESS_MEMORY, driver->bar + at, width);
}

static void test_access_widths(void)
{
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, MTA, 0x44332211);
	set(&driver, MTA + 4, 0x88776655);
	CHECK_EQUAL(narrow(&driver, MTA + 1, 2), 0x3322);
	CHECK_EQUAL(narrow(&driver, MTA + 3, 4), 0x77665544);
	CHECK_EQUAL(narrow(&driver, MTA, 8), 0x8877665544332211ull);
	inprocess_write(driver.machine.vm, INPROCESS_MEMORY, driver.bar + MTA + 3, 2, 0xaabb);
	CHECK_EQUAL(narrow(&driver, MTA, 8), 0x887766aabb332211ull);
	CHECK_EQUAL(reg(&driver, 0x1ffc0), 0); /* nothing is there */
	set(&driver, 0x1ffc0, 1);
	set(&driver, STATUS, 0xffffffff);
	CHECK_EQUAL(reg(&driver, STATUS) & 0xff, 0x83);
	set(&driver, RDLEN, 0xffffffff);
	CHECK_EQUAL(reg(&driver, RDLEN), 0xfff80);
	CHECK_EQUAL(narrow(&driver, 0x1fffe, 4), 0xffff0000); /* the end of the BAR */
	driver_free(&driver);
}

static void test_indirect_access(void)
{
	struct driver driver;
	struct inprocess *vm;
	uint64_t port;

	driver_new(&driver, false);
	vm = driver.machine.vm;
	port = inprocess_config_read(vm, bus_bdf(0, 3, 0), 0x18, 4) & ~3ull;
	inprocess_write(vm, INPROCESS_IO, port, 4, MTA);
	inprocess_write(vm, INPROCESS_IO, port + 4, 4, 0x12345678);
	CHECK_EQUAL(reg(&driver, MTA), 0x12345678);
	CHECK_EQUAL(inprocess_read(vm, INPROCESS_IO, port + 6, 1), 0x34);
	inprocess_write(vm, INPROCESS_IO, port, 4, 0xfffffffe); /* far behind everything */
	CHECK_EQUAL(inprocess_read(vm, INPROCESS_IO, port + 4, 4) >> 32, 0);
	inprocess_write(vm, INPROCESS_IO, port + 4, 4, 0);
	inprocess_write(vm, INPROCESS_IO, port + 40, 4, 1);
	driver_free(&driver);
}

UNIT_FILE(parts, {"eeprom", test_eeprom}, {"microwire", test_microwire},
	  {"microwire_writes", test_microwire_writes}, {"phy", test_phy},
	  {"counters", test_counters}, {"soft_reset", test_soft_reset},
	  {"function_reset", test_function_reset}, {"access_widths", test_access_widths},
	  {"indirect_access", test_indirect_access});
