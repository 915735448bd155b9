/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The addresses of a switch: sets of four, found by a hash that nobody outside
 * can foretell. An address is forgotten five minutes after it was last seen as
 * a source.
 *
 * A guest may invent addresses. So each NIC's port has a limit; where it is
 * reached, or the set is full and has one of its own already, the port
 * displaces itself and nobody else.
 */
#include "backend/switch_internal.h"

#include <string.h>
#include <sys/random.h>

static const uint64_t MAX_AGE = 300ull * 1000000000u;

void table_init(struct switch_table *table)
{
	memset(table, 0, sizeof(*table));
	if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) < 0)
		table->seed = (uintptr_t)table;
}

static unsigned set_of(const struct switch_table *table, uint64_t mac)
{
	uint64_t mixed = (mac ^ table->seed) * 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9u;
	return (unsigned)(mixed >> 40) % SWITCH_SETS;
}

static bool old(const struct switch_address *at, uint64_t now)
{
	return !at->mac || (now > at->seen && now - at->seen > MAX_AGE);
}

static void address_drop(struct switch_table *table, struct switch_address *at)
{
	if (at->mac)
		table->owned[at->end]--;
	at->mac = 0;
}

static struct switch_address *oldest(struct switch_address *set, int end)
{
	struct switch_address *best = NULL;

	for (unsigned i = 0; i < SWITCH_WAYS; i++) {
		if ((end < 0 || (set[i].mac && set[i].end == end)) &&
		    (!best || set[i].seen < best->seen))
			best = &set[i];
	}
	return best;
}

/* Where an address that is not in the set may go; NULL: nowhere. */
static struct switch_address *place(struct switch_address *set, unsigned end, bool full,
				    uint64_t now)
{
	struct switch_address *own = oldest(set, (int)end);

	if (full)
		return own;
	for (unsigned i = 0; i < SWITCH_WAYS; i++) {
		if (old(&set[i], now))
			return &set[i];
	}
	return own ?: oldest(set, -1);
}

void table_learn(struct switch_table *table, uint64_t mac, unsigned end, unsigned limit,
		 uint64_t now)
{
	struct switch_address *set = table->sets[set_of(table, mac)], *at = NULL;

	for (unsigned i = 0; i < SWITCH_WAYS; i++) {
		if (set[i].mac == mac)
			at = &set[i];
	}
	if (at && at->end == end) {
		at->seen = now;
		return;
	}
	if (!at || table->owned[end] >= limit)
		at = place(set, end, table->owned[end] >= limit, now);
	if (!at)
		return;
	for (unsigned i = 0; i < SWITCH_WAYS; i++) { /* it has moved */
		if (set[i].mac == mac)
			address_drop(table, &set[i]);
	}
	address_drop(table, at);
	*at = (struct switch_address){mac, now, (uint16_t)end};
	table->owned[end]++;
}

int table_find(const struct switch_table *table, uint64_t mac, uint64_t now)
{
	const struct switch_address *set = table->sets[set_of(table, mac)];

	for (unsigned i = 0; i < SWITCH_WAYS; i++) {
		if (set[i].mac == mac)
			return old(&set[i], now) ? -1 : set[i].end;
	}
	return -1;
}

void table_forget(struct switch_table *table, unsigned end)
{
	for (unsigned i = 0; i < SWITCH_SETS * SWITCH_WAYS; i++) {
		struct switch_address *at = &table->sets[i / SWITCH_WAYS][i % SWITCH_WAYS];

		if (at->mac && at->end == end)
			address_drop(table, at);
	}
}

unsigned table_count(const struct switch_table *table)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SWITCH_ENDS; i++)
		count += table->owned[i];
	return count;
}
