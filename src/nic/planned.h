/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/state.h"

/* Plans of slots: how they are found, and what makes them. */

/* plan_note.c, plan_value.c */
void plans_note(struct nic *nic, unsigned ring);
bool plan_of_ring(const struct expr *expr);
bool plan_field_of(struct plan_field *field, unsigned bit, unsigned width);
void plan_value_make(struct nic *nic, const struct expr *expr, const struct scope *scope,
		     struct plan_value *value);

/* plan.c */
struct plan *plan_make(struct nic *nic, unsigned ring, const uint8_t *slot, const uint64_t *key);

/* Of a slot that is here; valid until another one is asked for. */
static inline struct plan *plan_of(struct nic *nic, unsigned ring, const uint8_t *slot)
{
	struct plans *plans = plans_of(nic, ring);
	uint64_t key[PLAN_KEY];
	struct plan *plan;

	plan_key(plans, slot, key);
	plan = &plans->list[plan_place(key)];
	return plan->known && plan_fits(plan, key) ? plan : plan_make(nic, ring, slot, key);
}

/* Facts that a result may depend on; below them in a result's key is the place. */
enum facts_bits {
	FACTS_TYPE = 3,
	FACTS_L4 = 3 << 2,
	FACTS_SUMS = 15 << 4,
	FACTS_GROUP = 3 << 8,
	FACTS_MATCH_SHIFT = 10,
	FACTS_KNOWN = 1 << 29, /* of all frames that take the short way */
};

static inline uint32_t facts_key(const struct facts *facts)
{
	return facts->type | (uint32_t)facts->l4 << 2 | (uint32_t)facts->checked_ip << 4 |
	       (uint32_t)facts->ok_ip << 5 | (uint32_t)facts->checked_l4 << 6 |
	       (uint32_t)facts->ok_l4 << 7 | (uint32_t)(facts->destination == 0xffffffffffff) << 8 |
	       (uint32_t)(facts->destination & 1) << 9 |
	       (uint32_t)facts->match << FACTS_MATCH_SHIFT;
}

/* plan_result.c */
const struct plan_result *plan_result_make(struct nic *nic, unsigned ring, struct plan *plan,
					   uint32_t key, const uint8_t *slot,
					   const struct facts *facts);
void result_actions(struct nic *nic, const struct complete *list, unsigned count, uint32_t bits,
		    struct scope *scope);

/* KEY: the place, and above it what is asked of FACTS. */
static inline const struct plan_result *plan_result(struct nic *nic, unsigned ring,
						    struct plan *plan, uint32_t key,
						    const uint8_t *slot, const struct facts *facts)
{
	const struct plan_result *result = &plan->results[result_place(key)];

	return result->known && result->key == key
		       ? result
		       : plan_result_make(nic, ring, plan, key, slot, facts);
}
