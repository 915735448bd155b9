/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Frames that a module is being shown, and what it makes of them. Bytes stay
 * where they are, in the guest's memory or the network's: what a module puts in is
 * kept in the batch's own room, and the frame becomes a list of pieces around it.
 *
 *   given    [ guest memory ..................... ]
 *   edited   [ guest .. ][ own ][ .. guest memory ]
 *
 * What is left to be done for a frame stays with it; edit() moves the offsets.
 * What a module says of a frame is looked at when its hook has returned.
 */
#include "nic/hooked.h"

#include <errno.h>
#include <string.h>

enum {
	OFFLOADS = FRAME_CHECKSUM | FRAME_VALID | FRAME_TCP4 | FRAME_TCP6,
	CUT = FRAME_TCP4 | FRAME_TCP6,
};

void hook_batch_begin(struct hooked *hooked, const struct frame *frames, unsigned count,
		      bool receiving)
{
	struct hook_batch *batch = &hooked->batch;

	batch->frames = frames;
	batch->count = count;
	batch->touched = false;
	batch->new_count = 0;
	batch->used = 0;
	hooked->receiving = receiving;
	if (receiving)
		memset(batch->own, 0, sizeof(batch->own));
}

/* Received frames are lent to us, with their list of pieces: what is changed is a copy. */
struct frame *hook_frame(struct hooked *hooked, unsigned i)
{
	struct hook_batch *batch = &hooked->batch;
	struct frame *own = &hooked->frames[i];

	if (!hooked->receiving)
		return (struct frame *)&batch->frames[i];
	if (!(batch->own[i / 64] >> i % 64 & 1))
		memcpy(own, &batch->frames[i],
		       offsetof(struct frame, iov) + batch->frames[i].iovs * sizeof(own->iov[0]));
	batch->own[i / 64] |= 1ull << i % 64;
	return own;
}

/* As it is by now. */
const struct frame *hook_frame_now(const struct hooked *hooked, unsigned i)
{
	return hooked->receiving && hooked->batch.own[i / 64] >> i % 64 & 1
		       ? &hooked->frames[i]
		       : &hooked->batch.frames[i];
}

uint8_t *hook_batch_room(struct hook_batch *batch, uint32_t length)
{
	uint8_t *room = batch->room + batch->used;

	if (length > HOOK_EDITS - batch->used)
		return NULL;
	batch->used += length;
	return room;
}

/* ---- edit ---- */

/* In one piece, which is ours; 0 or -ENOSPC. */
static int flatten(struct hook_batch *batch, struct frame *frame)
{
	uint8_t *room = hook_batch_room(batch, frame->length);

	if (!room)
		return -ENOSPC;
	frame_copy(frame, 0, room, frame->length);
	frame->iov[0] = (struct iovec){room, frame->length};
	frame->iovs = 1;
	return 0;
}

/* Bytes before AT in pieces of their own: the number of the piece that begins there. */
static unsigned split(struct frame *frame, uint32_t at)
{
	unsigned i = 0;

	for (; i < frame->iovs && at >= frame->iov[i].iov_len; i++)
		at -= (uint32_t)frame->iov[i].iov_len;
	if (!at)
		return i;
	memmove(&frame->iov[i + 1], &frame->iov[i], (frame->iovs - i) * sizeof(frame->iov[0]));
	frame->iovs++;
	frame->iov[i].iov_len = at;
	frame->iov[i + 1].iov_base = (uint8_t *)frame->iov[i + 1].iov_base + at;
	frame->iov[i + 1].iov_len -= at;
	return i + 1;
}

static void replace(struct frame *frame, uint32_t at, uint32_t remove, void *bytes, uint32_t length)
{
	unsigned first = split(frame, at), past = split(frame, at + remove);
	unsigned new = length != 0;

	memmove(&frame->iov[first + new], &frame->iov[past],
		(frame->iovs - past) * sizeof(frame->iov[0]));
	frame->iovs = frame->iovs - (past - first) + new;
	if (new)
		frame->iov[first] = (struct iovec){bytes, length};
	frame->length = frame->length - remove + length;
}

/* An offset behind the place moves along with what it points at. */
static uint16_t moved(uint16_t offset, uint32_t at, uint32_t remove, uint32_t length)
{
	uint32_t to = offset - remove + length;

	return offset >= at + remove && offset && to <= UINT16_MAX ? (uint16_t)to : offset;
}

int hook_edit(struct hooked *hooked, unsigned i, uint32_t at, uint32_t remove, const void *from,
	      uint32_t length)
{
	struct hook_batch *batch = &hooked->batch;
	struct anynic_frame *shown = &batch->shown[i];
	struct frame *frame = hook_frame(hooked, i);
	uint8_t *room;

	if (at > frame->length || remove > frame->length - at ||
	    length > FRAME_MAX - (frame->length - remove))
		return -EINVAL;
	if (frame->iovs + 3 > FRAME_IOVS && flatten(batch, frame) < 0)
		return -ENOSPC;
	room = hook_batch_room(batch, length);
	if (!room)
		return -ENOSPC;
	if (length)
		memcpy(room, from, length);
	replace(frame, at, remove, room, length);
	shown->length = frame->length;
	shown->header_length = moved(shown->header_length, at, remove, length);
	shown->checksum_start = moved(shown->checksum_start, at, remove, length);
	batch->touched = true;
	return 0;
}

/* ---- when the hook has returned ---- */

static bool offloads_sound(const struct frame *frame)
{
	uint32_t put = (uint32_t)frame->checksum_start + frame->checksum_offset;

	if (frame->length < 14 || frame->length > FRAME_MAX)
		return false;
	if ((frame->flags & FRAME_CHECKSUM) &&
	    (frame->checksum_start >= frame->length || put + 2 > frame->length))
		return false;
	return !(frame->flags & CUT) ||
	       (frame->segment_size && frame->header_length >= 14 &&
		frame->header_length <= HEADER_MAX - 4 && frame->header_length < frame->length &&
		(frame->flags & CUT) != CUT);
}

static void sum_put(struct frame *frame, uint8_t *head, uint32_t start, uint32_t length,
		    uint32_t put)
{
	uint16_t sum = (uint16_t)~frame_sum(frame, start, length);

	if (sum == 0)
		sum = 0xffff;
	memcpy(head + put, &sum, sizeof(sum));
}

/* Sums that the headers ask for, made anew; false: there are no such headers. */
static bool sums_anew(struct hook_batch *batch, struct frame *frame, unsigned flags)
{
	uint8_t *head = hook_batch_room(batch, HEADER_MAX);
	struct parsed parsed = {0};
	uint16_t none = 0, put;

	if (!head || !frame_own_header(frame, head, 128))
		return false;
	frame_parse(head, frame->iov[0].iov_len, frame->length, &parsed);
	if (!parsed.type)
		return false;
	if ((flags & ANYNIC_SUM_IP) && parsed.type == 1) {
		memcpy(head + parsed.l3_at + 10, &none, sizeof(none));
		sum_put(frame, head, parsed.l3_at, parsed.l4_at - parsed.l3_at, parsed.l3_at + 10u);
	}
	if (!(flags & ANYNIC_SUM_L4) || (frame->flags & (FRAME_CHECKSUM | CUT)))
		return true; /* or somebody makes that one anyway */
	put = (uint16_t)(parsed.l4_at + (parsed.l4 == 1 ? 16 : 6));
	if (!parsed.l4 || !parsed.whole || put + 2u > frame->iov[0].iov_len)
		return false;
	none = sum_fold(pseudo_sum(head, &parsed, parsed.l4_length));
	memcpy(head + put, &none, sizeof(none));
	sum_put(frame, head, parsed.l4_at, parsed.l4_length, put);
	return true;
}

void hook_lost(struct nic *nic)
{
	if (nic->hooked->receiving) {
		nic->stats.rx_too_long++;
		return;
	}
	nic->stats.tx_removed++;
	count_faults(nic, 1);
}

void hook_added(struct nic *nic, bool receiving, unsigned frames)
{
	*(receiving ? &nic->stats.rx_added : &nic->stats.tx_added) += frames;
}

void hook_removed(struct nic *nic, bool receiving, unsigned frames)
{
	*(receiving ? &nic->stats.rx_removed : &nic->stats.tx_removed) += frames;
}

/* For a port that does no such work. */
bool hook_out_ready(struct nic *nic, struct frame *frame)
{
	if (!(frame->flags & FRAME_CHECKSUM) || (frame->flags & CUT) || !nic->port ||
	    nic->port->ops->offloads)
		return true;
	if (flatten(&nic->hooked->batch, frame) < 0)
		return false;
	frame_complete(frame, frame->iov[0].iov_base);
	frame->flags = 0;
	return true;
}

bool hook_frame_end(struct nic *nic, struct frame *frame, const struct anynic_frame *shown)
{
	struct hook_batch *batch = &nic->hooked->batch;

	frame->flags = shown->flags & OFFLOADS;
	frame->header_length = shown->header_length;
	frame->segment_size = shown->segment_size;
	frame->checksum_start = shown->checksum_start;
	frame->checksum_offset = shown->checksum_offset;
	if (!offloads_sound(frame))
		return false;
	if ((shown->flags & (ANYNIC_SUM_IP | ANYNIC_SUM_L4)) &&
	    !sums_anew(batch, frame, shown->flags))
		return false;
	return nic->hooked->receiving || hook_out_ready(nic, frame);
}

bool hook_new_frame(struct nic *nic, unsigned i, struct frame *frame)
{
	struct hook_batch *batch = &nic->hooked->batch;

	frame->iovs = 1;
	frame->length = batch->news[i].length;
	frame->iov[0] = (struct iovec){batch->new_bytes[i], frame->length};
	return hook_frame_end(nic, frame, &batch->news[i]);
}
