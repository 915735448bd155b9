/* SPDX-License-Identifier: Apache-2.0 */

/* The receive filter. */
#include "card/draft.h"

#include <string.h>

enum { ACCEPTS_MAX = 32 };

static void read_bits(struct draft *draft, const struct node *node, struct accept *accept)
{
	const char *table = node_get(node, "table");
	struct symbol *symbol;

	node_useless(draft, node, "entries", "but with class exact");
	node_useless(draft, node, "valid", "but with class exact");
	if (!node_get(node, "index"))
		wrong(draft, node, "class %s needs index=", node_get(node, "class"));
	expr_read(draft, node, "index", &accept->index);
	if (table == broken)
		return;
	symbol = symbol_kind_find(draft, table, strlen(table), SYMBOL_REGISTER);
	if (!symbol) {
		wrong(draft, node, "table=\"%s\": no register has this name%s", table,
		      symbol_hint(draft, table, strlen(table), SYMBOL_REGISTER));
		return;
	}
	accept->word = symbol->reg->word;
	accept->words = symbol->reg->count;
	accept->bits = (uint8_t)(symbol->reg->bytes * 8);
}

static void read_exact(struct draft *draft, const struct node *node, struct accept *accept)
{
	uint64_t entries = 1;

	node_useless(draft, node, "index", "but with class hash or vlan");
	node_number(draft, node, "entries", UINT64_MAX, &entries);
	accept->entries = (uint16_t)entries;
	draft->speaks |= SPEAKS_INDEX;
	expr_read(draft, node, "table", &accept->table);
	expr_read(draft, node, "valid", &accept->valid);
	draft->speaks &= ~(unsigned)SPEAKS_INDEX;
}

static void read_accept(struct draft *draft, const struct node *node, struct accept *accept)
{
	static const char *const of_tables[] = {"table", "entries", "valid", "index"};
	int class = node_choice(node, "class");

	accept->must = node_yes(node, "must");
	expr_read(draft, node, "when", &accept->when);
	if (class < 0)
		return;
	accept->class = (uint8_t) class;
	if (class >= ACCEPT_EXACT && !node_get(node, "table"))
		wrong(draft, node, "class %s needs table=", node_get(node, "class"));
	else if (class == ACCEPT_EXACT)
		read_exact(draft, node, accept);
	else if (class > ACCEPT_EXACT)
		read_bits(draft, node, accept);
	for (unsigned i = 0; i < 4 && class < ACCEPT_EXACT; i++)
		node_useless(draft, node, of_tables[i], "in this class");
}

static const struct reg *steer_array(struct draft *draft, const struct node *node,
				     const char *attribute)
{
	const char *text = node_get(node, attribute);
	struct symbol *symbol;

	if (text == broken)
		return NULL;
	symbol = symbol_kind_find(draft, text, strlen(text), SYMBOL_REGISTER);
	if (!symbol)
		wrong(draft, node, "%s=\"%s\": no register has this name%s", attribute, text,
		      symbol_hint(draft, text, strlen(text), SYMBOL_REGISTER));
	return symbol ? symbol->reg : NULL;
}

static void read_steer(struct draft *draft, const struct node *node, struct steer *steer)
{
	const struct reg *key = steer_array(draft, node, "key");
	const struct reg *table = steer_array(draft, node, "table");

	expr_read(draft, node, "when", &steer->when);
	expr_read(draft, node, "entries", &steer->entries);
	if (!key || !table)
		return;
	steer->present = true;
	steer->key = key->word;
	steer->key_words = key->count;
	steer->key_bytes = key->bytes;
	steer->table = table->word;
	steer->table_words = table->count;
	steer->table_mask = table->valid;
	if (key->count * key->bytes < STEER_KEY)
		wrong(draft, node, "key=\"%s\": a key has %d bytes, not %u", key->name, STEER_KEY,
		      key->count * key->bytes);
}

/* Every ring for frames that come in is named, and no other. */
static void check_rings(struct draft *draft, const struct node *node)
{
	const char *list = node_get(node, "rings");
	uint32_t named = 0;

	if (list == broken)
		return;
	for (const char *at = list + strspn(list, " "); *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		struct symbol *symbol = symbol_kind_find(draft, at, length, SYMBOL_RING);

		if (!symbol)
			wrong(draft, node, "rings=: no ring has the name \"%.*s\"%s", (int)length,
			      at, symbol_hint(draft, at, length, SYMBOL_RING));
		else if (node_choice(symbol->node, "for") == 0 ||
			 node_choice(symbol->node, "for") > 1)
			wrong(draft, node, "rings=: %s is a ring for %s", symbol->name,
			      node_get(symbol->node, "for"));
		if (symbol)
			named |= 1u << symbol->index;
		at += length;
	}
	for_each_symbol(symbol, draft)
	{
		if (symbol->kind == SYMBOL_RING && node_choice(symbol->node, "for") == 1 &&
		    !(named >> symbol->index & 1) && named)
			wrong(draft, node, "rings= does not name %s of %s", symbol->name,
			      node_line(draft, node, symbol->node));
	}
}

static void check_wanted(struct draft *draft)
{
	for_each_symbol(symbol, draft)
	{
		if (symbol->kind == SYMBOL_RING && node_choice(symbol->node, "for") == 1)
			wrong(draft, symbol->node,
			      "ring %s gets no frame: there is no <receive> that names it",
			      symbol->name);
	}
}

static void read_receive(struct draft *draft, const struct node *node, struct filter *filter)
{
	struct accept *accepts = draft_take(draft, struct accept, ACCEPTS_MAX);
	bool open = false;

	filter->accepts = accepts;
	draft->speaks = SPEAKS_FRAME;
	expr_read(draft, node, "max", &filter->max);
	expr_read(draft, node, "when", &filter->when);
	for_each_node(child, node, "accept")
	{
		if (filter->count == ACCEPTS_MAX) {
			wrong(draft, child, "more than %d <accept>", ACCEPTS_MAX);
			break;
		}
		read_accept(draft, child, &accepts[filter->count]);
		open |= !accepts[filter->count++].must;
	}
	draft->speaks = 0;
	for_each_node(child, node, "steer") read_steer(draft, child, &filter->steer);
	if (filter->count && !open)
		wrong(draft, node, "every <accept> is a must: nothing takes a frame in");
}

void compile_receive(struct draft *draft)
{
	const struct node *node = node_first(draft->root->child, "receive");

	if (!node) {
		check_wanted(draft);
		return;
	}
	check_rings(draft, node);
	read_receive(draft, node, &draft->card->filter);
}
