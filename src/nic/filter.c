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

/* Of an untagged frame; the last answer is kept, where it is for whom a frame is that decides. */
bool filter_takes(struct nic *nic, struct facts *facts)
{
	if ((nic->touched | nic->always) & CARES_ACCEPTED) {
		nic->accepted.known = false;
		nic->touched &= ~(uint32_t)CARES_ACCEPTED;
	}
	if (nic->accepted.known && nic->accepted.destination == facts->destination) {
		facts->match = nic->accepted.match;
		return true;
	}
	if (!filter_accepts(nic, facts))
		return false;
	nic->accepted.known = nic->accepts_by_destination;
	nic->accepted.destination = facts->destination;
	nic->accepted.match = facts->match;
	return true;
}

static bool by_destination(const struct expr *expr)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		if (op->code == OP_ENGINE && op->value >= VALUE_FRAME_LENGTH &&
		    op->value < VALUE_RING_STATE && op->value != VALUE_FRAME_DESTINATION &&
		    op->value != VALUE_FRAME_BROADCAST && op->value != VALUE_FRAME_MULTICAST)
			return false;
	}
	return true;
}

void filter_init(struct nic *nic)
{
	const struct filter *filter = &nic->card->filter;
	bool all = by_destination(&filter->when);

	for (unsigned i = 0; i < filter->count; i++) {
		const struct accept *accept = &filter->accepts[i];

		all &= by_destination(&accept->when) && by_destination(&accept->table) &&
		       by_destination(&accept->valid) &&
		       (accept->class == ACCEPT_VLAN || by_destination(&accept->index));
	}
	nic->accepts_by_destination = all;
}
