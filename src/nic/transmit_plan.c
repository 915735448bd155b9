/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a transmit slot decides, remembered. Of all the description asks of a
 * slot (which layout, the last one, offloads, its result), the answers depend
 * on few of its bits and on few registers. Both are known when the card is
 * loaded; so the answers are worked out once for a pattern of those bits, and
 * found again while those registers stand.
 *
 * A plan is `plain` when a slot is a whole frame that needs no work: others,
 * and rings whose questions are of another kind, take the long way.
 */
#include "nic/state.h"

bool plan_depends(struct plans *plans, uint16_t word, uint64_t mask)
{
	for (unsigned i = 0; i < plans->depends_count; i++) {
		if (plans->depends[i].word == word) {
			plans->depends[i].mask |= mask;
			return true;
		}
	}
	if (plans->depends_count == PLAN_DEPENDS)
		return false;
	plans->depends[plans->depends_count].word = word;
	plans->depends[plans->depends_count++].mask = mask;
	return true;
}

static void ask(struct plans *plans, unsigned bit, unsigned width)
{
	for (unsigned i = bit; i < bit + width && i < PLAN_SLOT * 8; i++)
		plans->asks[i / 64] |= 1ull << i % 64;
}

/* False: it asks what no plan can know. */
static bool note(struct plans *plans, const struct expr *expr)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		switch (op->code) {
		case OP_STATE:
			if (!plan_depends(plans, op->word, op->value << op->shift))
				return false;
			break;
		case OP_SLOT:
		case OP_FIRST: /* of a frame of one slot the same */
			ask(plans, op->shift, op->width);
			break;
		case OP_ELEMENT:
		case OP_CONTEXT:
		case OP_ENGINE:
		case OP_TICKS:
		case OP_RING:
		case OP_FREE:
		case OP_PEEK:
			return false;
		}
	}
	return true;
}

/* Whether the actions of this pass' first slot do for all of them. */
static bool once(const struct actions *actions)
{
	for (unsigned i = 0; i < actions->count; i++) {
		if (actions->list[i].when.count)
			return false;
	}
	return plan_repeatable(actions);
}

static bool note_completes(struct plans *plans, const struct complete *list, unsigned count)
{
	bool good = true;

	for (unsigned i = 0; i < count; i++) {
		good &= note(plans, &list[i].when);
		for (unsigned k = 0; k < list[i].writes_count; k++)
			good &= note(plans, &list[i].writes[k].value);
		for (unsigned k = 0; k < list[i].actions.count; k++)
			good &= note(plans, &list[i].actions.list[k].when);
	}
	return good;
}

static bool note_use(struct plans *plans, const struct use *use)
{
	bool good = note(plans, &use->when) & note(plans, &use->first) & note(plans, &use->last) &
		    note_completes(plans, use->completes, use->completes_count);

	for (unsigned i = 0; i < use->checksums_count; i++)
		good &= note(plans, &use->checksums[i].when);
	if (use->segment_present)
		good &= note(plans, &use->segment.when);
	return good;
}

static bool note_transmit(struct nic *nic, struct plans *plans, const struct ring *ring)
{
	bool good = ring->next <= NEXT_CHAIN && ring->slot_size == PLAN_SLOT;

	for (unsigned i = 0; i < ring->uses_count; i++)
		good &= note_use(plans, &ring->uses[i]);
	good &= note(plans, &ring->vlan_when) & note(plans, &ring->pad_when) &
		note(plans, &ring->pad_to) &
		note_completes(plans, ring->completes, ring->completes_count);
	for (unsigned i = 0; i < nic->card->interrupts_count; i++) {
		for (unsigned k = 0; k < nic->card->interrupts[i].moderate_count; k++)
			good &= note(plans, &nic->card->interrupts[i].moderate[k].when);
	}
	return good;
}

void plans_init(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->rings_count; i++) {
		const struct ring *ring = &nic->card->rings[i];
		struct plans *plans = &nic->plans[i];

		if (ring->direction == RING_TRANSMIT)
			plans->usable = !ring->produces && note_transmit(nic, plans, ring);
		else if (ring->direction == RING_RECEIVE)
			plans->usable = !ring->produces && fill_note(nic, plans, ring);
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
	if (stands)
		return;
	if (nic->rings[ring].ring->direction == RING_RECEIVE)
		plans->fill.known = false;
	for (unsigned i = 0; nic->rings[ring].ring->direction == RING_TRANSMIT && i < PLANS; i++)
		plans->list[i].known = false;
}

/* A field of the slot within one of its words. */
bool plan_take(struct plan_field *field, const struct expr *expr)
{
	const struct op *op = expr->ops;

	if (expr->count != 1 || op->code != OP_SLOT || op->shift % 64 + op->width > 64)
		return false;
	field->byte = op->shift / 64 * 8;
	field->shift = op->shift % 64;
	field->mask = UINT64_MAX >> (64 - op->width);
	return field->byte < PLAN_SLOT;
}

static bool frame_plain(struct nic *nic, const struct ring *ring, const struct use *use,
			const struct scope *scope)
{
	if (!use || use->as != USE_DATA || use->pieces_count ||
	    (use->first.count && !expr_eval(nic, &use->first, scope)) ||
	    (use->last.count && !expr_eval(nic, &use->last, scope)) ||
	    (use->segment_present && expr_holds(nic, &use->segment.when, scope)) ||
	    (ring->vlan_present && expr_holds(nic, &ring->vlan_when, scope)))
		return false;
	for (unsigned i = 0; i < use->checksums_count; i++) {
		if (expr_holds(nic, &use->checksums[i].when, scope))
			return false;
	}
	return true;
}

bool plan_repeatable(const struct actions *actions)
{
	for (unsigned i = 0; i < actions->count; i++) {
		const struct action *action = &actions->list[i];

		if ((action->verb != VERB_RAISE && action->verb != VERB_SET) ||
		    action->target.index.count)
			return false;
	}
	return true;
}

/* The fields a result writes, as one masked store of at most 8 bytes. */
static bool plan_writes(struct nic *nic, struct plan *plan, const struct complete *complete,
			const struct scope *scope)
{
	uint8_t mask[SLOT_MAX + 8] = {0}, value[SLOT_MAX + 8] = {0};
	unsigned first = PLAN_SLOT, end = 0;

	for (unsigned i = 0; i < complete->writes_count; i++) {
		const struct write_field *write = &complete->writes[i];
		unsigned begin = write->bit / 8, past = (write->bit + write->width + 7u) / 8;

		slot_set(mask, write->bit, write->width, UINT64_MAX);
		slot_set(value, write->bit, write->width, expr_eval(nic, &write->value, scope));
		first = begin < first ? begin : first;
		end = past > end ? past : end;
	}
	if (!end)
		return true;
	if (plan->length || end - first > 8)
		return false;
	plan->at = (uint8_t)first;
	plan->length = (uint8_t)(end - first);
	memcpy(&plan->mask, mask + first, sizeof(plan->mask));
	memcpy(&plan->value, value + first, sizeof(plan->value));
	return true;
}

/* Its result changes what the plan was found by. */
static bool answers_itself(const struct plans *plans, const struct plan *plan)
{
	uint64_t written[3] = {0};

	memcpy((uint8_t *)written + plan->at, &plan->mask, sizeof(plan->mask));
	return (written[0] & plans->asks[0]) || (written[1] & plans->asks[1]);
}

/* What says whose the slot is would be written together with more. */
static bool gives_back_at_once(const struct ring *ring, const struct plan *plan)
{
	return !ring->ready_bytes || !plan->length ||
	       (plan->at >= ring->ready_at &&
		plan->at + plan->length <= ring->ready_at + ring->ready_bytes);
}

static bool plan_completes(struct nic *nic, const struct plans *plans, struct plan *plan,
			   const struct ring *ring, const struct scope *scope)
{
	bool own = plan->use->completes_count;
	const struct complete *list = own ? plan->use->completes : ring->completes;
	unsigned count = own ? plan->use->completes_count : ring->completes_count;

	for (unsigned i = 0; i < count; i++) {
		if (!expr_holds(nic, &list[i].when, scope))
			continue;
		if (!plan_writes(nic, plan, &list[i], scope) ||
		    (plan->actions && list[i].actions.count))
			return false;
		if (list[i].actions.count)
			plan->actions = &list[i].actions;
	}
	plan->once = plan->actions && once(plan->actions);
	return !answers_itself(plans, plan) && gives_back_at_once(ring, plan);
}

const struct plan *plan_make(struct nic *nic, unsigned index, const uint8_t *slot)
{
	struct plans *plans = plans_of(nic, index);
	const struct ring *ring = nic->rings[index].ring;
	const struct scope scope = {.slot = slot,
				    .first = slot,
				    .ring = (uint16_t)index,
				    .index = nic->rings[index].number};
	const struct scope result = {.slot = slot, .ring = (uint16_t)index};
	struct plan *plan;
	uint64_t words[2], to;

	memcpy(words, slot, sizeof(words));
	plan = &plans->list[plan_place(plans, words)];
	*plan = (struct plan){
		.bits = {words[0] & plans->asks[0], words[1] & plans->asks[1]},
		.known = true,
		.use = ring_use(nic, ring, &scope),
	};
	plan->plain = frame_plain(nic, ring, plan->use, &scope) &&
		      plan_take(&plan->address, &plan->use->address) &&
		      plan_take(&plan->size, &plan->use->length) &&
		      plan_completes(nic, plans, plan, ring, &result);
	if (plan->plain && ring->pad_to.count && expr_holds(nic, &ring->pad_when, &scope)) {
		to = expr_eval(nic, &ring->pad_to, &scope);
		plan->pad = to < 64 ? (uint8_t)to : 64;
	}
	return plan;
}
