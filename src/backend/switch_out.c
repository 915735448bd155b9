/* SPDX-License-Identifier: Apache-2.0 */

/* What goes out at a port of a switch: now, when there is room, or not at all. */
#include "backend/switch_internal.h"

#include <stdlib.h>

enum { DRAIN_BUDGET = 64 };

static void count_drop(struct switch_end *to, enum port_drop why, unsigned frames)
{
	to->net->stats.dropped += frames;
	port_drop(&to->port.stats.rx, why, frames);
	if (to->uplink)
		port_drop(&to->uplink->stats.tx, why, frames);
}

/* ---- with another head ---- */

/* Where FRAME has too many pieces, of a copy of it, which is returned by COPY. */
static bool edit(const struct switch_end *to, const struct switch_head *head,
		 const struct frame *frame, struct frame *edited, uint8_t room[static 16],
		 struct switch_waiting **copy)
{
	*copy = NULL;
	if (vlan_edit(to, head, frame, edited, room))
		return true;
	*copy = queue_copy(frame);
	return *copy && vlan_edit(to, head, &(*copy)->frame, edited, room);
}

static unsigned give_edited(struct switch_end *to, const struct frame *frames,
			    const struct switch_head *heads, unsigned count)
{
	struct switch_edits *edits = &to->net->edits;
	unsigned ready = 0, taken;

	while (ready < count && edit(to, &heads[ready], &frames[ready], &edits->frames[ready],
				     edits->heads[ready], &edits->copies[ready]))
		ready++;
	taken = switch_give(to, edits->frames, ready);
	for (unsigned i = 0; i < ready; i++)
		free(edits->copies[i]);
	return taken;
}

static bool wait_edited(struct switch_end *to, const struct frame *frame,
			const struct switch_head *head)
{
	struct switch_waiting *copy;
	struct frame edited;
	uint8_t room[16];
	bool put;

	if (!head)
		return queue_put(&to->queue, frame);
	put = edit(to, head, frame, &edited, room, &copy) && queue_put(&to->queue, &edited);
	free(copy);
	return put;
}

/* ---- out ---- */

static unsigned give_all(struct switch_end *to, const struct frame *frames,
			 const struct switch_head *heads, unsigned count)
{
	unsigned done = 0, part, taken;

	if (!heads)
		return switch_give(to, frames, count);
	do {
		part = count - done < SWITCH_RUN ? count - done : SWITCH_RUN;
		taken = give_edited(to, frames + done, heads + done, part);
		done += taken;
	} while (taken == part && done < count);
	return done;
}

static unsigned give_now(struct switch_end *to, const struct frame *frames,
			 const struct switch_head *heads, unsigned count)
{
	unsigned taken;

	if (to->net->busy || to->blocked || to->queue.first)
		return 0;
	to->net->busy = true;
	to->blocked = true; /* it may say already within that it can take again */
	taken = give_all(to, frames, heads, count);
	to->net->stats.given += taken;
	if (taken == count)
		to->blocked = false;
	to->net->busy = false;
	return taken;
}

unsigned switch_deliver(struct switch_end *to, struct switch_end *from, const struct frame *frames,
			const struct switch_head *heads, unsigned count, uint64_t now)
{
	unsigned done = give_now(to, frames, heads, count);

	for (; done < count; done++) {
		if (wait_edited(to, &frames[done], heads ? &heads[done] : NULL))
			continue;
		if (from && switch_hold(to, from, now))
			break;
		count_drop(to, DROP_NO_ROOM, 1);
	}
	if (to->queue.first && !to->blocked)
		loop_schedule(to->net->loop, &to->drain);
	return done;
}

bool switch_drain(struct loop_work *work)
{
	struct switch_end *end = work->context;
	struct switch_net *net = end->net;

	net->busy = true;
	for (unsigned i = 0; i < DRAIN_BUDGET && end->queue.first && !end->blocked; i++) {
		end->blocked = true;
		if (!switch_give(end, &end->queue.first->frame, 1))
			continue;
		end->blocked = false;
		net->stats.given++;
		queue_take(&end->queue);
	}
	net->busy = false;
	if (queue_roomy(&end->queue))
		switch_release(end, switch_now(net));
	return end->queue.first && !end->blocked;
}

void switch_unblock(struct switch_end *end)
{
	end->blocked = false;
	loop_schedule(end->net->loop, &end->drain);
}
