/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rings: geometry, cursor, slot layouts, results.
 *
 *   stopped --when true, start--> running <--wake-- starved
 *      ^------when false, stop------'  |'--nothing ready--^
 *                                      '--<stop>--> suspended (--wake--> running)
 *
 * Geometry is decided in one place, from all registers, when the ring starts
 * and whenever registers changed; a ring whose numbers make no sense has no
 * entries and does nothing.
 */
#include "nic/state.h"

#include <string.h>

enum { RING_ENTRIES_MAX = 1 << 16 };

/* Where the engine keeps the cursor itself, a new base takes it along. */
static void base_set(struct nic *nic, unsigned index, uint64_t base)
{
	const struct ring *ring = nic->rings[index].ring;
	struct ring_run *run = &nic->rings[index];

	if (base != run->base)
		flights_forget(nic, index);
	if (ring->walked && !ring->cursor_mask && base != run->base) {
		run->position = ring->by_address ? base : 0;
		run->total = 0;
		run->finished = false;
	}
	run->base = base;
}

static void loops_set(struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;
	struct scope scope = ring_scope(nic, index);

	nic->rings[index].loops = ring->loop_present && expr_holds(nic, &ring->loop_when, &scope);
}

void ring_geometry(struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;
	struct ring_run *run = &nic->rings[index];
	struct scope scope = ring_scope(nic, index);
	uint64_t end = 0;

	base_set(nic, index, expr_eval(nic, &ring->base, &scope));
	loops_set(nic, index);
	run->stride = ring->stride.count ? expr_eval(nic, &ring->stride, &scope) : ring->slot_size;
	if (ring->end <= END_ENTRIES)
		end = expr_eval(nic, &ring->end_value, &scope);
	if (ring->end == END_BYTES && ring->next == NEXT_ARRAY)
		end = run->stride ? end / run->stride : 0;
	run->entries = end <= RING_ENTRIES_MAX ? (uint32_t)end : 0;
	if (ring->next == NEXT_STREAM)
		stream_geometry(nic, index);
}

static void ring_update(struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;
	struct ring_run *run = &nic->rings[index];
	struct scope scope = {0};

	run->plans->stale = true;
	for (unsigned i = 0; ring->counted && i < ring->count; i++)
		loops_set(nic, index + i);
	if (ring->counted) /* what it was opened with stands */
		return;
	if (!expr_holds(nic, &ring->when, &scope)) {
		run->halted = ring->starts && !ring->when.count;
		run->state = RING_STOPPED;
		flights_forget(nic, index);
		return;
	}
	if (run->halted)
		run->state = RING_STOPPED;
	else if (run->state == RING_STOPPED)
		run->state = RING_RUNNING;
	ring_geometry(nic, index);
}

/* Those whose registers have changed. */
void rings_update(struct nic *nic)
{
	uint32_t rings = ~(uint32_t)(CARES_RINGS - 1),
		 touched = (nic->touched | nic->always) & rings;

	nic->touched &= ~rings;
	for (unsigned i = 0; touched && i < nic->card->rings_count; i++) {
		if (touched & cares_ring(i))
			ring_update(nic, nic->card->rings[i].first);
	}
}

void ring_start(struct nic *nic, unsigned index, const uint64_t *at)
{
	const struct ring *ring = nic->rings[index].ring;
	struct ring_run *run = &nic->rings[index];
	struct scope scope = {0};
	uint64_t base = expr_eval(nic, &ring->base, &scope);

	flights_forget(nic, index);
	run->halted = run->finished = false;
	run->state = RING_RUNNING; /* or not: see rings_update() */
	run->base = base;
	nic->touched |= cares_ring(index);
	if (!ring->cursor_mask)
		run->position = at ? *at : ring->by_address ? base : 0;
	else if (at)
		nic->state[ring->cursor_word] =
			(nic->state[ring->cursor_word] & ~ring->cursor_mask) |
			(*at & ring->cursor_mask);
}

uint32_t ring_cursor(const struct nic *nic, unsigned ring)
{
	const struct ring *at = nic->rings[ring].ring;
	const struct ring_run *run = &nic->rings[ring];

	if (at->phase.count)
		return (uint32_t)slot_number(run, run->position);
	if (at->by_address) /* of an array; a chain has no numbers */
		return at->next == NEXT_ARRAY && run->stride
			       ? (uint32_t)((ring_position(nic, ring) - run->base) / run->stride)
			       : 0;
	return (uint32_t)ring_position(nic, ring);
}

uint32_t ring_ready(struct nic *nic, unsigned index)
{
	const struct ring_run *run = &nic->rings[index];
	const struct ring *ring = run->ring;
	struct scope scope = {0};
	uint32_t cursor;
	uint64_t until;

	if (ring->walked)
		return ring_walk_count(nic, index, BUDGET);
	if (ring->next != NEXT_ARRAY)
		return ring->next == NEXT_STREAM ? stream_free(nic, index)
						 : registers_ready(nic, index);
	cursor = ring_cursor(nic, index);
	until = expr_eval(nic, &ring->until, &scope);
	if (cursor >= run->entries || until >= run->entries)
		return 0;
	return (uint32_t)until >= cursor ? (uint32_t)until - cursor
					 : run->entries - cursor + (uint32_t)until;
}

void ring_advance(struct nic *nic, unsigned ring, uint32_t slots)
{
	const struct ring *at = nic->rings[ring].ring;
	uint32_t cursor = ring_cursor(nic, ring) + slots;

	if (cursor >= nic->rings[ring].entries)
		cursor -= nic->rings[ring].entries;
	nic->state[at->cursor_word] =
		(nic->state[at->cursor_word] & ~at->cursor_mask) | (cursor & at->cursor_mask);
	nic_changed_bits(nic, at->cursor_word, at->cursor_mask);
}

const struct use *ring_use(struct nic *nic, const struct ring *ring, const struct scope *scope)
{
	for (unsigned i = 0; i < ring->uses_count; i++) {
		if (expr_holds(nic, &ring->uses[i].when, scope))
			return &ring->uses[i];
	}
	return NULL;
}

static bool piece_store(struct nic *nic, const struct ring *ring, uint64_t addr,
			const uint8_t *slot, unsigned first, unsigned end)
{
	struct iovec iov[2];
	int count = 1;

	if (first >= end)
		return true;
	if (ring->stream.memory)
		iov[0] = (struct iovec){
			memory_room(nic, ring->stream.memory - 1u, addr + first, end - first),
			end - first};
	else
		count = dma_write_view(nic->bus.memory, addr + first, end - first, iov, 2);
	if (count < 0 || !iov[0].iov_base)
		return false;
	for (int i = 0; i < count; i++) {
		if (iov[i].iov_len == 4 && !((uintptr_t)iov[i].iov_base & 3)) {
			uint32_t word; /* at once: the driver looks at it while it changes */

			memcpy(&word, slot + first, sizeof(word));
			__atomic_store_n((uint32_t *)iov[i].iov_base, word, __ATOMIC_RELEASE);
		} else {
			memcpy(iov[i].iov_base, slot + first, iov[i].iov_len);
		}
		first += (unsigned)iov[i].iov_len;
	}
	return true;
}

/*
 * The bytes that were written and no others: the driver may be changing those
 * between them. What says whose the slot is comes last, whole.
 */
static bool slot_store(struct nic *nic, const struct ring *ring, uint64_t addr, const uint8_t *slot,
		       uint64_t written)
{
	unsigned at = ring->ready_at, past = at + ring->ready_bytes;
	uint64_t word = bytes_of(at, past), others = written & ~word;
	bool stored = true;

	__atomic_thread_fence(__ATOMIC_RELEASE); /* frame bytes before the slot's */
	while (others) {
		unsigned first = (unsigned)__builtin_ctzll(others), end = first;

		while (end < 64 && others >> end & 1)
			end++;
		stored &= piece_store(nic, ring, addr, slot, first, end);
		others &= ~bytes_of(first, end);
	}
	if (!(written & word))
		return stored;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return stored & piece_store(nic, ring, addr, slot, at, past);
}

/* The bytes of the slot that it wrote. */
static uint64_t complete_write(struct nic *nic, const struct complete *complete,
			       const struct scope *scope, uint8_t *slot)
{
	uint64_t written = 0;

	for (unsigned k = 0; k < complete->writes_count; k++) {
		const struct write_field *write = &complete->writes[k];

		slot_set(slot, write->bit, write->width, expr_eval(nic, &write->value, scope));
		written |= bytes_of(write->bit / 8, (write->bit + write->width + 7u) / 8);
	}
	return written;
}

/* The result of one slot: its fields, then what follows from it. */
bool ring_complete(struct nic *nic, const struct ring *ring, const struct use *use,
		   struct scope *scope, uint64_t addr, uint8_t *slot, unsigned place)
{
	bool own = use && use->completes_count;
	const struct complete *list = own ? use->completes : ring->completes;
	unsigned count = own ? use->completes_count : ring->completes_count, hold = 0;
	uint64_t written = 0;
	uint8_t before[SLOT_MAX + 8];
	bool stored = true;

	if (nic->trace)
		memcpy(before, slot, ring->slot_size);
	scope->slot = slot;
	scope->here = addr;
	for (unsigned i = 0; i < count; i++) {
		if ((list[i].at_last && !(place & SLOT_LAST)) ||
		    (list[i].at_first && !(place & SLOT_FIRST)) ||
		    !expr_holds(nic, &list[i].when, scope))
			continue;
		hold |= 1u << i;
		written |= complete_write(nic, &list[i], scope, slot);
	}
	if (written)
		stored = slot_store(nic, ring, addr, slot, written);
	for (unsigned i = 0; ring->produces && i < count; i++) {
		if (list[i].produced && hold >> i & 1)
			produce(nic, list[i].produced, scope);
	}
	for (unsigned i = 0; i < count; i++) {
		if (hold >> i & 1)
			actions_run(nic, &list[i].actions, scope);
	}
	if (nic->trace)
		trace_slot(nic, &nic->rings[scope->ring], use, addr, before, slot);
	return stored;
}

/* Whether a frame that waits may find room now. */
bool ring_room(struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;

	if (ring->walked)
		return ring_walk_count(nic, index, 1) != 0;
	return ring->next == NEXT_STREAM ? stream_room(nic, index) : ring_ready(nic, index) != 0;
}
