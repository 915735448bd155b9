/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "card/reader.h"

#include <stdarg.h>

/*
 * A description on its way: nodes as read, the symbols that expressions name,
 * and the card that is being built. Memory of the card comes from its arena.
 */
struct attribute {
	const char *name, *value;
	bool used;
};

struct node {
	const char *word, *file;
	unsigned line;
	struct attribute *attributes;
	unsigned attributes_count;
	struct node *child, *next;
};

enum symbol_kind { SYMBOL_REGISTER, SYMBOL_RING, SYMBOL_TIMER, SYMBOL_RESET, SYMBOL_BANK };

struct symbol {
	const char *name;
	uint8_t kind;
	uint16_t index; /* of the ring, timer, reset or bank */
	uint16_t bank;
	struct reg *reg; /* SYMBOL_REGISTER */
	const struct node *node;
};

struct layout { /* a record's fields */
	const char *name;
	uint16_t size;
	const struct node *node;
};

struct arena_block;

struct draft {
	struct mistakes *mistakes;
	struct arena_block *arena;
	struct card *card;
	struct node *root;
	struct symbol *symbols;
	unsigned symbols_count, symbols_room;
	struct layout layouts[32];
	unsigned layouts_count;
	uint16_t words;
	uint64_t *reset_words;
	/* what the text being compiled may name besides registers */
	const struct layout *slot;
	const struct layout *first;
	const struct layout *context[CARD_CONTEXTS];
	int ring;
};

/* arena.c: zeroed memory, freed together */
void *arena_take(struct arena_block **arena, size_t size);
char *arena_text(struct arena_block **arena, const char *text, size_t length);
void arena_free(struct arena_block *arena);
#define draft_take(draft, type, count) ((type *)arena_take(&(draft)->arena, sizeof(type) * (count)))

#define wrong(draft, node, ...) mistake((draft)->mistakes, (node)->file, (node)->line, __VA_ARGS__)

/* xml.c, words.c, extend.c */
struct node *xml_nodes(struct draft *draft, const char *name, const char *text, size_t length);
bool words_check(struct draft *draft, const struct node *root);
bool extend(struct draft *draft, struct node *root);

const char *node_get(const struct node *node, const char *name);
bool node_yes(const struct node *node, const char *name);
bool node_number(struct draft *draft, const struct node *node, const char *name, uint64_t limit,
		 uint64_t *value);
bool node_bits(struct draft *draft, const struct node *node, const char *name, unsigned limit,
	       unsigned *low, unsigned *width);
bool text_number(const char *text, uint64_t *value);

#define for_each_node(at, parent, name)                                                            \
	for (const struct node *at = node_first((parent)->child, name); at;                        \
	     at = node_first(at->next, name))

/* The first of these siblings that is a <name>. */
const struct node *node_first(const struct node *node, const char *name);

/* symbols.c */
struct symbol *symbol_add(struct draft *draft, const struct node *node, const char *name,
			  enum symbol_kind kind, unsigned index);
struct symbol *symbol_find(struct draft *draft, const char *name, size_t length);
const struct field *reg_field(const struct reg *reg, const char *name, size_t length);
bool layout_field(const struct layout *layout, const char *name, size_t length, unsigned *low,
		  unsigned *width);
const struct layout *layout_find(const struct draft *draft, const char *name);

/* expression.c, action.c */
bool expr_read(struct draft *draft, const struct node *node, const char *attribute,
	       struct expr *expr);
bool expr_text(struct draft *draft, const struct node *node, const char *text, struct expr *expr);
bool target_text(struct draft *draft, const struct node *node, const char *text,
		 struct target *target);
bool actions_read(struct draft *draft, const struct node *node, const char *attribute,
		  struct actions *actions);
void writes_read(struct draft *draft, const struct node *node, const char *attribute,
		 struct complete *complete);

/* compile_*.c */
bool counts_check(struct draft *draft);
void compile_banks(struct draft *draft);     /* registers and their state words */
void compile_registers(struct draft *draft); /* what they do: needs all symbols */
void compile_maps(struct draft *draft);
void compile_function(struct draft *draft); /* pci, bars */
void compile_rings(struct draft *draft);
void compile_parts(struct draft *draft); /* windows, pins, resets, timers, events */
void compile_receive(struct draft *draft);
void compile_interrupts(struct draft *draft);
