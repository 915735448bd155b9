/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The addresses of a switch, each in its VLAN: sets of four, found by a hash that
 * nobody outside can foretell. An address is forgotten five minutes after it was
 * last seen as a source.
 *
 * A guest may invent addresses. So each NIC's port has a limit; where it is
 * reached, or the set is full and has one of its own already, the port
 * displaces itself. In a full set without one it takes the place of the port
 * that has most, if that has more than itself and more than what every port is
 * sure of; or else it is not learned, and frames to it go wherever they are
 * taken. So nobody's few addresses make way for any number of others.
 */
#include "backend/switch_internal.h"

#include <string.h>
#include <sys/random.h>

enum { TICK_SHIFT = 24 }; /* 17 ms: so 32 bits are two years */
static const uint64_t MAX_AGE = 300ull * 1000000000u;

void table_init(struct switch_table *table)
{
	memset(table, 0, sizeof(*table));
	if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) < 0)
		table->seed = (uintptr_t)table;
}

static unsigned set_of(const struct switch_table *table, uint64_t key)
{
	uint64_t mixed = (key ^ table->seed) * 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9u;
	return (unsigned)(mixed >> 40) % SWITCH_SETS;
}

static uint32_t ticks(uint64_t now)
{
	return (uint32_t)(now >> TICK_SHIFT);
}

static uint32_t age(const struct switch_address *at, uint64_t now)
{
	return ticks(now) - at->seen;
}

static bool old(const struct switch_address *at, uint64_t now)
{
	return !at->key || age(at, now) > ticks(MAX_AGE);
}

static void address_drop(struct switch_table *table, struct switch_address *at)
{
	if (at->key)
		table->owned[at->end]--;
	at->key = 0;
}

static struct switch_address *oldest_of(struct switch_address *set, unsigned end, uint64_t now)
{
	struct switch_address *best = NULL;

	for (unsigned i = 0; i < SWITCH_WAYS; i++) {
		if (set[i].key && set[i].end == end &&
		    (!best || age(&set[i], now) > age(best, now)))
			best = &set[i];
	}
	return best;
}

/* Of the port that has most, and more than END and than it is sure of; NULL: there is none. */
static struct switch_address *of_richest(const struct switch_table *table,
					 struct switch_address *set, unsigned end)
{
	unsigned most = table->owned[end] + 1u > SWITCH_SURE ? table->owned[end] + 1u : SWITCH_SURE;
	struct switch_address *best = NULL;

	for (unsigned i = 0; i < SWITCH_WAYS; i++) {
		if (table->owned[set[i].end] > most) {
			most = table->owned[set[i].end];
			best = &set[i];
		}
	}
	return best;
}

/* Where an address that is not in the set may go; NULL: nowhere. */
static struct switch_address *place(const struct switch_table *table, struct switch_address *set,
				    unsigned end, bool full, uint64_t now)
{
	struct switch_address *own = oldest_of(set, end, now);

	if (full)
		return own;
	for (unsigned i = 0; i < SWITCH_WAYS; i++) {
		if (old(&set[i], now))
			return &set[i];
	}
	return own ?: of_richest(table, set, end);
}

void table_learn(struct switch_table *table, uint64_t key, unsigned end, unsigned limit,
		 uint64_t now)
{
	struct switch_address *set = table->sets[set_of(table, key)], *at = NULL;

	for (unsigned i = 0; i < SWITCH_WAYS; i++) {
		if (set[i].key == key)
			at = &set[i];
	}
	if (at && at->end == end) {
		at->seen = ticks(now);
		return;
	}
	if (!at || table->owned[end] >= limit)
		at = place(table, set, end, table->owned[end] >= limit, now);
	if (!at)
		return;
	for (unsigned i = 0; i < SWITCH_WAYS; i++) { /* it has moved */
		if (set[i].key == key)
			address_drop(table, &set[i]);
	}
	address_drop(table, at);
	*at = (struct switch_address){key, ticks(now), (uint16_t)end};
	table->owned[end]++;
}

int table_find(const struct switch_table *table, uint64_t key, uint64_t now)
{
	const struct switch_address *set = table->sets[set_of(table, key)];

	for (unsigned i = 0; i < SWITCH_WAYS; i++) {
		if (set[i].key == key)
			return old(&set[i], now) ? -1 : set[i].end;
	}
	return -1;
}

void table_forget(struct switch_table *table, unsigned end)
{
	for (unsigned i = 0; i < SWITCH_SETS * SWITCH_WAYS; i++) {
		struct switch_address *at = &table->sets[i / SWITCH_WAYS][i % SWITCH_WAYS];

		if (at->key && at->end == end)
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
