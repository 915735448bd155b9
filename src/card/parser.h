/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "card/draft.h"

/* An expression being read: expression.c has the grammar, names.c what a name can mean. */
enum { OPS_MAX = 128 };

struct parser {
	struct draft *draft;
	const struct node *node;
	const char *text, *at;
	struct op ops[OPS_MAX];
	unsigned count, depth, nesting;
	bool failed;
};

void parser_fail(struct parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct op *parser_emit(struct parser *parser, enum op_code code, int stack);
bool parser_take(struct parser *parser, const char *token);
void parser_expect(struct parser *parser, const char *token);
bool parser_constant(const struct parser *parser, unsigned from, uint64_t *value);

/* Each returns the width of what it read, 64 where it is not known. */
unsigned parse_or(struct parser *parser);
unsigned parse_name(struct parser *parser);
unsigned parse_number(struct parser *parser);
bool parse_function(struct parser *parser, unsigned *width);
