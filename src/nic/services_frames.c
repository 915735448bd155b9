/* SPDX-License-Identifier: Apache-2.0 */

/* What a module may ask of frames: those it is shown, and those it makes. */
#include "nic/hooked.h"
#include "nic/service.h"

#include <errno.h>
#include <string.h>

/* Its number in the batch at hand; -1: it is none of it. */
static int index_of(const struct nic *nic, const struct anynic_frame *frame)
{
	const struct hook_batch *batch = &nic->hooked->batch;
	uintptr_t offset = (uintptr_t)frame - (uintptr_t)batch->shown;

	return nic->hooked->within == WITHIN_WORK && offset / sizeof(*frame) < batch->count &&
			       offset % sizeof(*frame) == 0
		       ? (int)(offset / sizeof(*frame))
		       : -1;
}

int32_t service_peek(struct anynic_nic *self, const struct anynic_frame *frame, uint32_t at,
		     void *to, uint32_t length)
{
	struct nic *nic = nic_of(self);
	int i = index_of(nic, frame);

	if (i < 0)
		return ANYNIC_INVALID;
	return (int32_t)frame_copy(hook_frame_now(nic->hooked, (unsigned)i), at, to, length);
}

int32_t service_edit(struct anynic_nic *self, struct anynic_frame *frame, uint32_t at,
		     uint32_t remove, const void *from, uint32_t length)
{
	struct nic *nic = nic_of(self);
	int i = index_of(nic, frame), result;

	if (i < 0)
		return ANYNIC_INVALID;
	result = hook_edit(nic->hooked, (unsigned)i, at, remove, from, length);
	return result == -EINVAL ? ANYNIC_INVALID : result < 0 ? ANYNIC_FULL : ANYNIC_OK;
}

int32_t service_put(struct anynic_nic *self, const struct anynic_frame *frame, uint32_t at,
		    uint64_t address, uint32_t length)
{
	struct nic *nic = nic_of(self);
	int i = index_of(nic, frame), got;
	const struct frame *from;
	struct iovec iov[8];

	if (i < 0)
		return ANYNIC_INVALID;
	from = hook_frame_now(nic->hooked, (unsigned)i);
	if (at > from->length || length > from->length - at)
		return ANYNIC_INVALID;
	if (!length)
		return ANYNIC_OK;
	got = dma_write_view(nic->bus.memory, address, length, iov, 8);
	for (int k = 0; k < got; k++) {
		frame_copy(from, at, iov[k].iov_base, iov[k].iov_len);
		at += (uint32_t)iov[k].iov_len;
	}
	return service_result(got);
}

/* ---- frames of its own ---- */

static void describe(struct anynic_frame *frame, const struct anynic_frame *meta, uint32_t length)
{
	*frame = meta ? *meta : (struct anynic_frame){0};
	frame->length = length;
	frame->verdict = ANYNIC_PASS;
}

/* Into the batch, behind one of its frames. */
static int32_t add(struct nic *nic, unsigned behind, const struct anynic_frame *meta,
		   const void *from, uint32_t length)
{
	struct hook_batch *batch = &nic->hooked->batch;
	uint8_t *room = batch->new_count < HOOK_NEW ? hook_batch_room(batch, length) : NULL;
	unsigned i = batch->new_count;

	if (!room)
		return ANYNIC_FULL;
	memcpy(room, from, length);
	describe(&batch->news[i], meta, length);
	batch->new_behind[i] = (uint16_t)behind;
	batch->new_bytes[i] = room;
	batch->new_count++;
	batch->touched = true;
	return ANYNIC_OK;
}

/* Behind what waits. RECEIVING: as hook_frame_end() has to see it. */
static int32_t queue(struct nic *nic, struct frame_store *store, bool receiving,
		     const struct anynic_frame *meta, const void *from, uint32_t length)
{
	struct hooked *hooked = nic->hooked;
	struct frame frame = {.iovs = 1, .length = length, .iov = {{(void *)from, length}}};
	bool before = hooked->receiving, sound;
	uint32_t used = hooked->batch.used;
	struct anynic_frame shown;

	describe(&shown, meta, length);
	hooked->receiving = receiving;
	sound = hook_frame_end(nic, &frame, &shown);
	hooked->receiving = before;
	if (sound && (frame_store_used(store) > HOOK_QUEUE || !frame_store_put(store, &frame)))
		sound = false;
	if (sound)
		hook_added(nic, receiving, 1);
	hooked->batch.used = used;
	nic->bus.schedule(nic->bus.context);
	return sound ? ANYNIC_OK : ANYNIC_FULL;
}

static int32_t give(struct nic *nic, bool receiving, const struct anynic_frame *after,
		    const struct anynic_frame *meta, const void *from, uint32_t length)
{
	struct hooked *hooked = nic->hooked;
	bool shown = hooked->batch.count && hooked->receiving == receiving;
	int i = after ? index_of(nic, after) : (int)hooked->batch.count - 1;

	if (hooked->within != WITHIN_WORK)
		return ANYNIC_LATER;
	if (length < 14 || length > FRAME_MAX || (after && (i < 0 || !shown)))
		return ANYNIC_INVALID;
	if (shown)
		return add(nic, (unsigned)i, meta, from, length);
	return queue(nic, receiving ? &hooked->in : &hooked->out, receiving, meta, from, length);
}

int32_t service_send(struct anynic_nic *self, const struct anynic_frame *after,
		     const struct anynic_frame *meta, const void *from, uint32_t length)
{
	return give(nic_of(self), false, after, meta, from, length);
}

int32_t service_deliver(struct anynic_nic *self, const struct anynic_frame *after,
			const struct anynic_frame *meta, const void *from, uint32_t length)
{
	return give(nic_of(self), true, after, meta, from, length);
}

static int views(struct nic *nic, const struct anynic_piece *pieces, uint32_t count,
		 struct frame *frame)
{
	frame->iovs = 0;
	frame->length = 0;
	for (uint32_t i = 0; i < count; i++) {
		int got;

		if (pieces[i].length > FRAME_MAX - frame->length || frame->iovs + 4 > FRAME_IOVS)
			return -EINVAL;
		if (!pieces[i].length)
			continue;
		got = dma_read_view(nic->bus.memory, pieces[i].address, pieces[i].length,
				    frame->iov + frame->iovs, FRAME_IOVS - 2 - frame->iovs);
		if (got < 0)
			return got;
		frame->iovs += (unsigned)got;
		frame->length += pieces[i].length;
	}
	return 0;
}

int32_t service_gather(struct anynic_nic *self, const struct anynic_frame *meta,
		       const struct anynic_piece *pieces, uint32_t count)
{
	struct nic *nic = nic_of(self);
	struct hooked *hooked = nic->hooked;
	struct anynic_frame shown;
	struct frame frame;
	uint32_t used = hooked->batch.used;
	int result;

	if (hooked->within != WITHIN_WORK || hooked->batch.count)
		return ANYNIC_LATER;
	if (hooked->out.count)
		return ANYNIC_AGAIN;
	result = views(nic, pieces, count, &frame);
	if (result < 0)
		return result == -EINVAL ? ANYNIC_INVALID : service_result(result);
	describe(&shown, meta, frame.length);
	hooked->receiving = false;
	if (!hook_frame_end(nic, &frame, &shown))
		return ANYNIC_INVALID;
	result = (int)send_others(nic, &frame, 1, false, &hooked->cut);
	hooked->batch.used = used;
	if (!result && !hooked->cut)
		return ANYNIC_AGAIN; /* the port says when */
	if (!result)
		frame_store_put(&hooked->out, &frame); /* some of it is on its way */
	nic->stats.tx_frames++;
	nic->stats.tx_bytes += frame.length;
	return ANYNIC_OK;
}
