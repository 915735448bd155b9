/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names of a card. Registers, rings, timers and banks share one space; reset
 * lists have their own, since they are only named after "reset".
 */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 };

static bool same(const char *name, const char *text, size_t length)
{
	return strlen(name) == length && !memcmp(name, text, length);
}

/* Begins with where the draft lies, which is not known to who writes a description. */
static uint32_t name_hash(const struct draft *draft, const char *name, size_t length)
{
	uint32_t hash = (uint32_t)((uintptr_t)draft->card >> 4) ^ 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)name[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static struct symbol **bucket(struct draft *draft, const char *name, size_t length)
{
	if (!draft->buckets)
		draft->buckets = draft_take(draft, struct symbol *, BUCKETS);
	return &draft->buckets[name_hash(draft, name, length) % BUCKETS];
}

static struct symbol *find(struct draft *draft, const char *name, size_t length, bool reset)
{
	for (struct symbol *at = *bucket(draft, name, length); at; at = at->chain) {
		if ((at->kind == SYMBOL_RESET) == reset && same(at->name, name, length))
			return at;
	}
	return NULL;
}

struct symbol *symbol_find(struct draft *draft, const char *name, size_t length)
{
	return find(draft, name, length, false);
}

struct symbol *symbol_kind_find(struct draft *draft, const char *name, size_t length,
				enum symbol_kind kind)
{
	struct symbol *symbol = find(draft, name, length, kind == SYMBOL_RESET);

	return symbol && symbol->kind == kind ? symbol : NULL;
}

const char *symbol_hint(struct draft *draft, const char *name, size_t length, int kind)
{
	struct nearest nearest = nearest_to(draft, name, length);

	for (struct symbol *at = draft->symbols; at && nearest.allowed; at = at->next) {
		if (kind < 0 || at->kind == kind)
			nearest_offer(&nearest, at->name);
	}
	return nearest_hint(draft, &nearest);
}

/* A name that was not readable (broken) has no meaning to anybody. */
struct symbol *symbol_add(struct draft *draft, const struct node *node, const char *name,
			  enum symbol_kind kind, unsigned index)
{
	struct symbol *older = find(draft, name, strlen(name), kind == SYMBOL_RESET), *symbol, **at;

	if (older && name != broken)
		wrong(draft, node, "the name %s is taken, in %s", name,
		      node_line(draft, node, older->node));
	symbol = draft_take(draft, struct symbol, 1);
	*symbol = (struct symbol){.name = name,
				  .kind = (uint8_t)kind,
				  .index = (uint16_t)index,
				  .node = node,
				  .alias = node_get(node, "alias") != NULL};
	*draft->symbols_last = symbol;
	draft->symbols_last = &symbol->next;
	/* behind an older one of the same name, which is the one found */
	at = older ? &older->chain : bucket(draft, name, strlen(name));
	symbol->chain = *at;
	*at = symbol;
	return symbol;
}

const struct field *reg_field(const struct reg *reg, const char *name, size_t length)
{
	for (unsigned i = 0; i < reg->fields_count; i++) {
		if (same(reg->fields[i].name, name, length))
			return &reg->fields[i];
	}
	return NULL;
}

const char *field_hint(struct draft *draft, const struct reg *reg, const char *name, size_t length)
{
	struct nearest nearest = nearest_to(draft, name, length);

	for (unsigned i = 0; i < reg->fields_count; i++)
		nearest_offer(&nearest, reg->fields[i].name);
	return nearest_hint(draft, &nearest);
}

struct layout *layout_find(struct draft *draft, const char *name)
{
	for (unsigned i = 0; i < draft->layouts_count; i++) {
		if (!strcmp(draft->layouts[i].name, name))
			return &draft->layouts[i];
	}
	return NULL;
}

/* The record that an attribute or an action speaks of; what was meant, where there is none. */
const struct layout *layout_named(struct draft *draft, const struct node *node,
				  const char *attribute, const char *name)
{
	const struct layout *layout = name == broken ? NULL : layout_find(draft, name);
	struct nearest nearest;

	if (layout || name == broken)
		return layout;
	nearest = nearest_to(draft, name, strlen(name));
	for (unsigned i = 0; i < draft->layouts_count; i++)
		nearest_offer(&nearest, draft->layouts[i].name);
	wrong(draft, node, "%s=\"%s\": no record has this name%s", attribute, name,
	      nearest_hint(draft, &nearest));
	return nearest.best ? layout_find(draft, nearest.best) : NULL;
}

static unsigned layout_bucket(const char *name, size_t length)
{
	unsigned hash = (unsigned)length;

	for (size_t i = 0; i < length; i++)
		hash = hash * 31 + (uint8_t)name[i];
	return hash % LAYOUT_BUCKETS;
}

const struct layout_field *layout_field(const struct layout *layout, const char *name,
					size_t length)
{
	unsigned at = layout ? layout->buckets[layout_bucket(name, length)] : 0;

	while (at && !same(layout->fields[at - 1].name, name, length))
		at = layout->fields[at - 1].chain;
	return at ? &layout->fields[at - 1] : NULL;
}

void layout_add(struct layout *layout, const struct layout_field *field)
{
	uint16_t *bucket = &layout->buckets[layout_bucket(field->name, strlen(field->name))];

	layout->fields[layout->fields_count] = *field;
	layout->fields[layout->fields_count++].chain = *bucket;
	*bucket = (uint16_t)layout->fields_count;
}

/* A field of the slot at hand. Where a ring has several layouts, it must lie alike in all. */
const struct layout_field *slot_field_find(struct draft *draft, const struct node *node,
					   const char *name, size_t length, bool *failed)
{
	const struct layout_field *field = layout_field(draft->slot, name, length);

	for (unsigned i = 0; field && i < draft->alike_count; i++) {
		const struct layout *other = draft->alike[i];
		const struct layout_field *there = layout_field(other, name, length);

		if (there && there->low == field->low && there->width == field->width)
			continue;
		if (!other->node->broken && !*failed)
			wrong(draft, node, "%.*s is not the same bits in %s and in %s", (int)length,
			      name, draft->slot->name, other->name);
		*failed = true;
		return field;
	}
	return field;
}
