/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What comes in at a port of a switch: whether it may, where it goes, and how it is
 * counted. Every frame that is taken is counted at its port, as passed on or as
 * dropped for a reason, and once for the switch.
 */
#include "backend/switch_internal.h"

#include <string.h>

enum { ALL = -1, DROP = -2 }; /* DROP - why: see enum port_drop */

static const uint64_t SAY_AGAIN = 1000000000u; /* an address is known well enough so long */

static void learn(struct switch_end *from, uint64_t source, unsigned vlan, uint64_t now)
{
	uint64_t key = source | (uint64_t)vlan << 48;

	if ((source & 1) || !source || (key == from->said && now - from->said_at < SAY_AGAIN))
		return;
	from->said = key;
	from->said_at = now;
	table_learn(&from->net->table, key, from->index,
		    from->uplink ? SWITCH_SETS * SWITCH_WAYS : SWITCH_OWN, now);
}

static bool apart(const struct switch_end *a, const struct switch_end *b)
{
	return a->to_be.isolated && b->to_be.isolated;
}

/* To the one that has the address. */
static int route_known(const struct switch_end *from, int end, unsigned vlan)
{
	const struct switch_end *to = from->net->ends[end];

	if (to == from)
		return DROP - DROP_NOWHERE;
	if (apart(from, to))
		return DROP - DROP_ISOLATED;
	return vlan_leaves(to, vlan) ? end : DROP - DROP_VLAN;
}

static int route(struct switch_end *from, const struct frame *frame, struct switch_head *head,
		 uint64_t now)
{
	uint64_t to, source;
	int end;

	if (!head_read(head, frame))
		return DROP - DROP_MALFORMED;
	to = head_address(head, 0);
	source = head_address(head, 6);
	if (from->to_be.spoofchk && memcmp(from->to_be.mac, head->bytes + 6, 6))
		return DROP - DROP_SPOOFED;
	if (!vlan_enters(from, head))
		return DROP - DROP_VLAN;
	learn(from, source, head->vlan, now);
	if ((to & 0xf0ffffffffff) == 0x0000c28001) /* bridges keep them to themselves */
		return DROP - DROP_NOWHERE;
	if (to & 1)
		return ALL;
	end = table_find(&from->net->table, to | (uint64_t)head->vlan << 48, now);
	return end < 0 ? ALL : route_known(from, end, head->vlan);
}

static void flood(struct switch_end *from, const struct frame *frame,
		  const struct switch_head *head, uint64_t now)
{
	struct switch_net *net = from->net;
	const struct switch_head *heads = net->policies ? head : NULL;

	net->stats.flooded++;
	for (unsigned i = 0; i < net->count; i++) {
		struct switch_end *to = net->ends[i];

		if (to && to != from && !apart(from, to) && vlan_leaves(to, head->vlan) &&
		    switch_filter_takes(to, head))
			net->stats.copies += switch_deliver(to, NULL, frame, heads, 1, now);
	}
}

static void drop(struct switch_end *from, enum port_drop why)
{
	if (why == DROP_NOWHERE || why == DROP_MALFORMED)
		from->net->stats.nowhere++;
	else
		from->net->stats.refused++;
	port_drop(&from->port.stats.tx, why, 1);
}

static unsigned to_one(struct switch_end *from, int end, const struct frame *frames,
		       const struct switch_head *heads, unsigned count, uint64_t now)
{
	struct switch_net *net = from->net;
	unsigned taken = switch_deliver(net->ends[end], from, frames, net->policies ? heads : NULL,
					count, now);

	net->stats.routed += taken;
	for (unsigned i = 0; i < taken; i++)
		port_count(&from->port.stats.tx, frames[i].length);
	return taken;
}

/* A run of frames with one destination is handed on as one batch. */
static unsigned hand_on(struct switch_end *from, const struct frame *frames,
			const struct switch_head *heads, const int *routes, unsigned count,
			uint64_t now)
{
	unsigned at = 0, run, taken;

	for (; at < count; at += run) {
		run = 1;
		if (routes[at] == ALL) {
			flood(from, &frames[at], &heads[at], now);
			port_count(&from->port.stats.tx, frames[at].length);
			continue;
		}
		if (routes[at] <= DROP || !from->net->ends[routes[at]]) { /* it may have left */
			drop(from, routes[at] <= DROP ? (enum port_drop)(DROP - routes[at])
						      : DROP_NOWHERE);
			continue;
		}
		while (at + run < count && routes[at + run] == routes[at])
			run++;
		taken = to_one(from, routes[at], frames + at, heads + at, run, now);
		if (taken < run)
			return at + taken;
	}
	return at;
}

unsigned switch_forward(struct switch_end *from, const struct frame *frames, unsigned count)
{
	uint64_t now = switch_now(from->net);
	struct switch_head heads[SWITCH_RUN];
	int routes[SWITCH_RUN];
	unsigned done = 0, part, taken = 0;

	for (part = 0; taken == part && done < count && !from->waits; done += taken) {
		part = count - done < SWITCH_RUN ? count - done : SWITCH_RUN;
		for (unsigned i = 0; i < part; i++)
			routes[i] = route(from, &frames[done + i], &heads[i], now);
		taken = hand_on(from, frames + done, heads, routes, part, now);
	}
	from->net->stats.in += done;
	return done;
}
