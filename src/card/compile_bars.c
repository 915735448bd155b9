/* SPDX-License-Identifier: Apache-2.0 */

/* What stands in the windows of the bus: banks and memories, side by side or by turns. */
#include "card/draft.h"

#include <string.h>

enum { PARTS_MAX = 32 };

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

/* Registers that a part is too small to reach. */
static void check_reach(struct draft *draft, const struct node *node, unsigned bank, uint64_t size,
			const char *what)
{
	for_each_symbol(symbol, draft)
	{
		const struct reg *reg = symbol->reg;

		if (!reg || symbol->bank != bank || symbol->misplaced ||
		    reg->at + (uint64_t)(reg->count - 1) * reg->stride + reg->bytes <= size)
			continue;
		wrong(draft, node, "size=\"%s\": %s of %s lies beyond the %s",
		      node_get(node, "size"), reg->name, node_line(draft, node, symbol->node),
		      what);
		return;
	}
}

/* A bank or a memory, and nothing else. */
static bool part_target(struct draft *draft, const struct node *node, struct bar_part *part)
{
	int bank = bank_read_name(draft, node, "bank");
	int memory = memory_read_name(draft, node, "memory");

	if (bank >= 0)
		part->bank = (uint16_t)bank;
	if (memory >= 0)
		part->memory = (uint16_t)(memory + 1);
	return bank >= 0 || memory >= 0;
}

static void read_part(struct draft *draft, const struct node *node, uint64_t bar,
		      struct bar_part *part)
{
	uint64_t at = 0, size = 0, stride = 0;

	if (!node_get(node, "bank") == !node_get(node, "memory"))
		wrong(draft, node, "<part> needs bank= or memory=, one of them");
	part_target(draft, node, part);
	expr_read(draft, node, "when", &part->when);
	node_number(draft, node, "at", UINT64_MAX, &at);
	if (bar && at >= bar)
		wrong(draft, node, "at= lies beyond the BAR");
	size = bar > at ? bar - at : 0;
	if (node_number(draft, node, "size", UINT64_MAX, &size) && bar && at + size > bar)
		wrong(draft, node, "the part ends beyond the BAR");
	node_number(draft, node, "stride", UINT64_MAX, &stride);
	if (part->memory)
		node_useless(draft, node, "stride", "in front of a memory");
	part->at = (uint32_t)at;
	part->size = (uint32_t)size;
	part->stride = (uint32_t)stride;
}

/* The first that holds has the access: behind one that always does there must be no other. */
static void check_parts(struct draft *draft, const struct node *node, const struct bar_part *parts,
			unsigned index, const struct node *const *nodes)
{
	for (unsigned i = 0; i < index; i++) {
		if (parts[i].when.count || node_get(nodes[i], "when") ||
		    parts[index].at >= (uint64_t)parts[i].at + parts[i].size ||
		    parts[i].at >= (uint64_t)parts[index].at + parts[index].size)
			continue;
		wrong(draft, node, "overlaps the <part> of %s, which has no when=",
		      node_line(draft, node, nodes[i]));
		return;
	}
}

static unsigned read_parts(struct draft *draft, const struct node *node, uint64_t size,
			   struct bar_part *parts)
{
	const struct node *nodes[PARTS_MAX];
	unsigned count = 0;

	for_each_node(child, node, "part")
	{
		if (count == PARTS_MAX) {
			wrong(draft, child, "more than %d <part> in one BAR", PARTS_MAX);
			break;
		}
		nodes[count] = child;
		read_part(draft, child, size, &parts[count]);
		if (size && !child->broken)
			check_parts(draft, child, parts, count, nodes);
		count++;
	}
	return count;
}

/* The BAR as one part. */
static unsigned read_whole(struct draft *draft, const struct node *node, uint64_t size,
			   struct bar_part *part)
{
	const struct node *child = node_first(node->child, "index-data");
	int bank = bank_read_name(draft, node, "bank");

	if (child)
		read_index_data(draft, child, size, part);
	else if (bank >= 0 && size)
		check_reach(draft, node, (unsigned)bank, size, "BAR");
	if (bank >= 0)
		part->bank = (uint16_t)bank;
	part->size = (uint32_t)size;
	return 1;
}

static struct bar_part *take_parts(struct draft *draft, const struct node *node)
{
	unsigned count = 0;

	for_each_node(child, node, "part") count += count < PARTS_MAX;
	return draft_take(draft, struct bar_part, count ? count : 1);
}

static void read_bar(struct draft *draft, const struct node *node, struct bar *bar)
{
	struct bar_part *parts = take_parts(draft, node);
	bool parted = node_first(node->child, "part") != NULL;
	uint64_t size = bar_size(draft, node);
	unsigned count = parted ? read_parts(draft, node, size, parts)
				: read_whole(draft, node, size, parts);

	if (!!node_first(node->child, "index-data") + !!node_get(node, "bank") + parted != 1)
		wrong(draft, node, "a BAR needs bank=, an <index-data> or <part>s, one of them");
	if (bar)
		*bar = (struct bar){.size = size,
				    .io = node_choice(node, "space") == 1,
				    .wide = node_yes(node, "wide"),
				    .prefetch = node_yes(node, "prefetch"),
				    .parts = parts,
				    .parts_count = (uint8_t)count};
	if (node_choice(node, "space") == 1) {
		node_useless(draft, node, "wide", "of an I/O BAR");
		node_useless(draft, node, "prefetch", "of an I/O BAR");
	}
}

/* A wide BAR has the register behind its own as well. */
static void check_wide(struct draft *draft, const struct node *const *seen)
{
	for (unsigned i = 0; i < 6; i++) {
		if (!draft->card->bars[i].wide)
			continue;
		if (i == 5)
			wrong(draft, seen[i],
			      "a wide BAR needs the next index, and this is the last");
		else if (seen[i + 1])
			wrong(draft, seen[i + 1], "BAR %u is the upper half of that of %s", i + 1,
			      node_line(draft, seen[i + 1], seen[i]));
	}
}

static void read_rom(struct draft *draft, const struct node *node)
{
	int memory = memory_read_name(draft, node, "memory");
	struct bar_part *part = draft_take(draft, struct bar_part, 1);
	uint64_t size = 2048, holds;

	if (memory < 0)
		return;
	holds = draft->card->memories[memory].size;
	while (size < holds)
		size <<= 1;
	if (node_number(draft, node, "size", UINT64_MAX, &size) &&
	    (size & (size - 1) || size < holds))
		wrong(draft, node,
		      "size=\"%s\": expected a power of two that takes the %u bytes of the memory",
		      node_get(node, "size"), (unsigned)holds);
	*part = (struct bar_part){.size = (uint32_t)size, .memory = (uint16_t)(memory + 1)};
	draft->card->bars[CARD_ROM] = (struct bar){.size = size, .parts = part, .parts_count = 1};
}

void compile_bars(struct draft *draft)
{
	const struct node *seen[6] = {0};

	for_each_node(node, draft->root, "bar")
	{
		uint64_t index;

		if (!node_number(draft, node, "index", 5, &index)) {
			read_bar(draft, node, NULL);
		} else if (seen[index]) {
			wrong(draft, node, "BAR %u is described in %s already", (unsigned)index,
			      node_line(draft, node, seen[index]));
		} else {
			seen[index] = node;
			read_bar(draft, node, &draft->card->bars[index]);
		}
	}
	check_wide(draft, seen);
	for_each_node(node, draft->root, "rom") read_rom(draft, node);
}
