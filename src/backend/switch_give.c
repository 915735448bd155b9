/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The way out of a switch. A NIC cuts and completes what it is given itself;
 * so does an uplink with offloads. For any other the switch does it here.
 */
#include "backend/switch_internal.h"

#include "nic/offload.h"

/* The rest of a segmented frame is lost, as on a wire, rather than sent twice. */
static bool give_segments(struct switch_end *end, const struct frame *whole)
{
	struct frame one = {.iovs = 1};
	struct port *uplink = end->uplink;
	struct segments cut;
	size_t length;

	if (!segments_begin(&cut, whole)) {
		port_drop(&uplink->stats.tx, DROP_MALFORMED, 1);
		return true;
	}
	while ((length = segments_next(&cut, end->net->room, sizeof(end->net->room)))) {
		one.iov[0] = (struct iovec){end->net->room, length};
		one.length = (uint32_t)length;
		if (uplink->ops->transmit(uplink, &one, 1) == 0)
			return cut.index > 1;
	}
	return true;
}

static bool give_completed(struct switch_end *end, const struct frame *frame)
{
	struct frame one = {.iovs = 1, .length = frame->length};

	if (frame->length > sizeof(end->net->room)) {
		port_drop(&end->uplink->stats.tx, DROP_TOO_LONG, 1);
		return true;
	}
	frame_copy(frame, 0, end->net->room, frame->length);
	frame_complete(frame, end->net->room);
	one.iov[0] = (struct iovec){end->net->room, frame->length};
	return end->uplink->ops->transmit(end->uplink, &one, 1) == 1;
}

static bool give_plain(struct switch_end *end, const struct frame *frame)
{
	if (frame->flags & (FRAME_TCP4 | FRAME_TCP6))
		return give_segments(end, frame);
	if (frame->flags & FRAME_CHECKSUM)
		return give_completed(end, frame);
	return end->uplink->ops->transmit(end->uplink, frame, 1) == 1;
}

static unsigned give_uplink(struct switch_end *end, const struct frame *frames, unsigned count)
{
	unsigned taken = 0;

	if (end->uplink->ops->offloads)
		return end->uplink->ops->transmit(end->uplink, frames, count);
	while (taken < count && give_plain(end, &frames[taken]))
		taken++;
	return taken;
}

unsigned switch_give(struct switch_end *end, const struct frame *frames, unsigned count)
{
	unsigned taken;

	if (!end->uplink && !end->port.peer.receive) {
		port_drop(&end->port.stats.rx, DROP_NOBODY, count);
		return count;
	}
	taken = end->uplink ? give_uplink(end, frames, count)
			    : end->port.peer.receive(end->port.peer.context, frames, count);
	for (unsigned i = 0; i < taken; i++)
		port_count(&end->port.stats.rx, frames[i].length);
	return taken;
}
