/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

static bool same(const char *name, const char *text, size_t length)
{
	return strlen(name) == length && !memcmp(name, text, length);
}

struct symbol *symbol_find(struct draft *draft, const char *name, size_t length)
{
	for (unsigned i = 0; i < draft->symbols_count; i++) {
		if (same(draft->symbols[i].name, name, length))
			return &draft->symbols[i];
	}
	return NULL;
}

struct symbol *symbol_add(struct draft *draft, const struct node *node, const char *name,
			  enum symbol_kind kind, unsigned index)
{
	struct symbol *symbol = symbol_find(draft, name, strlen(name));

	if (symbol && symbol->kind != SYMBOL_RESET && kind != SYMBOL_RESET)
		wrong(draft, node, "%s: this name is taken, in line %u", name, symbol->node->line);
	if (draft->symbols_count == draft->symbols_room) {
		draft->symbols_room = draft->symbols_room ? draft->symbols_room * 2 : 256;
		draft->symbols =
			realloc(draft->symbols, draft->symbols_room * sizeof(*draft->symbols));
		if (!draft->symbols)
			abort();
	}
	symbol = &draft->symbols[draft->symbols_count++];
	*symbol = (struct symbol){
		.name = name, .kind = (uint8_t)kind, .index = (uint16_t)index, .node = node};
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

const struct layout *layout_find(const struct draft *draft, const char *name)
{
	for (unsigned i = 0; i < draft->layouts_count; i++) {
		if (!strcmp(draft->layouts[i].name, name))
			return &draft->layouts[i];
	}
	return NULL;
}

bool layout_field(const struct layout *layout, const char *name, size_t length, unsigned *low,
		  unsigned *width)
{
	if (!layout)
		return false;
	for_each_node(child, layout->node, "field")
	{
		const char *bits = node_get(child, "bits");
		unsigned high;

		if (!bits || !same(node_get(child, "name") ?: "", name, length))
			continue;
		if (sscanf(bits, "%u:%u", &high, low) != 2) {
			if (sscanf(bits, "%u", low) != 1)
				return false;
			high = *low;
		}
		*width = high - *low + 1;
		return high >= *low && *width <= 64 && high < layout->size * 8u;
	}
	return false;
}
