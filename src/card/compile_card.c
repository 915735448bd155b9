/* SPDX-License-Identifier: Apache-2.0 */

/* Identity, and the names of what actions speak of. */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

enum { RINGS_MAX = 32, TIMERS_MAX = 64, RESETS_MAX = 32, MEMORIES_MAX = 16 };

static unsigned count_nodes(struct draft *draft, const char *word, unsigned limit)
{
	unsigned count = 0;

	for_each_node(node, draft->root, word)
	{
		if (count++ == limit)
			wrong(draft, node, "more than %u <%s>", limit, word);
	}
	return count < limit ? count : limit;
}

static void name_resets(struct draft *draft)
{
	struct card *card = draft->card;
	struct reset *resets = draft_take(draft, struct reset, RESETS_MAX + 2);

	card->resets = resets;
	card->resets_count = 2;
	resets[0].name = "power";
	resets[1].name = "function";
	count_nodes(draft, "reset", RESETS_MAX);
	for_each_node(node, draft->root, "reset")
	{
		const char *name = node_get(node, "name");
		unsigned index = !strcmp(name, "power")	     ? 0
				 : !strcmp(name, "function") ? 1
							     : card->resets_count;

		if (index >= RESETS_MAX + 2)
			return;
		symbol_add(draft, node, name, SYMBOL_RESET, index);
		resets[index].name = name;
		card->resets_count += index == card->resets_count;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (!symbol_kind_find(draft, resets[i].name, strlen(resets[i].name), SYMBOL_RESET))
			symbol_add(draft, draft->root, resets[i].name, SYMBOL_RESET, i);
	}
}

static void name_ring(struct draft *draft, const struct node *node, unsigned index)
{
	struct card *card = draft->card;
	struct ring *ring = (struct ring *)&card->rings[index];
	uint64_t count = 1;

	ring->counted = node_number(draft, node, "count", UINT64_MAX, &count);
	ring->first = card->instances;
	ring->count = (uint16_t)count;
	if (card->instances + count > CARD_INSTANCES_MAX) {
		wrong(draft, node, "more than %d rings, with all that count= says",
		      CARD_INSTANCES_MAX);
		ring->count = 1;
	}
	card->instances = (uint16_t)(card->instances + ring->count);
	symbol_add(draft, node, node_get(node, "name"), SYMBOL_RING, index);
}

/* Before anything is read that may name what follows it. */
void compile_names(struct draft *draft)
{
	struct card *card = draft->card;
	unsigned i = 0;

	card->rings_count = (uint8_t)count_nodes(draft, "ring", RINGS_MAX);
	card->rings = draft_take(draft, struct ring, card->rings_count);
	card->timers_count = (uint8_t)count_nodes(draft, "timer", TIMERS_MAX);
	card->timers = draft_take(draft, struct card_timer, card->timers_count);
	card->memories_count = (uint8_t)count_nodes(draft, "memory", MEMORIES_MAX);
	card->memories = draft_take(draft, struct memory, card->memories_count);
	name_resets(draft);
	for_each_node(node, draft->root, "memory")
	{
		if (i < card->memories_count)
			symbol_add(draft, node, node_get(node, "name"), SYMBOL_MEMORY, i++);
	}
	i = 0;
	for_each_node(node, draft->root, "ring")
	{
		if (i < card->rings_count)
			name_ring(draft, node, i++);
	}
	i = 0;
	for_each_node(node, draft->root, "timer")
	{
		if (i < card->timers_count)
			symbol_add(draft, node, node_get(node, "name"), SYMBOL_TIMER, i++);
	}
}

int bank_read_name(struct draft *draft, const struct node *node, const char *attribute)
{
	const char *name = node_get(node, attribute);
	struct nearest nearest;

	if (!name || name == broken)
		return -1;
	for (unsigned i = 0; i < draft->card->banks_count; i++) {
		if (!strcmp(draft->card->banks[i].name, name))
			return (int)i;
	}
	nearest = nearest_to(draft, name, strlen(name));
	for (unsigned i = 0; i < draft->card->banks_count; i++)
		nearest_offer(&nearest, draft->card->banks[i].name);
	wrong(draft, node, "%s=\"%s\": no bank has this name%s", attribute, name,
	      nearest_hint(draft, &nearest));
	return -1;
}

static void read_pci(struct draft *draft, const struct node *node)
{
	struct card *card = draft->card;
	const struct {
		const char *name;
		void *to;
		unsigned bytes;
	} numbers[] = {
		{"vendor", &card->vendor, 2},
		{"device", &card->device, 2},
		{"subsystem-vendor", &card->subsystem_vendor, 2},
		{"subsystem", &card->subsystem, 2},
		{"revision", &card->revision, 1},
		{"class", &card->class_code, 4},
	};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		uint64_t value;

		if (node_number(draft, node, numbers[i].name, UINT64_MAX, &value))
			memcpy(numbers[i].to, &value, numbers[i].bytes);
	}
	card->interrupt_pin = (uint8_t)(node_choice(node, "interrupt") + 1);
}

void compile_function(struct draft *draft)
{
	for_each_node(node, draft->root, "pci") read_pci(draft, node);
}
