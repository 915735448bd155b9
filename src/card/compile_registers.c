/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Registers: first where they are and which state words they own, so that
 * every expression can name them; then what an access does.
 */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

enum { BANK_SIZE_MAX = 1 << 20, REGISTERS_MAX = 4096 };

static uint64_t ones(unsigned width)
{
	return width >= 64 ? UINT64_MAX : (1ull << width) - 1;
}

static uint16_t take_words(struct draft *draft, const struct node *node, unsigned count)
{
	uint16_t first = draft->words;

	if (draft->words + count > 0xfff0) {
		wrong(draft, node, "more state than the 65520 registers a card may have");
		return 0;
	}
	draft->words = (uint16_t)(draft->words + count);
	return first;
}

static void add_fields(struct draft *draft, const struct node *node, struct reg *reg)
{
	struct field *fields;
	unsigned count = 0, low, width;

	for_each_node(child, node, "field") count++;
	fields = draft_take(draft, struct field, count);
	count = 0;
	for_each_node(child, node, "field")
	{
		if (!node_bits(draft, child, "bits", reg->bytes * 8u, &low, &width))
			continue;
		if (reg_field(reg, node_get(child, "name"), strlen(node_get(child, "name"))))
			wrong(draft, child, "%s has a field %s already", reg->name,
			      node_get(child, "name"));
		fields[count++] =
			(struct field){node_get(child, "name"), (uint8_t)low, (uint8_t)width};
		reg->fields = fields;
		reg->fields_count = (uint16_t)count;
	}
}

static void add_register(struct draft *draft, const struct node *node, unsigned bank,
			 unsigned bytes, struct reg *reg)
{
	uint64_t at = 0, count = 1, size = bytes, stride;

	node_number(draft, node, "at", BANK_SIZE_MAX - 1, &at);
	if (node_number(draft, node, "count", REGISTERS_MAX, &count) && count == 0) {
		wrong(draft, node, "count=\"0\": a register is there at least once");
		count = 1;
	}
	node_number(draft, node, "size", 8, &size);
	if (size != 1 && size != 2 && size != 4 && size != 8) {
		wrong(draft, node, "size is 1, 2, 4 or 8 bytes");
		size = bytes;
	}
	stride = size;
	node_number(draft, node, "stride", 1 << 16, &stride);
	if (stride < size) {
		wrong(draft, node, "stride is less than the register's %u bytes", (unsigned)size);
		stride = size;
	}
	*reg = (struct reg){.name = node_get(node, "name"),
			    .at = (uint32_t)at,
			    .stride = (uint32_t)stride,
			    .count = (uint16_t)count,
			    .bytes = (uint8_t)size,
			    .clears_also = 0xffff};
	reg->valid = ones(reg->bytes * 8u);
	add_fields(draft, node, reg);
	if (!node_get(node, "alias"))
		reg->word = take_words(draft, node, reg->count);
	struct symbol *symbol = symbol_add(draft, node, reg->name, SYMBOL_REGISTER, 0);

	symbol->reg = reg;
	symbol->bank = (uint16_t)bank;
}

static bool is_register(const struct node *node)
{
	return !strcmp(node->word, "register") || !strcmp(node->word, "counter");
}

static void add_bank(struct draft *draft, const struct node *node, struct bank *bank,
		     unsigned index)
{
	uint64_t width = 32, words = 0;
	struct reg *regs;
	unsigned count = 0;

	node_number(draft, node, "width", 64, &width);
	if (!strcmp(node->word, "eeprom"))
		width = 16;
	if (width != 8 && width != 16 && width != 32 && width != 64) {
		wrong(draft, node, "width is 8, 16, 32 or 64 bits");
		width = 32;
	}
	bank->name = node_get(node, "name") ?: node->word;
	bank->unit = (uint8_t)(width / 8);
	symbol_add(draft, node, bank->name, SYMBOL_BANK, index);
	if (node_number(draft, node, "words", 4096, &words) && !words) {
		wrong(draft, node, "words=\"0\": there is at least one");
		return;
	}
	if (words) { /* one array under the bank's name */
		regs = draft_take(draft, struct reg, 1);
		*regs = (struct reg){.name = bank->name,
				     .stride = 2,
				     .count = (uint16_t)words,
				     .bytes = 2,
				     .valid = 0xffff,
				     .rw = 0xffff,
				     .plain = true,
				     .clears_also = 0xffff,
				     .word = take_words(draft, node, (unsigned)words)};
		draft->symbols_count--; /* the array is the name's meaning */
		symbol_add(draft, node, bank->name, SYMBOL_REGISTER, 0)->reg = regs;
		bank->regs = regs;
		bank->regs_count = 1;
		return;
	}
	for (const struct node *child = node->child; child; child = child->next)
		count += is_register(child);
	regs = draft_take(draft, struct reg, count);
	bank->regs = regs;
	for (const struct node *child = node->child; child; child = child->next) {
		if (is_register(child))
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
	struct bank *banks;
	unsigned count = 0;

	for (const struct node *child = draft->root->child; child; child = child->next)
		count += is_bank(child);
	banks = draft_take(draft, struct bank, count);
	draft->card->banks = banks;
	for (const struct node *child = draft->root->child; child; child = child->next) {
		if (is_bank(child)) {
			add_bank(draft, child, &banks[draft->card->banks_count],
				 draft->card->banks_count);
			draft->card->banks_count++;
		}
	}
}

/* ---- what an access does ---- */

static void apply_access(struct draft *draft, const struct node *node, const char *access,
			 struct reg *reg, uint64_t mask)
{
	static const char *const words[] = {"rw",  "ro",  "wo",		"rc",	   "w1c",
					    "w1s", "w0c", "self-clear", "reserved"};
	uint64_t *const sets[] = {&reg->rw,  NULL,	&reg->write_only, &reg->read_clear,
				  &reg->w1c, &reg->w1s, &reg->w0c,	  &reg->self_clear,
				  NULL};

	reg->rw &= ~mask;
	for (const char *at = access; *at;) {
		size_t length = strcspn(at, " ");
		unsigned i;

		for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
			if (strlen(words[i]) == length && !memcmp(words[i], at, length))
				break;
		}
		if (i == sizeof(words) / sizeof(*words))
			wrong(draft, node, "access=\"%s\": no such access word", access);
		else if (sets[i])
			*sets[i] |= mask;
		if (i == 2)
			reg->rw |= mask;
		at += length + strspn(at + length, " ");
	}
}

static void add_effect(struct draft *draft, const struct node *node, struct effect *effect,
		       unsigned shift, unsigned width)
{
	const char *on = node_get(node, "do-on");

	effect->mask = ones(width) << shift;
	effect->shift = (uint8_t)shift;
	effect->on = on && !strcmp(on, "any")	   ? ON_ANY
		     : on && !strcmp(on, "change") ? ON_CHANGE
						   : ON_NONZERO;
	actions_read(draft, node, "do", &effect->actions);
}

static void field_behaviour(struct draft *draft, const struct node *node, struct reg *reg,
			    struct shows *shows, struct effect *effects)
{
	unsigned low, width;
	const struct field *field =
		reg_field(reg, node_get(node, "name"), strlen(node_get(node, "name")));

	if (!field)
		return;
	low = field->shift;
	width = field->width;
	if (node_get(node, "access"))
		apply_access(draft, node, node_get(node, "access"), reg, ones(width) << low);
	if (node_get(node, "shows")) {
		struct shows *at = &shows[reg->shows_count++];

		at->mask = ones(width) << low;
		at->shift = (uint8_t)low;
		expr_read(draft, node, "shows", &at->value);
		reg->rw &= ~at->mask;
	}
	if (node_get(node, "do"))
		add_effect(draft, node, &effects[reg->effects_count++], low, width);
	for_each_node(child, node, "value")
	{
		struct effect *effect = &effects[reg->effects_count++];

		add_effect(draft, child, effect, low, width);
		effect->has_value = node_number(draft, child, "is", ones(width), &effect->value);
	}
}

static int by_shift(const void *a, const void *b)
{
	return ((const struct effect *)a)->shift - ((const struct effect *)b)->shift;
}

static void apply_alias(struct draft *draft, const struct node *node, struct reg *reg)
{
	const char *name = node_get(node, "alias"), *effects = node_get(node, "effects");
	struct symbol *symbol;

	if (!name)
		return;
	symbol = symbol_find(draft, name, strlen(name));
	if (!symbol || symbol->kind != SYMBOL_REGISTER || node_get(symbol->node, "alias") ||
	    symbol->reg->count < reg->count) {
		wrong(draft, node, "alias=\"%s\": no register of its own has this name", name);
		return;
	}
	reg->word = symbol->reg->word;
	reg->no_effects_on_read = effects && !strcmp(effects, "no");
}

static void reset_value(struct draft *draft, const struct node *node, struct reg *reg)
{
	uint64_t value = 0, part;
	unsigned low, width;

	if (node_get(node, "alias"))
		return;
	node_number(draft, node, "reset", reg->valid, &value);
	for_each_node(child, node, "field")
	{
		if (node_get(child, "reset") &&
		    node_bits(draft, child, "bits", reg->bytes * 8u, &low, &width) &&
		    node_number(draft, child, "reset", ones(width), &part))
			value = (value & ~(ones(width) << low)) | part << low;
	}
	reg->reset = value;
	for (unsigned k = 0; k < reg->count; k++)
		draft->reset_words[reg->word + k] = value;
}

static void behaviour(struct draft *draft, const struct node *node, struct reg *reg)
{
	unsigned fields = 2;
	struct effect *effects;
	struct shows *shows;
	uint64_t mask;

	for_each_node(child, node, "field")
	{
		fields += 2;
		for_each_node(value, child, "value") fields++;
	}
	reg->shows = shows = draft_take(draft, struct shows, fields);
	reg->effects = effects = draft_take(draft, struct effect, fields);
	apply_alias(draft, node, reg);
	reset_value(draft, node, reg);
	reg->rw = reg->valid;
	if (node_get(node, "access"))
		apply_access(draft, node, node_get(node, "access"), reg, reg->valid);
	if (node_number(draft, node, "mask", reg->valid, &mask))
		reg->rw &= mask;
	for_each_node(child, node, "field") field_behaviour(draft, child, reg, shows, effects);
	if (node_get(node, "shows")) {
		shows[reg->shows_count] = (struct shows){.mask = reg->valid};
		expr_read(draft, node, "shows", &shows[reg->shows_count++].value);
	}
	qsort(effects, reg->effects_count, sizeof(*effects), by_shift);
	if (node_get(node, "do"))
		add_effect(draft, node, &effects[reg->effects_count++], 0, reg->bytes * 8u);
	expr_read(draft, node, "when", &reg->when);
	expr_read(draft, node, "writable-when", &reg->writable);
	expr_read(draft, node, "stored", &reg->stored);
	actions_read(draft, node, "do-read", &reg->on_read);
	reg->plain = !reg->shows_count && !reg->effects_count && !reg->when.count &&
		     !reg->writable.count && !reg->stored.count && !reg->on_read.count &&
		     !reg->w1c && !reg->w1s && !reg->w0c && !reg->read_clear && !reg->write_only;
}

void compile_registers(struct draft *draft)
{
	draft->reset_words = draft_take(draft, uint64_t, draft->words + 1u);
	draft->card->reset_words = draft->reset_words;
	draft->card->words = draft->words;
	for (unsigned i = 0; i < draft->symbols_count; i++) {
		struct symbol *symbol = &draft->symbols[i];

		if (symbol->kind == SYMBOL_REGISTER && is_register(symbol->node))
			behaviour(draft, symbol->node, symbol->reg);
	}
}

/* ---- offset to register ---- */

static void map_bank(struct draft *draft, struct bank *bank)
{
	uint16_t *map;

	for (unsigned i = 0; i < bank->regs_count; i++) {
		const struct reg *reg = &bank->regs[i];
		uint32_t end = reg->at + (reg->count - 1u) * reg->stride + reg->bytes;

		if (end > bank->size)
			bank->size = end;
		while (bank->unit > reg->bytes)
			bank->unit /= 2;
	}
	if (bank->size > BANK_SIZE_MAX) {
		wrong(draft, draft->root, "bank %s is larger than 1 MiB", bank->name);
		return;
	}
	bank->size = (bank->size + bank->unit - 1u) / bank->unit * bank->unit;
	map = draft_take(draft, uint16_t, bank->size / bank->unit + 1u);
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

void compile_maps(struct draft *draft)
{
	for (unsigned i = 0; i < draft->card->banks_count; i++)
		map_bank(draft, (struct bank *)&draft->card->banks[i]);
}
