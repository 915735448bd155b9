/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The result of a slot as a few masked stores. What <complete> writes is constant
 * for a plan and a frame's facts, but for numbers of the frame: its length, where the
 * next one begins.
 *
 *   written    ....XXXX....XX..     fields of all <complete> that hold
 *   stores     [1: 4..7] [0: 12..13, says whose the slot is: last]
 *
 * Causes that the actions raise are bits: the same again change nothing, so for
 * many slots they are raised once, and what they ask of rings is asked then.
 */
#include "nic/planned.h"

struct image { /* of a slot while its result is put together */
	uint8_t keep[SLOT_MAX + 8], value[SLOT_MAX + 8], moving[SLOT_MAX + 8];
	uint64_t written; /* bit per byte */
	unsigned moves;
	struct move {
		unsigned bit, width;
		struct plan_value value;
	} move[PLAN_MOVES];
};

static bool image_move(struct image *image, const struct write_field *write,
		       const struct plan_value *value)
{
	if (image->moves == PLAN_MOVES)
		return false;
	image->move[image->moves++] = (struct move){write->bit, write->width, *value};
	slot_set(image->moving, write->bit, write->width, UINT64_MAX);
	return true;
}

static bool image_write(struct nic *nic, struct image *image, const struct write_field *write,
			const struct scope *scope)
{
	struct plan_value value;
	bool moving;

	for (unsigned i = write->bit; i < write->bit + write->width; i++) {
		if (image->moving[i / 8] >> i % 8 & 1)
			return false;
	}
	plan_value_make(nic, &write->value, scope, &value);
	moving = value.kind == PLAN_LENGTH || value.kind == PLAN_NEXT;
	if ((!moving && value.kind != PLAN_CONSTANT) ||
	    (moving && !image_move(image, write, &value)))
		return false;
	slot_set(image->keep, write->bit, write->width, 0);
	slot_set(image->value, write->bit, write->width, moving ? 0 : value.set);
	image->written |= bytes_of(write->bit / 8, (write->bit + write->width + 7u) / 8);
	return true;
}

/* The moves that lie in these bytes; false: one that does so in part. */
static bool store_moves(struct plan_store *store, const struct image *image)
{
	for (unsigned i = 0; i < image->moves; i++) {
		const struct move *move = &image->move[i];
		unsigned from = store->at * 8u, end = from + store->length * 8u;

		if (move->bit + move->width <= from || move->bit >= end)
			continue;
		if (store->moves == PLAN_MOVES || move->bit < from || move->bit + move->width > end)
			return false;
		store->move[store->moves++] = (struct plan_move){
			(uint8_t)(move->bit - from), UINT64_MAX >> (64 - move->width), move->value};
	}
	return true;
}

static bool store_add(struct plan_result *result, const struct image *image, unsigned first,
		      unsigned end, bool last)
{
	while (first < end) {
		unsigned length = end - first > 8 ? 8 : end - first;
		struct plan_store *store = &result->stores[result->stores_count];

		if (result->stores_count++ == PLAN_STORES)
			return false;
		*store = (struct plan_store){
			.at = (uint8_t)first, .length = (uint8_t)length, .last = last};
		memcpy(&store->keep, image->keep + first, sizeof(store->keep));
		memcpy(&store->set, image->value + first, sizeof(store->set));
		if (!store_moves(store, image))
			return false;
		first += length;
	}
	return true;
}

/* As slot_store() has it. */
static bool stores_make(struct plan_result *result, const struct ring *ring,
			const struct image *image)
{
	unsigned at = ring->ready_at, past = at + ring->ready_bytes;
	uint64_t word = bytes_of(at, past), others = image->written & ~word;

	while (others) {
		unsigned first = (unsigned)__builtin_ctzll(others), end = first;

		while (end < 64 && others >> end & 1)
			end++;
		if (!store_add(result, image, first, end, false))
			return false;
		others &= ~bytes_of(first, end);
	}
	return !(image->written & word) || store_add(result, image, at, past, true);
}

/* Bits of a <complete>'s actions from AT on: those that are done, or may be. */
static bool actions_make(struct nic *nic, struct plan_result *result, const struct actions *actions,
			 unsigned at, const struct scope *scope)
{
	for (unsigned i = 0; i < actions->count; i++) {
		const struct expr *when = &actions->list[i].when;

		if (at + i >= PLAN_ACTIONS)
			return false;
		if (plan_of_ring(when) || expr_eval(nic, when, scope))
			result->actions |= 1u << (at + i);
	}
	return true;
}

static bool result_make(struct nic *nic, const struct ring *ring, const struct plan *plan,
			struct plan_result *result, const struct scope *scope, unsigned place)
{
	struct image image = {.written = 0};
	unsigned at = 0;

	memset(image.keep, 0xff, sizeof(image.keep));
	for (unsigned i = 0; i < result->count; i++) {
		const struct complete *complete = &result->list[i];
		unsigned from = at;

		at += complete->actions.count;
		if ((complete->at_last && !(place & SLOT_LAST)) ||
		    (complete->at_first && !(place & SLOT_FIRST)) ||
		    !expr_holds(nic, &complete->when, scope))
			continue;
		for (unsigned k = 0; k < complete->writes_count; k++) {
			if (!image_write(nic, &image, &complete->writes[k], scope))
				return false;
		}
		if (!actions_make(nic, result, &complete->actions, from, scope))
			return false;
	}
	return plan->usable && stores_make(result, ring, &image);
}

/* KEY: the place, and what is asked of FACTS. Valid until the next plan is made. */
const struct plan_result *plan_result_make(struct nic *nic, unsigned index, struct plan *plan,
					   uint32_t key, const uint8_t *slot,
					   const struct facts *facts)
{
	const struct ring *ring = nic->rings[index].ring;
	bool own = plan->use && plan->use->completes_count;
	struct plan_result *result = &plan->results[result_place(key)];
	struct scope scope = ring_scope(nic, index);

	*result = (struct plan_result){
		.key = key,
		.known = true,
		.list = own ? plan->use->completes : ring->completes,
		.count = own ? plan->use->completes_count : ring->completes_count,
	};
	scope.slot = slot;
	scope.facts = facts;
	result->plain = plans_of(nic, index)->results &&
			result_make(nic, ring, plan, result, &scope, key & 3);
	return result;
}

/* The actions of these bits, once. */
void result_actions(struct nic *nic, const struct complete *list, unsigned count, uint32_t bits,
		    struct scope *scope)
{
	for (unsigned i = 0; i < count && bits; i++) {
		const struct actions *actions = &list[i].actions;

		for (unsigned k = 0; k < actions->count; k++, bits >>= 1) {
			const struct action *action = &actions->list[k];

			if ((bits & 1) &&
			    (!plan_of_ring(&action->when) || expr_holds(nic, &action->when, scope)))
				action_run(nic, action, scope);
		}
	}
}
