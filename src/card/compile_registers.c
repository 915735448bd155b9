/* SPDX-License-Identifier: Apache-2.0 */

/* What an access to a register does. */
#include "card/draft.h"
#include "card/words.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 64, LATCHES_MAX = 32 };
enum { RW, RO, WO, RC, W1C, W1S, W0C, SELF_CLEAR, RESERVED, LATCH, ACCESS_WORDS };

static const char *const access_words[ACCESS_WORDS] = {
	"rw", "ro", "wo", "rc", "w1c", "w1s", "w0c", "self-clear", "reserved", "latch"};

/* One word says what a write does; rc may stand beside it. */
static void check_access(struct draft *draft, const struct node *node, const char *access,
			 const unsigned *given)
{
	unsigned writing = 0;

	for (unsigned i = 0; i < ACCESS_WORDS; i++) {
		if (given[i] > 1 || (i != RC && given[i] && writing++)) {
			wrong(draft, node,
			      "access=\"%s\": more than one word says what a write does", access);
			return;
		}
	}
	if (given[RC] && (given[WO] || given[RESERVED]))
		wrong(draft, node, "access=\"%s\": what cannot be read is not cleared by reading",
		      access);
}

static void apply_access(struct draft *draft, const struct node *node, struct reg *reg,
			 uint64_t mask)
{
	uint64_t *const sets[ACCESS_WORDS] = {
		&reg->rw,  NULL,	 &reg->write_only, &reg->read_clear,
		&reg->w1c, &reg->w1s,	 &reg->w0c,	   &reg->self_clear,
		NULL,	   &reg->latched};
	const char *access = node_get(node, "access");
	unsigned given[ACCESS_WORDS] = {0};

	if (!access || access == broken)
		return;
	for (unsigned i = 0; i < ACCESS_WORDS; i++) {
		if (sets[i])
			*sets[i] &= ~mask; /* a field's word stands in for the register's */
	}
	for (const char *at = access; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		for (unsigned i = 0; i < ACCESS_WORDS; i++) {
			if (strlen(access_words[i]) != length ||
			    memcmp(access_words[i], at, length))
				continue;
			given[i]++;
			if (sets[i])
				*sets[i] |= mask;
			if (i == WO)
				reg->rw |= mask;
		}
		at += length;
	}
	check_access(draft, node, access, given);
}

static void add_effect(struct draft *draft, const struct node *node, struct effect *effect,
		       unsigned shift, unsigned width)
{
	static const uint8_t whens[] = {ON_NONZERO, ON_ANY, ON_CHANGE};
	int on = node_choice(node, "do-on");

	effect->mask = ones(width) << shift;
	effect->shift = (uint8_t)shift;
	effect->on = on < 0 ? ON_NONZERO : whens[on];
	draft->speaks = SPEAKS_NEW | SPEAKS_OLD | SPEAKS_INDEX;
	actions_read(draft, node, "do", &effect->actions);
}

static void add_shows(struct draft *draft, const struct node *node, struct shows *shows,
		      unsigned shift, unsigned width)
{
	shows->mask = ones(width) << shift;
	shows->shift = (uint8_t)shift;
	draft->speaks = SPEAKS_OLD | SPEAKS_INDEX;
	expr_read(draft, node, "shows", &shows->value);
}

static void add_value(struct draft *draft, const struct node *node, const struct field *field,
		      struct effect *effect)
{
	add_effect(draft, node, effect, field->shift, field->width);
	effect->has_value = node_number(draft, node, "is", ones(field->width), &effect->value);
}

static void check_values(struct draft *draft, const struct node *node)
{
	uint64_t value, other;
	unsigned count = 0;

	for_each_node(child, node, "value")
	{
		if (count++ == VALUES_MAX) {
			wrong(draft, child, "more than %d <value> of one field", VALUES_MAX);
			return;
		}
		if (!node_number(draft, child, "is", UINT64_MAX, &value))
			continue;
		for_each_node(before, node, "value")
		{
			if (before == child)
				break;
			if (!node_number(draft, before, "is", UINT64_MAX, &other) || value != other)
				continue;
			wrong(draft, child, "is=\"%s\" stands in %s already", node_get(child, "is"),
			      node_line(draft, child, before));
			break;
		}
	}
}

static void add_latch(struct draft *draft, const struct node *node, const struct reg *reg)
{
	struct card *card = draft->card;
	struct latch *latch = (struct latch *)&card->latches[card->latches_count];

	if (!node_get(node, "shows"))
		wrong(draft, node, "a latch needs shows=, which it keeps");
	else if (reg->count > 1)
		wrong(draft, node, "a latch in an array");
	else if (card->latches_count == LATCHES_MAX)
		wrong(draft, node, "more than %d latches", LATCHES_MAX);
	else {
		latch->word = reg->word;
		latch->live = reg->shows[reg->shows_count - 1];
		card->latches_count++;
	}
}

static void field_behaviour(struct draft *draft, const struct node *node, struct reg *reg,
			    struct shows *shows, struct effect *effects)
{
	const char *name = node_get(node, "name");
	const struct field *field = reg_field(reg, name, strlen(name));
	static const struct field nowhere = {"", 0, 1};

	if (!field)
		field = &nowhere;
	apply_access(draft, node, reg, ones(field->width) << field->shift);
	if (node_get(node, "shows")) {
		struct shows *at = &shows[reg->shows_count++];

		add_shows(draft, node, at, field->shift, field->width);
		reg->rw &= ~at->mask;
	}
	if (reg->latched & (ones(field->width) << field->shift))
		add_latch(draft, node, reg);
	if (node_get(node, "do"))
		add_effect(draft, node, &effects[reg->effects_count++], field->shift, field->width);
	else if (node_get(node, "do-on"))
		wrong(draft, node, "do-on= has no meaning without do=");
	check_values(draft, node);
	for_each_node(child, node, "value")
		add_value(draft, child, field, &effects[reg->effects_count++]);
}

static int by_shift(const void *a, const void *b)
{
	return ((const struct effect *)a)->shift - ((const struct effect *)b)->shift;
}

static void apply_alias(struct draft *draft, const struct node *node, struct reg *reg)
{
	const char *name = node_get(node, "alias");
	struct symbol *symbol;

	if (!name)
		node_useless(draft, node, "effects", "without alias=");
	if (!name || name == broken)
		return;
	reg->no_effects_on_read = node_choice(node, "effects") == 1;
	node_useless(draft, node, "reset", "with alias=");
	symbol = symbol_kind_find(draft, name, strlen(name), SYMBOL_REGISTER);
	if (!symbol)
		wrong(draft, node, "alias=\"%s\": no register has this name%s", name,
		      symbol_hint(draft, name, strlen(name), SYMBOL_REGISTER));
	else if (node_get(symbol->node, "alias"))
		wrong(draft, node, "alias=\"%s\" is an alias itself", name);
	else if (!symbol->node->broken && !node->broken &&
		 (symbol->reg->count < reg->count || symbol->reg->bytes < reg->bytes))
		wrong(draft, node, "alias=\"%s\" is smaller than %s", name, reg->name);
	if (symbol)
		reg->word = symbol->reg->word;
}

static void reset_value(struct draft *draft, const struct node *node, struct reg *reg)
{
	uint64_t value = 0, part;
	bool whole = node_number(draft, node, "reset", reg->valid, &value);

	for_each_node(child, node, "field")
	{
		const char *name = node_get(child, "name");
		const struct field *field = reg_field(reg, name, strlen(name));
		uint64_t mask = field ? ones(field->width) << field->shift : 0;

		if (!field || child->broken ||
		    !node_number(draft, child, "reset", ones(field->width), &part))
			continue;
		if (whole && (value & mask) != part << field->shift)
			wrong(draft, child, "reset= contradicts that of %s in %s", reg->name,
			      node_line(draft, child, node));
		value = (value & ~mask) | part << field->shift;
	}
	reg->reset = value;
	for (unsigned k = 0; k < reg->count && !node_get(node, "alias"); k++)
		draft->reset_words[reg->word + k] = value;
}

static void whole_behaviour(struct draft *draft, const struct node *node, struct reg *reg,
			    struct shows *shows, struct effect *effects)
{
	if (node_get(node, "shows") && reg->shows_count)
		wrong(draft, node, "shows= hides those of the fields");
	if (node_get(node, "shows"))
		add_shows(draft, node, &shows[reg->shows_count++], 0, reg->bytes * 8u);
	qsort(effects, reg->effects_count, sizeof(*effects), by_shift);
	if (node_get(node, "do"))
		add_effect(draft, node, &effects[reg->effects_count++], 0, reg->bytes * 8u);
	else if (node_get(node, "do-on"))
		wrong(draft, node, "do-on= has no meaning without do=");
	draft->speaks = 0;
	expr_read(draft, node, "when", &reg->when);
	draft->speaks = SPEAKS_NEW | SPEAKS_OLD | SPEAKS_INDEX;
	expr_read(draft, node, "writable-when", &reg->writable);
	expr_read(draft, node, "stored", &reg->stored);
	draft->speaks = SPEAKS_OLD | SPEAKS_INDEX;
	actions_read(draft, node, "do-read", &reg->on_read);
	draft->speaks = 0;
}

/* What is said about writing needs bits that can be written, and so for reading. */
static void check_directions(struct draft *draft, const struct node *node, const struct reg *reg)
{
	if (!(reg->rw | reg->w1c | reg->w1s | reg->w0c | reg->self_clear) && !node->broken) {
		node_useless(draft, node, "mask", "where nothing can be written");
		node_useless(draft, node, "stored", "where nothing can be written");
	}
	if (reg->write_only == reg->valid) {
		node_useless(draft, node, "shows", "where nothing can be read");
		node_useless(draft, node, "do-read", "where nothing can be read");
	}
	if (reg->no_effects_on_read)
		node_useless(draft, node, "do-read", "with effects=\"no\"");
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
	apply_access(draft, node, reg, reg->valid);
	if (node_number(draft, node, "mask", reg->valid, &mask)) {
		reg->rw &= mask;
		reg->w1c &= mask;
		reg->w1s &= mask;
		reg->w0c &= mask;
		reg->self_clear &= mask;
	}
	if (reg->latched)
		wrong(draft, node, "latch is for fields");
	for_each_node(child, node, "field") field_behaviour(draft, child, reg, shows, effects);
	check_directions(draft, node, reg);
	whole_behaviour(draft, node, reg, shows, effects);
	reg->takes_nothing = !(reg->rw | reg->w1c | reg->w1s | reg->w0c | reg->self_clear) &&
			     !reg->effects_count;
	reg->module_reads = word_in(node_get(node, "module") ?: "", "read");
	reg->module_writes = word_in(node_get(node, "module") ?: "", "write");
	if (node_get(node, "module") && !draft->module)
		wrong(draft, node, "module=: the card has no <module>");
	reg->plain = !reg->module_reads && !reg->module_writes && !reg->shows_count &&
		     !reg->effects_count && !reg->when.count && !reg->writable.count &&
		     !reg->stored.count && !reg->on_read.count && !reg->w1c && !reg->w1s &&
		     !reg->w0c && !reg->read_clear && !reg->write_only && !reg->latched;
}

void compile_registers(struct draft *draft)
{
	draft->reset_words = draft_take(draft, uint64_t, draft->words + 1u);
	draft->card->reset_words = draft->reset_words;
	draft->card->words = draft->words;
	draft->card->latches = draft_take(draft, struct latch, LATCHES_MAX);
	for_each_symbol(symbol, draft)
	{
		if (symbol->kind != SYMBOL_REGISTER || !strcmp(symbol->node->word, "eeprom"))
			continue;
		if (!strcmp(symbol->node->word, "port"))
			port_behaviour(draft, symbol->node, symbol->reg);
		else
			behaviour(draft, symbol->node, symbol->reg);
	}
}
