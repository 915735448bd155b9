/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"
#include "nic/port.h"

#include <net/if.h>

/*
 * An interface of the host, watched by netlink: by its name until it is found, then by
 * its number, whatever it is called; by its name again when it is gone (deleted, or
 * moved to another namespace). CHANGED is called after any of the first group
 * changed, and once more for the counters when they were asked for.
 */
struct watch {
	int index; /* 0: it is not there */
	bool up;   /* set up, and has a carrier */
	uint32_t mtu;
	uint8_t mac[6];

	struct port_health health; /* since it was opened */
	uint64_t seen[6];
	char name[IF_NAMESIZE];
	struct loop *loop;
	struct loop_fd fd;
	struct timer look;
	void (*changed)(struct watch *watch);
	void *context;
};

/* LOOP and CHANGED are set; -ENODEV where there is none of that name. */
int watch_open(struct watch *watch, const char *name, struct error *err);
void watch_close(struct watch *watch);
void watch_ask(struct watch *watch); /* counters as they are now; CHANGED before it returns */

/* Traffic passes: counters are looked at a while later. */
static inline void watch_used(struct watch *watch)
{
	struct clock *clock = loop_clock(watch->loop);

	if (!timer_armed(&watch->look))
		timer_arm_lazy(clock, &watch->look, clock_now(clock) + 1000000000u);
}
