/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "card/nearest.h"
#include "card/node.h"
#include "card/reader.h"

#include <stdarg.h>

/*
 * A description on its way: nodes as read, the symbols that expressions name,
 * and the card that is being built. Memory of the card comes from its arena.
 */
enum { CARD_FILE_MAX = 1 << 20 };

/* The value of an attribute that was wrong, by address; reported once, then passed over. */
extern const char broken[];

enum symbol_kind {
	SYMBOL_REGISTER,
	SYMBOL_RING,
	SYMBOL_TIMER,
	SYMBOL_RESET,
	SYMBOL_BANK,
	SYMBOL_MEMORY
};

struct symbol {
	const char *name;
	uint8_t kind;
	uint16_t index; /* of the ring, timer, reset, bank or memory */
	uint16_t bank;
	struct reg *reg; /* SYMBOL_REGISTER */
	bool alias;	 /* of another one's bits */
	bool misplaced;	 /* its offset was wrong and is not the one it has now */
	const struct node *node;
	struct symbol *next, *chain;
};

struct layout_field {
	const char *name;
	uint16_t low;
	uint8_t width;
	uint16_t chain; /* 1 + index of the next with the same hash */
};

enum { LAYOUT_BUCKETS = 128 };

struct layout { /* a record */
	const char *name;
	uint16_t size;
	const struct node *node;
	bool completes; /* its values speak of who puts it into a ring */
	struct layout_field *fields;
	unsigned fields_count;
	uint16_t buckets[LAYOUT_BUCKETS];
};

/* What the text at hand may speak of besides registers. */
enum scope_words {
	SPEAKS_NEW = 1,	  /* new */
	SPEAKS_OLD = 2,	  /* old */
	SPEAKS_INDEX = 4, /* i */
	SPEAKS_FRAME = 8, /* frame. */
	SPEAKS_HERE = 16, /* here */
	SPEAKS_FIRST = 32 /* first. */
};

enum calls { CALLS_CALL = 1, CALLS_KICK = 2, CALLS_COMMAND = 4 };
enum { LAYOUTS_MAX = 64, CONFIGURE_DEPTH = 16 };

struct arena_block;

struct draft {
	struct mistakes *mistakes;
	const struct finder *finder;
	bool is_file; /* and others may lie beside it */
	struct arena_block *arena;
	struct card *card;
	struct node *root;
	struct symbol *symbols, **symbols_last, **buckets;
	unsigned registers, elements, hints, actions;
	struct layout layouts[LAYOUTS_MAX];
	unsigned layouts_count;
	uint16_t words;
	uint64_t *reset_words;
	unsigned speaks; /* enum scope_words */
	const struct layout *slot, *context;
	bool slot_unknown; /* its record does not exist, which was said */
	const struct layout *alike[CARD_USE_MAX];
	unsigned alike_count;
	const struct layout *firsts[CARD_USE_MAX]; /* of what first. may mean; none: of SLOT */
	unsigned firsts_count;
	unsigned always;  /* enum scope_words, in all of a ring */
	bool bare_hidden; /* fields of the slot are written slot.FIELD */
	int ring;
	uint32_t starts;	   /* rings that some action starts */
	uint64_t arms;		   /* timers that some action arms */
	const char *no_memory;	   /* why the actions at hand cannot load or store */
	const struct node *module; /* NULL: none, or it is not there */
	const char *called[CARD_CALLED_MAX];
	unsigned verbs; /* that go to the module; enum calls */
	struct node *open[CONFIGURE_DEPTH], **open_last[CONFIGURE_DEPTH]; /* see configure.c */
	unsigned open_count;
	size_t configured; /* bytes that configure() has added */
	const struct node *configuring;
};

/* arena.c: zeroed memory, freed together */
void *arena_take(struct arena_block **arena, size_t size);
char *arena_text(struct arena_block **arena, const char *text, size_t length);
void arena_free(struct arena_block *arena);
#define draft_take(draft, type, count) ((type *)arena_take(&(draft)->arena, sizeof(type) * (count)))

#define wrong(draft, node, ...) mistake((draft)->mistakes, (node)->file, (node)->line, __VA_ARGS__)

/* node.c: "line 4", with the file where it is another one */
const char *node_line(struct draft *draft, const struct node *from, const struct node *to);

/* nearest.c: the name that was meant */
struct nearest nearest_to(const struct draft *draft, const char *text, size_t length);
const char *nearest_hint(struct draft *draft, const struct nearest *nearest);

/* scan.c, xml.c, extend.c, words.c, value.c */
struct scan {
	uint32_t *lines; /* of each start tag */
	unsigned count, comments;
};

bool scan_text(struct draft *draft, const char *file, const char *text, size_t length,
	       struct scan *scan);
struct node *xml_nodes(struct draft *draft, const char *name, const char *text, size_t length);
struct node *extend(struct draft *draft, struct node *root);
/* A node, or all of a <card>, over what there is, as a card over the one it extends. */
void lay_begin(struct draft *draft);
void lay_over(struct draft *draft, struct node *node);
void lay_card_over(struct draft *draft, struct node *node);
bool words_check(struct draft *draft, struct node *root);
void words_check_one(struct draft *draft, struct node *node); /* one that the table has */

struct attribute_word;
void value_check(struct draft *draft, struct node *node, const struct attribute_word *known,
		 struct attribute *at);
bool text_number(const char *text, uint64_t *value);
bool text_span(const char *text, unsigned *first, unsigned *last);

/* node.c */
int node_choice(const struct node *node, const char *name); /* -1: absent or wrong */
bool node_yes(const struct node *node, const char *name);
void node_useless(struct draft *draft, const struct node *node, const char *name, const char *why);
bool node_number(struct draft *draft, const struct node *node, const char *name, uint64_t limit,
		 uint64_t *value);
bool node_bits(struct draft *draft, const struct node *node, unsigned limit, unsigned *low,
	       unsigned *width);

/* symbols.c */
#define for_each_symbol(at, draft) for (struct symbol *at = (draft)->symbols; at; at = at->next)

struct symbol *symbol_add(struct draft *draft, const struct node *node, const char *name,
			  enum symbol_kind kind, unsigned index);
struct symbol *symbol_find(struct draft *draft, const char *name, size_t length);
struct symbol *symbol_kind_find(struct draft *draft, const char *name, size_t length,
				enum symbol_kind kind);
const char *symbol_hint(struct draft *draft, const char *name, size_t length, int kind);
const struct field *reg_field(const struct reg *reg, const char *name, size_t length);
const char *field_hint(struct draft *draft, const struct reg *reg, const char *name, size_t length);
const struct layout_field *layout_field(const struct layout *layout, const char *name,
					size_t length);
const struct layout_field *slot_field_find(struct draft *draft, const struct node *node,
					   const char *name, size_t length, bool *failed);
void layout_add(struct layout *layout, const struct layout_field *field);
struct layout *layout_find(struct draft *draft, const char *name);
const struct layout *layout_named(struct draft *draft, const struct node *node,
				  const char *attribute, const char *name);
void layout_fields(struct draft *draft, struct layout *layout); /* its fields, by name */

/* expression.c, names.c, place.c, action.c */
bool name_reserved(const char *name);
bool expr_read(struct draft *draft, const struct node *node, const char *attribute,
	       struct expr *expr);
bool expr_text(struct draft *draft, const struct node *node, const char *text, struct expr *expr);
bool expr_wide(struct draft *draft, const struct node *node, const char *text, struct expr *expr,
	       unsigned *width);
bool target_text(struct draft *draft, const struct node *node, const char *text,
		 struct target *target);
/* A place that never moves; WHOLE: all of a register. */
bool place_read(struct draft *draft, const struct node *node, const char *attribute, bool whole,
		struct target *target);
bool actions_read(struct draft *draft, const struct node *node, const char *attribute,
		  struct actions *actions);
void writes_read(struct draft *draft, const struct node *node, const char *attribute,
		 struct complete *complete);
int bank_read_name(struct draft *draft, const struct node *node, const char *attribute);
int memory_read_name(struct draft *draft, const struct node *node, const char *attribute);

/* configure.c: loads the module, which may add to the description */
void configure(struct draft *draft);

/* compile_completions.c */
const struct symbol *ring_text(struct draft *draft, const struct node *node, const char *text,
			       struct expr *which);
const struct produced *produced_text(struct draft *draft, const struct node *node,
				     const char *record, const char *ring);
size_t name_length(const char *at);

/* compile_*.c */
void compile_module(struct draft *draft);
void compile_banks(struct draft *draft);     /* registers and their state words */
void compile_registers(struct draft *draft); /* what they do: needs all symbols */
void compile_maps(struct draft *draft);
void compile_memories(struct draft *draft); /* needs all names */
void port_behaviour(struct draft *draft, const struct node *node, struct reg *reg);
void compile_function(struct draft *draft); /* pci */
void compile_bars(struct draft *draft);
void compile_capabilities(struct draft *draft);
void compile_names(struct draft *draft); /* rings, timers, resets */
void compile_layouts(struct draft *draft);
void compile_records(struct draft *draft); /* what load and store do with them */
void compile_rings(struct draft *draft);
void compile_starts(struct draft *draft);
void compile_windows(struct draft *draft);
void compile_pins(struct draft *draft);
void phy_expand(struct draft *draft);
void compile_phy(struct draft *draft);
void compile_resets(struct draft *draft);
void compile_eeprom(struct draft *draft);
void compile_counters(struct draft *draft);
void compile_timers(struct draft *draft); /* and events */
void compile_arms(struct draft *draft);	  /* when all actions are known */
void compile_receive(struct draft *draft);
void compile_interrupts(struct draft *draft);

static inline uint64_t ones(unsigned width)
{
	return width >= 64 ? UINT64_MAX : (1ull << width) - 1;
}
