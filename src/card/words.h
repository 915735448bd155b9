/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The vocabulary as data: what may stand where, and of which kind every value
 * is. The reader, the schema for editors and docs/language.md all come from it.
 */
enum value_kind {
	VALUE_TEXT = 1,
	VALUE_DRIVERS, /* system:driver, a list */
	VALUE_NAME,    /* may be written in expressions */
	VALUE_LABEL,   /* with hyphens too */
	VALUE_NUMBER,  /* low to high */
	VALUE_BITS,    /* HIGH:LOW or BIT */
	VALUE_SPAN,    /* FIRST-LAST */
	VALUE_VECTORS, /* NUMBER or FIRST-LAST */
	VALUE_CHOICE,  /* one of choices */
	VALUE_CHOICES, /* some of choices */
	VALUE_EXPR,
	VALUE_PLACE,
	VALUE_ACTIONS,
	VALUE_WRITES,
	VALUE_NAMES, /* a list; a name may end in an asterisk */
	VALUE_NEXT,  /* array, chain EXPR, … */
	VALUE_END,   /* bytes EXPR, entries EXPR, … */
	VALUE_READY, /* until EXPR, always, EXPR */
};

enum { WORD_ATTRIBUTES = 22 };

struct attribute_word {
	const char *name;
	uint8_t kind;
	bool required;
	const char *doc;
	const char *choices;
	uint64_t low, high;
};

struct word {
	const char *name;
	const char *parents; /* words, the file itself for none */
	const char *needs;   /* a child that must be there */
	bool once;	     /* at most one in its parent */
	const char *doc;
	struct attribute_word attributes[WORD_ATTRIBUTES];
};

struct word_group {
	const struct word *list;
	unsigned count;
};

extern const struct word_group words_of_cards, words_of_rings;

const struct word *word_after(const struct word *word); /* NULL: the first, and behind the last */

#define for_each_word(at) for (const struct word *at = word_after(NULL); at; at = word_after(at))

/* Does a card that extends another add to this word rather than replace it? */
bool word_merges(const char *name);
bool word_in(const char *list, const char *word);
const struct word *word_find(const char *name, const char *parent); /* parent NULL: any */
const struct attribute_word *word_attribute(const struct word *word, const char *name);

/* What is generated from the table. */
void words_schema(FILE *out);
void words_document(FILE *out);
