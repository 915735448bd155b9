/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Plans: made for the first slot of a pattern, found again for all others.
 *
 *   slot -> key: bits that are asked for, results of tests -> plan of that key
 *                                  list[place of key]: one at a time; another key
 *                                  that belongs there takes its place
 *
 * All plans of a ring are dropped when a register changes that decisions depend on
 * (plans_check(), at the beginning of a pass), so within a pass all stands. A plan
 * holds what one slot means; what it means for a frame of several is put together by
 * whoever builds that. Rings whose questions are of another kind have no plans, and
 * each question is then evaluated: that way is the one that defines what is right.
 */
#include "nic/planned.h"

void plans_init(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->rings_count; i++) {
		if (nic->card->rings[i].next == NEXT_REGISTERS)
			nic->plans[i].usable = registers_plain(&nic->card->rings[i]);
		else
			plans_note(nic, i);
	}
}

void plans_check(struct nic *nic, unsigned ring)
{
	struct plans *plans = plans_of(nic, ring);
	bool stands = true;

	if (!plans->stale)
		return;
	plans->stale = false;
	for (unsigned i = 0; i < plans->depends_count; i++) {
		uint64_t value = nic->state[plans->depends[i].word] & plans->depends[i].mask;

		stands &= plans->depends[i].seen == value;
		plans->depends[i].seen = value;
	}
	for (unsigned i = 0; !stands && i < PLANS; i++)
		plans->list[i].known = false;
	plans->fill.known &= stands;
}

/* Where the next slot is; as in walk.c. */
static void plan_next(struct nic *nic, const struct ring *ring, struct plan *plan,
		      const struct scope *scope)
{
	const struct scope fields = {.ring = scope->ring};

	for (unsigned i = 0; i < ring->stops_count && !plan->stop; i++) {
		if (expr_holds(nic, &ring->stops[i].when, scope))
			plan->stop = &ring->stops[i];
	}
	plan->ends = plan->stop != NULL;
	plan->wraps = ring->end == END_BIT && expr_eval(nic, &ring->end_value, scope);
	if (ring->next != NEXT_CHAIN || plan->ends)
		return;
	plan->ends = true;
	for (unsigned i = 0; i < ring->links_count && plan->ends; i++) {
		if (!expr_holds(nic, &ring->links[i].when, scope))
			continue;
		plan_value_make(nic, &ring->links[i].address, &fields, &plan->next);
		plan->ends = false;
		plan->usable &= plan->next.kind != PLAN_UNKNOWN;
	}
}

static bool plan_array(struct nic *nic, const struct piece *piece, struct plan_piece *to,
		       const struct scope *fields)
{
	to->array = true;
	to->size = (uint8_t)piece->size;
	to->lasts = piece->last.count;
	plan_value_make(nic, &piece->at, fields, &to->at);
	plan_value_make(nic, &piece->count, fields, &to->count);
	plan_value_make(nic, &piece->last, fields, &to->last);
	return piece->size <= SLOT_MAX && to->at.kind && to->count.kind && to->last.kind;
}

static void plan_pieces(struct nic *nic, struct plan *plan, const struct scope *scope)
{
	const struct scope fields = {.ring = scope->ring, .index = scope->index};

	plan->pieces_known = true;
	for (unsigned i = 0; i < plan->use->pieces_count && plan->pieces_known; i++) {
		const struct piece *piece = &plan->use->pieces[i];
		struct plan_piece *to = &plan->pieces[plan->pieces_count];

		if (!expr_holds(nic, &piece->when, scope))
			continue;
		if (plan->pieces_count++ == PLAN_PIECES) {
			plan->pieces_known = false;
			return;
		}
		plan_value_make(nic, &piece->address, &fields, &to->address);
		plan_value_make(nic, &piece->length, &fields, &to->length);
		plan->pieces_known = to->address.kind && to->length.kind &&
				     (!piece->array || plan_array(nic, piece, to, &fields));
		plan->arrays |= piece->array;
	}
}

/* Of a frame that is this slot. */
static uint8_t plan_work(struct nic *nic, const struct ring *ring, const struct use *use,
			 const struct scope *scope)
{
	uint8_t work = 0;

	if (ring->pad_to.count && expr_holds(nic, &ring->pad_when, scope))
		work |= WORK_PAD;
	if (ring->vlan_present && expr_holds(nic, &ring->vlan_when, scope))
		work |= WORK_VLAN;
	if (use->segment_present && expr_holds(nic, &use->segment.when, scope))
		work |= WORK_SEGMENT;
	for (unsigned i = 0; i < use->checksums_count; i++) {
		if (expr_holds(nic, &use->checksums[i].when, scope))
			work |= WORK_CHECKSUM;
	}
	return work;
}

static void plan_transmit(struct nic *nic, const struct plans *plans, const struct ring *ring,
			  struct plan *plan, const struct scope *scope)
{
	const struct use *use = plan->use;
	uint64_t to;

	plan->begins = use->first.count && expr_eval(nic, &use->first, scope);
	plan->may = !use->first.count || plan->begins;
	plan->last = !use->last.count || expr_eval(nic, &use->last, scope);
	plan->work = plan_work(nic, ring, use, scope) | plans->unknown;
	plan->whole = plan->may && plan->last && !(plan->work & ~WORK_PAD) && !use->memory &&
		      !(plans->unknown & WORK_PAD) && plan->address.kind && plan->length.kind &&
		      plan->pieces_known && !plan->pieces_count;
	if (plan->whole && (plan->work & WORK_PAD)) {
		to = expr_eval(nic, &ring->pad_to, scope);
		plan->pad = to < 64 ? (uint8_t)to : 64;
	}
}

struct plan *plan_make(struct nic *nic, unsigned index, const uint8_t *slot, const uint64_t *key)
{
	struct plans *plans = plans_of(nic, index);
	const struct ring *ring = nic->rings[index].ring;
	struct scope scope = ring_scope(nic, index);
	const struct scope fields = scope;
	struct plan *plan = &plans->list[plan_place(key)];

	scope.slot = scope.first = slot;
	*plan = (struct plan){.known = true, .usable = true};
	memcpy(plan->key, key, sizeof(plan->key));
	plan->ready = ring->ready != READY_CONDITION || expr_eval(nic, &ring->until, &scope);
	plan->phase = ring->phase.count ? (uint8_t)expr_eval(nic, &ring->phase, &scope) : 0;
	if (ring->next == NEXT_STREAM) /* a header, of which nothing is read */
		return plan;
	plan->use = ring_use(nic, ring, &scope);
	plan_next(nic, ring, plan, &scope);
	if (!plan->use || (plan->use->as != USE_DATA && plan->use->as != USE_ROOM))
		return plan;
	plan_value_make(nic, &plan->use->address, &fields, &plan->address);
	plan_value_make(nic, &plan->use->length, &fields, &plan->length);
	plan_pieces(nic, plan, &scope);
	if (plan->use->as == USE_DATA)
		plan_transmit(nic, plans, ring, plan, &scope);
	else
		plan->room = plan->usable && !plan->ends && plan->address.kind &&
			     plan->length.kind && !plan->use->memory && plan->pieces_known &&
			     !(plan->use->skip.count && expr_eval(nic, &plan->use->skip, &scope));
	return plan;
}
