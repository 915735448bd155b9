/* SPDX-License-Identifier: Apache-2.0 */

/* Results of slots whose frames are done with, and the cursor behind them. */
#include "nic/transmit.h"

/* Where it stands in its frame; and the next slot is in the same one, or not. */
static unsigned commit_place(struct build *build, const struct use *use, const struct scope *scope)
{
	unsigned place = 0;

	if (!use || use->as == USE_CONTEXT)
		return 0;
	if (use->first.count ? expr_eval(build->nic, &use->first, scope) != 0 : !build->open) {
		place |= SLOT_FIRST;
		build->open = true;
	}
	if (build->open && (!use->last.count || expr_eval(build->nic, &use->last, scope))) {
		place |= SLOT_LAST;
		build->open = false;
	}
	return place;
}

static void commit_slot(struct build *build, uint8_t *slot, uint64_t addr, unsigned index)
{
	struct nic *nic = build->nic;
	struct scope scope = ring_scope(nic, build->index);
	const struct use *use;
	unsigned place;

	scope.slot = build->scope.slot = slot;
	scope.index = build->scope.index = index;
	use = ring_use(nic, build->ring, &scope);
	if (use && use->as == USE_CONTEXT)
		transmit_context(build, use, slot);
	place = commit_place(build, use, &scope);
	if (place & SLOT_FIRST)
		build->first = slot;
	scope.first = build->first;
	ring_complete(nic, build->ring, use, &scope, addr, slot, place);
}

/* Slots [i, end) lie side by side up to there. */
static unsigned alongside(const struct build *build, unsigned i, unsigned end, uint64_t addr)
{
	uint32_t at = slot_index(build, i), entries = build->run->entries;
	unsigned k = i + 1;

	if (!build->ring->walked)
		return end - i < entries - at ? end : i + entries - at;
	while (k < end && slot_here(build, k) == addr + (uint64_t)(k - i) * build->ring->slot_size)
		k++;
	return k;
}

/* Results of the first SLOTS slots, of those that lie side by side where there are plans. */
void transmit_commit(struct build *build, unsigned slots)
{
	unsigned side = 0;

	build->open = false;
	build->first = NULL;
	for (unsigned i = 0, past; i < slots; i = past) {
		uint64_t addr = slot_here(build, i);

		if (side <= i)
			side = build->plans->usable ? alongside(build, i, slots, addr) : slots;
		past = build->plans->usable ? plain_commit(build, i, side, addr) : i;
		if (past > i)
			continue;
		causes_flush(build);
		commit_slot(build, build->from + i * build->ring->slot_size, addr,
			    slot_i(build, i));
		past = i + 1;
	}
	causes_flush(build);
}

void transmit_advance(struct build *build, unsigned slots)
{
	const uint64_t *at;
	bool last;

	if (!slots)
		return;
	build->nic->stats.tx_slots.fetched += slots;
	if (!build->ring->walked) {
		ring_advance(build->nic, build->index, slots);
		return;
	}
	build->run->total += slots;
	at = part_at(build);
	last = at + slots == build->nic->slot_at + build->loaded;
	ring_walk_done(&build->walk, at[slots - 1], at[slots], last,
		       build->from + (slots - 1) * build->ring->slot_size);
}
