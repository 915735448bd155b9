/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Offset to register, in cells of the smallest register's size:
 *
 *   map[cell]   0            nothing is there
 *               1 + index    one register
 *               SHARED + n   several (pages, a read and a write side): chains[n…]
 *                            has 1 + index of each, in the order of the file, then 0
 *
 * A register that takes every access ends its chain: what would follow it is a
 * mistake. Cells that are shared by the same registers share a chain.
 */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

enum { CHAINS_MAX = BANK_SHARED };

struct mapping {
	struct draft *draft;
	const struct bank *bank;
	uint16_t *map, *chains;
	unsigned chains_count;
	bool full;
	/* what the register at hand did to the cell before */
	uint16_t from, to;
	unsigned checked; /* 1 + the register it was held against */
	bool sound;
};

/* Does every access stop here, whatever stands behind? */
static bool takes_all(const struct reg *reg, const struct node *node)
{
	return !node_get(node, "when") && !reg->widths && reg->write_only != reg->valid;
}

static bool check_shared(struct draft *draft, const struct bank *bank, unsigned before,
			 unsigned index)
{
	const struct reg *first = &bank->regs[before], *second = &bank->regs[index];
	const struct symbol *a = symbol_find(draft, first->name, strlen(first->name));
	const struct symbol *b = symbol_find(draft, second->name, strlen(second->name));

	if (!a || !b || a->misplaced || b->misplaced || a == b)
		return false;
	if (!takes_all(first, a->node))
		return true;
	wrong(draft, b->node, "%s overlaps %s of %s, which has no when=", second->name, first->name,
	      node_line(draft, b->node, a->node));
	return false;
}

/* Against the last register that is there; said once. */
static bool sound(struct mapping *mapping, unsigned there, unsigned index)
{
	if (mapping->checked == there)
		return mapping->sound;
	mapping->checked = there;
	mapping->sound = check_shared(mapping->draft, mapping->bank, there - 1, index);
	return mapping->sound;
}

/* The chain FROM (or the one register) with another register behind it. */
static uint16_t longer(struct mapping *mapping, const uint16_t *chain, unsigned length,
		       unsigned index)
{
	unsigned at = mapping->chains_count;

	if (at + length + 2 > CHAINS_MAX) {
		mapping->full = true;
		return 0;
	}
	memcpy(mapping->chains + at, chain, length * sizeof(*chain));
	mapping->chains[at + length] = (uint16_t)(index + 1);
	mapping->chains[at + length + 1] = 0;
	mapping->chains_count += length + 2;
	return (uint16_t)(BANK_SHARED | at);
}

/* False: a mistake was found, which is enough of this register. */
static bool put(struct mapping *mapping, uint16_t *cell, unsigned index)
{
	uint16_t from = *cell,
		 *chain = from & BANK_SHARED ? mapping->chains + (from & ~BANK_SHARED) : &from;
	unsigned length = 1;

	if (!from) {
		*cell = (uint16_t)(index + 1);
		return true;
	}
	while (from & BANK_SHARED && chain[length])
		length++;
	if (chain[length - 1] == index + 1) /* elements of an array that share a cell */
		return true;
	if (!sound(mapping, chain[length - 1], index))
		return false;
	if (mapping->from != from) {
		mapping->to = longer(mapping, chain, length, index);
		mapping->from = from;
	}
	*cell = mapping->full ? from : mapping->to;
	return !mapping->full;
}

static void map_register(struct mapping *mapping, unsigned index)
{
	const struct bank *bank = mapping->bank;
	const struct reg *reg = &bank->regs[index];

	mapping->from = 0;
	mapping->checked = 0;
	for (unsigned k = 0; k < reg->count; k++) {
		uint32_t at = reg->at + k * reg->stride;

		for (uint32_t byte = 0; byte < reg->bytes; byte += bank->unit) {
			if (!put(mapping, &mapping->map[(at + byte) / bank->unit], index))
				return;
		}
	}
}

static void map_bank(struct draft *draft, struct bank *bank)
{
	struct mapping mapping = {.draft = draft, .bank = bank};

	mapping.map = draft_take(draft, uint16_t, bank->size / bank->unit + 1u);
	mapping.chains = calloc(CHAINS_MAX, sizeof(*mapping.chains));
	if (!mapping.chains)
		abort();
	for (unsigned i = 0; i < bank->regs_count && !mapping.full; i++)
		map_register(&mapping, i);
	if (mapping.full)
		wrong(draft, draft->root, "too many registers of bank %s share their offsets",
		      bank->name);
	bank->map = mapping.map;
	bank->chains = memcpy(draft_take(draft, uint16_t, mapping.chains_count + 1u),
			      mapping.chains, mapping.chains_count * sizeof(*mapping.chains));
	free(mapping.chains);
}

static void measure(struct bank *bank)
{
	for (unsigned i = 0; i < bank->regs_count; i++) {
		const struct reg *reg = &bank->regs[i];
		uint32_t end = reg->at + (reg->count - 1u) * reg->stride + reg->bytes;

		if (end > bank->size)
			bank->size = end;
		while (bank->unit > reg->bytes || reg->at % bank->unit || reg->stride % bank->unit)
			bank->unit /= 2;
	}
	bank->size = (bank->size + bank->unit - 1u) / bank->unit * bank->unit;
}

/* Needs places that are sound: compile_banks reports and repairs those that are not. */
void compile_maps(struct draft *draft)
{
	for (unsigned i = 0; i < draft->card->banks_count; i++) {
		struct bank *bank = (struct bank *)&draft->card->banks[i];

		measure(bank);
		map_bank(draft, bank);
	}
}
