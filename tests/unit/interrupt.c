/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <string.h>

static uint8_t frame[128];

static void send(struct driver *driver, unsigned command)
{
	tx_legacy(driver, tx_copy(driver, frame, 64), 64, EOP | RS | command, 0, 0, 0);
	tx_kick(driver);
	driver_settle(driver);
}

static void offer(struct driver *driver)
{
	memcpy(frame, test_mac, 6);
	rx_fill(driver, 1);
	CHECK(test_port_offer(&driver->port, frame, 64));
}

static void test_cause_and_mask(void)
{
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, ICS, LSC);
	CHECK_EQUAL(driver_fired(&driver), 0); /* masked */
	set(&driver, IMS, LSC | RXT0);
	CHECK_EQUAL(reg(&driver, IMS), LSC | RXT0);
	CHECK_EQUAL(driver_fired(&driver), 2); /* once, and again: it was not acknowledged */
	set(&driver, IMC, LSC);
	CHECK_EQUAL(reg(&driver, IMS), RXT0);
	CHECK_EQUAL(driver_fired(&driver), 0);
	CHECK_EQUAL(reg(&driver, ICR), LSC); /* and clears */
	CHECK_EQUAL(reg(&driver, ICR), 0);
	set(&driver, ICS, LSC | RXT0 | TXDW);
	CHECK_EQUAL(driver_fired(&driver), 2);
	set(&driver, ICR, RXT0); /* writing ones clears, too */
	CHECK_EQUAL(driver_fired(&driver), 0);
	CHECK_EQUAL(reg(&driver, ICS), LSC | TXDW); /* a look without effect */
	CHECK_EQUAL(reg(&driver, ICR), LSC | TXDW);
	driver_free(&driver);
}

/* PCI 2.3: STATUS says what the line would be, also while COMMAND keeps it down. */
static void test_status_shows_the_line(void)
{
	struct driver driver;
	struct inprocess *vm;

	driver_new(&driver, false);
	vm = driver.machine.vm;
	CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, 3, 0), 6, 2) & 8, 0);
	inprocess_config_write(vm, bus_bdf(0, 3, 0), 4, 2, 0x407);
	set(&driver, IMS, LSC);
	set(&driver, ICS, LSC);
	CHECK_EQUAL(driver_fired(&driver), 0);
	CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, 3, 0), 6, 2) & 8, 8);
	inprocess_config_write(vm, bus_bdf(0, 3, 0), 4, 4, 0xffff0007); /* is not written */
	CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, 3, 0), 6, 2) & 8, 8);
	CHECK(driver_fired(&driver) > 0);
	reg(&driver, ICR);
	CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, 3, 0), 6, 2) & 8, 0);
	driver_free(&driver);
}

static void test_frames_interrupt(void)
{
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, IMS, TXDW | RXT0);
	send(&driver, 0);
	CHECK(driver_fired(&driver) > 0);
	CHECK_EQUAL(reg(&driver, ICR) & TXDW, TXDW);
	CHECK_EQUAL(driver_fired(&driver), 0);
	offer(&driver);
	CHECK(driver_fired(&driver) > 0);
	CHECK_EQUAL(reg(&driver, ICR) & RXT0, RXT0);
	driver_free(&driver);
}

static void test_interval(void)
{
	enum { INTERVAL = 1000 * 256 };
	struct driver driver;

	driver_new(&driver, false);
	clock_turn(&driver.machine.clock, 1000000);
	set(&driver, ITR, 1000);
	set(&driver, IMS, LSC);
	for (unsigned i = 0; i < 3; i++) {
		set(&driver, ICS, LSC);
		CHECK_EQUAL(inprocess_fired(driver.machine.vm, 35), i + 1);
		CHECK_EQUAL(reg(&driver, ICR), LSC);
		inprocess_unmask(driver.machine.vm, 3);
		set(&driver, ICS, LSC); /* too early */
		clock_turn(&driver.machine.clock, INTERVAL - 1);
		CHECK_EQUAL(inprocess_fired(driver.machine.vm, 35), i + 1);
		CHECK_EQUAL(reg(&driver, ICS), LSC);
		reg(&driver, ICR);
		clock_turn(&driver.machine.clock, 1); /* the timer finds nothing */
		CHECK_EQUAL(inprocess_fired(driver.machine.vm, 35), i + 1);
	}
	set(&driver, ICS, LSC);
	reg(&driver, ICR);
	inprocess_unmask(driver.machine.vm, 3);
	set(&driver, ICS, LSC);
	clock_turn(&driver.machine.clock, INTERVAL);
	CHECK_EQUAL(inprocess_fired(driver.machine.vm, 35), 5);
	driver_free(&driver);
}

static void test_receive_delay(void)
{
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, RDTR, 10);
	offer(&driver);
	CHECK_EQUAL(reg(&driver, ICR) & RXT0, 0);
	clock_turn(&driver.machine.clock, 10 * 1024 - 1);
	CHECK_EQUAL(reg(&driver, ICR) & RXT0, 0);
	clock_turn(&driver.machine.clock, 1);
	CHECK_EQUAL(reg(&driver, ICR) & RXT0, RXT0);
	/* each frame starts it anew, but not for longer than the limit */
	set(&driver, RADV, 25);
	for (unsigned i = 0; i < 5; i++) {
		offer(&driver);
		CHECK_EQUAL(reg(&driver, ICR) & RXT0, 0);
		clock_turn(&driver.machine.clock, 5 * 1024 - (i == 4));
	}
	CHECK_EQUAL(reg(&driver, ICR) & RXT0, 0);
	clock_turn(&driver.machine.clock, 1);
	CHECK_EQUAL(reg(&driver, ICR) & RXT0, RXT0);
	set(&driver, RDTR, 0);
	offer(&driver);
	CHECK_EQUAL(reg(&driver, ICR) & RXT0, RXT0);
	/* a reset forgets what was under way */
	set(&driver, RDTR, 10);
	offer(&driver);
	set(&driver, CTRL, CTRL_RST);
	clock_turn(&driver.machine.clock, 1000000);
	CHECK_EQUAL(reg(&driver, ICR), 0);
	driver_free(&driver);
}

static void test_transmit_delay(void)
{
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, TIDV, 8);
	set(&driver, TADV, 12);
	send(&driver, 0); /* without IDE: at once */
	CHECK_EQUAL(reg(&driver, ICR) & TXDW, TXDW);
	send(&driver, IDE);
	CHECK_EQUAL(reg(&driver, ICR) & TXDW, 0);
	clock_turn(&driver.machine.clock, 7 * 1024);
	send(&driver, IDE);
	clock_turn(&driver.machine.clock, 5 * 1024 - 1);
	CHECK_EQUAL(reg(&driver, ICR) & TXDW, 0);
	clock_turn(&driver.machine.clock, 1); /* the limit since the first */
	CHECK_EQUAL(reg(&driver, ICR) & TXDW, TXDW);
	driver_free(&driver);
}

static void test_link(void)
{
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, IMS, LSC);
	driver.port.port.peer.link(driver.port.port.peer.context, false);
	CHECK_EQUAL(reg(&driver, STATUS) & 2, 0);
	CHECK_EQUAL(inprocess_fired(driver.machine.vm, 35), 1);
	CHECK_EQUAL(reg(&driver, ICR), LSC);
	driver.port.port.peer.link(driver.port.port.peer.context, false); /* no news */
	CHECK_EQUAL(reg(&driver, ICR), 0);
	driver.port.port.peer.link(driver.port.port.peer.context, true);
	CHECK_EQUAL(reg(&driver, STATUS) & 2, 2);
	CHECK_EQUAL(reg(&driver, ICR), LSC);
	driver_free(&driver);
}

/* ---- what the VM is told of the line ---- */

static void count(void *context, enum pic_kind kind, unsigned vector)
{
	CHECK(kind == PIC_LINE && vector == 0);
	++*(unsigned *)context;
}

static void unmask(struct pic *pic, unsigned *fired, unsigned expected)
{
	pic_unmask(pic);
	CHECK_EQUAL(*fired, expected);
}

/* Its line is high. */
static void patient(struct pic *pic, struct clock *clock, unsigned *fired)
{
	clock_init(clock, true);
	pic_init(pic);
	pic->clock = clock;
	pic->sink = (struct pic_sink){.context = fired, .fire = count};
	pic_listen(pic, true);
	pic_line(pic, true);
}

/* What is unmasked before it is acknowledged is told again only if it never is. */
static void test_patience(void)
{
	struct clock clock;
	struct pic pic;
	unsigned fired = 0;

	patient(&pic, &clock, &fired);
	CHECK_EQUAL(fired, 1);
	unmask(&pic, &fired, 1);
	clock_turn(&clock, PIC_PATIENCE / 2);
	pic_line(&pic, false); /* acknowledged */
	clock_turn(&clock, PIC_PATIENCE);
	CHECK_EQUAL(fired, 1);
	pic_line(&pic, true); /* news */
	CHECK_EQUAL(fired, 2);
	unmask(&pic, &fired, 2);
	pic_line(&pic, false);
	pic_line(&pic, true); /* news, while it is patient */
	CHECK_EQUAL(fired, 3);
	unmask(&pic, &fired, 3);
	clock_turn(&clock, PIC_PATIENCE);
	CHECK_EQUAL(fired, 4); /* nobody acknowledged it */
	unmask(&pic, &fired, 4);
	pic_mask(&pic);
	clock_turn(&clock, PIC_PATIENCE);
	CHECK_EQUAL(fired, 4);
	pic.clock = NULL;
	unmask(&pic, &fired, 5);
	pic_exit(&pic);
}

/* A driver that is still at work is waited for, but not for ever. */
static void test_patience_while_at_work(void)
{
	struct clock clock;
	struct pic pic;
	unsigned fired = 0, steps = 0;

	patient(&pic, &clock, &fired);
	unmask(&pic, &fired, 1);
	for (unsigned i = 0; i < 10; i++) {
		pic_touched(&pic);
		clock_turn(&clock, PIC_PATIENCE - 1);
		CHECK_EQUAL(fired, 1);
	}
	clock_turn(&clock, PIC_PATIENCE); /* it has stopped */
	CHECK_EQUAL(fired, 2);
	unmask(&pic, &fired, 2);
	for (; fired == 2 && steps < 1000; steps++) {
		pic_touched(&pic);
		clock_turn(&clock, PIC_PATIENCE / 2);
	}
	CHECK_EQUAL(steps, PIC_PATIENCE_MAX / (PIC_PATIENCE / 2));
	pic_exit(&pic);
}

UNIT_FILE(interrupt, {"patience", test_patience},
	  {"patience_while_at_work", test_patience_while_at_work},
	  {"cause_and_mask", test_cause_and_mask},
	  {"status_shows_the_line", test_status_shows_the_line},
	  {"frames_interrupt", test_frames_interrupt}, {"interval", test_interval},
	  {"receive_delay", test_receive_delay}, {"transmit_delay", test_transmit_delay},
	  {"link", test_link});
