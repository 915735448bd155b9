/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rings that are walked slot by slot: whether a slot may be taken, and often
 * also where the next one is, stands in the slot itself.
 *
 *   array   index + 1, and 0 where the ring ends (or the slot says that it does)
 *   chain   the address that the first of the links whose condition holds gives
 *
 *   cursor ──> slot ready? ──> taken ──> next ──> slot ready? ...
 *                 │ no           └─ stop: done with it, but what follows it is not
 *                 v                       known before the ring is woken
 *              starved
 *
 * A walk only reads; what it found is committed slot by slot with walk_to(). The
 * condition is looked at first and the slot read again after it, since the
 * driver writes the slot first and its condition last.
 *
 * Invariants: one walk takes at most what its caller has room for, and never
 * comes back to where it began; a ring that was walked WALKED_MAX slots without
 * being woken is suspended, so that chains that lead back to themselves end.
 */
#include "nic/state.h"

#include <errno.h>
#include <string.h>

enum { WALKED_MAX = 1 << 17 };

static uint64_t cursor_get(const struct nic *nic, unsigned index)
{
	const struct ring *ring = &nic->card->rings[index];

	return ring->cursor_mask ? nic->state[ring->cursor_word] & ring->cursor_mask
				 : nic->rings[index].cursor;
}

static void cursor_set(struct nic *nic, unsigned index, uint64_t value)
{
	const struct ring *ring = &nic->card->rings[index];
	uint64_t *word = &nic->state[ring->cursor_word];

	nic->rings[index].cursor = value;
	if (ring->cursor_mask)
		*word = (*word & ~ring->cursor_mask) | (value & ring->cursor_mask);
}

static int fetch(struct nic *nic, uint64_t addr, uint8_t *slot, unsigned size)
{
	struct iovec iov[2];
	int got = dma_read_view(nic->bus.memory, addr, size, iov, 2);

	for (int i = 0; i < got; i++) {
		memcpy(slot, iov[i].iov_base, iov[i].iov_len);
		slot += iov[i].iov_len;
	}
	return got < 0 ? got : 0;
}

static uint64_t slot_at(const struct walker *walk, uint64_t cursor)
{
	return walk->ring->next == NEXT_CHAIN ? cursor
					      : walk->run->base + cursor * walk->ring->slot_size;
}

static uint64_t follow(const struct walker *walk, uint64_t cursor, const uint8_t *slot)
{
	const struct ring *ring = walk->ring;
	struct scope scope = {.slot = slot, .here = slot_at(walk, cursor)};

	for (unsigned i = 0; ring->next == NEXT_CHAIN && i < ring->links_count; i++) {
		if (expr_holds(walk->nic, &ring->links[i].when, &scope))
			return expr_eval(walk->nic, &ring->links[i].address, &scope);
	}
	if (ring->next == NEXT_CHAIN)
		return cursor; /* nowhere: the walk is at its end */
	if (ring->end == END_BIT)
		return expr_eval(walk->nic, &ring->end_value, &scope) ? 0 : cursor + 1;
	return cursor + 1 < walk->run->entries ? cursor + 1 : 0;
}

/* 0, or what guest memory said */
int walker_begin(struct nic *nic, unsigned index, struct walker *walk)
{
	uint8_t slot[SLOT_MAX + 8] = {0};
	int result;

	*walk = (struct walker){.nic = nic,
				.ring = &nic->card->rings[index],
				.run = &nic->rings[index],
				.cursor = cursor_get(nic, index)};
	if (walk->run->passed) {
		result = fetch(nic, slot_at(walk, walk->cursor), slot, walk->ring->slot_size);
		if (result < 0)
			return result;
		walk->cursor = follow(walk, walk->cursor, slot);
	}
	walk->from = walk->cursor;
	return 0;
}

/* The slot at the cursor: 1 taken, and the cursor moves on; 0 not ready; what memory said. */
int walker_slot(struct walker *walk, uint8_t *slot, uint64_t *addr)
{
	const struct ring *ring = walk->ring;
	struct scope scope = {.slot = slot};
	int result;

	if (walk->ended || (ring->next == NEXT_ARRAY && ring->end != END_BIT &&
			    walk->cursor >= walk->run->entries))
		return 0;
	*addr = scope.here = slot_at(walk, walk->cursor);
	memset(slot, 0, SLOT_MAX + 8);
	result = fetch(walk->nic, *addr, slot, ring->slot_size);
	if (result < 0)
		return result;
	if (!expr_eval(walk->nic, &ring->until, &scope))
		return 0;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	result = fetch(walk->nic, *addr, slot, ring->slot_size);
	if (result < 0)
		return result;
	for (unsigned i = 0; i < ring->stops_count && !walk->ended; i++)
		walk->ended = expr_holds(walk->nic, &ring->stops[i].when, &scope);
	if (!walk->ended) {
		walk->cursor = follow(walk, walk->cursor, slot);
		walk->ended = walk->cursor == walk->from;
	}
	return 1;
}

static void stopped(struct nic *nic, unsigned index, const struct ring_stop *stop,
		    struct scope *scope)
{
	nic->rings[index].passed = true;
	nic->rings[index].state = stop->state;
	actions_run(nic, &stop->actions, scope);
}

/* The slot at the cursor, now at ADDR as SLOT was read, is done with. */
void walk_past(struct nic *nic, unsigned index, const uint8_t *slot)
{
	struct walker walk;
	struct scope scope = {.slot = slot};
	struct ring_run *run = &nic->rings[index];

	if (run->passed) { /* where the walk began: what follows the one before */
		if (walker_begin(nic, index, &walk) < 0)
			return;
		cursor_set(nic, index, walk.cursor);
		run->passed = false;
	}
	walk = (struct walker){.nic = nic, .ring = &nic->card->rings[index], .run = run};
	walk.cursor = cursor_get(nic, index);
	scope.here = slot_at(&walk, walk.cursor);
	for (unsigned i = 0; i < walk.ring->stops_count; i++) {
		if (expr_holds(nic, &walk.ring->stops[i].when, &scope)) {
			stopped(nic, index, &walk.ring->stops[i], &scope);
			return;
		}
	}
	cursor_set(nic, index, follow(&walk, walk.cursor, slot));
	if (++run->walked == WALKED_MAX)
		run->state = RING_SUSPENDED;
}

void walk_start(struct nic *nic, unsigned index, const struct expr *at, const struct scope *scope)
{
	struct ring_run *run = &nic->rings[index];

	if (at->count)
		cursor_set(nic, index, expr_eval(nic, at, scope));
	run->passed = false;
	run->walked = 0;
	run->state = RING_RUNNING;
}

void walk_wake(struct nic *nic, unsigned index)
{
	nic->rings[index].walked = 0;
}

/* Is there a slot to take? More than that is not known. */
uint32_t walk_ready(struct nic *nic, unsigned index)
{
	uint8_t slot[SLOT_MAX + 8];
	struct walker walk;
	uint64_t addr;

	return nic->rings[index].state != RING_STOPPED && !walk_waits(nic, index) &&
	       walker_begin(nic, index, &walk) == 0 && walker_slot(&walk, slot, &addr) == 1;
}

/* Ready slots into nic->slots and their addresses; how many, or what guest memory said. */
int walk_load(struct nic *nic, unsigned index)
{
	struct walker walk;
	int result = walker_begin(nic, index, &walk), count = 0;

	while (result >= 0 && count < BUDGET) {
		uint8_t slot[SLOT_MAX + 8];

		result = walker_slot(&walk, slot, &nic->slot_addrs[count]);
		if (result <= 0)
			break;
		memcpy(nic->slots + count++ * walk.ring->slot_size, slot, walk.ring->slot_size);
	}
	return result == -EAGAIN || (result < 0 && !count) ? result : count;
}
