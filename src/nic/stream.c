/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A receive ring without slots: frames stand one behind the other, each behind
 * a header record, in guest memory or in memory on the card.
 *
 *   base + from                 read            cursor               base + end
 *   |  free                     | hdr frame pad | free                        |
 *
 *   position   cursor * unit, a multiple of align; at the end it goes on at `from`
 *   free       from the cursor round to read; all of it where the two are equal
 *   a frame    header, bytes, and what is missing to align, must be less than free:
 *              the cursor never comes to equal read by a frame
 *
 * Where wraps= does not hold, a frame goes on past the end, in one piece, and
 * the next begins where it would have ended otherwise. Read is the guest's and
 * may be anything, so it counts modulo the length; a cursor out of bounds has
 * no room. Frame bytes are written first, the header behind them, and only then
 * does the cursor move: a frame that could not be written was never there.
 *
 * Drivers acknowledge frames and then leave some of them in the ring, sure that
 * the next one, or its overflow, will call them again. A frame that waits in the
 * port does neither; so for as long as it waits, empty= happens with whatever the
 * driver does, as if it came again each time.
 */
#include "nic/state.h"

#include <errno.h>

void stream_geometry(struct nic *nic, unsigned index)
{
	const struct stream *stream = &nic->rings[index].ring->stream;
	struct ring_run *run = &nic->rings[index];
	struct scope scope = {0};
	uint64_t from = stream->from.count ? expr_eval(nic, &stream->from, &scope) : 0;

	run->from = from < run->entries ? (uint32_t)from : 0;
	if (from >= run->entries)
		run->entries = 0;
}

static uint64_t position(const struct nic *nic, unsigned index)
{
	return (uint64_t)ring_cursor(nic, index) * nic->rings[index].ring->stream.unit;
}

uint32_t stream_free(struct nic *nic, unsigned index)
{
	const struct stream *stream = &nic->rings[index].ring->stream;
	const struct ring_run *run = &nic->rings[index];
	uint64_t at = position(nic, index), read, size = run->entries - run->from;
	struct scope scope = {0};

	if (at < run->from || at >= run->entries)
		return 0;
	read = expr_eval(nic, &stream->read, &scope) * stream->unit % size;
	/* both are less than size, from 0 on */
	read = (read + size - at % size) % size;
	return (uint32_t)(read ? read : size);
}

static uint64_t needed(const struct ring *ring, uint32_t length)
{
	uint64_t whole = (uint64_t)ring->slot_size + length;

	return (whole + ring->stream.align - 1) / ring->stream.align * ring->stream.align;
}

/* For the frame that waits; a ring that was stopped takes it, to drop it. */
bool stream_room(struct nic *nic, unsigned index)
{
	return nic->rings[index].state == RING_STOPPED ||
	       stream_free(nic, index) > nic->rings[index].needs;
}

void streams_wait(struct nic *nic)
{
	for (unsigned k = 0; k < nic->live_count; k++) {
		const struct ring *ring = nic->rings[nic->live[k]].ring;
		struct scope scope = ring_scope(nic, nic->live[k]);

		if (ring->next == NEXT_STREAM && nic->rings[nic->live[k]].state != RING_STOPPED)
			actions_run(nic, &ring->empty, &scope);
	}
	interrupts_update(nic);
}

int stream_find(struct nic *nic, unsigned index, uint32_t length)
{
	uint64_t needs = needed(nic->rings[index].ring, length);

	nic->rings[index].needs = (uint32_t)needs;
	return stream_free(nic, index) > needs ? 0 : -ENOBUFS;
}

/* One piece, which does not wrap. */
static int put(struct nic *nic, unsigned index, uint64_t at, const struct frame *frame,
	       uint32_t from, uint32_t length)
{
	const struct stream *stream = &nic->rings[index].ring->stream;
	uint64_t addr = nic->rings[index].base + at;
	struct iovec iov[8];
	int count = 1;

	if (stream->memory) {
		iov[0] =
			(struct iovec){memory_room(nic, stream->memory - 1u, addr, length), length};
		if (!iov[0].iov_base)
			return -EFAULT;
	} else {
		count = dma_write_view(nic->bus.memory, addr, length, iov, 8);
	}
	for (int i = 0; i < count; i++) {
		frame_copy(frame, from, iov[i].iov_base, iov[i].iov_len);
		from += (uint32_t)iov[i].iov_len;
	}
	return count < 0 ? count : 0;
}

static int put_frame(struct nic *nic, unsigned index, uint64_t at, const struct frame *frame,
		     bool wraps)
{
	const struct ring_run *run = &nic->rings[index];
	uint32_t part;
	int error;

	for (uint32_t done = 0; done < frame->length; done += part, at += part) {
		if (wraps && at >= run->entries)
			at = run->from;
		part = frame->length - done;
		if (wraps && part > run->entries - at)
			part = (uint32_t)(run->entries - at);
		error = put(nic, index, at, frame, done, part);
		if (error)
			return error;
	}
	return 0;
}

static void cursor_move(struct nic *nic, unsigned index, uint64_t at)
{
	const struct ring *ring = nic->rings[index].ring;
	uint64_t *word = &nic->state[ring->cursor_word];

	*word = (*word & ~ring->cursor_mask) | (at / ring->stream.unit & ring->cursor_mask);
	nic_changed_bits(nic, ring->cursor_word, ring->cursor_mask);
}

/* 0, or what memory said: then nothing has changed. */
int stream_fill(struct nic *nic, unsigned index, const struct frame *frame, struct facts *facts)
{
	const struct ring *ring = nic->rings[index].ring;
	const struct ring_run *run = &nic->rings[index];
	struct scope scope = ring_scope(nic, index);
	uint64_t at = position(nic, index), next = at + needed(ring, frame->length);
	bool wraps = expr_holds(nic, &ring->stream.wraps, &scope);
	uint8_t header[SLOT_MAX + 8] = {0};
	int error = put_frame(nic, index, at + ring->slot_size, frame, wraps);

	if (error)
		return error;
	if (next >= run->entries)
		next -= run->entries - run->from;
	scope.facts = facts;
	facts->put = frame->length;
	facts->first = facts->last = true;
	facts->next = (uint32_t)(next / ring->stream.unit);
	cursor_move(nic, index, next);
	ring_complete(nic, ring, NULL, &scope, run->base + at, header, SLOT_FIRST | SLOT_LAST);
	return 0;
}

/* ---- many frames, for whoever knows their results ---- */

void stream_begin(struct nic *nic, unsigned index, struct stream_run *run)
{
	struct scope scope = ring_scope(nic, index);

	run->at = position(nic, index);
	run->free = stream_free(nic, index);
	run->wraps = expr_holds(nic, &nic->rings[index].ring->stream.wraps, &scope);
}

/* Header and LENGTH bytes of a frame, all side by side; NULL: no room, or not so. */
uint8_t *stream_place(struct nic *nic, unsigned index, const struct stream_run *run,
		      uint32_t length, struct dma_window *window)
{
	const struct ring_run *ring = &nic->rings[index];
	uint64_t whole = (uint64_t)ring->ring->slot_size + length, addr = ring->base + run->at;
	uint8_t *to;

	if (run->free <= needed(ring->ring, length) ||
	    (run->wraps && whole > ring->entries - run->at))
		return NULL;
	if (ring->ring->stream.memory)
		return memory_room(nic, ring->ring->stream.memory - 1u, addr, whole);
	to = dma_within(window, addr, whole);
	if (to)
		return to;
	dma_window(nic->bus.memory, addr, DMA_WRITE, window);
	return dma_within(window, addr, whole);
}

/* Behind that frame. */
void stream_step(struct nic *nic, unsigned index, struct stream_run *run, uint32_t length)
{
	const struct ring_run *ring = &nic->rings[index];
	uint64_t needs = needed(ring->ring, length);

	run->at += needs;
	run->free -= needs;
	if (run->at >= ring->entries)
		run->at -= ring->entries - ring->from;
}

void stream_end(struct nic *nic, unsigned index, const struct stream_run *run)
{
	cursor_move(nic, index, run->at);
}
