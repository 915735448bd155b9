/* SPDX-License-Identifier: Apache-2.0 */

/* Where registers are and which state words they own, so that every expression can name them. */
#include "card/draft.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
	BANKS_MAX = 64,
	REGISTERS_MAX = 4096, /* declarations */
	ELEMENTS_MAX = 65520, /* with those of arrays */
	FIELDS_MAX = 64,
	BANK_BYTES_MAX = 1 << 20,
};

static uint16_t take_words(struct draft *draft, unsigned count)
{
	uint16_t first = draft->words;

	draft->words = (uint16_t)(draft->words + count);
	return first;
}

/* One more array of registers; false and a message the first time there are too many. */
static bool take_elements(struct draft *draft, const struct node *node, unsigned count)
{
	bool before = draft->elements > ELEMENTS_MAX || draft->registers > REGISTERS_MAX;

	draft->registers++;
	draft->elements += count;
	if (draft->elements <= ELEMENTS_MAX && draft->registers <= REGISTERS_MAX)
		return true;
	if (!before)
		wrong(draft, node, "more registers than a card may have (%d, and %d with arrays)",
		      REGISTERS_MAX, ELEMENTS_MAX);
	return false;
}

static void check_field(struct draft *draft, const struct node *node, const struct reg *reg,
			const struct field *field)
{
	for (unsigned i = 0; i < reg->fields_count; i++) {
		const struct field *other = &reg->fields[i];

		if (!strcmp(other->name, field->name)) {
			wrong(draft, node, "%s has a field %s already", reg->name, field->name);
			return;
		}
		if (field->shift < other->shift + other->width &&
		    other->shift < field->shift + field->width) {
			wrong(draft, node, "field %s overlaps %s", field->name, other->name);
			return;
		}
	}
}

static void add_fields(struct draft *draft, const struct node *node, struct reg *reg)
{
	unsigned low, width, count = 0;
	struct field *fields;

	for_each_node(child, node, "field") count++;
	fields = draft_take(draft, struct field, count < FIELDS_MAX ? count : FIELDS_MAX);

	reg->fields = fields;
	for_each_node(child, node, "field")
	{
		const char *name = node_get(child, "name");
		bool good = node_bits(draft, child, reg->bytes * 8u, &low, &width);
		struct field field = {name, (uint8_t)low, (uint8_t)width};

		if (reg->fields_count == FIELDS_MAX) {
			wrong(draft, child, "more than %d fields in one register", FIELDS_MAX);
			return;
		}
		if (name == broken)
			continue;
		if (good && !node->broken)
			check_field(draft, child, reg, &field);
		fields[reg->fields_count++] = field; /* without good bits it still has a name */
	}
}

static void check_place(struct draft *draft, const struct node *node, const struct reg *reg)
{
	unsigned align = reg->bytes < 4 ? reg->bytes : 4;

	if (reg->at % align)
		wrong(draft, node, "at=\"%s\" is not a multiple of %u bytes", node_get(node, "at"),
		      align);
	if (reg->stride < reg->bytes)
		wrong(draft, node, "stride= is less than the %u bytes of the register", reg->bytes);
	else if (reg->stride % align)
		wrong(draft, node, "stride= is not a multiple of %u bytes", align);
	else if (reg->at + (uint64_t)(reg->count - 1) * reg->stride + reg->bytes > BANK_BYTES_MAX)
		wrong(draft, node, "%s ends beyond the 0x%x bytes a bank may have", reg->name,
		      BANK_BYTES_MAX);
	if (node_get(node, "stride") && !node_get(node, "count"))
		wrong(draft, node, "stride= has no meaning without count=");
}

static void add_register(struct draft *draft, const struct node *node, unsigned bank,
			 unsigned bytes, struct reg *reg)
{
	static const uint8_t sizes[] = {1, 2, 4, 8};
	int size = node_choice(node, "size");
	uint64_t at = 0, count = 1, stride;
	struct symbol *symbol;
	unsigned before;
	bool misplaced;

	node_number(draft, node, "at", UINT64_MAX, &at);
	node_number(draft, node, "count", UINT64_MAX, &count);
	if (size >= 0)
		bytes = sizes[size];
	stride = bytes;
	node_number(draft, node, "stride", UINT64_MAX, &stride);
	*reg = (struct reg){.name = node_get(node, "name"),
			    .at = (uint32_t)at,
			    .stride = (uint32_t)stride,
			    .count = (uint16_t)count,
			    .bytes = (uint8_t)bytes,
			    .clears_also = 0xffff,
			    .valid = ones(bytes * 8)};
	before = draft->mistakes->count;
	if (!node->broken)
		check_place(draft, node, reg);
	misplaced = node->broken || draft->mistakes->count != before;
	if (misplaced) { /* anywhere sound */
		reg->at = 0;
		reg->stride = reg->bytes;
	}
	for (const char *width = node_get(node, "widths"); width && *width && width != broken;
	     width++)
		reg->widths |= isdigit((unsigned char)*width) ? (uint8_t)(*width - '0') : 0;
	if (!take_elements(draft, node, reg->count)) {
		reg->count = 1;
		return;
	}
	add_fields(draft, node, reg);
	if (!node_get(node, "alias"))
		reg->word = take_words(draft, reg->count);
	symbol = symbol_add(draft, node, reg->name, SYMBOL_REGISTER, 0);
	symbol->reg = reg;
	symbol->bank = (uint16_t)bank;
	symbol->misplaced = misplaced;
}

static bool is_register(const struct node *node)
{
	return !strcmp(node->word, "register") || !strcmp(node->word, "counter") ||
	       !strcmp(node->word, "port");
}

/* An EEPROM is one array under the bank's name. */
static void add_eeprom(struct draft *draft, const struct node *node, struct bank *bank,
		       unsigned index)
{
	struct reg *reg = draft_take(draft, struct reg, 1);
	struct symbol *symbol;
	uint64_t words = 1;

	node_number(draft, node, "words", UINT64_MAX, &words);
	bank->unit = 2;
	bank->regs = reg;
	*reg = (struct reg){.name = bank->name,
			    .stride = 2,
			    .count = (uint16_t)words,
			    .bytes = 2,
			    .valid = 0xffff,
			    .rw = 0xffff,
			    .plain = true,
			    .clears_also = 0xffff};
	if (!take_elements(draft, node, reg->count))
		return;
	reg->word = take_words(draft, reg->count);
	bank->regs_count = 1;
	symbol = symbol_add(draft, node, bank->name, SYMBOL_REGISTER, 0);
	symbol->reg = reg;
	symbol->bank = (uint16_t)index;
}

static void add_bank(struct draft *draft, const struct node *node, struct bank *bank,
		     unsigned index)
{
	static const uint8_t units[] = {1, 2, 4, 8};
	int width = node_choice(node, "width");
	struct reg *regs;
	unsigned count = 0;

	bank->name = node_get(node, "name") ?: node->word;
	bank->unit = width >= 0 ? units[width] : !strcmp(node->word, "phy") ? 2 : 4;
	if (!strcmp(node->word, "eeprom")) {
		add_eeprom(draft, node, bank, index);
		return;
	}
	if (node_choice(node, "accesses") > 0)
		bank->accesses = (uint8_t)node_choice(node, "accesses");
	symbol_add(draft, node, bank->name, SYMBOL_BANK, index);
	for (const struct node *child = node->child; child; child = child->next)
		count += is_register(child);
	regs = draft_take(draft, struct reg, count);
	bank->regs = regs;
	for (const struct node *child = node->child; child; child = child->next) {
		if (is_register(child) && bank->regs_count <= REGISTERS_MAX)
			add_register(draft, child, index, bank->unit, &regs[bank->regs_count++]);
	}
}

static bool is_bank(const struct node *node)
{
	return !strcmp(node->word, "bank") || !strcmp(node->word, "eeprom") ||
	       !strcmp(node->word, "phy");
}

void compile_banks(struct draft *draft)
{
	struct bank *banks = draft_take(draft, struct bank, BANKS_MAX);
	struct card *card = draft->card;

	card->banks = banks;
	for (const struct node *child = draft->root->child; child; child = child->next) {
		if (!is_bank(child))
			continue;
		if (card->banks_count == BANKS_MAX) {
			wrong(draft, child, "more than %d banks", BANKS_MAX);
			return;
		}
		add_bank(draft, child, &banks[card->banks_count], card->banks_count);
		card->banks_count++;
	}
}
