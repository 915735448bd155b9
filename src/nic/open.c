/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rings, and those of them that there are many of. A counted ring is one
 * description with COUNT instances, which the driver opens and closes:
 *
 *   closed --open: base, length and stride are looked up, once--> running
 *     ^------------------close, reset---------------------------'
 *
 * What it is opened with stands in registers, so that nothing but the fact that
 * it is open is kept here. A geometry that makes no sense leaves it closed; the
 * description sees that by its state. Waking, producing into, or closing one
 * that is closed does nothing, and is counted as a fault of the driver's.
 *
 * Whoever goes over all rings goes over LIVE, so that what is closed costs nothing.
 */
#include "nic/state.h"

#include <errno.h>

void rings_live(struct nic *nic)
{
	nic->live_count = 0;
	for (unsigned i = 0; i < nic->card->instances; i++) {
		if (nic->rings[i].open)
			nic->live[nic->live_count++] = (uint16_t)i;
	}
}

/* As after power-on. */
void ring_forget(struct nic *nic, unsigned index)
{
	struct ring_run *run = &nic->rings[index];
	const struct ring *ring = run->ring;

	flights_forget(nic, index);
	*run = (struct ring_run){
		.ring = ring,
		.plans = &nic->plans[ring - nic->card->rings],
		.number = (uint16_t)(index - ring->first),
		.open = !ring->counted,
		.halted = ring->starts && !ring->when.count,
	};
}

void rings_init(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->rings_count; i++) {
		const struct ring *ring = &nic->card->rings[i];

		for (unsigned k = ring->first; k < ring->first + ring->count; k++) {
			nic->rings[k].ring = ring;
			ring_forget(nic, k);
		}
	}
	rings_live(nic);
}

static bool open_one(struct nic *nic, const struct ring *ring, uint64_t number)
{
	unsigned index = ring->first + (unsigned)number;
	struct ring_run *run;

	if (!ring->counted || number >= ring->count) {
		nic->stats.ring_faults++;
		return false;
	}
	ring_forget(nic, index);
	run = &nic->rings[index];
	ring_geometry(nic, index);
	run->open = run->entries && run->stride && run->stride >= ring->slot_size;
	run->state = run->open ? RING_RUNNING : RING_STOPPED;
	if (!run->open)
		nic->stats.ring_faults++;
	rings_live(nic);
	nic->bus.schedule(nic->bus.context);
	return run->open;
}

void ring_open_number(struct nic *nic, const struct ring *ring, uint64_t number)
{
	open_one(nic, ring, number);
}

/* What it was opened with stands in registers that were loaded; or it makes no sense. */
void ring_loaded(struct nic *nic, unsigned index)
{
	struct ring_run *run = &nic->rings[index];

	if (run->open)
		ring_geometry(nic, index);
	run->open &= run->entries && run->stride && run->stride >= run->ring->slot_size;
	if (!run->open)
		ring_forget(nic, index);
}

static bool close_one(struct nic *nic, const struct ring *ring, uint64_t number)
{
	struct ring_run *run = &nic->rings[ring->first + (number < ring->count ? number : 0)];

	if (!ring->counted || number >= ring->count || !run->open) {
		nic->stats.ring_faults++;
		return false;
	}
	/* its geometry stays: a pass over it may be under way */
	flights_forget(nic, (unsigned)(run - nic->rings));
	run->open = false;
	run->state = RING_STOPPED;
	rings_live(nic);
	return true;
}

void ring_close_number(struct nic *nic, const struct ring *ring, uint64_t number)
{
	close_one(nic, ring, number);
}

unsigned ring_free(const struct nic *nic, unsigned first, unsigned count)
{
	unsigned k = 0;

	while (k < count && nic->rings[first + k].open)
		k++;
	return k;
}

/* ---- for whoever is no description ---- */

/* Where instance NUMBER looks it up: REGISTER[i], or a field of it; NULL: elsewhere. */
static uint64_t *looked_up(struct nic *nic, const struct expr *expr, unsigned number,
			   const struct op **place)
{
	const struct op *op = expr->ops;

	if (expr->count != 2 || op[0].code != OP_ENGINE || op[0].value != VALUE_INDEX ||
	    op[1].code != OP_ELEMENT || number >= op[1].count)
		return NULL;
	*place = &op[1];
	return &nic->state[op[1].word + number];
}

static bool put(struct nic *nic, const struct expr *expr, unsigned number, uint64_t value)
{
	const struct op *place;
	uint64_t *word = looked_up(nic, expr, number, &place);

	if (!word)
		return false;
	*word &= ~(place->value << place->shift);
	*word |= (value & place->value) << place->shift;
	nic_changed(nic, (unsigned)(word - nic->state));
	return (value & place->value) == value;
}

static const struct expr *results_in(const struct ring *ring)
{
	static const struct expr nowhere;

	for (unsigned i = 0; i < ring->completes_count; i++) {
		if (ring->completes[i].produced)
			return &ring->completes[i].produced->which;
	}
	return &nowhere;
}

static bool put_all(struct nic *nic, const struct ring *ring, unsigned number,
		    const struct ring_opening *with)
{
	uint64_t unit = ring->end == END_BYTES ? ring->slot_size : 1;

	return put(nic, &ring->base, number, with->base) &&
	       put(nic, &ring->end_value, number, with->depth * unit) &&
	       (with->completion < 0 ||
		put(nic, results_in(ring), number, (unsigned)with->completion)) &&
	       (with->vector < 0 || put(nic, &ring->vector, number, (unsigned)with->vector));
}

int nic_ring_open(struct nic *nic, unsigned index, const struct ring_opening *with)
{
	const struct ring *ring = &nic->card->rings[index];
	unsigned number;

	if (index >= nic->card->rings_count || !ring->counted)
		return -EINVAL;
	number = ring_free(nic, ring->first, ring->count);
	if (number == ring->count)
		return -ENOSPC;
	if (!put_all(nic, ring, number, with) || !open_one(nic, ring, number))
		return -EINVAL;
	return (int)number;
}

int nic_ring_close(struct nic *nic, unsigned index, unsigned number)
{
	return index < nic->card->rings_count && close_one(nic, &nic->card->rings[index], number)
		       ? 0
		       : -EINVAL;
}

int nic_ring_wake(struct nic *nic, unsigned index, unsigned number)
{
	const struct ring *ring = &nic->card->rings[index];

	if (index >= nic->card->rings_count || number >= ring->count)
		return -EINVAL;
	ring_wake(nic, ring->first + number);
	return 0;
}
