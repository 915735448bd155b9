/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A full queue makes whoever sends to it wait: better than a loss, where the
 * receiver is only busy. But who waits for one receiver sends to no other
 * either, so a guest that takes nothing must not be waited for.
 *
 * Each port has an allowance of waiting: it is spent while a sender waits, and
 * comes back ten times slower. So whatever a guest does, others wait for it a
 * tenth of the time at most and ten milliseconds at once; beyond that its
 * frames are dropped.
 */
#include "backend/switch_internal.h"

enum { HOLD_MAX = 10000000, HOLD_LEAST = 500000, HOLD_REFILL = 10 }; /* ns, ns, times slower */

static void allowance(struct switch_end *to, uint64_t now)
{
	uint64_t passed = now > to->hold_at ? now - to->hold_at : 0;

	if (to->holding)
		to->hold_left -= passed < to->hold_left ? passed : to->hold_left;
	else if (passed / HOLD_REFILL < HOLD_MAX - to->hold_left)
		to->hold_left += passed / HOLD_REFILL;
	else
		to->hold_left = HOLD_MAX;
	to->hold_at += passed;
}

bool switch_hold(struct switch_end *to, struct switch_end *from, uint64_t now)
{
	allowance(to, now);
	if (!to->holding && to->hold_left < HOLD_LEAST)
		return false;
	if (!to->holding)
		timer_arm(loop_clock(to->net->loop), &to->patience, now + to->hold_left);
	to->holding = true;
	from->waits = to;
	to->net->stats.held++;
	return true;
}

static void go_on(struct switch_end *from)
{
	from->waits = NULL;
	if (from->uplink) {
		if (from->uplink->ops->resume)
			from->uplink->ops->resume(from->uplink);
	} else if (from->port.peer.writable) {
		from->port.peer.writable(from->port.peer.context);
	}
}

void switch_release(struct switch_end *to, uint64_t now)
{
	struct switch_net *net = to->net;

	if (!to->holding)
		return;
	allowance(to, now);
	to->holding = false;
	timer_cancel(loop_clock(net->loop), &to->patience);
	for (unsigned i = 0; i < net->count; i++) {
		if (net->ends[i] && net->ends[i]->waits == to)
			go_on(net->ends[i]);
	}
}

static void patience_over(struct timer *timer)
{
	struct switch_end *to = timer->context;

	switch_release(to, clock_now(loop_clock(to->net->loop)));
}

void switch_hold_init(struct switch_end *end, uint64_t now)
{
	timer_init(&end->patience, patience_over, end);
	end->hold_left = HOLD_MAX;
	end->hold_at = now;
}
