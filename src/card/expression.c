/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Expressions, from text to postfix code:
 *
 *   or      = and { "or" and }            and    = compare { "and" compare }
 *   compare = bits [ (== != < <= > >=) bits | "in" "(" bits { "," bits } ")" ]
 *   bits    = sum { (& | ^) sum }         sum    = cat { (+ - * << >>) cat }
 *   cat     = unary { ":" unary }         unary  = [ "not" | "-" | "~" ] primary { slice }
 *   primary = number | name | name "[" … "]" | function "(" … ")" | "(" or ")"
 *
 * Every part has a width, 64 where it is not known; ":" needs it of its right
 * side. Names are looked up here, once: fields of the slot, `first.`, `slot.`,
 * `context[K].`, registers, engine values.
 */
#include "card/draft.h"

#include <ctype.h>
#include <string.h>

enum { OPS_MAX = 128 };

struct parser {
	struct draft *draft;
	const struct node *node;
	const char *text, *at;
	struct op ops[OPS_MAX];
	unsigned count, depth, deepest, nesting;
	bool failed;
};

typedef unsigned level(struct parser *parser); /* returns the width */

static unsigned parse_or(struct parser *parser);

static void fail(struct parser *parser, const char *what)
{
	if (!parser->failed)
		wrong(parser->draft, parser->node, "in \"%.120s\" at \"%.60s\": %s", parser->text,
		      parser->at, what);
	parser->failed = true;
}

static struct op *emit(struct parser *parser, enum op_code code, int stack)
{
	static struct op spare;

	if (parser->count == OPS_MAX || parser->depth + (unsigned)stack > CARD_STACK) {
		fail(parser, "the expression is too long");
		return &spare;
	}
	parser->depth += (unsigned)stack;
	if (parser->depth > parser->deepest)
		parser->deepest = parser->depth;
	parser->ops[parser->count] = (struct op){.code = (uint8_t)code};
	return &parser->ops[parser->count++];
}

static uint64_t mask_of(unsigned width)
{
	return width >= 64 ? UINT64_MAX : (1ull << width) - 1;
}

static void skip_space(struct parser *parser)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* A sign, or a word that ends where it ends. */
static bool take(struct parser *parser, const char *token)
{
	size_t length = strlen(token);

	skip_space(parser);
	if (strncmp(parser->at, token, length) ||
	    (is_name(token[0]) && (is_name(parser->at[length]) || parser->at[length] == '.')))
		return false;
	parser->at += length;
	return true;
}

static void expect(struct parser *parser, const char *token)
{
	if (!take(parser, token)) {
		char text[40];

		snprintf(text, sizeof(text), "expected %s", token);
		fail(parser, text);
	}
}

static size_t name_length(const char *at)
{
	size_t length = 0;

	while (is_name(at[length]) ||
	       (at[length] == '-' && isalpha((unsigned char)at[length + 1]) && length &&
		isalpha((unsigned char)at[length - 1]) && islower((unsigned char)at[length + 1])))
		length++;
	return length;
}

static bool constant(const struct parser *parser, unsigned from, uint64_t *value)
{
	if (parser->count != from + 1 || parser->ops[from].code != OP_CONST)
		return false;
	*value = parser->ops[from].value;
	return true;
}

/* ---- names ---- */

static const struct engine_name {
	const char *name;
	uint8_t value, width, shift;
} engine_names[] = {
	{"new", VALUE_NEW, 64, 0},
	{"old", VALUE_OLD, 64, 0},
	{"i", VALUE_INDEX, 16, 0},
	{"here", VALUE_HERE, 64, 0},
	{"card.mac", VALUE_MAC, 48, 0},
	{"link.up", VALUE_LINK_UP, 1, 0},
	{"frame.length", VALUE_FRAME_LENGTH, 32, 0},
	{"frame.put", VALUE_FRAME_PUT, 32, 0},
	{"frame.first", VALUE_FRAME_FIRST, 1, 0},
	{"frame.last", VALUE_FRAME_LAST, 1, 0},
	{"frame.destination", VALUE_FRAME_DESTINATION, 48, 0},
	{"frame.broadcast", VALUE_FRAME_BROADCAST, 1, 0},
	{"frame.multicast", VALUE_FRAME_MULTICAST, 1, 0},
	{"frame.tci", VALUE_FRAME_TCI, 16, 0},
	{"frame.vlan", VALUE_FRAME_VLAN, 1, 0},
	{"frame.type", VALUE_FRAME_TYPE, 2, 0},
	{"frame.l4", VALUE_FRAME_L4, 2, 0},
	{"frame.checked.ip", VALUE_FRAME_CHECKED_IP, 1, 0},
	{"frame.checked.l4", VALUE_FRAME_CHECKED_L4, 1, 0},
	{"frame.ok.ip", VALUE_FRAME_OK_IP, 1, 0},
	{"frame.ok.l4", VALUE_FRAME_OK_L4, 1, 0},
	{"frame.match.all", VALUE_FRAME_MATCH, 1, ACCEPT_ALL},
	{"frame.match.broadcast", VALUE_FRAME_MATCH, 1, ACCEPT_BROADCAST},
	{"frame.match.multicast", VALUE_FRAME_MATCH, 1, ACCEPT_MULTICAST},
	{"frame.match.exact", VALUE_FRAME_MATCH, 1, ACCEPT_EXACT},
	{"frame.match.hash", VALUE_FRAME_MATCH, 1, ACCEPT_HASH},
};

static const struct engine_name ring_names[] = {
	{"state", VALUE_RING_STATE, 2, 0},
	{"ready", VALUE_RING_READY, 32, 0},
	{"entries", VALUE_RING_ENTRIES, 32, 0},
	{"index", VALUE_RING_INDEX, 32, 0},
};

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
		op = emit(parser, OP_ENGINE, 1);
		op->value = name->value;
		op->shift = name->shift;
		op->ring = (uint8_t)ring;
		*width = name->width;
		parser->at += length;
		return true;
	}
	return false;
}

static unsigned slot_field(struct parser *parser, const struct layout *layout, enum op_code code,
			   int stack)
{
	size_t length = name_length(parser->at);
	unsigned low, width;
	struct op *op;

	if (!layout_field(layout, parser->at, length, &low, &width)) {
		fail(parser, layout ? "the record has no such field" : "no record is at hand here");
		return 64;
	}
	parser->at += length;
	op = emit(parser, code, stack);
	if (low > 255)
		fail(parser, "fields beyond bit 255 cannot be read here");
	op->shift = (uint8_t)low;
	op->width = (uint8_t)width;
	op->ring = (uint8_t)(parser->draft->ring < 0 ? 0 : parser->draft->ring);
	return width;
}

static unsigned context_field(struct parser *parser)
{
	const struct layout *layout = parser->draft->context[0];

	expect(parser, "[");
	parse_or(parser);
	expect(parser, "]");
	expect(parser, ".");
	return slot_field(parser, layout, OP_CONTEXT, 0);
}

/* [HIGH:LOW] or [BIT] of what stands before; both constant. */
static unsigned slice(struct parser *parser, unsigned width)
{
	uint64_t high, low;
	struct op *op;
	char text[24];
	size_t length = strspn(parser->at, " 0123456789:");
	int end = 0;
	unsigned h, l;

	snprintf(text, sizeof(text), "%.*s", (int)(length < 23 ? length : 23), parser->at);
	if (sscanf(text, " %u : %u %n", &h, &l, &end) != 2) {
		if (sscanf(text, " %u %n", &h, &end) != 1) {
			fail(parser, "expected a bit or HIGH:LOW");
			return width;
		}
		l = h;
	}
	high = h;
	low = l;
	parser->at += end;
	expect(parser, "]");
	if (high < low || high > 63) {
		fail(parser, "no such bits");
		return width;
	}
	op = emit(parser, OP_SLICE, 0);
	op->shift = (uint8_t)low;
	op->value = mask_of((unsigned)(high - low + 1));
	return (unsigned)(high - low + 1);
}

static unsigned element_field(struct parser *parser, const struct reg *reg, struct op *op)
{
	const struct field *field;
	size_t length;

	op->value = mask_of(reg->bytes * 8u);
	if (*parser->at != '.')
		return reg->bytes * 8u;
	parser->at++;
	length = name_length(parser->at);
	field = reg_field(reg, parser->at, length);
	if (!field) {
		fail(parser, "the register has no such field");
		return 64;
	}
	parser->at += length;
	op->shift = field->shift;
	op->value = mask_of(field->width);
	return field->width;
}

static unsigned register_value(struct parser *parser, const struct reg *reg)
{
	struct op *op;
	uint64_t k;
	unsigned from = parser->count;

	if (reg->count > 1) { /* an array: the element first */
		expect(parser, "[");
		parse_or(parser);
		expect(parser, "]");
		if (parser->failed)
			return 64;
		if (constant(parser, from, &k)) {
			if (k >= reg->count) {
				fail(parser, "beyond the end of the array");
				return 64;
			}
			parser->count--;
			parser->depth--;
			op = emit(parser, OP_STATE, 1);
			op->word = (uint16_t)(reg->word + k);
		} else {
			op = emit(parser, OP_ELEMENT, 0);
			op->word = reg->word;
			op->count = reg->count;
		}
		return element_field(parser, reg, op);
	}
	op = emit(parser, OP_STATE, 1);
	op->word = reg->word;
	return element_field(parser, reg, op);
}

static unsigned named(struct parser *parser)
{
	struct draft *draft = parser->draft;
	size_t length = name_length(parser->at);
	struct symbol *symbol;
	unsigned low, width;

	if (layout_field(draft->slot, parser->at, length, &low, &width))
		return slot_field(parser, draft->slot, OP_SLOT, 1);
	if (engine_name(parser, engine_names, sizeof(engine_names) / sizeof(*engine_names), 0,
			&width))
		return width;
	if (!strncmp(parser->at, "slot.", 5)) {
		parser->at += 5;
		return slot_field(parser, draft->slot, OP_SLOT, 1);
	}
	if (!strncmp(parser->at, "first.", 6)) {
		parser->at += 6;
		return slot_field(parser, draft->first, OP_FIRST, 1);
	}
	if (!strncmp(parser->at, "context", 7) && length == 7) {
		parser->at += 7;
		return context_field(parser);
	}
	symbol = symbol_find(draft, parser->at, length);
	if (symbol && symbol->kind == SYMBOL_REGISTER) {
		parser->at += length;
		return register_value(parser, symbol->reg);
	}
	if (symbol && symbol->kind == SYMBOL_RING && parser->at[length] == '.') {
		parser->at += length + 1;
		if (engine_name(parser, ring_names, 4, symbol->index, &width))
			return width;
	}
	fail(parser, "no register, field or engine value has this name");
	return 64;
}

/* ---- numbers and functions ---- */

static unsigned number(struct parser *parser)
{
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = {{"ns", 1},		 {"us", 1000}, {"ms", 1000000},
		     {"s", 1000000000u}, {"K", 1024},  {"M", 1 << 20}};
	char digits[32];
	size_t length = strspn(parser->at, "0123456789abcdefABCDEFxX");
	uint64_t value;
	struct op *op;

	if (strncmp(parser->at, "0x", 2))
		length = strspn(parser->at, "0123456789");
	snprintf(digits, sizeof(digits), "%.*s", (int)(length < 31 ? length : 31), parser->at);
	if (!text_number(digits, &value)) {
		fail(parser, "not a number");
		return 64;
	}
	parser->at += length;
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t unit = strlen(units[i].unit);

		if (!strncmp(parser->at, units[i].unit, unit) && !is_name(parser->at[unit])) {
			value *= units[i].factor;
			parser->at += unit;
			break;
		}
	}
	op = emit(parser, OP_CONST, 1);
	op->value = value;
	return 64;
}

static unsigned arguments(struct parser *parser)
{
	unsigned count = 0;

	do {
		parse_or(parser);
		count++;
	} while (!parser->failed && take(parser, ","));
	expect(parser, ")");
	return count;
}

static const struct function {
	const char *name;
	uint8_t code, arguments, width;
} functions[] = {
	{"swap16", OP_SWAP16, 1, 16}, {"swap32", OP_SWAP32, 1, 32}, {"crc", OP_CRC, 1, 32},
	{"crcle", OP_CRCLE, 1, 32},   {"ticks", OP_TICKS, 1, 64},   {"min", OP_MIN, 2, 64},
	{"max", OP_MAX, 2, 64},	      {"choose", OP_CHOOSE, 0, 64}, {"any", OP_NE, 1, 1},
};

static bool function(struct parser *parser, unsigned *width)
{
	size_t length = name_length(parser->at);

	for (unsigned i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		const struct function *function = &functions[i];
		unsigned count;

		if (strlen(function->name) != length || parser->at[length] != '(' ||
		    memcmp(function->name, parser->at, length))
			continue;
		parser->at += length + 1;
		count = arguments(parser);
		*width = function->width;
		if (function->code == OP_CHOOSE && count >= 2) {
			emit(parser, OP_CHOOSE, 1 - (int)count)->value = count - 1;
		} else if (count != function->arguments) {
			fail(parser, "the wrong number of arguments");
		} else if (function->code == OP_NE) {
			emit(parser, OP_CONST, 1);
			emit(parser, OP_NE, -1);
		} else {
			emit(parser, function->code, 1 - (int)count);
		}
		return true;
	}
	return false;
}

/* ---- the grammar's levels ---- */

static unsigned primary(struct parser *parser)
{
	unsigned width = 64;

	skip_space(parser);
	if (isdigit((unsigned char)*parser->at)) {
		width = number(parser);
	} else if (take(parser, "(")) {
		width = parse_or(parser);
		expect(parser, ")");
	} else if (!function(parser, &width)) {
		width = name_length(parser->at) ? named(parser)
						: (fail(parser, "expected a value"), 64);
	}
	while (!parser->failed && take(parser, "["))
		width = slice(parser, width);
	return width;
}

static unsigned unary(struct parser *parser);

/* What may stand before a value, and may stand there again. */
static unsigned signs(struct parser *parser)
{
	if (take(parser, "not")) {
		unary(parser);
		emit(parser, OP_NOT, 0);
		return 1;
	}
	if (take(parser, "-")) {
		unary(parser);
		emit(parser, OP_NEGATE, 0);
		return 64;
	}
	if (take(parser, "~")) {
		unary(parser);
		emit(parser, OP_INVERT, 0);
		return 64;
	}
	return primary(parser);
}

static unsigned unary(struct parser *parser)
{
	unsigned width = 64;

	if (++parser->nesting > 32)
		fail(parser, "nested too deep");
	else
		width = signs(parser);
	parser->nesting--;
	return width;
}

static unsigned concat(struct parser *parser)
{
	unsigned width = unary(parser);

	while (!parser->failed && take(parser, ":")) {
		unsigned low = unary(parser);

		if (low >= 64)
			fail(parser, "the part after ':' has no known width");
		emit(parser, OP_CONCAT, -1)->shift = (uint8_t)low;
		width = width + low > 64 ? 64 : width + low;
	}
	return width;
}

struct operator
{
	const char *sign;
	uint8_t code, width; /* 0: 64 */
};

static unsigned chain(struct parser *parser, level *below, const struct operator* operators)
{
	unsigned width = below(parser);
	const struct operator* found;

	do {
		found = NULL;
		for (const struct operator* at = operators; at->sign && !parser->failed; at++) {
			if (take(parser, at->sign)) {
				found = at;
				below(parser);
				emit(parser, at->code, -1);
				width = at->width ? at->width : 64;
				break;
			}
		}
	} while (found && !parser->failed);
	return width;
}

static unsigned sum(struct parser *parser)
{
	static const struct operator operators[] = {
		{"+", OP_ADD, 0},  {"-", OP_SUB, 0},  {"*", OP_MUL, 0},
		{"<<", OP_SHL, 0}, {">>", OP_SHR, 0}, {NULL, 0, 0},
	};

	return chain(parser, concat, operators);
}

static unsigned bitwise(struct parser *parser)
{
	static const struct operator operators[] = {
		{"&", OP_BITAND, 0},
		{"|", OP_BITOR, 0},
		{"^", OP_BITXOR, 0},
		{NULL, 0, 0},
	};

	return chain(parser, sum, operators);
}

static unsigned compare(struct parser *parser)
{
	static const struct operator operators[] = {
		{"==", OP_EQ, 1}, {"!=", OP_NE, 1}, {"<=", OP_LE, 1}, {">=", OP_GE, 1},
		{"<", OP_LT, 1},  {">", OP_GT, 1},  {NULL, 0, 0},
	};

	return chain(parser, bitwise, operators);
}

static unsigned parse_and(struct parser *parser)
{
	static const struct operator operators[] = {{"and", OP_AND, 1}, {NULL, 0, 0}};

	return chain(parser, compare, operators);
}

static unsigned parse_or(struct parser *parser)
{
	static const struct operator operators[] = {{"or", OP_OR, 1}, {NULL, 0, 0}};

	return chain(parser, parse_and, operators);
}

bool expr_text(struct draft *draft, const struct node *node, const char *text, struct expr *expr)
{
	struct parser parser = {.draft = draft, .node = node, .text = text, .at = text};
	struct op *ops;

	parse_or(&parser);
	skip_space(&parser);
	if (*parser.at)
		fail(&parser, "this is left over");
	if (parser.failed)
		return false;
	ops = draft_take(draft, struct op, parser.count);
	memcpy(ops, parser.ops, parser.count * sizeof(*ops));
	*expr = (struct expr){ops, (uint16_t)parser.count,
			      parser.count == 1 && ops[0].code == OP_CONST};
	return true;
}

bool expr_read(struct draft *draft, const struct node *node, const char *attribute,
	       struct expr *expr)
{
	const char *text = node_get(node, attribute);

	return text && expr_text(draft, node, text, expr);
}
