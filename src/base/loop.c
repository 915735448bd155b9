/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loop_internal.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { LOOKS_MAX = 8 };

struct loop *loop_new(struct clock *clock)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->clock = clock;
	loop->last = &loop->first;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->epoll);
	free(loop);
}

struct clock *loop_clock(struct loop *loop)
{
	return loop->clock;
}

int loop_add(struct loop *loop, struct loop_fd *fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = fd};

	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd->fd, &event) < 0)
		return -errno;
	fd->events = events;
	fd->added = true;
	return 0;
}

int loop_modify(struct loop *loop, struct loop_fd *fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = fd};

	if (fd->events == events)
		return 0;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd->fd, &event) < 0)
		return -errno;
	fd->events = events;
	return 0;
}

void loop_remove(struct loop *loop, struct loop_fd *fd)
{
	if (!fd->added)
		return;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd->fd, NULL);
	fd->added = false;
	if (loop->eager == fd)
		loop->eager = NULL;
	for (int i = loop->at; i < loop->ready; i++) {
		if (loop->events[i].data.ptr == fd)
			loop->events[i].data.ptr = NULL;
	}
}

void loop_schedule(struct loop *loop, struct loop_work *work)
{
	if (work->queued)
		return;
	work->queued = true;
	work->next = NULL;
	*loop->last = work;
	loop->last = &work->next;
}

static void loop_unlink(struct loop_work **at, const struct loop_work *work)
{
	for (; *at; at = &(*at)->next) {
		if (*at == work) {
			*at = work->next;
			return;
		}
	}
}

void loop_unschedule(struct loop *loop, struct loop_work *work)
{
	if (!work->queued)
		return;
	loop_unlink(&loop->first, work);
	loop_unlink(&loop->running, work);
	for (loop->last = &loop->first; *loop->last; loop->last = &(*loop->last)->next)
		;
	work->queued = false;
}

void loop_busy_poll(struct loop *loop, unsigned microseconds)
{
	loop->busy_poll = (uint64_t)microseconds * 1000;
}

/* One budget of each item that waits now; what an item leaves goes behind the others. */
static void loop_work(struct loop *loop)
{
	struct loop_work *waiting = loop->first;

	loop->first = NULL;
	loop->last = &loop->first;
	loop->running = waiting;
	while (loop->running) {
		struct loop_work *work = loop->running;

		loop->running = work->next;
		work->queued = false;
		if (work->run(work))
			loop_schedule(loop, work);
	}
}

/* Kernels before 5.11, and those that are imitated, know milliseconds only. */
static int wait_coarsely(struct loop *loop, uint64_t wait)
{
	uint64_t ms = wait / 1000000 + (wait % 1000000 != 0);

	return epoll_wait(loop->epoll, loop->events, LOOP_EVENTS,
			  wait == CLOCK_NEVER ? -1
			  : ms < INT_MAX      ? (int)ms
					      : INT_MAX);
}

/* Waits with the precision of the clock: epoll_pwait2 takes nanoseconds. */
static int loop_wait(struct loop *loop, int timeout_ms)
{
	uint64_t wait = timeout_ms < 0 ? CLOCK_NEVER : (uint64_t)timeout_ms * 1000000;
	uint64_t next = clock_next(loop->clock);
	struct timespec limit;
	int ready;

	if (loop->first) {
		wait = 0;
	} else if (next != CLOCK_NEVER && !loop->clock->manual) {
		uint64_t now = clock_now(loop->clock);
		uint64_t left = next > now ? next - now : 0;

		wait = left < wait ? left : wait;
	}
	loop->calls++;
	limit.tv_sec = (time_t)(wait / 1000000000u);
	limit.tv_nsec = (long)(wait % 1000000000u);
	ready = epoll_pwait2(loop->epoll, loop->events, LOOP_EVENTS,
			     wait == CLOCK_NEVER ? NULL : &limit, NULL);
	return ready < 0 && errno == ENOSYS ? wait_coarsely(loop, wait) : ready;
}

/* Most messages follow one another on one descriptor: ask it first, but not for ever. */
static bool loop_look(struct loop *loop)
{
	if (!loop->eager || loop->looks++ >= LOOKS_MAX)
		return false;
	return loop->eager->look(loop->eager);
}

/*
 * Looks without blocking for a while, since a wake-up costs more than the wait.
 * Yields each time: where the VM has the same CPU, that is when it works.
 */
static int loop_spin(struct loop *loop, int timeout_ms)
{
	uint64_t end;

	if (!loop->busy_poll || timeout_ms == 0)
		return loop_wait(loop, timeout_ms);
	end = clock_now(loop->clock) + loop->busy_poll;
	do {
		uint64_t now;
		bool found, due;
		int ready;

		loop->calls++;
		sched_yield();
		found = loop_look(loop);
		now = clock_now(loop->clock);
		due = clock_next(loop->clock) <= now;
		if (found && !due)
			return 0;
		/* what has arrived goes before what is due: one interrupt may tell of both */
		loop->looks = 0;
		loop->calls++;
		ready = epoll_wait(loop->epoll, loop->events, LOOP_EVENTS, 0);
		if (found || due || ready != 0 || loop->first)
			return ready;
		if (now >= end)
			break;
	} while (!loop->stop);
	return loop_wait(loop, timeout_ms);
}

int loop_turn(struct loop *loop, int timeout_ms)
{
	int ready = loop_spin(loop, timeout_ms);

	if (ready < 0 && errno != EINTR)
		return -errno;
	loop->ready = ready > 0 ? ready : 0;
	for (loop->at = 0; loop->at < loop->ready;) {
		struct epoll_event *event = &loop->events[loop->at++];
		struct loop_fd *fd = event->data.ptr;

		if (!fd)
			continue;
		if (fd->look)
			loop->eager = fd;
		fd->ready(fd, event->events);
	}
	clock_run(loop->clock);
	loop_work(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	int result = 0;

	loop->stop = false;
	while (!loop->stop && result == 0)
		result = loop_turn(loop, -1);
	return result;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}

int loop_descriptor(const struct loop *loop)
{
	return loop->epoll;
}

int loop_timeout(const struct loop *loop)
{
	uint64_t next = clock_next(loop->clock), now = clock_now(loop->clock);
	uint64_t left = next > now ? (next - now + 999999) / 1000000 : 0;

	if (loop->first)
		return 0;
	if (next == CLOCK_NEVER || loop->clock->manual)
		return -1;
	return left < INT_MAX ? (int)left : INT_MAX;
}

void loop_called(struct loop *loop)
{
	loop->calls++;
}

uint64_t loop_calls(const struct loop *loop)
{
	return loop->calls;
}
