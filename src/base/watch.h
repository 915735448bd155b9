/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Foreign code that runs within the process: which, while it does. When it
 * crashes or does not return, the process ends with a message that says so.
 */
struct watch {
	const char *volatile who, *volatile what; /* who NULL: our own code runs */
	volatile unsigned turn;			  /* counts what was entered */
};

extern _Thread_local struct watch watch_now;

static inline struct watch watch_enter(const char *who, const char *what)
{
	struct watch before = watch_now;

	watch_now.what = what;
	watch_now.who = who;
	watch_now.turn++;
	return before;
}

/* BEFORE: what watch_enter() returned. */
static inline void watch_leave(struct watch before)
{
	watch_now.who = before.who;
	watch_now.what = before.what;
}
