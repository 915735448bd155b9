/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Offset to register. A byte belongs to the first register there that an access
 * can reach; those that share it follow one another, which the engine relies on.
 */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

/* Does every access stop here, whatever stands behind? */
static bool takes_all(const struct reg *reg, const struct node *node)
{
	return !node_get(node, "when") && reg->write_only != reg->valid;
}

static bool check_shared(struct draft *draft, const struct bank *bank, unsigned before,
			 unsigned index)
{
	const struct reg *first = &bank->regs[before], *second = &bank->regs[index];
	const struct symbol *a = symbol_find(draft, first->name, strlen(first->name));
	const struct symbol *b = symbol_find(draft, second->name, strlen(second->name));

	if (!a || !b || a->misplaced || b->misplaced || a == b)
		return false;
	if (takes_all(first, a->node))
		wrong(draft, b->node, "%s overlaps %s of %s, which has no when=", second->name,
		      first->name, node_line(draft, b->node, a->node));
	else if (before + 1 != index)
		wrong(draft, b->node, "%s shares bytes with %s of %s but does not follow it",
		      second->name, first->name, node_line(draft, b->node, a->node));
	else
		return true;
	return false;
}

static void claim(struct draft *draft, const struct bank *bank, uint16_t *owners, unsigned index)
{
	const struct reg *reg = &bank->regs[index];

	for (unsigned k = 0; k < reg->count; k++) {
		uint32_t at = reg->at + k * reg->stride;

		for (uint32_t byte = at; byte < at + reg->bytes; byte++) {
			if (owners[byte] && owners[byte] != index + 1 &&
			    !check_shared(draft, bank, owners[byte] - 1u, index))
				return;
			owners[byte] = (uint16_t)(index + 1);
		}
	}
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

static void map_bank(struct draft *draft, struct bank *bank)
{
	uint16_t *map = draft_take(draft, uint16_t, bank->size / bank->unit + 1u);

	bank->map = map;
	for (unsigned i = bank->regs_count; i-- > 0;) {
		const struct reg *reg = &bank->regs[i];

		for (unsigned k = 0; k < reg->count; k++) {
			uint32_t at = reg->at + k * reg->stride;

			for (uint32_t byte = 0; byte < reg->bytes; byte += bank->unit)
				map[(at + byte) / bank->unit] = (uint16_t)(i + 1);
		}
	}
}

static void check_overlaps(struct draft *draft, const struct bank *bank)
{
	uint16_t *owners = calloc(bank->size, sizeof(*owners));

	for (unsigned i = 0; owners && i < bank->regs_count; i++)
		claim(draft, bank, owners, i);
	free(owners);
}

/* Needs places that are sound: compile_banks reports and repairs those that are not. */
void compile_maps(struct draft *draft)
{
	for (unsigned i = 0; i < draft->card->banks_count; i++) {
		struct bank *bank = (struct bank *)&draft->card->banks[i];

		measure(bank);
		check_overlaps(draft, bank);
		map_bank(draft, bank);
	}
}
