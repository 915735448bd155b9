/* SPDX-License-Identifier: Apache-2.0 */
#include "nic/state.h"

static bool accept_exact(struct nic *nic, const struct accept *accept, const struct facts *facts)
{
	struct scope scope = {.facts = facts};

	for (scope.index = 0; scope.index < accept->entries; scope.index++) {
		if (expr_holds(nic, &accept->valid, &scope) &&
		    expr_eval(nic, &accept->table, &scope) == facts->destination)
			return true;
	}
	return false;
}

static bool accept_bit(struct nic *nic, const struct accept *accept, const struct facts *facts)
{
	struct scope scope = {.facts = facts};
	uint64_t bit = expr_eval(nic, &accept->index, &scope);

	return bit / accept->bits < accept->words &&
	       (nic->state[accept->word + bit / accept->bits] >> bit % accept->bits & 1);
}

static bool accept_matches(struct nic *nic, const struct accept *accept, const struct facts *facts)
{
	bool group = facts->destination & 1;

	switch (accept->class) {
	case ACCEPT_ALL:
		return true;
	case ACCEPT_BROADCAST:
		return facts->destination == 0xffffffffffffull;
	case ACCEPT_MULTICAST:
		return group;
	case ACCEPT_EXACT:
		return accept_exact(nic, accept, facts);
	case ACCEPT_HASH:
		return group && accept_bit(nic, accept, facts);
	default:
		return !facts->vlan || accept_bit(nic, accept, facts);
	}
}

bool filter_accepts(struct nic *nic, struct facts *facts)
{
	const struct filter *filter = &nic->card->filter;
	struct scope scope = {.facts = facts};
	bool accepted = false;

	if (!expr_holds(nic, &filter->when, &scope))
		return false;
	for (unsigned i = 0; i < filter->count; i++) {
		const struct accept *accept = &filter->accepts[i];
		bool match;

		if (!expr_holds(nic, &accept->when, &scope))
			continue;
		match = accept_matches(nic, accept, facts);
		if (accept->must && !match)
			return false;
		if (match && !accept->must) {
			accepted = true;
			facts->match |= (uint8_t)(1u << accept->class);
		}
	}
	return accepted;
}
