/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers with their units, and the functions of expressions. */
#include "card/parser.h"

#include <ctype.h>
#include <string.h>

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

unsigned parse_number(struct parser *parser)
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
	if (length > sizeof(digits) - 1 || !text_number(digits, &value)) {
		parser_fail(parser, "not a number of 64 bits (decimal or 0x…)");
		return 64;
	}
	parser->at += length;
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t unit = strlen(units[i].unit);

		if (!strncmp(parser->at, units[i].unit, unit) && !is_name(parser->at[unit])) {
			if (value > UINT64_MAX / units[i].factor)
				parser_fail(parser, "the number is too large");
			value *= units[i].factor;
			parser->at += unit;
			break;
		}
	}
	op = parser_emit(parser, OP_CONST, 1);
	op->value = value;
	return 64;
}

static unsigned arguments(struct parser *parser)
{
	unsigned count = 0;

	do {
		parse_or(parser);
		count++;
	} while (!parser->failed && parser_take(parser, ","));
	parser_expect(parser, ")");
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

static bool parse_plain(struct parser *parser, unsigned *width)
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
			parser_emit(parser, OP_CHOOSE, 1 - (int)count)->value = count - 1;
		} else if (count != function->arguments) {
			parser_fail(parser, "%s takes %s", function->name,
				    function->code == OP_CHOOSE ? "two arguments or more"
				    : function->arguments == 1	? "one argument"
								: "two arguments");
		} else if (function->code == OP_NE) {
			parser_emit(parser, OP_CONST, 1);
			parser_emit(parser, OP_NE, -1);
		} else {
			parser_emit(parser, function->code, 1 - (int)count);
		}
		return true;
	}
	return false;
}

/* free(RING) */
static void parse_free(struct parser *parser)
{
	struct draft *draft = parser->draft;
	size_t length = name_length(parser->at);
	struct symbol *symbol = symbol_kind_find(draft, parser->at, length, SYMBOL_RING);
	struct op *op;

	if (!symbol || !node_get(symbol->node, "count")) {
		parser_fail(parser, "free takes a ring with count=");
		return;
	}
	parser->at += length;
	parser_expect(parser, ")");
	op = parser_emit(parser, OP_FREE, 1);
	op->word = draft->card->rings[symbol->index].first;
	op->count = draft->card->rings[symbol->index].count;
}

/* peek(BANK, OFFSET): a register of the bank's width; of a memory: four bytes */
static void parse_peek(struct parser *parser)
{
	size_t length = strspn(parser->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789_-");
	struct symbol *symbol = symbol_find(parser->draft, parser->at, length);
	struct op *op;
	int width;

	if (!symbol || (symbol->kind != SYMBOL_BANK && symbol->kind != SYMBOL_MEMORY)) {
		parser_fail(parser, "peek takes a bank or a memory, and an offset");
		return;
	}
	parser->at += length;
	parser_expect(parser, ",");
	parse_or(parser);
	parser_expect(parser, ")");
	op = parser_emit(parser, OP_PEEK, 0);
	op->word = symbol->index;
	op->shift = symbol->kind == SYMBOL_MEMORY;
	width = node_choice(symbol->node, "width");
	op->width = (uint8_t)(width < 0 ? 32 : 8 << width);
}

bool parse_function(struct parser *parser, unsigned *width)
{
	if (!strncmp(parser->at, "free(", 5)) {
		parser->at += 5;
		parse_free(parser);
		*width = 16;
		return true;
	}
	if (!strncmp(parser->at, "peek(", 5)) {
		parser->at += 5;
		parse_peek(parser);
		*width = 64;
		return true;
	}
	return parse_plain(parser, width);
}
