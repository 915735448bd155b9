/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rings: geometry, cursor, slot layouts, results.
 *
 *   stopped --when true--> running <--wake-- starved
 *      ^------when false------'  '--nothing ready--^
 *
 * Geometry is decided in one place, from all registers, when the ring starts
 * and whenever registers changed; a ring whose numbers make no sense has no
 * entries and does nothing.
 */
#include "nic/state.h"

#include <string.h>

enum { RING_ENTRIES_MAX = 1 << 16 };

static void ring_geometry(struct nic *nic, unsigned index)
{
	const struct ring *ring = &nic->card->rings[index];
	struct ring_run *run = &nic->rings[index];
	struct scope scope = {0};
	uint64_t end = expr_eval(nic, &ring->end_value, &scope);

	run->base = expr_eval(nic, &ring->base, &scope);
	if (ring->end == END_BYTES && ring->next == NEXT_ARRAY)
		end /= ring->slot_size;
	run->entries = end <= RING_ENTRIES_MAX ? (uint32_t)end : 0;
	if (ring->next == NEXT_STREAM)
		stream_geometry(nic, index);
}

void rings_update(struct nic *nic)
{
	nic->dirty = false;
	for (unsigned i = 0; i < nic->card->rings_count; i++) {
		struct ring_run *run = &nic->rings[i];
		struct scope scope = {0};

		if (!expr_holds(nic, &nic->card->rings[i].when, &scope)) {
			run->state = RING_STOPPED;
			continue;
		}
		if (run->state == RING_STOPPED)
			run->state = RING_RUNNING;
		ring_geometry(nic, i);
	}
}

uint32_t ring_cursor(const struct nic *nic, unsigned ring)
{
	const struct ring *at = &nic->card->rings[ring];

	return (uint32_t)(nic->state[at->cursor_word] & at->cursor_mask);
}

/* Slots from the cursor on that the driver has handed over. */
static uint32_t owned(struct nic *nic, unsigned ring)
{
	const struct ring *at = &nic->card->rings[ring];
	const struct ring_run *run = &nic->rings[ring];
	uint32_t cursor = ring_cursor(nic, ring), count = 0;

	for (; count < run->entries && count < BUDGET; count++) {
		uint8_t slot[SLOT_MAX + 8] = {0};
		struct scope scope = {.slot = slot};
		struct iovec iov[1];

		if (dma_read_view(nic->bus.memory,
				  run->base + (uint64_t)((cursor + count) % run->entries) *
						      at->slot_size,
				  at->slot_size, iov, 1) != 1)
			break;
		memcpy(slot, iov[0].iov_base, at->slot_size);
		if (!expr_eval(nic, &at->until, &scope))
			break;
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return count;
}

uint32_t ring_ready(struct nic *nic, unsigned ring)
{
	const struct ring_run *run = &nic->rings[ring];
	struct scope scope = {0};
	uint32_t cursor = ring_cursor(nic, ring);
	uint64_t until;

	if (nic->card->rings[ring].next != NEXT_ARRAY)
		return nic->card->rings[ring].next == NEXT_STREAM ? stream_free(nic, ring)
								  : registers_ready(nic, ring);
	if (nic->card->rings[ring].ready == READY_CONDITION)
		return owned(nic, ring);
	until = expr_eval(nic, &nic->card->rings[ring].until, &scope);
	if (cursor >= run->entries || until >= run->entries)
		return 0;
	return (uint32_t)until >= cursor ? (uint32_t)until - cursor
					 : run->entries - cursor + (uint32_t)until;
}

void ring_advance(struct nic *nic, unsigned ring, uint32_t slots)
{
	const struct ring *at = &nic->card->rings[ring];
	uint32_t cursor = ring_cursor(nic, ring) + slots;

	if (cursor >= nic->rings[ring].entries)
		cursor -= nic->rings[ring].entries;
	nic->state[at->cursor_word] =
		(nic->state[at->cursor_word] & ~at->cursor_mask) | (cursor & at->cursor_mask);
}

const struct use *ring_use(struct nic *nic, const struct ring *ring, const struct scope *scope)
{
	for (unsigned i = 0; i < ring->uses_count; i++) {
		if (expr_holds(nic, &ring->uses[i].when, scope))
			return &ring->uses[i];
	}
	return NULL;
}

static bool slot_store(struct nic *nic, const struct ring *ring, uint64_t addr, const uint8_t *slot,
		       unsigned first, unsigned end)
{
	struct iovec iov[2];
	int count = 1;

	if (ring->stream.memory)
		iov[0] = (struct iovec){
			memory_room(nic, ring->stream.memory - 1u, addr + first, end - first),
			end - first};
	else
		count = dma_write_view(nic->bus.memory, addr + first, end - first, iov, 2);
	if (count < 0 || !iov[0].iov_base)
		return false;
	for (int i = 0; i < count; i++) {
		memcpy(iov[i].iov_base, slot + first, iov[i].iov_len);
		first += (unsigned)iov[i].iov_len;
	}
	return true;
}

/* The result of one slot: its fields, then what follows from it. */
bool ring_complete(struct nic *nic, const struct ring *ring, const struct use *use,
		   struct scope *scope, uint64_t addr, uint8_t *slot, bool last)
{
	bool own = use && use->completes_count;
	const struct complete *list = own ? use->completes : ring->completes;
	unsigned count = own ? use->completes_count : ring->completes_count;
	bool stored = true;

	scope->slot = slot;
	scope->here = addr;
	for (unsigned i = 0; i < count; i++) {
		const struct complete *complete = &list[i];
		unsigned first = ring->slot_size, end = 0;

		if ((complete->at_last && !last) || !expr_holds(nic, &complete->when, scope))
			continue;
		for (unsigned k = 0; k < complete->writes_count; k++) {
			const struct write_field *write = &complete->writes[k];
			unsigned begin = write->bit / 8,
				 past = (write->bit + write->width + 7u) / 8;

			slot_set(slot, write->bit, write->width,
				 expr_eval(nic, &write->value, scope));
			first = begin < first ? begin : first;
			end = past > end ? past : end;
		}
		__atomic_thread_fence(__ATOMIC_RELEASE); /* frame bytes before the slot's */
		if (end)
			stored &= slot_store(nic, ring, addr, slot, first, end);
		actions_run(nic, &complete->actions, scope);
	}
	return stored;
}
