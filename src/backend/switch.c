/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A learning switch.
 *
 *   NIC ─ transmit ─► end ─┐                     ┌─► end ─ receive ─► NIC
 *   NIC ─ transmit ─► end ─┼─ learn, find, or ───┼─► end ─ receive ─► NIC
 *   uplink ─ receive ► end ┘   to all others     └─► end ─ transmit ► uplink
 *
 * - A frame never goes back to where it came from, and an address that is known
 *   to be there goes nowhere. Groups and unknown addresses go to all others whose
 *   filters take them; those that bridges keep to themselves (01:80:c2:00:00:0x)
 *   to nobody. Each VLAN has addresses of its own (switch_table.c), and a port may
 *   have some of them, or one without tags (switch_vlan.c).
 * - A port may be isolated: such reach one another in no way, only the others. It
 *   may be held to its own address (spoofchk).
 * - Frames are handed on where they lie, usually in the sender's memory, and
 *   large segments whole. They are copied only to wait: for a receiver without
 *   room, in order, in its bounded queue; or while the switch is within a port
 *   already (a guest in this process may answer from its interrupt), so that no
 *   NIC is entered twice.
 * - A full queue makes the sender of frames for one receiver wait for a while
 *   (switch_hold.c). What goes to many is dropped there: one must not hold all.
 */
#include "backend/switch_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned end_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	return switch_forward(port->context, frames, count);
}

static unsigned uplink_receive(void *context, const struct frame *frames, unsigned count)
{
	return switch_forward(context, frames, count);
}

static void end_resume(struct port *port)
{
	switch_unblock(port->context);
}

static void uplink_writable(void *context)
{
	switch_unblock(context);
}

static void end_filter(struct port *port, const struct port_filter *filter)
{
	struct switch_end *end = port->context;

	end->filter = *filter;
	end->told = true;
	switch_filter_changed(end->net);
}

static void end_free(struct switch_end *end)
{
	struct switch_net *net = end->net;

	switch_release(end, switch_now(net));
	net->stats.abandoned += end->queue.frames;
	net->policies -= end->policy;
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

/* Frames pass as they lie while no port asks for more. */
static void end_policy(struct switch_end *end)
{
	const struct switch_port *port = &end->to_be;

	end->net->policies -= end->policy;
	end->policy = switch_port_tags(port) || port->spoofchk;
	end->net->policies += end->policy;
}

static struct switch_end *end_new(struct switch_net *net, const struct switch_port *port,
				  struct error *err)
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
	end->drain = (struct loop_work){.run = switch_drain, .context = end};
	if (port)
		end->to_be = *port;
	end_policy(end);
	switch_hold_init(end, switch_now(net));
	net->ends[index] = end;
	if (index == net->count)
		net->count++;
	return end;
}

struct port *switch_join(struct switch_net *net, const struct switch_port *port, struct error *err)
{
	struct switch_end *end = end_new(net, port, err);

	return end ? &end->port : NULL;
}

void switch_change(struct port *port, const struct switch_port *to)
{
	struct switch_end *end = port->context;
	struct switch_port had = end->to_be;

	end->to_be = *to;
	memcpy(end->to_be.name, had.name, sizeof(had.name));
	memcpy(end->to_be.mac, had.mac, sizeof(had.mac));
	end_policy(end);
	end->said = 0;
	table_forget(&end->net->table, end->index);
	switch_filter_changed(end->net);
}

struct switch_net *switch_new(struct loop *loop, struct error *err)
{
	struct switch_net *net = calloc(1, sizeof(*net));

	if (!net) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	net->loop = loop;
	table_init(&net->table);
	return net;
}

int switch_uplink(struct switch_net *net, struct port *uplink, const struct switch_port *port,
		  struct error *err)
{
	struct switch_end *end = end_new(net, port, err);

	if (!end) {
		uplink->ops->close(uplink);
		return err->code;
	}
	end->uplink = uplink;
	uplink->peer = (struct port_peer){
		.context = end, .receive = uplink_receive, .writable = uplink_writable};
	switch_filter_changed(net);
	return 0;
}

void switch_free(struct switch_net *net)
{
	for (unsigned i = 0; net && i < net->count; i++) {
		if (net->ends[i])
			end_free(net->ends[i]);
	}
	free(net);
}

/* ---- looked at ---- */

void switch_look(const struct switch_net *net, struct switch_stats *stats)
{
	*stats = net->stats;
	stats->addresses = table_count(&net->table);
	for (unsigned i = 0; i < net->count; i++) {
		if (!net->ends[i])
			continue;
		stats->ports += !net->ends[i]->uplink;
		stats->uplinks += net->ends[i]->uplink != NULL;
		stats->waits += net->ends[i]->queue.frames;
	}
}

void switch_look_joined(const struct port *port, struct switch_port_look *look)
{
	const struct switch_end *end = port->context;

	*look = (struct switch_port_look){.port = &end->to_be,
					  .uplink = end->uplink,
					  .stats = end->port.stats,
					  .addresses = end->net->table.owned[end->index]};
	/* the queue holds what has not been counted as offered yet */
	look->stats.rx.waits = end->queue.frames;
	look->stats.rx.offered += end->queue.frames;
}

bool switch_look_port(const struct switch_net *net, unsigned *index, struct switch_port_look *look)
{
	while (*index < net->count && !net->ends[*index])
		++*index;
	if (*index == net->count)
		return false;
	switch_look_joined(&net->ends[(*index)++]->port, look);
	return true;
}

int64_t switch_missing_in(const struct switch_stats *stats)
{
	return (int64_t)(stats->in - stats->routed - stats->flooded - stats->nowhere -
			 stats->refused);
}

int64_t switch_missing_out(const struct switch_stats *stats)
{
	return (int64_t)(stats->routed + stats->copies - stats->given - stats->dropped -
			 stats->waits - stats->abandoned);
}
