/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What receiving into a ring needs, remembered, for frames that fit into one
 * slot. Sizes and limits follow from registers alone. The result follows from
 * registers and the frame's facts; only its length and tag are put in frame by
 * frame. A ring whose description asks anything else takes the long way.
 *
 * The actions of results (raise a cause) run once for many frames, after the
 * last: what they ask of the ring's room is asked then.
 */
#include "nic/state.h"

static bool note(struct plans *plans, const struct expr *expr, bool facts)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		switch (op->code) {
		case OP_STATE:
			if (!plan_depends(plans, op->word, op->value << op->shift))
				return false;
			break;
		case OP_ENGINE:
			if (!facts || op->value < VALUE_FRAME_FIRST ||
			    op->value > VALUE_FRAME_OK_L4 || op->value == VALUE_FRAME_DESTINATION ||
			    op->value == VALUE_FRAME_BROADCAST ||
			    op->value == VALUE_FRAME_MULTICAST)
				return false;
			plans->asks_type |=
				op->value == VALUE_FRAME_TYPE || op->value == VALUE_FRAME_L4;
			break;
		case OP_SLOT:
		case OP_FIRST:
		case OP_ELEMENT:
		case OP_CONTEXT:
		case OP_TICKS:
		case OP_RING:
		case OP_FREE:
		case OP_PEEK:
			return false;
		}
	}
	return true;
}

/* Put in as it is, frame by frame. */
static bool is_value(const struct expr *expr, enum engine_value value)
{
	return expr->count == 1 && expr->ops->code == OP_ENGINE && expr->ops->value == value;
}

/* It asks registers and the ring, and neither frame nor slot. */
static bool of_ring(const struct expr *expr)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		if (op->code == OP_SLOT || op->code == OP_FIRST || op->code == OP_CONTEXT ||
		    (op->code == OP_ENGINE && op->value < VALUE_RING_STATE))
			return false;
	}
	return true;
}

static bool note_complete(struct plans *plans, const struct complete *complete)
{
	bool good = note(plans, &complete->when, true) && plan_repeatable(&complete->actions);

	for (unsigned i = 0; i < complete->actions.count; i++)
		good &= of_ring(&complete->actions.list[i].when);
	for (unsigned i = 0; i < complete->writes_count; i++) {
		const struct expr *value = &complete->writes[i].value;

		good &= is_value(value, VALUE_FRAME_PUT) || is_value(value, VALUE_FRAME_LENGTH) ||
			note(plans, value, true);
	}
	return good;
}

/* No skip, or "field == constant". */
static bool take_skip(struct fill *fill, const struct expr *skip)
{
	const struct expr field = {skip->ops, 1, false};

	if (!skip->count)
		return true;
	if (skip->count != 3 || skip->ops[1].code != OP_CONST || skip->ops[2].code != OP_EQ)
		return false;
	fill->skip_value = skip->ops[1].value;
	return plan_take(&fill->skip, &field);
}

bool fill_note(struct nic *nic, struct plans *plans, const struct ring *ring)
{
	const struct use *use = &ring->uses[0];
	bool good = ring->next == NEXT_ARRAY && !ring->walked && ring->slot_size == PLAN_SLOT &&
		    ring->uses_count == 1 && !use->when.count && !use->completes_count &&
		    !use->pieces_count && use->as == USE_ROOM && ring->completes_count <= 8 &&
		    plan_take(&plans->fill.address, &use->address) &&
		    take_skip(&plans->fill, &use->skip);

	good &= note(plans, &use->length, false) & note(plans, &ring->vlan_type, false) &
		note(plans, &ring->fcs_when, false) & note(plans, &ring->check_ip, false) &
		note(plans, &ring->check_l4, false) & note(plans, &nic->card->filter.max, false);
	for (unsigned i = 0; i < ring->completes_count; i++)
		good &= note_complete(plans, &ring->completes[i]);
	return good;
}

const struct fill *fill_now(struct nic *nic, unsigned index)
{
	struct plans *plans = plans_of(nic, index);
	const struct ring *ring = nic->rings[index].ring;
	struct fill *fill = &plans->fill;
	struct scope scope = {0};

	plans_check(nic, index);
	if (!plans->usable || fill->known)
		return plans->usable ? fill : NULL;
	fill->known = true;
	fill->max = 1514;
	if (nic->card->filter.max.count)
		fill->max = expr_eval(nic, &nic->card->filter.max, &scope);
	fill->vlan_type = ring->vlan_type.count ? expr_eval(nic, &ring->vlan_type, &scope) : 0x8100;
	fill->size = expr_eval(nic, &ring->uses[0].length, &scope);
	fill->keeps = ring->fcs_present && expr_holds(nic, &ring->fcs_when, &scope);
	fill->looks = plans->asks_type ||
		      (ring->check_ip.count && expr_eval(nic, &ring->check_ip, &scope)) ||
		      (ring->check_l4.count && expr_eval(nic, &ring->check_l4, &scope));
	for (unsigned i = 0; i < RESULTS; i++)
		fill->results[i].known = false;
	return fill;
}

struct image { /* of a result while it is put together */
	uint8_t mask[SLOT_MAX + 8], value[SLOT_MAX + 8], moving[SLOT_MAX + 8];
	unsigned first, end;
};

static bool image_write(struct nic *nic, struct image *image, struct result *result,
			const struct write_field *write, const struct scope *scope)
{
	unsigned begin = write->bit / 8, past = (write->bit + write->width + 7u) / 8;
	bool moving = is_value(&write->value, VALUE_FRAME_PUT) ||
		      is_value(&write->value, VALUE_FRAME_LENGTH);

	for (unsigned i = write->bit; i < write->bit + write->width; i++) {
		if (image->moving[i / 8] >> i % 8 & 1)
			return false;
	}
	if (moving) {
		if (result->put)
			return false;
		result->shift = write->bit % 64;
		result->put = UINT64_MAX >> (64 - write->width);
		slot_set(image->moving, write->bit, write->width, UINT64_MAX);
	}
	slot_set(image->mask, write->bit, write->width, UINT64_MAX);
	slot_set(image->value, write->bit, write->width,
		 moving ? 0 : expr_eval(nic, &write->value, scope));
	image->first = begin < image->first ? begin : image->first;
	image->end = past > image->end ? past : image->end;
	return true;
}

static bool result_make(struct nic *nic, const struct ring *ring, struct result *result,
			const struct facts *facts)
{
	const struct scope scope = {.facts = facts};
	struct image image = {.first = PLAN_SLOT};

	for (unsigned i = 0; i < ring->completes_count; i++) {
		const struct complete *complete = &ring->completes[i];

		if (!expr_holds(nic, &complete->when, &scope))
			continue;
		for (unsigned k = 0; k < complete->writes_count; k++) {
			if (!image_write(nic, &image, result, &complete->writes[k], &scope))
				return false;
		}
		if (complete->actions.count)
			result->actions |= (uint8_t)(1u << i);
	}
	if (!image.end || image.first / 8 != (image.end - 1) / 8)
		return false;
	result->word = (uint8_t)(image.first / 8);
	result->first = (uint8_t)image.first;
	result->length = (uint8_t)(image.end - image.first);
	memcpy(&result->mask, image.mask + result->word * 8, 8);
	memcpy(&result->value, image.value + result->word * 8, 8);
	return true;
}

const struct result *result_of(struct nic *nic, unsigned index, const struct facts *facts)
{
	uint32_t key = facts_key(facts);
	struct result *result = &plans_of(nic, index)->fill.results[(key ^ key >> 3) % RESULTS];

	if (result->known && result->key == key)
		return result;
	*result = (struct result){.key = key, .known = true};
	result->plain = result_make(nic, nic->rings[index].ring, result, facts);
	return result;
}
