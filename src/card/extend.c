/* SPDX-License-Identifier: Apache-2.0 */

/*
 * <card extends="NAME">: the nodes of NAME with those of this card put over them.
 * An element that NAME has too, known by its key, replaces the whole of it at its
 * place; containers are merged instead, attribute by attribute and child by child;
 * what NAME does not have is added.
 */
#include "card/draft.h"
#include "card/words.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHAIN_MAX = 8 };

struct chain { /* the cards on the way, from the one that is read */
	const char *paths[CHAIN_MAX];
	unsigned count;
};

static const struct key {
	const char *word, *attribute; /* NULL: there is but one */
	bool merges;
} keys[] = {
	{"pci", NULL, true},	       {"bar", "index", false},	   {"bank", "name", true},
	{"phy", "name", true},	       {"eeprom", NULL, true},	   {"mac", NULL, false},
	{"word", "at", false},	       {"sum", NULL, false},	   {"crc", NULL, false},
	{"register", "name", false},   {"counter", "name", false}, {"port", "name", false},
	{"memory", "name", false},     {"window", "to", false},	   {"pins", "to", false},
	{"record", "name", false},     {"ring", "name", false},	   {"receive", NULL, false},
	{"capability", "kind", false}, {"rom", NULL, false},	   {"part", "at", false},
	{"interrupt", "line", false},  {"reset", "name", false},   {"timer", "name", false},
	{"on", "event", false},	       {"module", NULL, false},
};

static const struct key *key_of(const struct node *node)
{
	for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!strcmp(keys[i].word, node->word))
			return &keys[i];
	}
	return NULL;
}

bool word_merges(const char *name)
{
	for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!strcmp(keys[i].word, name))
			return keys[i].merges;
	}
	return !strcmp(name, "card");
}

static bool same_kind(const struct node *a, const struct node *b)
{
	bool registers = !strcmp(a->word, "register") || !strcmp(a->word, "counter");

	return !strcmp(a->word, b->word) ||
	       (registers && (!strcmp(b->word, "register") || !strcmp(b->word, "counter")));
}

static bool same_value(const struct node *a, const struct node *b, const char *attribute)
{
	const char *left = node_get(a, attribute) ?: a->word;
	const char *right = node_get(b, attribute) ?: b->word;
	uint64_t x, y;

	if (text_number(left, &x) && text_number(right, &y))
		return x == y;
	return !strcmp(left, right);
}

/* Where the inherited node stands that this one is put over. */
static struct node **counterpart(struct node *base, const struct node *node)
{
	const struct key *key = key_of(node);

	for (struct node **at = &base->child; key && *at; at = &(*at)->next) {
		if ((*at)->inherited && same_kind(*at, node) &&
		    (!key->attribute || same_value(*at, node, key->attribute)))
			return at;
	}
	return NULL;
}

static void put_attributes(struct draft *draft, struct node *base, const struct node *node)
{
	unsigned room = base->attributes_count + node->attributes_count;
	struct attribute *all = draft_take(draft, struct attribute, room);
	unsigned count = 0;

	for (unsigned i = 0; i < node->attributes_count; i++)
		all[count++] = node->attributes[i];
	for (unsigned i = 0; i < base->attributes_count; i++) {
		if (!node_get(node, base->attributes[i].name))
			all[count++] = base->attributes[i];
	}
	base->attributes = all;
	base->attributes_count = count;
	base->file = node->file;
	base->line = node->line;
}

static void put_children(struct draft *draft, struct node *base, struct node *node);

/* Where it is then. */
static struct node *put(struct draft *draft, struct node *base, struct node *node)
{
	struct node **at = counterpart(base, node);

	if (at && key_of(node)->merges) {
		put_attributes(draft, *at, node);
		put_children(draft, *at, node);
		(*at)->inherited = false;
		return *at;
	}
	if (at) {
		node->next = (*at)->next;
		return *at = node;
	}
	for (at = &base->child; *at; at = &(*at)->next)
		;
	node->next = NULL;
	return *at = node;
}

static void put_children(struct draft *draft, struct node *base, struct node *node)
{
	for (struct node *child = node->child, *next; child; child = next) {
		next = child->next;
		put(draft, base, child);
	}
}

static void mark_inherited(struct node *node)
{
	node->inherited = true;
	for (struct node *child = node->child; child; child = child->next)
		mark_inherited(child);
}

void lay_begin(struct draft *draft)
{
	mark_inherited(draft->root);
}

void lay_over(struct draft *draft, struct node *node)
{
	mark_inherited(put(draft, draft->root, node));
}

void lay_card_over(struct draft *draft, struct node *node)
{
	put_attributes(draft, draft->root, node);
	put_children(draft, draft->root, node);
	mark_inherited(draft->root);
}

/* ---- finding the other card ---- */

static bool name_sound(const char *name)
{
	for (const char *at = name; *at; at++) {
		if (!isalnum((unsigned char)*at) && *at != '_' && *at != '-')
			return false;
	}
	return *name && strlen(name) < 64;
}

static bool load(const char *path, struct found_card *found)
{
	if (access(path, F_OK) < 0 || strlen(path) >= sizeof(found->path))
		return false;
	strcpy(found->path, path);
	found->text = card_load(path, &found->length);
	return found->text != NULL;
}

static bool find(struct draft *draft, const struct node *root, const char *name,
		 struct found_card *found)
{
	const char *slash = strrchr(root->file, '/');
	int folder = slash ? (int)(slash - root->file) + 1 : 0;
	char path[PATH_MAX];

	if (draft->is_file) {
		snprintf(path, sizeof(path), "%.*s%s.xml", folder, root->file, name);
		if (load(path, found))
			return true;
		snprintf(path, sizeof(path), "%.*s../%s/card.xml", folder, root->file, name);
		if (load(path, found))
			return true;
	}
	return draft->finder && draft->finder->find(draft->finder->context, name, found);
}

static bool seen(struct draft *draft, struct chain *chain, const char *path)
{
	char *whole = realpath(path, NULL);
	const char *name = arena_text(&draft->arena, whole ?: path, strlen(whole ?: path));

	free(whole);
	for (unsigned i = 0; i < chain->count; i++) {
		if (!strcmp(chain->paths[i], name))
			return true;
	}
	chain->paths[chain->count++] = name;
	return false;
}

static struct node *extend_in(struct draft *draft, struct node *root, struct chain *chain);

static struct node *base_of(struct draft *draft, const struct node *root, const char *name,
			    struct chain *chain)
{
	struct found_card found = {0};
	bool was_file = draft->is_file;
	struct node *base = NULL;
	char *path;

	if (!find(draft, root, name, &found)) {
		wrong(draft, root, "extends=\"%s\": there is no such card", name);
		return NULL;
	}
	path = arena_text(&draft->arena, found.path, strlen(found.path));
	draft->is_file = !found.built_in;
	if (!found.built_in)
		mistakes_file(draft->mistakes, found.path);
	if (seen(draft, chain, path))
		wrong(draft, root, "extends=\"%s\" comes back to a card that extends it", name);
	else
		base = xml_nodes(draft, path, found.text, found.length);
	free(found.text);
	if (base)
		base = extend_in(draft, base, chain);
	draft->is_file = was_file;
	return base;
}

static struct node *extend_in(struct draft *draft, struct node *root, struct chain *chain)
{
	const char *name = node_get(root, "extends");
	struct node *base;

	if (!name)
		return root;
	if (!name_sound(name)) {
		wrong(draft, root, "extends=\"%s\" is not the name of a card", name);
		return NULL;
	}
	if (chain->count == CHAIN_MAX) {
		wrong(draft, root, "extends=: more than %d cards, one after another", CHAIN_MAX);
		return NULL;
	}
	base = base_of(draft, root, name, chain);
	if (!base)
		return NULL;
	mark_inherited(base);
	for (unsigned i = 0; i < base->attributes_count; i++) { /* these are never inherited */
		if (word_in("name title extends", base->attributes[i].name))
			base->attributes[i--] = base->attributes[--base->attributes_count];
	}
	put_attributes(draft, base, root);
	put_children(draft, base, root);
	return base;
}

struct node *extend(struct draft *draft, struct node *root)
{
	struct chain chain = {0};

	if (!node_get(root, "extends"))
		return root;
	seen(draft, &chain, root->file);
	return extend_in(draft, root, &chain);
}
