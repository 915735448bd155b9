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

void ring_open_number(struct nic *nic, const struct ring *ring, uint64_t number)
{
	unsigned index = ring->first + (unsigned)number;
	struct ring_run *run;

	if (!ring->counted || number >= ring->count) {
		nic->stats.ring_faults++;
		return;
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

void ring_close_number(struct nic *nic, const struct ring *ring, uint64_t number)
{
	struct ring_run *run = &nic->rings[ring->first + (number < ring->count ? number : 0)];

	if (!ring->counted || number >= ring->count || !run->open) {
		nic->stats.ring_faults++;
		return;
	}
	/* its geometry stays: a pass over it may be under way */
	flights_forget(nic, (unsigned)(run - nic->rings));
	run->open = false;
	run->state = RING_STOPPED;
	rings_live(nic);
}

unsigned ring_free(const struct nic *nic, unsigned first, unsigned count)
{
	unsigned k = 0;

	while (k < count && nic->rings[first + k].open)
		k++;
	return k;
}
