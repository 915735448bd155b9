/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/loop.h"

#include <sys/epoll.h>

enum { LOOP_EVENTS = 32 };

struct loop_shared; /* with other threads: loop_call.c */

struct loop {
	int epoll;
	struct clock *clock;
	struct loop_work *first, **last; /* waiting for the next turn */
	struct loop_work *running;	 /* waiting in this one */
	uint64_t busy_poll;		 /* ns */
	struct loop_fd *eager;		 /* the last one ready that can be looked at */
	unsigned looks;			 /* since the others had their turn */
	uint64_t calls;
	struct loop_shared *shared; /* or NULL */
	bool stop;
	/* what the turn under way still has to run; removal clears entries */
	struct epoll_event events[LOOP_EVENTS];
	int ready, at;
};
