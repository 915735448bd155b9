/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Slots that are registers: slot k is element k of the arrays its description
 * speaks of, under the name i. There is nothing to load and nothing to write
 * back but registers, which actions do; all else is a pass over a ring like
 * any other (transmit.c). They are taken strictly in turn, as the chips do:
 * one that is ready behind one that is not waits.
 *
 * A ring of which each slot is a frame that needs no work, as those of such chips
 * are, has a short way: the same, without asking what it is not.
 */
#include "nic/transmit.h"

#include <errno.h>

uint32_t registers_ready(struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;
	uint32_t entries = nic->rings[index].entries, cursor = ring_cursor(nic, index);
	struct scope scope = {.index = cursor, .ring = (uint16_t)index};
	uint32_t count = 0;

	if (cursor >= entries)
		return 0;
	while (count < entries && count < BUDGET && expr_holds(nic, &ring->until, &scope)) {
		count++;
		if (++scope.index == entries)
			scope.index = 0;
	}
	return count;
}

/* Whether there is nothing to ask of a slot but where its frame is. */
bool registers_plain(const struct ring *ring)
{
	const struct use *use = &ring->uses[0];
	const struct complete *list = use->completes_count ? use->completes : ring->completes;
	unsigned count = use->completes_count ? use->completes_count : ring->completes_count;

	for (unsigned i = 0; i < count; i++) {
		if (list[i].writes_count || list[i].produced)
			return false;
	}
	return ring->uses_count == 1 && use->as == USE_DATA && !use->when.count &&
	       !use->first.count && !use->last.count && !use->pieces_count &&
	       !use->checksums_count && !use->segment_present && !ring->vlan_present &&
	       !ring->pad_to.count;
}

/* enum slot_reject, or -EAGAIN. */
static int frame_view(struct nic *nic, const struct use *use, const struct scope *scope,
		      struct frame *frame)
{
	uint64_t addr = expr_eval(nic, &use->address, scope);
	uint32_t length = (uint32_t)expr_eval(nic, &use->length, scope);
	uint8_t *data;
	int got = 0;

	frame->flags = 0;
	frame->length = length;
	if (!length || length > FRAME_MAX)
		return length ? SLOT_LONG : SLOT_SHORT;
	data = use->memory ? memory_at(nic, use->memory - 1u, addr, length)
			   : dma_pointer(nic->bus.memory, addr, length, DMA_READ);
	frame->iov[0] = (struct iovec){data, length};
	frame->iovs = 1;
	if (!data && !use->memory)
		got = dma_read_view(nic->bus.memory, addr, length, frame->iov, FRAME_IOVS - 2);
	if (got > 0)
		frame->iovs = (unsigned)got;
	if (!data && got <= 0)
		return got == -EAGAIN ? got : SLOT_MEMORY;
	return length < 14 ? SLOT_SHORT : SLOT_TAKEN;
}

static void slot_count(struct nic *nic, unsigned verdict)
{
	nic->stats.tx_slots.fetched++;
	if (verdict == SLOT_TAKEN) {
		nic->stats.tx_slots.completed++;
		return;
	}
	nic->stats.tx_slots.rejected[verdict]++;
	count_faults(nic, 1);
}

static void slot_results(struct nic *nic, const struct ring *ring, struct scope *scope)
{
	const struct use *use = &ring->uses[0];
	const struct complete *list = use->completes_count ? use->completes : ring->completes;
	unsigned count = use->completes_count ? use->completes_count : ring->completes_count;

	for (unsigned i = 0; i < count; i++) {
		if (expr_holds(nic, &list[i].when, scope))
			actions_run(nic, &list[i].actions, scope);
	}
}

enum pass registers_pass(struct nic *nic, unsigned index, uint32_t ready, uint32_t *done)
{
	const struct ring_run *run = &nic->rings[index];
	const struct ring *ring = run->ring;
	struct scope scope = ring_scope(nic, index);
	struct handful handful = {.looped = run->loops};
	uint32_t cursor = ring_cursor(nic, index);

	for (uint32_t i = 0; i < ready && handful.frames < BATCH; i++) {
		struct frame *frame = &nic->frames[handful.frames];
		int verdict;

		scope.index = cursor + i < run->entries ? cursor + i : cursor + i - run->entries;
		verdict = frame_view(nic, &ring->uses[0], &scope, frame);
		if (verdict == -EAGAIN)
			return PASS_OVER; /* the answer wakes us */
		nic->verdicts[i] = (uint8_t)verdict;
		handful.slots = i + 1;
		if (verdict != SLOT_TAKEN)
			continue;
		handful.groups |= *(uint8_t *)frame->iov[0].iov_base & 1;
		nic->slots_of[handful.frames++] = (uint16_t)(i + 1);
	}
	*done = frames_hand_on(nic, index, &handful);
	for (uint32_t i = 0; i < *done; i++) {
		scope.index = cursor + i < run->entries ? cursor + i : cursor + i - run->entries;
		scope.here = run->base + (uint64_t)scope.index * ring->slot_size;
		slot_count(nic, nic->verdicts[i]);
		slot_results(nic, ring, &scope);
	}
	if (*done)
		ring_advance(nic, index, *done);
	dma_settle(nic->bus.memory);
	return run->waits || !*done ? PASS_OVER : *done == ready ? PASS_LOOK : PASS_AGAIN;
}
