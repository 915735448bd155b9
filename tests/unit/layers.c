/* SPDX-License-Identifier: Apache-2.0 */

/* What stands between a NIC and its port, on a clock turned by hand. */
#include "driver.h"

#include "backend/backend.h"
#include "backend/rate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct error err;

/* ---- a layer with a NIC that only counts ---- */

struct bench {
	struct clock clock;
	struct loop *loop;
	struct test_port port;
	struct layer *layer;
	unsigned received, room, writable; /* of the NIC */
	uint64_t bytes;
};

static unsigned nic_takes(void *context, const struct frame *frames, unsigned count)
{
	struct bench *bench = context;
	unsigned taken = count < bench->room ? count : bench->room;

	for (unsigned i = 0; i < taken; i++)
		bench->bytes += frames[i].length;
	bench->received += taken;
	bench->room -= taken;
	return taken;
}

static void nic_writable(void *context)
{
	((struct bench *)context)->writable++;
}

static void bench_new(struct bench *bench, const struct rate_limits *limits)
{
	memset(bench, 0, sizeof(*bench));
	clock_init(&bench->clock, true);
	bench->clock.now = 1000000000;
	bench->loop = loop_new(&bench->clock);
	test_port_init(&bench->port, true);
	bench->layer = rate_open(&bench->port.port, limits, bench->loop, &err);
	bench->layer->port.peer = (struct port_peer){
		.context = bench, .receive = nic_takes, .writable = nic_writable};
	bench->room = 1u << 30;
}

static void bench_free(struct bench *bench)
{
	layer_free(bench->layer);
	test_port_free(&bench->port);
	loop_free(bench->loop);
}

static uint8_t data[65536];

static struct frame frame_of(uint32_t length)
{
	return (struct frame){.iov = {{data, length}}, .iovs = 1, .length = length};
}

/* As a NIC does: what was not taken is offered again when it is told to. */
static unsigned send(struct bench *bench, uint32_t length, uint64_t ns)
{
	struct frame frames[8];
	unsigned before = bench->writable, sent = 0, taken;

	for (unsigned i = 0; i < 8; i++)
		frames[i] = frame_of(length);
	for (uint64_t end = bench->clock.now + ns; bench->clock.now <= end;) {
		do {
			taken = bench->layer->ops.transmit(&bench->layer->port, frames, 8);
			sent += taken;
			test_port_forget(&bench->port);
		} while (taken == 8);
		while (bench->writable == before) {
			CHECK(clock_next(&bench->clock) != CLOCK_NEVER);
			clock_turn(&bench->clock, clock_next(&bench->clock) - bench->clock.now);
		}
		before = bench->writable;
	}
	return sent;
}

static void check_near(uint64_t got, uint64_t wanted, uint64_t allowance)
{
	if (got + allowance < wanted || got > wanted + allowance)
		unit_failed(__FILE__, __LINE__, "%lu, expected %lu", got, wanted);
}

static void test_bits_sent(void)
{
	static const struct {
		uint64_t rate;
		uint32_t length;
	} cases[] = {{1000000, 1250},
		     {10000000, 60},
		     {10000000000, 1514},
		     {1000000000, 65535},
		     {12345, 100}};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct rate_limits limits = {.tx_bits = cases[i].rate};
		uint64_t ns = cases[i].rate > 1000000000 ? 100000000 : 10000000000, bits;
		struct bench bench;

		bench_new(&bench, &limits);
		bits = send(&bench, cases[i].length, ns) * 8ull * cases[i].length;
		/* as much as the rate allows, and what an idle bucket holds, and one frame */
		check_near(bits, cases[i].rate * (ns / 1000000) / 1000,
			   cases[i].rate / 200 + 8ull * cases[i].length * 2);
		bench_free(&bench);
	}
}

static void test_frames_sent(void)
{
	const struct rate_limits limits = {.tx_frames = 1000, .tx_bits = 1000000000};
	struct bench bench;

	bench_new(&bench, &limits);
	check_near(send(&bench, 60, 2000000000), 2000, 6);
	bench_free(&bench);
}

/* One that will be cut is as many as it will be. */
static void test_large_segments_count_whole(void)
{
	const struct rate_limits limits = {.tx_frames = 100};
	struct frame frame = frame_of(54 + 10 * 1000);
	struct bench bench;

	frame.flags = FRAME_TCP4;
	frame.header_length = 54;
	frame.segment_size = 1000;
	bench_new(&bench, &limits);
	CHECK_EQUAL(bench.layer->ops.transmit(&bench.layer->port, &frame, 1), 1);
	CHECK_EQUAL(bench.layer->ops.transmit(&bench.layer->port, &frame, 1), 0);
	clock_turn(&bench.clock, 94000000);
	CHECK_EQUAL(bench.writable, 0);
	clock_turn(&bench.clock, 2000000);
	CHECK_EQUAL(bench.writable, 1);
	bench_free(&bench);
}

static void test_received(void)
{
	const struct rate_limits limits = {.rx_bits = 8000000};
	struct bench bench;
	unsigned offered = 0;

	bench_new(&bench, &limits);
	while (test_port_offer(&bench.port, data, 1000))
		offered++;
	CHECK_EQUAL(bench.received, offered);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned before = bench.port.resumed;

		while (bench.port.resumed == before)
			clock_turn(&bench.clock, 1000);
		while (test_port_offer(&bench.port, data, 1000))
			;
	}
	check_near(bench.received, bench.clock.now / 1000000 - 1000, 12); /* one a millisecond */
	/* a NIC without room is not the limit's affair */
	clock_turn(&bench.clock, 1000000000);
	bench.room = 0;
	CHECK(!test_port_offer(&bench.port, data, 1000));
	CHECK_EQUAL(clock_next(&bench.clock), CLOCK_NEVER);
	bench_free(&bench);
}

static void test_nothing_without_a_limit_that_way(void)
{
	const struct rate_limits limits = {.tx_frames = 1};
	struct bench bench;

	bench_new(&bench, &limits);
	for (unsigned i = 0; i < 10000; i++)
		CHECK(test_port_offer(&bench.port, data, 1000));
	CHECK_EQUAL(clock_next(&bench.clock), CLOCK_NEVER);
	bench_free(&bench);
}

static void test_new_limits_count_at_once(void)
{
	const struct rate_limits slow = {.tx_frames = 1}, fast = {.tx_frames = 1000000};
	struct frame frames[2] = {frame_of(60), frame_of(60)};
	struct bench bench;

	bench_new(&bench, &slow);
	CHECK_EQUAL(bench.layer->ops.transmit(&bench.layer->port, frames, 2), 1);
	clock_turn(&bench.clock, 1000000);
	CHECK_EQUAL(bench.writable, 0);
	rate_set(bench.layer, &fast);
	clock_turn(&bench.clock, 1000);
	CHECK_EQUAL(bench.writable, 1);
	CHECK_EQUAL(bench.layer->ops.transmit(&bench.layer->port, frames, 1), 1);
	bench_free(&bench);
}

/* ---- on a card ---- */

static void queue(struct driver *driver, unsigned count)
{
	uint8_t frame[60] = {2, 0, 0, 0, 0, 1};

	for (unsigned i = 0; i < count; i++)
		tx_legacy(driver, tx_copy(driver, frame, sizeof(frame)), sizeof(frame), EOP | RS, 0,
			  0, 0);
	tx_kick(driver);
	driver_settle(driver);
}

static void limit(struct driver *driver, struct rate_limits limits)
{
	CHECK(instance_rate(driver->instance, &limits, &err) == 0);
	driver_settle(driver);
}

static void test_a_limited_card_waits_in_its_ring(void)
{
	struct driver driver;

	driver_new(&driver, false);
	limit(&driver, (struct rate_limits){.tx_frames = 1000});
	queue(&driver, 20);
	CHECK(driver.port.count >= 1 && driver.port.count < 10);
	for (unsigned i = 0; i < 20; i++) {
		clock_turn(&driver.machine.clock, 1000000);
		driver_settle(&driver);
	}
	CHECK_EQUAL(driver.port.count, 20);
	queue(&driver, 20);
	CHECK(driver.port.count < 40);
	limit(&driver, (struct rate_limits){0}); /* who waits goes on */
	CHECK_EQUAL(driver.port.count, 40);
	CHECK_EQUAL(reg(&driver, TDH), reg(&driver, TDT));
	driver_free(&driver);
}

static long size_of(const char *path)
{
	FILE *file = fopen(path, "r");
	long size;

	CHECK(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	fclose(file);
	return size;
}

/* A capture that begins and ends while frames flow, within a limit or not. */
static void test_layers_come_and_go(void)
{
	char path[] = "/tmp/layers-XXXXXX";
	struct driver driver;

	close(mkstemp(path));
	driver_new(&driver, false);
	queue(&driver, 2);
	CHECK(instance_capture(driver.instance, path, &err) == 0);
	queue(&driver, 3);
	CHECK_EQUAL(size_of(path), 24 + 3 * (16 + 60));
	limit(&driver, (struct rate_limits){.tx_bits = 1000000000, .rx_frames = 1000});
	queue(&driver, 4);
	CHECK_EQUAL(size_of(path), 24 + 7 * (16 + 60));
	CHECK(instance_capture(driver.instance, "/no/such/file", &err) < 0);
	queue(&driver, 1);
	CHECK_EQUAL(size_of(path), 24 + 8 * (16 + 60)); /* the old one goes on */
	CHECK(instance_capture(driver.instance, NULL, &err) == 0);
	queue(&driver, 5);
	CHECK_EQUAL(size_of(path), 24 + 8 * (16 + 60));
	limit(&driver, (struct rate_limits){0});
	queue(&driver, 1);
	CHECK_EQUAL(driver.port.count, 16);
	CHECK(instance_capture(driver.instance, path, &err) == 0);
	driver_free(&driver); /* closes what is open */
	CHECK_EQUAL(size_of(path), 24);
	unlink(path);
}

/* ---- another port ---- */

static void test_moved_to_another_port(void)
{
	struct test_port other;
	struct driver driver;

	driver_new(&driver, true);
	test_port_init(&other, false);
	limit(&driver, (struct rate_limits){.tx_bits = 1000000000});
	driver.port.ops.defers = true;
	limit(&driver, (struct rate_limits){0});
	set(&driver, IMS, 0xff);
	queue(&driver, 3);
	CHECK_EQUAL(reg(&driver, TDH), 0);
	instance_attach(driver.instance, &other.port, "other");
	CHECK(driver.port.closed);
	driver_settle(&driver);
	CHECK_EQUAL(reg(&driver, TDH), 3); /* what the old one had has gone */
	CHECK(!(reg(&driver, STATUS) & 2));
	CHECK(reg(&driver, ICR) & LSC);
	queue(&driver, 1);
	CHECK_EQUAL(other.count, 0);
	clock_turn(&driver.machine.clock, 3100000000);
	CHECK(reg(&driver, STATUS) & 2);
	CHECK(reg(&driver, ICR) & LSC);
	queue(&driver, 2);
	CHECK_EQUAL(other.count, 2);
	driver.port.closed = true;
	instance_free(driver.instance);
	CHECK(other.closed);
	machine_free(&driver.machine);
	test_port_free(&driver.port);
	test_port_free(&other);
}

UNIT_FILE(layers, {"bits_sent", test_bits_sent}, {"frames_sent", test_frames_sent},
	  {"large_segments_count_whole", test_large_segments_count_whole},
	  {"received", test_received},
	  {"nothing_without_a_limit_that_way", test_nothing_without_a_limit_that_way},
	  {"new_limits_count_at_once", test_new_limits_count_at_once},
	  {"a_limited_card_waits_in_its_ring", test_a_limited_card_waits_in_its_ring},
	  {"layers_come_and_go", test_layers_come_and_go},
	  {"moved_to_another_port", test_moved_to_another_port});
