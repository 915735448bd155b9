/* SPDX-License-Identifier: Apache-2.0 */

/* Identity, BARs, and the names of what actions speak of. */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

enum { RINGS_MAX = 32, TIMERS_MAX = 64, RESETS_MAX = 32 };

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

/* Before anything is read that may name what follows it. */
void compile_names(struct draft *draft)
{
	struct card *card = draft->card;
	unsigned i = 0;

	card->rings_count = (uint8_t)count_nodes(draft, "ring", RINGS_MAX);
	card->rings = draft_take(draft, struct ring, card->rings_count);
	card->timers_count = (uint8_t)count_nodes(draft, "timer", TIMERS_MAX);
	card->timers = draft_take(draft, struct card_timer, card->timers_count);
	name_resets(draft);
	for_each_node(node, draft->root, "ring")
	{
		if (i < card->rings_count)
			symbol_add(draft, node, node_get(node, "name"), SYMBOL_RING, i++);
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

static void read_index_data(struct draft *draft, const struct node *node, uint64_t size,
			    struct bar_part *part)
{
	int bank = bank_read_name(draft, node, "bank");
	struct target index;
	uint64_t at = 0, data = 0;

	if (bank >= 0)
		part->bank = (uint16_t)bank;
	if (place_read(draft, node, "register", true, &index))
		part->index_word = index.word;
	if (!node_number(draft, node, "index", UINT64_MAX, &at) ||
	    !node_number(draft, node, "data", UINT64_MAX, &data))
		return;
	part->index_at = (uint32_t)at;
	part->data_at = (uint32_t)data;
	if (at < data + 4 && data < at + 4)
		wrong(draft, node, "index= and data= are 4 bytes each and overlap");
	else if (size && (at + 4 > size || data + 4 > size))
		wrong(draft, node, "index= or data= lies beyond the BAR");
}

static uint64_t bar_size(struct draft *draft, const struct node *node)
{
	bool io = node_choice(node, "space") == 1;
	uint64_t size = 0;

	if (!node_number(draft, node, "size", UINT64_MAX, &size))
		return 0;
	if (size & (size - 1))
		wrong(draft, node, "size=\"%s\" is not a power of two", node_get(node, "size"));
	else if (!io && size < 16)
		wrong(draft, node, "size=\"%s\": a memory BAR has at least 16 bytes",
		      node_get(node, "size"));
	else if (io && size > 256)
		wrong(draft, node, "size=\"%s\": an I/O BAR has at most 256 bytes",
		      node_get(node, "size"));
	else
		return size;
	return 0;
}

/* Registers that the BAR is too small to reach. */
static void check_reach(struct draft *draft, const struct node *node, int bank, uint64_t size)
{
	for_each_symbol(symbol, draft)
	{
		const struct reg *reg = symbol->reg;

		if (!reg || symbol->bank != bank || symbol->misplaced ||
		    reg->at + (uint64_t)(reg->count - 1) * reg->stride + reg->bytes <= size)
			continue;
		wrong(draft, node, "size=\"%s\": %s of %s lies beyond the BAR",
		      node_get(node, "size"), reg->name, node_line(draft, node, symbol->node));
		return;
	}
}

static void read_bar(struct draft *draft, const struct node *node, const struct node **seen)
{
	struct bar_part *part = draft_take(draft, struct bar_part, 1);
	const struct node *child = node_first(node->child, "index-data");
	uint64_t index = 0, size = bar_size(draft, node);
	int bank = bank_read_name(draft, node, "bank");

	if (child)
		read_index_data(draft, child, size, part);
	if (!child == !node_get(node, "bank"))
		wrong(draft, node, "a BAR needs bank= or an <index-data>, one of them");
	if (!node_number(draft, node, "index", 5, &index))
		return;
	if (seen[index]) {
		wrong(draft, node, "BAR %u is described in %s already", (unsigned)index,
		      node_line(draft, node, seen[index]));
		return;
	}
	seen[index] = node;
	if (bank >= 0 && size && !child)
		check_reach(draft, node, bank, size);
	if (bank >= 0)
		part->bank = (uint16_t)bank;
	part->size = (uint32_t)size;
	draft->card->bars[index] = (struct bar){.size = size,
						.io = node_choice(node, "space") == 1,
						.parts = part,
						.parts_count = 1};
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
	const struct node *seen[6] = {0};

	for_each_node(node, draft->root, "pci") read_pci(draft, node);
	for_each_node(node, draft->root, "bar") read_bar(draft, node, seen);
}
