/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A learning switch.
 *
 *   NIC ─ transmit ─► end ─┐                     ┌─► end ─ receive ─► NIC
 *   NIC ─ transmit ─► end ─┼─ learn, find, or ───┼─► end ─ receive ─► NIC
 *   uplink ─ receive ► end ┘   to all others     └─► end ─ transmit ► uplink
 *
 * - A frame never goes back to where it came from, and an address that is known
 *   to be there goes nowhere. Groups and unknown addresses go to all others;
 *   those that bridges keep to themselves (01:80:c2:00:00:0x) to nobody. VLAN
 *   tags pass, one table serves all VLANs.
 * - Frames are handed on where they lie, usually in the sender's memory, and
 *   large segments whole. They are copied only to wait: for a receiver without
 *   room, in order, in its bounded queue; or while the switch is within a port
 *   already (a guest in this process may answer from its interrupt), so that no
 *   NIC is entered twice.
 * - A full queue makes the sender of frames for one receiver wait for a while
 *   (switch_hold.c). What goes to many is dropped there: one must not hold all.
 */
#include "backend/switch_internal.h"

#include "nic/offload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DRAIN_BUDGET = 64, NOBODY = -1, ALL = -2 };

static const uint64_t SAY_AGAIN = 1000000000u; /* an address is known well enough so long */

static uint64_t now_of(const struct switch_net *net)
{
	return clock_now(loop_clock(net->loop));
}

/* ---- out ---- */

static void count_drop(struct switch_end *to, unsigned frames)
{
	to->net->stats.dropped += frames;
	if (to->uplink)
		port_drop(&to->uplink->stats.tx, DROP_NO_ROOM, frames);
	else
		port_drop(&to->port.stats.rx, DROP_NO_ROOM, frames);
}

static unsigned give_now(struct switch_end *to, const struct frame *frames, unsigned count)
{
	unsigned taken;

	if (to->net->busy || to->blocked || to->queue.first)
		return 0;
	to->net->busy = true;
	to->blocked = true; /* it may say already within that it can take again */
	taken = switch_give(to, frames, count);
	to->net->stats.given += taken;
	if (taken == count)
		to->blocked = false;
	to->net->busy = false;
	return taken;
}

/* How many frames need FROM's care no longer: given, waiting, or lost. FROM NULL: all. */
static unsigned deliver(struct switch_end *to, struct switch_end *from, const struct frame *frames,
			unsigned count, uint64_t now)
{
	unsigned done = give_now(to, frames, count);

	for (; done < count; done++) {
		if (queue_put(&to->queue, &frames[done]))
			continue;
		if (from && switch_hold(to, from, now))
			break;
		count_drop(to, 1);
	}
	if (to->queue.first && !to->blocked)
		loop_schedule(to->net->loop, &to->drain);
	return done;
}

static void flood(struct switch_end *from, const struct frame *frame, uint64_t now)
{
	struct switch_net *net = from->net;

	net->stats.flooded++;
	for (unsigned i = 0; i < net->count; i++) {
		if (net->ends[i] && net->ends[i] != from)
			net->stats.copies += deliver(net->ends[i], NULL, frame, 1, now);
	}
}

static bool drain_run(struct loop_work *work)
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
		switch_release(end, now_of(net));
	return end->queue.first && !end->blocked;
}

static void unblock(struct switch_end *end)
{
	end->blocked = false;
	loop_schedule(end->net->loop, &end->drain);
}

/* ---- in ---- */

static uint64_t address_at(const struct frame *frame, size_t from)
{
	uint64_t mac = 0;

	return frame_copy(frame, from, &mac, 6) == 6 ? mac : 0;
}

static void learn(struct switch_end *from, uint64_t source, uint64_t now)
{
	if ((source & 1) || !source || (source == from->said && now - from->said_at < SAY_AGAIN))
		return;
	from->said = source;
	from->said_at = now;
	table_learn(&from->net->table, source, from->index,
		    from->uplink ? SWITCH_SETS * SWITCH_WAYS : SWITCH_OWN, now);
}

static int route(struct switch_end *from, const struct frame *frame, uint64_t now)
{
	uint64_t to = address_at(frame, 0);
	int end;

	if (frame->length < 14)
		return NOBODY;
	learn(from, address_at(frame, 6), now);
	if ((to & 0xf0ffffffffff) == 0x0000c28001)
		return NOBODY;
	if (to & 1)
		return ALL;
	end = table_find(&from->net->table, to, now);
	if (end < 0)
		return ALL;
	return (unsigned)end == from->index ? NOBODY : end;
}

/* A run of frames with one destination is handed on as one batch. */
static unsigned forward(struct switch_end *from, const struct frame *frames, unsigned count)
{
	struct switch_net *net = from->net;
	uint64_t now = now_of(net);
	unsigned done = 0, end, taken;
	int to, next;

	if (from->waits || !count)
		return 0;
	for (next = route(from, frames, now); done < count; done = end) {
		to = next;
		end = done + 1;
		while (end < count && (next = route(from, &frames[end], now)) == to && to >= 0)
			end++;
		if (to < 0) {
			net->stats.nowhere += to == NOBODY;
			if (to == ALL)
				flood(from, &frames[done], now);
			continue;
		}
		taken = deliver(net->ends[to], from, frames + done, end - done, now);
		net->stats.routed += taken;
		done += taken;
		if (done < end)
			break;
	}
	net->stats.in += done;
	return done;
}

static unsigned end_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	unsigned taken = forward(port->context, frames, count);

	for (unsigned i = 0; i < taken; i++)
		port_count(&port->stats.tx, frames[i].length);
	return taken;
}

static unsigned uplink_receive(void *context, const struct frame *frames, unsigned count)
{
	return forward(context, frames, count);
}

/* ---- ports ---- */

static void end_resume(struct port *port)
{
	unblock(port->context);
}

static void uplink_writable(void *context)
{
	unblock(context);
}

static void end_filter(struct port *port, const struct port_filter *filter)
{
	struct switch_end *end = port->context;

	end->filter = *filter;
	switch_filter_changed(end->net);
}

static void end_free(struct switch_end *end)
{
	struct switch_net *net = end->net;

	switch_release(end, now_of(net));
	net->stats.abandoned += end->queue.frames;
	table_forget(&net->table, end->index);
	loop_unschedule(net->loop, &end->drain);
	while (end->queue.first)
		queue_take(&end->queue);
	net->ends[end->index] = NULL;
	if (end->uplink)
		end->uplink->ops->close(end->uplink);
	free(end);
}

static void end_close(struct port *port)
{
	struct switch_end *end = port->context;
	struct switch_net *net = end->net;

	end_free(end);
	switch_filter_changed(net);
}

static const struct port_ops end_ops = {
	.transmit = end_transmit,
	.resume = end_resume,
	.filter = end_filter,
	.close = end_close,
	.offloads = true,
};

static struct switch_end *end_new(struct switch_net *net, struct error *err)
{
	struct switch_end *end = calloc(1, sizeof(*end));
	unsigned index = 0;

	while (index < SWITCH_ENDS && net->ends[index])
		index++;
	if (!end || index == SWITCH_ENDS) {
		free(end);
		error_set(err, -ENOSPC, "a switch has at most %u ports", SWITCH_ENDS);
		return NULL;
	}
	end->port = (struct port){.ops = &end_ops, .context = end};
	end->net = net;
	end->index = index;
	end->drain = (struct loop_work){.run = drain_run, .context = end};
	switch_hold_init(end, now_of(net));
	net->ends[index] = end;
	if (index == net->count)
		net->count++;
	return end;
}

struct port *switch_join(struct switch_net *net, struct error *err)
{
	struct switch_end *end = end_new(net, err);

	return end ? &end->port : NULL;
}

struct switch_net *switch_new(struct port *uplink, struct loop *loop, struct error *err)
{
	struct switch_net *net = calloc(1, sizeof(*net));
	struct switch_end *end;

	if (!net) {
		if (uplink)
			uplink->ops->close(uplink);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	net->loop = loop;
	table_init(&net->table);
	if (!uplink)
		return net;
	end = end_new(net, err);
	if (!end) {
		uplink->ops->close(uplink);
		free(net);
		return NULL;
	}
	end->uplink = uplink;
	uplink->peer = (struct port_peer){
		.context = end, .receive = uplink_receive, .writable = uplink_writable};
	return net;
}

void switch_free(struct switch_net *net)
{
	for (unsigned i = 0; net && i < net->count; i++) {
		if (net->ends[i])
			end_free(net->ends[i]);
	}
	free(net);
}

void switch_look(const struct switch_net *net, struct switch_stats *stats)
{
	*stats = net->stats;
	stats->addresses = table_count(&net->table);
	for (unsigned i = 0; i < net->count; i++) {
		stats->ports += net->ends[i] && !net->ends[i]->uplink;
		stats->waits += net->ends[i] ? net->ends[i]->queue.frames : 0;
	}
}

int64_t switch_missing_in(const struct switch_stats *stats)
{
	return (int64_t)(stats->in - stats->routed - stats->flooded - stats->nowhere);
}

int64_t switch_missing_out(const struct switch_stats *stats)
{
	return (int64_t)(stats->routed + stats->copies - stats->given - stats->dropped -
			 stats->waits - stats->abandoned);
}
