/* SPDX-License-Identifier: Apache-2.0 */

/*
 *   0        first              end           size
 *   |        |head|bytes|head|bytes|          |      or, once it has gone round:
 *   |head|bytes|end      first|head|bytes|skip|
 *
 * A frame that does not fit behind the last one begins at 0; a head without a
 * length says so, or there was no room for one.
 */
#include "nic/frame_store.h"

#include "nic/offload.h"

#include <stdlib.h>
#include <string.h>

struct head {
	uint32_t length;
	uint16_t flags, header_length, segment_size, checksum_start, checksum_offset;
	uint16_t reserved;
};

enum { ALIGN = 16 };

uint32_t frame_store_needs(uint32_t length)
{
	return (uint32_t)(sizeof(struct head) + length + ALIGN - 1) & ~(uint32_t)(ALIGN - 1);
}

bool frame_store_init(struct frame_store *store, uint32_t size)
{
	*store = (struct frame_store){.bytes = malloc(size), .size = size};
	return store->bytes;
}

void frame_store_free(struct frame_store *store)
{
	free(store->bytes);
	*store = (struct frame_store){0};
}

void frame_store_clear(struct frame_store *store)
{
	store->first = store->end = store->count = 0;
}

uint32_t frame_store_used(const struct frame_store *store)
{
	if (!store->count)
		return 0;
	return store->end > store->first ? store->end - store->first
					 : store->size - store->first + store->end;
}

/* Where a frame that takes NEEDS bytes can go. */
static bool place(struct frame_store *store, uint32_t needs, uint32_t *at)
{
	if (!store->count)
		store->first = store->end = 0;
	*at = store->end;
	if (store->count && store->end <= store->first)
		return needs <= store->first - store->end;
	if (needs <= store->size - store->end)
		return true;
	*at = 0;
	return needs <= store->first;
}

uint8_t *frame_store_add(struct frame_store *store, const struct frame *offloads)
{
	const struct head head = {offloads->length,
				  offloads->flags,
				  offloads->header_length,
				  offloads->segment_size,
				  offloads->checksum_start,
				  offloads->checksum_offset,
				  0};
	uint32_t needs = frame_store_needs(offloads->length), at;

	if (!place(store, needs, &at))
		return NULL;
	if (at != store->end && store->size - store->end >= sizeof(head))
		memset(store->bytes + store->end, 0, sizeof(head));
	memcpy(store->bytes + at, &head, sizeof(head));
	store->end = at + needs;
	store->count++;
	return store->bytes + at + sizeof(head);
}

bool frame_store_put(struct frame_store *store, const struct frame *frame)
{
	uint8_t *to = frame_store_add(store, frame);

	if (to)
		frame_copy(frame, 0, to, frame->length);
	return to;
}

/* The first one, past what was skipped at the end. */
static uint32_t first_at(const struct frame_store *store)
{
	struct head head;

	if (store->size - store->first < sizeof(head))
		return 0;
	memcpy(&head, store->bytes + store->first, sizeof(head));
	return head.length ? store->first : 0;
}

bool frame_store_first(const struct frame_store *store, struct frame *frame)
{
	struct head head;
	uint32_t at;

	if (!store->count)
		return false;
	at = first_at(store);
	memcpy(&head, store->bytes + at, sizeof(head));
	frame->iovs = 1;
	frame->length = head.length;
	frame->flags = head.flags;
	frame->header_length = head.header_length;
	frame->segment_size = head.segment_size;
	frame->checksum_start = head.checksum_start;
	frame->checksum_offset = head.checksum_offset;
	frame->iov[0] = (struct iovec){store->bytes + at + sizeof(head), head.length};
	return true;
}

void frame_store_drop(struct frame_store *store)
{
	struct frame frame;

	if (!frame_store_first(store, &frame))
		return;
	store->first = first_at(store) + frame_store_needs(frame.length);
	if (!--store->count)
		frame_store_clear(store);
}
