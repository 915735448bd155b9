/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a name in an expression means, looked up once: fields of the slot, `slot.`,
 * `first.`, `context[K].`, values of the engine, registers, rings.
 */
#include "card/parser.h"

#include <ctype.h>
#include <string.h>

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

size_t name_length(const char *at)
{
	size_t length = 0;

	while (is_name(at[length]) ||
	       (at[length] == '-' && isalpha((unsigned char)at[length + 1]) && length &&
		isalpha((unsigned char)at[length - 1]) && islower((unsigned char)at[length + 1])))
		length++;
	return length;
}

static const struct engine_name {
	const char *name;
	uint8_t value, width, shift, speaks;
} engine_names[] = {
	{"new", VALUE_NEW, 64, 0, SPEAKS_NEW},
	{"old", VALUE_OLD, 64, 0, SPEAKS_OLD},
	{"i", VALUE_INDEX, 16, 0, SPEAKS_INDEX},
	{"here", VALUE_HERE, 64, 0, SPEAKS_HERE},
	{"card.mac", VALUE_MAC, 48, 0, 0},
	{"link.up", VALUE_LINK_UP, 1, 0, 0},
	{"link.speed", VALUE_LINK_SPEED, 32, 0, 0},
	{"frame.length", VALUE_FRAME_LENGTH, 32, 0, SPEAKS_FRAME},
	{"frame.put", VALUE_FRAME_PUT, 32, 0, SPEAKS_FRAME},
	{"frame.first", VALUE_FRAME_FIRST, 1, 0, SPEAKS_FRAME},
	{"frame.last", VALUE_FRAME_LAST, 1, 0, SPEAKS_FRAME},
	{"frame.destination", VALUE_FRAME_DESTINATION, 48, 0, SPEAKS_FRAME},
	{"frame.broadcast", VALUE_FRAME_BROADCAST, 1, 0, SPEAKS_FRAME},
	{"frame.multicast", VALUE_FRAME_MULTICAST, 1, 0, SPEAKS_FRAME},
	{"frame.next", VALUE_FRAME_NEXT, 32, 0, SPEAKS_FRAME},
	{"frame.tci", VALUE_FRAME_TCI, 16, 0, SPEAKS_FRAME},
	{"frame.vlan", VALUE_FRAME_VLAN, 1, 0, SPEAKS_FRAME},
	{"frame.type", VALUE_FRAME_TYPE, 2, 0, SPEAKS_FRAME},
	{"frame.l4", VALUE_FRAME_L4, 2, 0, SPEAKS_FRAME},
	{"frame.checked.ip", VALUE_FRAME_CHECKED_IP, 1, 0, SPEAKS_FRAME},
	{"frame.checked.l4", VALUE_FRAME_CHECKED_L4, 1, 0, SPEAKS_FRAME},
	{"frame.ok.ip", VALUE_FRAME_OK_IP, 1, 0, SPEAKS_FRAME},
	{"frame.ok.l4", VALUE_FRAME_OK_L4, 1, 0, SPEAKS_FRAME},
	{"frame.hash", VALUE_FRAME_HASH, 32, 0, SPEAKS_FRAME},
	{"frame.sum", VALUE_FRAME_SUM, 16, 0, SPEAKS_FRAME},
	{"frame.match.all", VALUE_FRAME_MATCH, 1, ACCEPT_ALL, SPEAKS_FRAME},
	{"frame.match.broadcast", VALUE_FRAME_MATCH, 1, ACCEPT_BROADCAST, SPEAKS_FRAME},
	{"frame.match.multicast", VALUE_FRAME_MATCH, 1, ACCEPT_MULTICAST, SPEAKS_FRAME},
	{"frame.match.exact", VALUE_FRAME_MATCH, 1, ACCEPT_EXACT, SPEAKS_FRAME},
	{"frame.match.hash", VALUE_FRAME_MATCH, 1, ACCEPT_HASH, SPEAKS_FRAME},
};

static const struct engine_name ring_names[] = {
	{"state", VALUE_RING_STATE, 2, 0, 0},
	{"ready", VALUE_RING_READY, 32, 0, 0},
	{"entries", VALUE_RING_ENTRIES, 32, 0, 0},
	{"index", VALUE_RING_INDEX, 32, 0, 0},
};

/* Words that a register, a ring or a field cannot be called. */
bool name_reserved(const char *name)
{
	static const char *const names[] = {
		"not",	 "and",	  "or",	    "if",      "i",	"new",	  "old",  "here", "slot",
		"first", "link",  "frame",  "context", "card",	"choose", "min",  "max",  "any",
		"crc",	 "crcle", "swap16", "swap32",  "ticks", "free",	  "peek",
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return false;
}

/* The dotted name at hand, whole. */
static size_t dotted_length(const char *at)
{
	size_t length = name_length(at);

	while (at[length] == '.' && name_length(at + length + 1))
		length += 1 + name_length(at + length + 1);
	return length;
}

static bool engine_name(struct parser *parser, const struct engine_name *names, unsigned count,
			unsigned ring, unsigned *width)
{
	size_t length = dotted_length(parser->at);

	for (unsigned i = 0; i < count; i++) {
		const struct engine_name *name = &names[i];
		struct op *op;

		if (strlen(name->name) != length || memcmp(name->name, parser->at, length))
			continue;
		if (name->speaks & ~(parser->draft->speaks | parser->draft->always))
			parser_fail(parser, "%s has no meaning here", name->name);
		op = parser_emit(parser, OP_ENGINE, 1);
		op->value = name->value;
		op->shift = name->shift;
		op->word = (uint16_t)ring;
		*width = name->width;
		parser->at += length;
		return true;
	}
	return false;
}

static unsigned slot_value(struct parser *parser, const struct layout_field *field,
			   enum op_code code, int stack)
{
	struct op *op;

	parser->at += name_length(parser->at);
	op = parser_emit(parser, code, stack);
	if (field->low > 255)
		parser_fail(parser, "fields beyond bit 255 cannot be read here");
	op->shift = (uint8_t)field->low;
	op->width = field->width;
	return field->width;
}

static unsigned no_such_field(struct parser *parser, const struct layout *layout)
{
	size_t length = name_length(parser->at);
	struct nearest nearest = nearest_to(parser->draft, parser->at, length);

	if (parser->draft->slot_unknown)
		parser->failed = true;
	if (!layout)
		parser_fail(parser, "no record is at hand here");
	for (unsigned i = 0; layout && i < layout->fields_count; i++)
		nearest_offer(&nearest, layout->fields[i].name);
	if (layout)
		parser_fail(parser, "record %s has no such field%s", layout->name,
			    nearest_hint(parser->draft, &nearest));
	return 64;
}

static unsigned slot_field(struct parser *parser, const struct layout *layout, enum op_code code,
			   int stack)
{
	const struct layout_field *field =
		layout_field(layout, parser->at, name_length(parser->at));

	if (layout && layout->node->broken)
		parser->failed = true;
	return field ? slot_value(parser, field, code, stack) : no_such_field(parser, layout);
}

static unsigned context_field(struct parser *parser)
{
	const struct layout *layout = parser->draft->context;
	unsigned from = parser->count;
	uint64_t key;

	parser_expect(parser, "[");
	parse_or(parser);
	parser_expect(parser, "]");
	parser_expect(parser, ".");
	if (parser_constant(parser, from, &key) && key >= CARD_CONTEXTS)
		parser_fail(parser, "there are %d contexts", CARD_CONTEXTS);
	if (!layout)
		parser_fail(parser, "the ring has no <use as=\"context\">");
	return slot_field(parser, layout, OP_CONTEXT, 0);
}

static unsigned element_field(struct parser *parser, const struct symbol *symbol, struct op *op)
{
	const struct reg *reg = symbol->reg;
	const struct field *field;
	size_t length;

	op->value = reg->valid;
	if (*parser->at != '.')
		return reg->bytes * 8u;
	length = name_length(++parser->at);
	field = reg_field(reg, parser->at, length);
	if (!field) {
		parser_fail(parser, "%s has no such field%s", reg->name,
			    field_hint(parser->draft, reg, parser->at, length));
		return 64;
	}
	parser->at += length;
	op->shift = field->shift;
	op->value = ones(field->width);
	return field->width;
}

/* An element of an array. */
static unsigned element_value(struct parser *parser, const struct symbol *symbol)
{
	const struct reg *reg = symbol->reg;
	unsigned from = parser->count;
	struct op *op;
	uint64_t k;

	parser_expect(parser, "[");
	parse_or(parser);
	parser_expect(parser, "]");
	if (parser->failed)
		return 64;
	if (!parser_constant(parser, from, &k)) {
		op = parser_emit(parser, OP_ELEMENT, 0);
		op->word = reg->word;
		op->count = reg->count;
		return element_field(parser, symbol, op);
	}
	if (k >= reg->count) {
		parser_fail(parser, "%s has %u elements, from 0 on", reg->name, reg->count);
		return 64;
	}
	parser->count--;
	parser->depth--;
	op = parser_emit(parser, OP_STATE, 1);
	op->word = (uint16_t)(reg->word + k);
	return element_field(parser, symbol, op);
}

static unsigned register_value(struct parser *parser, const struct symbol *symbol)
{
	struct op *op;

	if (symbol->node->broken)
		parser->failed = true; /* what it is was not readable, and that was said */
	if (symbol->reg->count > 1)
		return element_value(parser, symbol);
	op = parser_emit(parser, OP_STATE, 1);
	op->word = symbol->reg->word;
	return element_field(parser, symbol, op);
}

static unsigned unknown(struct parser *parser, size_t length)
{
	struct nearest nearest = nearest_to(parser->draft, parser->at, dotted_length(parser->at));
	const char *hint;

	if (parser->draft->slot_unknown)
		parser->failed = true;
	for (unsigned i = 0; i < sizeof(engine_names) / sizeof(*engine_names); i++)
		nearest_offer(&nearest, engine_names[i].name);
	hint = nearest_hint(parser->draft, &nearest);
	if (!*hint)
		hint = symbol_hint(parser->draft, parser->at, length, SYMBOL_REGISTER);
	parser_fail(parser, "no register, field or engine value has this name%s", hint);
	return 64;
}

/* Of a frame's first data slot, whose layout may be one of several. */
static unsigned first_field(struct parser *parser)
{
	const struct draft *draft = parser->draft;
	size_t length = name_length(parser->at);
	const struct layout_field *field;

	if (!draft->firsts_count)
		return slot_field(parser, draft->slot, OP_FIRST, 1);
	field = layout_field(draft->firsts[0], parser->at, length);
	for (unsigned i = 1; field && i < draft->firsts_count; i++) {
		const struct layout_field *other =
			layout_field(draft->firsts[i], parser->at, length);

		if (!other || other->low != field->low || other->width != field->width)
			parser_fail(parser, "it is not the same bits in %s and in %s",
				    draft->firsts[0]->name, draft->firsts[i]->name);
	}
	return slot_field(parser, draft->firsts[0], OP_FIRST, 1);
}

static unsigned prefixed(struct parser *parser, size_t length)
{
	const char *at = parser->at;

	parser->at += length + 1;
	if (!strncmp(at, "slot.", 5))
		return slot_field(parser, parser->draft->slot, OP_SLOT, 1);
	if ((parser->draft->speaks | parser->draft->always) & SPEAKS_FIRST)
		return first_field(parser);
	parser->at = at;
	parser_fail(parser, "first. has no meaning here");
	return 64;
}

/* The value of the engine that was just read is that of the instance before it. */
static void ring_chosen(struct parser *parser, const struct ring *ring)
{
	struct op *op = &parser->ops[parser->count - 1];

	op->code = OP_RING;
	op->count = ring->count;
	parser->depth--;
}

static unsigned ring_value(struct parser *parser, const struct symbol *symbol, size_t length)
{
	const struct ring *ring = &parser->draft->card->rings[symbol->index];
	bool counted = node_get(symbol->node, "count");
	unsigned width;

	parser->at += length;
	if (counted) {
		parser_expect(parser, "[");
		parse_or(parser);
		parser_expect(parser, "]");
	}
	if (*parser->at == '.')
		parser->at++;
	if (engine_name(parser, ring_names, sizeof(ring_names) / sizeof(*ring_names), ring->first,
			&width)) {
		if (counted && !parser->failed)
			ring_chosen(parser, ring);
		return width;
	}
	parser_fail(parser, "of a ring there are state, ready, entries and index");
	return 64;
}

unsigned parse_name(struct parser *parser)
{
	struct draft *draft = parser->draft;
	size_t length = name_length(parser->at);
	const struct layout_field *field;
	const struct symbol *symbol;
	unsigned width;

	field = draft->bare_hidden
			? NULL
			: slot_field_find(draft, parser->node, parser->at, length, &parser->failed);
	if (field)
		return slot_value(parser, field, OP_SLOT, 1);
	if (engine_name(parser, engine_names, sizeof(engine_names) / sizeof(*engine_names), 0,
			&width))
		return width;
	if (!strncmp(parser->at, "slot.", 5) || !strncmp(parser->at, "first.", 6))
		return prefixed(parser, length);
	if (!strncmp(parser->at, "context", 7) && length == 7) {
		parser->at += 7;
		return context_field(parser);
	}
	symbol = symbol_find(draft, parser->at, length);
	if (symbol && symbol->kind == SYMBOL_REGISTER) {
		parser->at += length;
		return register_value(parser, symbol);
	}
	if (symbol && symbol->kind == SYMBOL_RING)
		return ring_value(parser, symbol, length);
	return unknown(parser, length);
}
