/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Foreign code that runs within the process: whose, while it does. When it crashes,
 * or does not return for WATCH_SECONDS, the process ends with a message that says so,
 * and its sockets are removed; see signals.c. A clock runs only while it is called.
 */
enum { WATCH_SECONDS = 2 };

struct watch {
	const char *volatile who, *volatile what; /* who NULL: our own code runs */
	volatile unsigned turn;			  /* counts what was entered */
	volatile bool ticks;			  /* the clock runs */
};

extern _Thread_local struct watch watch_now;

void watch_tick(void); /* makes it run; signals.c */

struct watched { /* what ran before, for watch_leave() */
	const char *who, *what;
};

static inline struct watched watch_enter(const char *who, const char *what)
{
	struct watched before = {watch_now.who, watch_now.what};

	watch_now.what = what;
	watch_now.who = who;
	watch_now.turn++;
	if (!watch_now.ticks)
		watch_tick();
	return before;
}

static inline void watch_leave(struct watched before)
{
	watch_now.who = before.who;
	watch_now.what = before.what;
	watch_now.turn++; /* what was interrupted has its time anew */
}
