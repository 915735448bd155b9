/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/inbox.h"

#include <stdlib.h>

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
