/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/inbox.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool inbox_init(struct inbox *inbox)
{
	inbox->first = inbox->count = 0;
	inbox->held = false;
	inbox->buffers = malloc(INBOX_FRAMES * sizeof(*inbox->buffers));
	return inbox->buffers;
}

void inbox_free(struct inbox *inbox)
{
	free(inbox->buffers);
}

struct frame *inbox_put(struct inbox *inbox, struct port *port, uint8_t *data, uint32_t length)
{
	struct frame *frame = &inbox->frames[inbox->count++];

	frame->iovs = 1;
	frame->length = length;
	frame->flags = 0;
	frame->header_length = frame->segment_size = 0;
	frame->iov[0] = (struct iovec){data, length};
	port->stats.rx.offered++;
	port->stats.rx.waits++;
	return frame;
}

static void give(struct inbox *inbox, struct port *port)
{
	unsigned left = inbox->count - inbox->first, taken;

	taken = left ? port_receive(port, inbox->frames + inbox->first, left) : 0;
	for (unsigned i = 0; i < taken; i++)
		port->stats.rx.bytes += inbox->frames[inbox->first++].length;
	port->stats.rx.frames += taken;
	port->stats.rx.waits -= taken;
}

bool inbox_give(struct inbox *inbox, struct port *port)
{
	inbox->asked = true;
	if (inbox->giving)
		return false;
	inbox->giving = true;
	while (inbox->asked && inbox->first < inbox->count) {
		inbox->asked = false;
		give(inbox, port);
	}
	inbox->giving = false;
	inbox->held = inbox->first < inbox->count;
	if (!inbox->held)
		inbox->first = inbox->count = 0;
	return !inbox->held;
}

void inbox_drop(struct inbox *inbox, struct port *port, enum port_drop why)
{
	unsigned left = inbox->count - inbox->first;

	port->stats.rx.dropped[why] += left;
	port->stats.rx.waits -= left;
	inbox->first = inbox->count = 0;
	inbox->held = false;
}

void inbox_sift(struct inbox *inbox, struct port *port, unsigned first,
		bool (*keep)(void *context, const struct frame *frame), void *context,
		enum port_drop why)
{
	unsigned kept = first;

	for (unsigned i = first; i < inbox->count; i++) {
		struct frame *frame = &inbox->frames[i];

		if (!keep(context, frame)) {
			port->stats.rx.waits--;
			port->stats.rx.dropped[why]++;
			continue;
		}
		if (kept != i)
			memcpy(&inbox->frames[kept], frame,
			       offsetof(struct frame, iov) + sizeof(frame->iov[0]));
		kept++;
	}
	inbox->count = kept;
}
