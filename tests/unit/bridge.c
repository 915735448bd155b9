/* SPDX-License-Identifier: Apache-2.0 */

/* Loops of two threads: a NIC on one, its port on the other. */
#include "machine.h"
#include "unit.h"

#include "backend/bridge.h"
#include "base/crew.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FRAMES = 20000, LONGEST = 66000, FLAGS = FRAME_CHECKSUM | FRAME_TCP4 };

/* What lies on the other loop: checks what it gets, and gives as many. */
struct other {
	struct port port;
	struct port_ops ops;
	struct loop_work work;
	struct loop *loop;
	_Atomic unsigned got, given, filters, closed;
	unsigned room, refused; /* now and then it takes nothing for a while */
	bool waits;
	uint8_t data[LONGEST];
};

static struct clock clock_here;
static struct loop *here;
static struct crew *crew;
static struct other other;
static struct port *port;
static unsigned got, sent, writable;
static int link_up;
static uint8_t data[LONGEST];

/* The k-th frame of a direction: everything of it follows from k. */
static uint32_t length_of(unsigned k)
{
	return k % 97 == 0 ? LONGEST - k % 1000 : 14 + k * 31 % 1500;
}

static void make(struct frame *frame, unsigned k, uint8_t *bytes)
{
	uint32_t length = length_of(k), half = length / 2;

	memset(bytes, (int)(k * 7 + 1), length);
	memcpy(bytes, &k, sizeof(k));
	frame->iovs = 2;
	frame->length = length;
	frame->flags = k % 3 ? 0 : FLAGS;
	frame->header_length = (uint16_t)(k % 60);
	frame->segment_size = (uint16_t)k;
	frame->checksum_start = 34;
	frame->checksum_offset = 16;
	frame->iov[0] = (struct iovec){bytes, half};
	frame->iov[1] = (struct iovec){bytes + half, length - half};
}

static bool right(const struct frame *frame, unsigned k)
{
	const uint8_t *bytes = frame->iov[0].iov_base;
	unsigned number;

	memcpy(&number, bytes, sizeof(number));
	return number == k && frame->iovs == 1 && frame->length == length_of(k) &&
	       frame->iov[0].iov_len == frame->length && bytes[4] == (uint8_t)(k * 7 + 1) &&
	       bytes[frame->length - 1] == (uint8_t)(k * 7 + 1) &&
	       frame->flags == (k % 3 ? 0 : FLAGS) && frame->segment_size == (uint16_t)k;
}

static unsigned other_transmit(struct port *base, const struct frame *frames, unsigned count)
{
	unsigned taken = count < other.room ? count : other.room;

	(void)base;
	for (unsigned i = 0; i < taken; i++) {
		if (!right(&frames[i], other.got))
			abort();
		other.got++;
	}
	other.room -= taken;
	if (taken < count) {
		other.refused++;
		loop_schedule(other.loop, &other.work);
	}
	return taken;
}

static void other_resume(struct port *base)
{
	(void)base;
	other.waits = false;
	loop_schedule(other.loop, &other.work);
}

static void other_filter(struct port *base, const struct port_filter *filter)
{
	(void)base;
	other.filters += filter->count;
}

static void other_close(struct port *base)
{
	(void)base;
	loop_unschedule(other.loop, &other.work);
	other.closed++;
}

static bool other_work(struct loop_work *work)
{
	(void)work;
	if (!other.room) {
		other.room = 100;
		port_writable(&other.port);
	}
	for (unsigned i = 0; i < 16 && !other.waits && other.given < FRAMES; i++) {
		struct frame frame = {0};

		make(&frame, other.given, other.data);
		if (port_receive(&other.port, &frame, 1) == 1)
			other.given++;
		else
			other.waits = true;
	}
	return !other.waits && other.given < FRAMES;
}

static unsigned nic_takes(void *context, const struct frame *frames, unsigned count)
{
	unsigned taken = got / 500 % 2 && count > 1 ? count - 1 : count;

	(void)context;
	for (unsigned i = 0; i < taken; i++)
		CHECK(right(&frames[i], got++));
	return taken;
}

static void nic_writable(void *context)
{
	(void)context;
	writable++;
}

static void link_told(void *context, bool up)
{
	(void)context;
	link_up = up;
}

static void begin(void)
{
	struct error err = {0};
	struct crew_config config = {.workers = 2, .cpu = -1};

	clock_init(&clock_here, false);
	config.own = here = loop_new(&clock_here);
	crew = crew_new(&config, &err);
	CHECK(crew && crew_count(crew) == 2);
	memset(&other, 0, sizeof(other));
	other.loop = crew_loop(crew, 1);
	other.ops = (struct port_ops){.transmit = other_transmit,
				      .resume = other_resume,
				      .filter = other_filter,
				      .close = other_close,
				      .offloads = true};
	other.port = (struct port){.ops = &other.ops, .context = &other};
	other.work = (struct loop_work){.run = other_work};
	loop_hold(other.loop);
	port = bridge_new(&other.port, other.loop, here, &err);
	loop_release(other.loop);
	CHECK(port && port->ops->offloads);
	port->peer = (struct port_peer){
		.receive = nic_takes, .writable = nic_writable, .link = link_told};
	got = sent = writable = 0;
	link_up = -1;
}

static void end(void)
{
	port->ops->close(port);
	loop_hold(other.loop); /* what was posted before is done before */
	loop_release(other.loop);
	CHECK_EQUAL(other.closed, 1);
	crew_free(crew);
	loop_free(here);
}

static void send_some(void)
{
	struct frame frame = {0};

	for (unsigned i = 0; i < 8 && sent < FRAMES; i++) {
		make(&frame, sent, data);
		if (port->ops->transmit(port, &frame, 1) == 0)
			return;
		sent++;
	}
}

static uint64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

static void test_frames_both_ways(void)
{
	uint64_t limit = seconds() + 60;

	begin();
	/* with the other side standing still ours is refused, and its port has no room at first */
	loop_hold(other.loop);
	for (unsigned before = FRAMES; before != sent;) {
		before = sent;
		send_some();
	}
	loop_release(other.loop);
	CHECK(sent < FRAMES);
	while (other.got < FRAMES || got < FRAMES) {
		CHECK(seconds() < limit);
		send_some();
		port->ops->resume(port);
		CHECK_EQUAL(loop_turn(here, sent < FRAMES ? 0 : 1), 0);
	}
	CHECK_EQUAL(port->stats.tx.frames, FRAMES);
	CHECK_EQUAL(port->stats.rx.frames, FRAMES);
	CHECK(writable > 0 && other.refused > 0);
	end();
}

static void until(int *what, int value)
{
	uint64_t limit = seconds() + 20;

	while (*what != value) {
		CHECK(seconds() < limit);
		loop_turn(here, 10);
	}
}

static void test_news(void)
{
	struct port_filter filter = {.count = 3};

	begin();
	for (int up = 0; up < 2; up++) {
		loop_hold(other.loop);
		port_link(&other.port, !up);
		port_link(&other.port, up);
		loop_release(other.loop);
		until(&link_up, up);
	}
	port->ops->filter(port, &filter);
	loop_hold(other.loop);
	CHECK_EQUAL(other.filters, 3);
	port_link(&other.port, false); /* and it is closed before that is heard */
	loop_release(other.loop);
	end();
	CHECK_EQUAL(link_up, 1);
}

struct count {
	struct loop_post post;
	struct loop_post back;
	_Atomic unsigned there;
	unsigned here;
};

static void count_back(struct loop_post *post)
{
	((struct count *)((char *)post - offsetof(struct count, back)))->here++;
}

static void count_there(struct loop_post *post)
{
	struct count *count = (struct count *)post;

	count->there++;
	count->back.run = count_back;
	loop_post(here, &count->back);
}

static void test_holding(void)
{
	struct count count = {.post = {.run = count_there}};

	begin();
	loop_hold(other.loop);
	loop_hold(other.loop);
	loop_post(other.loop, &count.post);
	loop_release(other.loop);
	sched_yield();
	CHECK_EQUAL(count.there, 0);
	loop_release(other.loop);
	loop_hold(other.loop);
	CHECK_EQUAL(count.there, 1);
	loop_release(other.loop);
	loop_hold(here); /* one's own: what waits there is done */
	CHECK_EQUAL(count.here, 1);
	loop_release(here);
	end();
}

UNIT_FILE(bridge, {"frames_both_ways", test_frames_both_ways}, {"news", test_news},
	  {"holding", test_holding});
