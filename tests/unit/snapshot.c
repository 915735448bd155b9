/* SPDX-License-Identifier: Apache-2.0 */

/* A card is saved in the middle of its work and goes on as another one. */
#include "bare.h"
#include "driver.h"

#include "instance/instance.h"
#include "nic/nic.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/snapshot-XXXXXX";

static void save(struct driver *driver)
{
	struct error err = {0};

	if (instance_save(driver->instance, path, &err) < 0)
		unit_failed(__FILE__, __LINE__, "%s", err.text);
}

static void load(struct driver *driver)
{
	struct error err = {0};

	if (instance_load(driver->instance, path, &err) < 0)
		unit_failed(__FILE__, __LINE__, "%s", err.text);
}

/* The card is pulled out, and a new one of the same kind is put in its place and loaded. */
static void replace(struct driver *driver)
{
	save(driver);
	inprocess_unplug(driver->machine.vm, 3);
	machine_unplug(driver->instance);
	driver->port.port.stats = (struct port_stats){0};
	driver->instance = machine_plug(&driver->machine, 3, test_card("e1000"), &driver->port);
	load(driver);
}

static void send(struct driver *driver, unsigned number)
{
	uint8_t frame[60] = {2, 0, 0, 0, 0, 1};

	memcpy(frame + 20, &number, sizeof(number));
	tx_legacy(driver, tx_copy(driver, frame, sizeof(frame)), sizeof(frame), EOP | RS, 0, 0, 0);
}

static void test_goes_on(void)
{
	struct driver driver;

	close(mkstemp(path));
	driver_new(&driver, false);
	set(&driver, IMS, 0xff);
	set(&driver, MTA + 8, 0x1234);
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < 3; i++)
			send(&driver, round * 3 + i);
		tx_kick(&driver);
		CHECK_EQUAL(driver.port.count, 3); /* none is lost, none sent again */
		for (unsigned i = 0; i < 3; i++) {
			unsigned number;

			memcpy(&number, driver.port.sent[i].data + 20, sizeof(number));
			CHECK_EQUAL(number, round * 3 + i);
		}
		test_port_forget(&driver.port);
		replace(&driver);
		CHECK_EQUAL(driver.port.count, 0);
		CHECK_EQUAL(reg(&driver, MTA + 8), 0x1234);
		CHECK_EQUAL(reg(&driver, IMS), 0xff);
		CHECK_EQUAL(reg(&driver, TDH), reg(&driver, TDT));
	}
	driver_free(&driver);
	unlink(path);
	strcpy(path, "/tmp/snapshot-XXXXXX");
}

static bool offer(struct driver *driver, uint8_t number)
{
	uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, number, 8};

	return test_port_offer(&driver->port, frame, sizeof(frame));
}

static void check_taken(struct driver *driver, uint8_t number)
{
	static struct received received;

	CHECK(rx_take(driver, &received));
	CHECK_EQUAL(received.data[11], number);
}

/* What comes for a VM that stands is not put where the driver would wait behind it. */
static void test_stands(void)
{
	static struct received received;
	struct driver driver;
	unsigned resumed;

	close(mkstemp(path));
	driver_new(&driver, false);
	rx_fill(&driver, 8);
	CHECK(offer(&driver, 1));
	check_taken(&driver, 1);
	for (unsigned round = 0; round < 3; round++) {
		uint8_t number = (uint8_t)(10 * round + 10);

		save(&driver);
		instance_stand(driver.instance);
		resumed = driver.port.resumed;
		for (unsigned i = 0; i < 3; i++)
			CHECK(!offer(&driver, number));
		driver_settle(&driver);
		CHECK(!rx_take(&driver, &received));
		CHECK_EQUAL(driver.port.resumed, resumed);
		if (round == 1)
			reg(&driver, STATUS); /* the driver goes on by itself */
		else
			load(&driver);
		driver_settle(&driver);
		CHECK(driver.port.resumed > resumed);
		CHECK(offer(&driver, number) && offer(&driver, number + 1));
		check_taken(&driver, number);
		check_taken(&driver, number + 1);
		CHECK(!rx_take(&driver, &received));
		rx_fill(&driver, 2);
	}
	/* a driver that writes turns to it, too */
	instance_stand(driver.instance);
	send(&driver, 1);
	tx_kick(&driver);
	CHECK_EQUAL(driver.port.count, 1);
	driver_free(&driver);
	unlink(path);
	strcpy(path, "/tmp/snapshot-XXXXXX");
}

/* A port that waits for the card that is loaded hears of it. */
static void test_held_is_asked_again(void)
{
	static uint8_t data[8192];
	struct packet packet = packet_in(4000);
	struct frame frame = {
		.length = packet_build(&packet, data),
		.flags = FRAME_CHECKSUM | (packet.v6 ? FRAME_TCP6 : FRAME_TCP4),
		.header_length = (uint16_t)packet_header(&packet),
		.segment_size = 1000,
		.checksum_start = (uint16_t)packet_l4(&packet),
		.checksum_offset = 16,
		.iovs = 1,
		.iov = {{data, 0}},
	};
	struct driver driver;
	unsigned resumed;

	frame.iov[0].iov_len = frame.length;
	close(mkstemp(path));
	driver_new(&driver, false);
	set(&driver, RCTL, reg(&driver, RCTL) | RCTL_UPE);
	rx_fill(&driver, 3);
	save(&driver); /* there is room */
	CHECK(!test_port_offer_frame(&driver.port, &frame));
	driver_settle(&driver);
	resumed = driver.port.resumed;
	load(&driver);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.resumed, resumed + 1);
	CHECK(offer(&driver, 1));
	driver_free(&driver);
	unlink(path);
	strcpy(path, "/tmp/snapshot-XXXXXX");
}

/* The cable of the card that is loaded is another one. */
static void test_link_is_the_cables(void)
{
	enum { STATUS_LU = 2 };
	struct driver driver;

	close(mkstemp(path));
	driver_new(&driver, false);
	set(&driver, IMS, LSC);
	reg(&driver, ICR);
	driver_fired(&driver);
	replace(&driver);
	driver_settle(&driver);
	CHECK_EQUAL(reg(&driver, ICR) & LSC, 0); /* the same */
	driver.port.port.down = true;
	replace(&driver);
	driver_settle(&driver);
	CHECK_EQUAL(reg(&driver, STATUS) & STATUS_LU, 0);
	CHECK_EQUAL(reg(&driver, ICR) & LSC, LSC);
	driver_free(&driver);
	unlink(path);
	strcpy(path, "/tmp/snapshot-XXXXXX");
}

/* A timer that is due while the card stands is late, or as it was saved. */
static void test_timers_stand(void)
{
	static struct bare bare;

	bare_new(&bare,
		 bare_card("<card name='timers' title='Timers'><pci vendor='1' device='2' "
			   "class='0x020000'/>"
			   "<bar index='0' size='256' space='memory' bank='csr'/>"
			   "<bank name='csr'><register name='TICKS' at='0'/><register name='GO' "
			   "at='4' do='arm tick'/></bank>"
			   "<timer name='tick' every='1ms' do='TICKS = TICKS + 1'/></card>"),
		 false);
	bare_write(&bare, 4, 1);
	clock_turn(&bare.clock, 2000000);
	CHECK_EQUAL(bare_read(&bare, 0), 2);
	nic_stand(bare.nic);
	clock_turn(&bare.clock, 10500000);
	CHECK_EQUAL(bare_read(&bare, 0), 2);
	nic_go_on(bare.nic);
	clock_turn(&bare.clock, 0);
	CHECK_EQUAL(bare_read(&bare, 0), 3);
	clock_turn(&bare.clock, 1000000);
	CHECK_EQUAL(bare_read(&bare, 0), 4);
	nic_stand(bare.nic);
	clock_turn(&bare.clock, 2000000);
	nic_reset(bare.nic);
	nic_go_on(bare.nic);
	clock_turn(&bare.clock, 2000000);
	CHECK_EQUAL(bare_read(&bare, 0), 4); /* a reset has stopped it */
	bare_free(&bare);
}

static char *slurp(size_t *length)
{
	FILE *file = fopen(path, "r");
	char *text = malloc(1 << 20);

	*length = fread(text, 1, 1 << 20, file);
	fclose(file);
	return text;
}

static void spill(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	fwrite(text, 1, length, file);
	fclose(file);
}

/* Whatever is in the file, the card answers, and what is refused changes nothing. */
static void test_hostile_files(void)
{
	struct driver driver;
	struct error err = {0};
	unsigned refused = 0;
	size_t length;
	char *text, *copy;

	close(mkstemp(path));
	driver_new(&driver, false);
	set(&driver, MTA, 0x5555);
	save(&driver);
	text = slurp(&length);
	copy = malloc(length);
	for (unsigned i = 0; i < 400; i++) {
		memcpy(copy, text, length);
		for (unsigned k = 0; k <= i % 4; k++)
			copy[unit_random() % length] = (char)("0f\"{},x9"[unit_random() % 8]);
		spill(copy, i % 8 ? length : unit_random() % length);
		if (instance_load(driver.instance, path, &err) < 0)
			refused++;
		send(&driver, i);
		tx_kick(&driver);
		reg(&driver, STATUS);
	}
	CHECK(refused > 100);
	spill(text, length);
	CHECK(instance_load(driver.instance, path, &err) == 0);
	set(&driver, MTA, 0x6666);
	memcpy(copy, text, length);
	memcpy(strstr(copy, "\"csr.MTA.0\""), "\"csr.MTA.x\"", 11);
	spill(copy, length);
	err = (struct error){0};
	CHECK(instance_load(driver.instance, path, &err) < 0);
	CHECK(strstr(err.text, "csr.MTA.0: missing"));
	CHECK_EQUAL(reg(&driver, MTA), 0x6666);
	memcpy(copy, text, length);
	memcpy(strstr(copy, "\"e1000\""), "\"e9000\"", 7);
	spill(copy, length);
	err = (struct error){0};
	CHECK(instance_load(driver.instance, path, &err) < 0);
	CHECK(strstr(err.text, "another card, e9000"));
	CHECK(instance_load(driver.instance, "/dev/zero", &err) < 0);
	CHECK(instance_load(driver.instance, "/nowhere", &err) < 0);
	free(text);
	free(copy);
	driver_free(&driver);
	unlink(path);
	strcpy(path, "/tmp/snapshot-XXXXXX");
}

UNIT_FILE(snapshot, {"goes_on", test_goes_on}, {"stands", test_stands},
	  {"held_is_asked_again", test_held_is_asked_again},
	  {"link_is_the_cables", test_link_is_the_cables}, {"timers_stand", test_timers_stand},
	  {"hostile_files", test_hostile_files});
