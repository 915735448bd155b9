/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Slots of a ring in guest memory, looked at one by one: each says itself
 * whether it is ready, or where the next one is.
 *
 *   cursor -> [slot] -> [slot] -> [slot]      next: address + stride, back to base
 *              ready     ready     not              behind an end bit, or what the
 *                                                   slot says (chain)
 *
 * A cursor is an index where the ring has entries, else the address itself. A
 * walk changes nothing: it gives copies, and ring_walk_done() moves the cursor when
 * what came of them is written. Whether a slot is ready is read before the
 * rest of it, with a barrier between.
 *
 * A slot for which a <stop> holds ends a walk, and so does one without a
 * successor. When it is done, the cursor stays at it, `finished`: the next walk
 * (of a suspended ring, once it is woken) reads it again, and goes on behind it as
 * soon as nothing of that holds any more. A cursor that the driver has moved meanwhile forgets it.
 *
 * What is linked in a circle ends where it began, since none of these slots
 * has been given back yet; any other way to go on forever ends by the budget of
 * whoever walks.
 */
#include "nic/planned.h"

#include <errno.h>
#include <string.h>

uint64_t slot_address(const struct nic *nic, unsigned index, uint64_t at)
{
	const struct ring_run *run = &nic->rings[index];

	return run->ring->by_address ? at : run->base + slot_number(run, at) * run->stride;
}

uint64_t ring_position(const struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;

	return ring->cursor_mask ? nic->state[ring->cursor_word] & ring->cursor_mask
				 : nic->rings[index].position;
}

static void position_set(struct nic *nic, unsigned index, uint64_t at)
{
	const struct ring *ring = nic->rings[index].ring;
	uint64_t *word = &nic->state[ring->cursor_word];

	if (!ring->cursor_mask) {
		nic->rings[index].position = at;
		return;
	}
	*word = (*word & ~ring->cursor_mask) | (at & ring->cursor_mask);
	nic_changed_bits(nic, ring->cursor_word, ring->cursor_mask);
}

static int slot_load(struct ring_walk *walk, uint64_t addr, uint8_t *slot)
{
	struct dma *memory = walk->nic->bus.memory;
	size_t size = walk->ring->slot_size;
	uint8_t *host = dma_within(&walk->window, addr, size);
	struct iovec iov[2];
	int got;

	if (!host) {
		dma_window(memory, addr, DMA_READ, &walk->window);
		host = dma_within(&walk->window, addr, size);
	}
	if (host) {
		memcpy(slot, host, size);
		return 0;
	}
	got = dma_read_view(memory, addr, size, iov, 2);
	for (int i = 0; i < got; i++) {
		memcpy(slot, iov[i].iov_base, iov[i].iov_len);
		slot += iov[i].iov_len;
	}
	return got < 0 ? got : 0;
}

static struct scope walk_scope(const struct ring_walk *walk, const uint8_t *slot)
{
	struct scope scope = ring_scope(walk->nic, walk->index);

	scope.slot = slot;
	return scope;
}

static void chain_next(struct ring_walk *walk, const struct scope *scope)
{
	for (unsigned i = 0; i < walk->ring->links_count; i++) {
		const struct chain_link *link = &walk->ring->links[i];

		if (expr_holds(walk->nic, &link->when, scope)) {
			walk->at = expr_eval(walk->nic, &link->address, scope);
			return;
		}
	}
	walk->ended = true;
}

/* Behind the slot of this scope; or not: then the walk has ended. */
static void go_on(struct ring_walk *walk, const struct scope *scope)
{
	const struct ring *ring = walk->ring;

	for (unsigned i = 0; i < ring->stops_count && !walk->stop; i++) {
		if (expr_holds(walk->nic, &ring->stops[i].when, scope))
			walk->stop = &ring->stops[i];
	}
	walk->ended = walk->stop != NULL;
	if (walk->ended)
		return;
	if (ring->next == NEXT_CHAIN)
		chain_next(walk, scope);
	else if (!ring->by_address)
		walk->at = walk->at + 1 < ring_laps(walk->run) ? walk->at + 1 : 0;
	else if (ring->end == END_BIT && expr_eval(walk->nic, &ring->end_value, scope))
		walk->at = walk->run->base;
	else
		walk->at += walk->run->stride;
	if (ring->by_address && ring->cursor_mask)
		walk->at &= ring->cursor_mask;
}

/* What was finished and had no successor may have one now. */
static int resume(struct ring_walk *walk)
{
	uint8_t slot[SLOT_MAX + 8] = {0};
	struct scope scope = walk_scope(walk, slot);
	int error;

	scope.here = slot_address(walk->nic, walk->index, walk->at);
	error = slot_load(walk, scope.here, slot);
	if (!error)
		go_on(walk, &scope);
	return error;
}

/* Where all slots that there ever were are counted: those ahead of us, unless it is a lie. */
static uint32_t may_give(const struct ring_walk *walk)
{
	struct scope scope = ring_scope(walk->nic, walk->index);
	uint64_t ahead;

	if (!walk->ring->until_mask)
		return UINT32_MAX;
	ahead = (expr_eval(walk->nic, &walk->ring->until, &scope) - walk->run->total) &
		walk->ring->until_mask;
	return ahead <= walk->run->entries ? (uint32_t)ahead : 0;
}

int ring_walk_begin(struct ring_walk *walk, struct nic *nic, unsigned index)
{
	struct ring_run *run = &nic->rings[index];
	int error = 0;

	*walk = (struct ring_walk){
		.nic = nic, .ring = nic->rings[index].ring, .run = run, .index = index};
	walk->at = ring_position(nic, index);
	walk->most = may_give(walk);
	run->finished &= run->finished_at == walk->at;
	walk->ended = run->finished && run->state == RING_SUSPENDED; /* until it is woken */
	if (run->finished && !walk->ended)
		error = resume(walk);
	walk->first = walk->at;
	plans_check(nic, index);
	walk->plans = run->plans->usable;
	return error;
}

/* What the slot itself says of it. */
static bool is_ready(const struct ring_walk *walk, const struct scope *scope)
{
	const struct ring *ring = walk->ring;

	if (ring->phase.count &&
	    expr_eval(walk->nic, &ring->phase, scope) != (walk->at < walk->run->entries))
		return false;
	return ring->ready != READY_CONDITION || expr_eval(walk->nic, &ring->until, scope);
}

/* That is looked at in a first copy, everything else in the second. */
static int take(struct ring_walk *walk, uint64_t addr, uint8_t *slot, const struct scope *scope)
{
	int error = slot_load(walk, addr, slot);

	if (error)
		return error;
	if (walk->ring->ready != READY_CONDITION && !walk->ring->phase.count)
		return 1;
	if (!is_ready(walk, scope))
		return 0;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	error = slot_load(walk, addr, slot);
	return error ? error : 1;
}

static bool until_reached(const struct ring_walk *walk)
{
	struct scope scope = ring_scope(walk->nic, walk->index);
	uint64_t until;

	if (walk->ring->ready != READY_UNTIL || walk->ring->until_mask)
		return false;
	until = expr_eval(walk->nic, &walk->ring->until, &scope);
	return until == slot_number(walk->run, walk->at) ||
	       (!walk->ring->by_address && until >= walk->run->entries);
}

/* As go_on(), where a plan says it. */
static void plan_go_on(struct ring_walk *walk, const struct plan *plan, const uint8_t *slot,
		       uint64_t here)
{
	const struct ring *ring = walk->ring;

	walk->stop = plan->stop;
	walk->ended = plan->ends;
	if (walk->ended)
		return;
	if (ring->next == NEXT_CHAIN)
		walk->at = plan_value(&plan->next, slot, here);
	else if (!ring->by_address)
		walk->at = walk->at + 1 < ring_laps(walk->run) ? walk->at + 1 : 0;
	else
		walk->at = plan->wraps ? walk->run->base : walk->at + walk->run->stride;
	if (ring->by_address && ring->cursor_mask)
		walk->at &= ring->cursor_mask;
}

/* As take() and go_on(), of a slot that lies at HOST; -1: they have to. */
static int plan_take(struct ring_walk *walk, const uint8_t *host, uint8_t *slot, uint64_t here)
{
	unsigned size = walk->ring->slot_size;
	bool phased = walk->ring->phase.count;
	struct plan *plan;

	slot_copy(slot, host, size);
	plan = plan_of(walk->nic, walk->index, slot);
	if (!plan->ready || (phased && plan->phase != (walk->at < walk->run->entries)))
		return 0;
	if (phased || walk->ring->ready == READY_CONDITION) { /* now the rest of it */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		slot_copy(slot, host, size);
		plan = plan_of(walk->nic, walk->index, slot);
	}
	if (!plan->usable)
		return -1;
	walk->plan = plan;
	plan_go_on(walk, plan, slot, here);
	return 1;
}

static int walk_take(struct ring_walk *walk, uint8_t *slot, uint64_t here)
{
	struct scope scope = walk_scope(walk, slot);
	unsigned size = walk->ring->slot_size;
	uint8_t *host = dma_within(&walk->window, here, size);
	int got = -1;

	scope.here = here;
	walk->plan = NULL;
	if (!host) {
		dma_window(walk->nic->bus.memory, here, DMA_READ, &walk->window);
		host = dma_within(&walk->window, here, size);
	}
	if (host && walk->plans)
		got = plan_take(walk, host, slot, here);
	if (got < 0) {
		got = take(walk, here, slot, &scope);
		if (got > 0)
			go_on(walk, &scope);
	}
	return got;
}

int ring_walk_slot(struct ring_walk *walk, uint8_t *slot, uint64_t *at)
{
	int got;

	if (walk->ended || walk->lap || !walk->most || until_reached(walk) ||
	    (!walk->ring->by_address && walk->at >= ring_laps(walk->run)))
		return 0;
	*at = walk->at;
	got = walk_take(walk, slot, slot_address(walk->nic, walk->index, walk->at));
	if (got <= 0)
		return got;
	walk->most--;
	walk->lap = !walk->ended &&
		    slot_number(walk->run, walk->at) == slot_number(walk->run, walk->first);
	return 1;
}

/* The slot at AT is done with; LAST: it ended the walk, else the next is at NEXT. */
void ring_walk_done(struct ring_walk *walk, uint64_t at, uint64_t next, bool last,
		    const uint8_t *slot)
{
	struct ring_run *run = walk->run;
	struct scope scope = walk_scope(walk, slot);

	run->finished = last && walk->ended;
	if (!run->finished) {
		position_set(walk->nic, walk->index, next);
		return;
	}
	position_set(walk->nic, walk->index, at);
	run->finished_at = ring_position(walk->nic, walk->index);
	run->state = walk->stop ? walk->stop->as : RING_STARVED;
	run->halted = run->state == RING_STOPPED;
	scope.here = slot_address(walk->nic, walk->index, at);
	if (walk->stop)
		actions_run(walk->nic, &walk->stop->actions, &scope);
}

uint32_t ring_walk_count(struct nic *nic, unsigned index, uint32_t most)
{
	uint8_t slot[SLOT_MAX + 8] = {0};
	struct ring_walk walk;
	uint32_t count = 0;
	uint64_t at;

	if (ring_walk_begin(&walk, nic, index))
		return 0;
	while (count < most && ring_walk_slot(&walk, slot, &at) > 0)
		count++;
	return count;
}

/* Nothing was ready: what it is called depends on why. */
void ring_dry(struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;
	struct ring_run *run = &nic->rings[index];
	struct scope scope = ring_scope(nic, index);
	struct ring_walk walk;

	if (run->finished && run->state == RING_SUSPENDED)
		return; /* its stop said so already */
	run->state = RING_STARVED;
	if (run->finished && ring_walk_begin(&walk, nic, index) == 0 && walk.ended) {
		run->state = walk.stop ? walk.stop->as : RING_STARVED;
		return;
	}
	actions_run(nic, &ring->empty, &scope);
}
