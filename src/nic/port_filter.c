/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a port need not hand over: the card's filter, asked beforehand what it
 * would say of frames.
 *
 * Conditions may ask for whom a frame is. So each way in is asked three times, for
 * a frame to a station, to a group, and to all. What it takes of these is
 * known (exact tables, classes) or taken for all of them (hashes). Conditions on
 * the rest of a frame are taken to hold, except the table of VLANs, which is asked
 * for each. The result is never less than the filter takes; where no ring
 * runs it is nothing.
 *
 * A change of a register that it follows from (cares.c) makes it stale, and it is
 * worked out again and told with the work that follows, if it differs.
 */
#include "nic/state.h"

enum kind { TO_STATION, TO_GROUP, TO_ALL, KINDS };

static const uint64_t examples[KINDS] = {
	[TO_STATION] = 0x000000000002ull,
	[TO_GROUP] = 0x00000000005e0001ull, /* none that a card has a rule of its own for */
	[TO_ALL] = 0xffffffffffffull,
};

static bool holds_for(struct nic *nic, const struct expr *when, enum kind kind)
{
	const struct facts facts = {.destination = examples[kind], .length = 60};
	const struct scope scope = {.facts = &facts};

	return expr_holds(nic, when, &scope);
}

/* Of groups, those that are not for all. */
static void take_all(struct port_filter *to, enum kind kind)
{
	to->all |= kind == TO_STATION;
	to->all_groups |= kind == TO_GROUP;
	to->broadcast |= kind == TO_ALL;
}

static void take_address(struct port_filter *to, uint64_t address)
{
	for (unsigned i = 0; i < to->count; i++) {
		if (to->addresses[i] == address)
			return;
	}
	if (to->count < PORT_ADDRESSES)
		to->addresses[to->count++] = address;
	else
		take_all(to, address & 1 ? TO_GROUP : TO_STATION);
}

static void take_exact(struct nic *nic, const struct accept *accept, enum kind kind,
		       struct port_filter *to)
{
	struct scope scope = {0};

	for (scope.index = 0; scope.index < accept->entries; scope.index++) {
		uint64_t address;

		if (!expr_holds(nic, &accept->valid, &scope))
			continue;
		address = expr_eval(nic, &accept->table, &scope) & 0xffffffffffff;
		if (kind == TO_ALL && address == examples[TO_ALL])
			to->broadcast = true;
		else if (address && kind == (address & 1 ? TO_GROUP : TO_STATION))
			take_address(to, address);
	}
}

static bool hash_empty(const struct nic *nic, const struct accept *accept)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < accept->words; i++)
		bits |= nic->state[accept->word + i];
	return !bits;
}

static void take(struct nic *nic, const struct accept *accept, enum kind kind,
		 struct port_filter *to)
{
	switch (accept->class) {
	case ACCEPT_ALL:
		take_all(to, kind);
		break;
	case ACCEPT_MULTICAST:
		if (kind != TO_STATION)
			take_all(to, kind);
		break;
	case ACCEPT_BROADCAST:
		to->broadcast |= kind == TO_ALL;
		break;
	case ACCEPT_EXACT:
		take_exact(nic, accept, kind, to);
		break;
	default: /* groups by their hash; broadcast is one of them */
		if (kind != TO_STATION && !hash_empty(nic, accept))
			take_all(to, kind);
	}
}

/* The table of VLANs, asked for each; AND: with what others say. */
static void take_vlans(struct nic *nic, const struct accept *accept, struct port_filter *to)
{
	struct facts facts = {.destination = examples[TO_STATION], .length = 60, .vlan = true};
	const struct scope scope = {.facts = &facts};

	for (unsigned id = 0; id < PORT_VLANS; id++) {
		uint64_t bit, *word = &to->vlans[id / 64];

		facts.tci = (uint16_t)id;
		bit = expr_eval(nic, &accept->index, &scope);
		if (bit / accept->bits >= accept->words ||
		    !(nic->state[accept->word + bit / accept->bits] >> bit % accept->bits & 1))
			*word &= ~(1ull << id % 64);
	}
	to->all_vlans = false;
}

void port_filter_look(struct nic *nic, struct port_filter *to)
{
	const struct filter *filter = &nic->card->filter;

	if (nic->hook_receive) { /* the module comes before the filter */
		to->all = to->all_groups = to->broadcast = to->all_vlans = true;
		return;
	}
	for (unsigned kind = 0; kind < KINDS; kind++) {
		if (!holds_for(nic, &filter->when, kind))
			continue;
		for (unsigned i = 0; i < filter->count; i++) {
			const struct accept *accept = &filter->accepts[i];

			if (!accept->must && holds_for(nic, &accept->when, kind))
				take(nic, accept, kind, to);
		}
	}
	to->all_vlans = true;
	memset(to->vlans, 0xff, sizeof(to->vlans));
	for (unsigned i = 0; i < filter->count; i++) {
		const struct accept *accept = &filter->accepts[i];

		if (accept->must && accept->class == ACCEPT_VLAN &&
		    holds_for(nic, &accept->when, TO_STATION))
			take_vlans(nic, accept, to);
	}
}

void port_filter_tell(struct nic *nic)
{
	bool takes = nic->hook_receive || receive_ring(nic) >= 0, told = nic->filter_told;
	struct port_filter now;

	if (told && takes == nic->filter_takes && !(takes && (nic->touched & CARES_PORT)))
		return;
	memset(&now, 0, sizeof(now)); /* compared as bytes */
	nic->filter_told = true;
	nic->filter_takes = takes;
	if (takes) {
		nic->touched &= ~(uint32_t)CARES_PORT;
		port_filter_look(nic, &now);
	}
	if (told && !memcmp(&now, &nic->filter, sizeof(now)))
		return;
	nic->filter = now;
	nic->port->ops->filter(nic->port, &nic->filter);
}
