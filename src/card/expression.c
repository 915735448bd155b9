/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Expressions, from text to postfix code:
 *
 *   or      = and { "or" and }            and    = compare { "and" compare }
 *   compare = bits [ (== != < <= > >=) bits ]
 *   bits    = sum { (& | ^) sum }         sum    = cat { (+ - * << >>) cat }
 *   cat     = unary { ":" unary }         unary  = [ "not" | "-" | "~" ] primary { slice }
 *   primary = number | name | name "[" … "]" | function "(" … ")" | "(" or ")"
 *
 * Every part has a width, 64 where it is not known; ":" needs it of its right side.
 */
#include "card/parser.h"

#include <ctype.h>
#include <string.h>

enum { NESTING_MAX = 32 };

typedef unsigned level(struct parser *parser);

void parser_fail(struct parser *parser, const char *format, ...)
{
	char what[200];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (!parser->failed)
		wrong(parser->draft, parser->node, "in \"%.100s%s\" at %s%.60s%s: %s", parser->text,
		      strlen(parser->text) > 100 ? "…" : "", *parser->at ? "\"" : "its ",
		      *parser->at ? parser->at : "end",
		      strlen(parser->at) > 60 ? "…\""
		      : *parser->at	      ? "\""
					      : "",
		      what);
	parser->failed = true;
}

struct op *parser_emit(struct parser *parser, enum op_code code, int stack)
{
	static struct op spare;

	if (parser->count == OPS_MAX || parser->depth + (unsigned)stack > CARD_STACK) {
		parser_fail(parser, "the expression is too long");
		return &spare;
	}
	parser->depth += (unsigned)stack;
	parser->ops[parser->count] = (struct op){.code = (uint8_t)code};
	return &parser->ops[parser->count++];
}

static void skip_space(struct parser *parser)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
}

static bool goes_on(const char *at)
{
	return isalnum((unsigned char)*at) || *at == '_' || *at == '.';
}

/* A sign, or a word that ends where it ends. */
bool parser_take(struct parser *parser, const char *token)
{
	size_t length;

	skip_space(parser);
	if (*parser->at != *token)
		return false;
	length = strlen(token);
	if (strncmp(parser->at, token, length) ||
	    (isalpha((unsigned char)token[0]) && goes_on(parser->at + length)))
		return false;
	parser->at += length;
	return true;
}

void parser_expect(struct parser *parser, const char *token)
{
	if (!parser_take(parser, token))
		parser_fail(parser, "expected %s", token);
}

bool parser_constant(const struct parser *parser, unsigned from, uint64_t *value)
{
	if (parser->count != from + 1 || parser->ops[from].code != OP_CONST)
		return false;
	*value = parser->ops[from].value;
	return true;
}

/* [HIGH:LOW] or [BIT] of what stands before; both are numbers. */
static unsigned slice(struct parser *parser, unsigned width)
{
	size_t length = strspn(parser->at, "0123456789:");
	unsigned high, low;
	char text[12];
	struct op *op;

	snprintf(text, sizeof(text), "%.*s", (int)(length < 11 ? length : 11), parser->at);
	if (!text_bits(text, &low, &high)) {
		parser_fail(parser, "expected a bit or HIGH:LOW");
		return width;
	}
	if (high < low)
		parser_fail(parser, "the high bit stands first");
	else if (high >= width)
		parser_fail(parser, "it has %u bit%s", width, width == 1 ? "" : "s");
	parser->at += length;
	parser_expect(parser, "]");
	if (parser->failed)
		return width;
	op = parser_emit(parser, OP_SLICE, 0);
	op->shift = (uint8_t)low;
	op->value = ones(high - low + 1);
	return high - low + 1;
}

static unsigned primary(struct parser *parser)
{
	unsigned width = 64;

	skip_space(parser);
	if (isdigit((unsigned char)*parser->at)) {
		width = parse_number(parser);
	} else if (parser_take(parser, "(")) {
		width = parse_or(parser);
		parser_expect(parser, ")");
	} else if (!parse_function(parser, &width)) {
		if (name_length(parser->at))
			width = parse_name(parser);
		else
			parser_fail(parser, "expected a value");
	}
	while (!parser->failed && parser_take(parser, "["))
		width = slice(parser, width);
	return width;
}

static unsigned unary(struct parser *parser)
{
	static const struct {
		const char *sign;
		uint8_t code, width;
	} signs[] = {{"not", OP_NOT, 1}, {"-", OP_NEGATE, 64}, {"~", OP_INVERT, 64}};
	unsigned width = 0;

	if (++parser->nesting > NESTING_MAX)
		parser_fail(parser, "nested too deep");
	for (unsigned i = 0; i < 3 && !width && !parser->failed; i++) {
		if (!parser_take(parser, signs[i].sign))
			continue;
		unary(parser);
		parser_emit(parser, signs[i].code, 0);
		width = signs[i].width;
	}
	if (!width)
		width = parser->failed ? 64 : primary(parser);
	parser->nesting--;
	return width;
}

static unsigned concat(struct parser *parser)
{
	unsigned width = unary(parser);
	bool known = width < 64;

	while (!parser->failed && parser_take(parser, ":")) {
		unsigned low = unary(parser);

		if (low >= 64)
			parser_fail(parser, "the part after ':' has no known width");
		else if (width + low > 64 && known)
			parser_fail(parser, "the parts are wider than 64 bits");
		parser_emit(parser, OP_CONCAT, -1)->shift = (uint8_t)low;
		width = width + low > 64 ? 64 : width + low;
		known = true;
	}
	return width;
}

struct operator
{
	const char *sign;
	uint8_t code, width; /* 0: 64 */
	uint8_t binds;	     /* how tightly, to whoever knows C */
};

/* Where the order of this language and that of others give two results. */
static void check_order(struct parser *parser, const struct operator* before,
			const struct operator* after)
{
	if (before && after->binds > before->binds)
		parser_fail(parser,
			    "'%s' after '%s' would be taken from left to right; parentheses say "
			    "what goes first",
			    after->sign, before->sign);
}

/* A field compared with a number it cannot hold is a slip of the pen. */
static void check_compare(struct parser *parser, unsigned code, unsigned from, unsigned width)
{
	uint64_t value;

	if ((code == OP_EQ || code == OP_NE) && !parser->failed &&
	    parser_constant(parser, from, &value) && value > ones(width))
		parser_fail(parser, "%llu does not fit into %u bit%s", (unsigned long long)value,
			    width, width == 1 ? "" : "s");
}

static unsigned chain(struct parser *parser, level *below, const struct operator* operators)
{
	unsigned width = below(parser);
	const struct operator* found, *loosest = NULL;

	do {
		found = NULL;
		for (const struct operator* at = operators; at->sign && !parser->failed; at++) {
			unsigned from = parser->count;

			if (!parser_take(parser, at->sign))
				continue;
			found = at;
			check_order(parser, loosest, at);
			if (!loosest || at->binds < loosest->binds)
				loosest = at;
			below(parser);
			check_compare(parser, at->code, from, width);
			parser_emit(parser, at->code, -1);
			width = at->width ? at->width : 64;
			break;
		}
	} while (found && !parser->failed);
	return width;
}

static unsigned sum(struct parser *parser)
{
	static const struct operator operators[] = {
		{"+", OP_ADD, 0, 2},  {"-", OP_SUB, 0, 2},  {"*", OP_MUL, 0, 3},
		{"<<", OP_SHL, 0, 1}, {">>", OP_SHR, 0, 1}, {NULL, 0, 0, 0},
	};

	return chain(parser, concat, operators);
}

static unsigned bitwise(struct parser *parser)
{
	static const struct operator operators[] = {
		{"&", OP_BITAND, 0, 3},
		{"|", OP_BITOR, 0, 1},
		{"^", OP_BITXOR, 0, 2},
		{NULL, 0, 0, 0},
	};

	return chain(parser, sum, operators);
}

static unsigned compare(struct parser *parser)
{
	static const struct operator operators[] = {
		{"==", OP_EQ, 1, 0}, {"!=", OP_NE, 1, 0}, {"<=", OP_LE, 1, 0}, {">=", OP_GE, 1, 0},
		{"<", OP_LT, 1, 0},  {">", OP_GT, 1, 0},  {NULL, 0, 0, 0},
	};

	return chain(parser, bitwise, operators);
}

static unsigned parse_and(struct parser *parser)
{
	static const struct operator operators[] = {{"and", OP_AND, 1, 0}, {NULL, 0, 0, 0}};

	return chain(parser, compare, operators);
}

unsigned parse_or(struct parser *parser)
{
	static const struct operator operators[] = {{"or", OP_OR, 1, 0}, {NULL, 0, 0, 0}};

	return chain(parser, parse_and, operators);
}

bool expr_text(struct draft *draft, const struct node *node, const char *text, struct expr *expr)
{
	unsigned width;

	return expr_wide(draft, node, text, expr, &width);
}

bool expr_wide(struct draft *draft, const struct node *node, const char *text, struct expr *expr,
	       unsigned *width)
{
	struct parser parser = {.draft = draft, .node = node, .text = text, .at = text};
	struct op *ops;

	*width = parse_or(&parser);
	skip_space(&parser);
	if (*parser.at)
		parser_fail(&parser, "this is left over");
	if (parser.failed)
		return false;
	ops = draft_take(draft, struct op, parser.count);
	memcpy(ops, parser.ops, parser.count * sizeof(*ops));
	*expr = (struct expr){ops, (uint16_t)parser.count,
			      parser.count == 1 && ops[0].code == OP_CONST,
			      (uint8_t)expr_form_of(ops, parser.count)};
	return true;
}

bool expr_read(struct draft *draft, const struct node *node, const char *attribute,
	       struct expr *expr)
{
	const char *text = node_get(node, attribute);

	return text && text != broken && expr_text(draft, node, text, expr);
}
