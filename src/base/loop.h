/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The event loop: epoll, timers of one clock, and recorded work.
 * Each turn: wait (or poll), run ready descriptors, due timers, then one
 * budget of every scheduled work item.
 */
struct loop;

struct loop_fd {
	int fd;
	void (*ready)(struct loop_fd *self, uint32_t events); /* EPOLLIN, EPOLLOUT ... */
	/* or NULL: while busy polling, reads without being told; true: there was something */
	bool (*look)(struct loop_fd *self);
	void *context;
	uint32_t events;
	bool added;
};

struct loop_work {
	bool (*run)(struct loop_work *self); /* one budget; true: more is left */
	void *context;
	bool queued;
	struct loop_work *next;
};

struct loop *loop_new(struct clock *clock);
void loop_free(struct loop *loop);
struct clock *loop_clock(struct loop *loop);
int loop_add(struct loop *loop, struct loop_fd *fd, uint32_t events);
int loop_modify(struct loop *loop, struct loop_fd *fd, uint32_t events);
void loop_remove(struct loop *loop, struct loop_fd *fd); /* safe from within callbacks */
void loop_schedule(struct loop *loop, struct loop_work *work);
void loop_unschedule(struct loop *loop, struct loop_work *work);
void loop_busy_poll(struct loop *loop, unsigned microseconds); /* 0: block at once */
int loop_turn(struct loop *loop, int timeout_ms);	       /* one turn, for tests */
int loop_run(struct loop *loop);			       /* until loop_stop; 0 or -errno */
void loop_stop(struct loop *loop);

/*
 * Several threads, each with a loop of its own. Everything above is for the
 * loop's own thread; these are for any.
 */
struct loop_post {
	void (*run)(struct loop_post *self); /* on the loop's thread; may free itself */
	struct loop_post *next;
};

int loop_share(struct loop *loop);    /* before another thread knows of it */
void loop_unshare(struct loop *loop); /* when none does any more */
void loop_own(struct loop *loop);     /* the calling thread runs it from now on */
void loop_post(struct loop *loop, struct loop_post *post);
/*
 * The loop's thread stands still between two of its turns' steps until it is
 * released, and what is the loop's is the caller's. May be nested. For the
 * thread that made the others: they never wait for it.
 */
void loop_hold(struct loop *loop);
void loop_release(struct loop *loop);

/* For whoever has a loop of his own: readable when a turn has something to do, and ms until then.
 */
int loop_descriptor(const struct loop *loop);
int loop_timeout(const struct loop *loop); /* -1: never */
/* A system call on the data path was made: counted, for figures. */
void loop_called(struct loop *loop);
uint64_t loop_calls(const struct loop *loop);
