/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/switch_internal.h"

#include "nic/offload.h"

#include <stdlib.h>

enum { QUEUE_FRAMES = 512, QUEUE_BYTES = 1 << 20 };

/* The frame that one iovec describes, and its bytes behind it. */
struct switch_waiting *queue_copy(const struct frame *frame)
{
	const size_t head = offsetof(struct frame, iov[1]);
	struct switch_waiting *copy =
		malloc(offsetof(struct switch_waiting, frame) + head + frame->length);
	uint8_t *data;

	if (!copy)
		return NULL;
	data = (uint8_t *)&copy->frame + head;
	copy->next = NULL;
	copy->frame.iovs = 1;
	copy->frame.length = (uint32_t)frame_copy(frame, 0, data, frame->length);
	copy->frame.flags = frame->flags;
	copy->frame.header_length = frame->header_length;
	copy->frame.segment_size = frame->segment_size;
	copy->frame.checksum_start = frame->checksum_start;
	copy->frame.checksum_offset = frame->checksum_offset;
	copy->frame.iov[0] = (struct iovec){data, copy->frame.length};
	return copy;
}

bool queue_put(struct switch_queue *queue, const struct frame *frame)
{
	struct switch_waiting *copy;

	if (queue->frames == QUEUE_FRAMES || queue->bytes + frame->length > QUEUE_BYTES ||
	    !(copy = queue_copy(frame)))
		return false;
	if (queue->last)
		queue->last->next = copy;
	else
		queue->first = copy;
	queue->last = copy;
	queue->frames++;
	queue->bytes += copy->frame.length;
	return true;
}

void queue_take(struct switch_queue *queue)
{
	struct switch_waiting *gone = queue->first;

	queue->first = gone->next;
	if (!queue->first)
		queue->last = NULL;
	queue->frames--;
	queue->bytes -= gone->frame.length;
	free(gone);
}

bool queue_roomy(const struct switch_queue *queue)
{
	return queue->frames <= QUEUE_FRAMES / 2 && queue->bytes <= QUEUE_BYTES / 2;
}
