/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Nodes against the table. What is wrong is reported once and then made
 * harmless, so that the steps that follow can look for further mistakes: a
 * misspelt word is read as the one that was meant, an unreadable value becomes
 * `broken`, and what cannot stand where it stands is left out.
 */
#include "card/words.h"
#include "card/draft.h"

#include <string.h>

enum { WORDS_MAX = 64 };

bool word_in(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; *at; at += strspn(at, " ")) {
		size_t here = strcspn(at, " ");

		if (here == length && !memcmp(at, word, length))
			return true;
		at += here;
	}
	return false;
}

const struct word *word_after(const struct word *word)
{
	const struct word_group *cards = &words_of_cards, *rings = &words_of_rings;

	if (!word)
		return cards->list;
	if (word == cards->list + cards->count - 1)
		return rings->list;
	return word == rings->list + rings->count - 1 ? NULL : word + 1;
}

static unsigned word_index(const struct word *word)
{
	const struct word_group *cards = &words_of_cards;

	return word >= cards->list && word < cards->list + cards->count
		       ? (unsigned)(word - cards->list)
		       : cards->count + (unsigned)(word - words_of_rings.list);
}

const struct word *word_find(const char *name, const char *parent)
{
	for_each_word(word)
	{
		if (*word->name == *name && !strcmp(word->name, name) &&
		    (!parent || word_in(word->parents, parent)))
			return word;
	}
	return NULL;
}

const struct attribute_word *word_attribute(const struct word *word, const char *name)
{
	for (const struct attribute_word *at = word->attributes;
	     at < word->attributes + WORD_ATTRIBUTES && at->name; at++) {
		if (*at->name == *name && !strcmp(at->name, name))
			return at;
	}
	return NULL;
}

static const struct attribute_word *attribute_meant(struct draft *draft, struct node *node,
						    const struct word *word, const char *name)
{
	struct nearest nearest = nearest_to(draft, name, strlen(name));

	for (const struct attribute_word *at = word->attributes;
	     at < word->attributes + WORD_ATTRIBUTES && at->name; at++)
		nearest_offer(&nearest, at->name);
	wrong(draft, node, "<%s> has no attribute %s=%s", node->word, name,
	      nearest_hint(draft, &nearest));
	if (!nearest.best || node_get(node, nearest.best))
		return NULL;
	return word_attribute(word, nearest.best);
}

/* It is there from now on, and nobody asks for it again. */
static void attribute_missing(struct draft *draft, struct node *node, const char *name)
{
	struct attribute *all = draft_take(draft, struct attribute, node->attributes_count + 1);

	wrong(draft, node, "<%s> needs %s=", node->word, name);
	memcpy(all, node->attributes, node->attributes_count * sizeof(*all));
	all[node->attributes_count++] = (struct attribute){name, broken, -1};
	node->attributes = all;
	node->broken = true;
}

static void check_attributes(struct draft *draft, struct node *node, const struct word *word)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < node->attributes_count; i++) {
		struct attribute *at = &node->attributes[i];
		const struct attribute_word *known = word_attribute(word, at->name);

		if (!known)
			known = attribute_meant(draft, node, word, at->name);
		if (!known)
			continue;
		at->name = known->name;
		value_check(draft, node, known, at);
		node->attributes[kept++] = *at;
	}
	node->attributes_count = kept;
	for (const struct attribute_word *at = word->attributes;
	     at < word->attributes + WORD_ATTRIBUTES && at->name; at++) {
		if (at->required && !node_get(node, at->name))
			attribute_missing(draft, node, at->name);
	}
}

static const struct word *word_meant(struct draft *draft, const struct node *node,
				     const char *parent)
{
	struct nearest nearest = nearest_to(draft, node->word, strlen(node->word));

	for_each_word(word)
	{
		if (word_in(word->parents, parent) || (!*parent && !*word->parents))
			nearest_offer(&nearest, word->name);
	}
	wrong(draft, node,
	      *parent || nearest.best ? "<%s> is not a word of the language%s"
				      : "a description is a <card>, not a <%s>%s",
	      node->word, nearest_hint(draft, &nearest));
	return nearest.best ? word_find(nearest.best, *parent ? parent : NULL) : NULL;
}

/* The word a node is, or is meant to be; NULL: it is left out. */
static const struct word *identify(struct draft *draft, struct node *node, const char *parent)
{
	const struct word *word = word_find(node->word, *parent ? parent : NULL);

	if (!*parent && word && *word->parents)
		word = NULL;
	if (word)
		return word;
	word = word_find(node->word, NULL);
	if (word && *parent)
		wrong(draft, node, "<%s> does not stand in <%s>%s%s", node->word, parent,
		      *word->parents ? " but in: " : "", word->parents);
	else if (word)
		wrong(draft, node, "a description is a <card>, not a <%s>", node->word);
	else
		word = word_meant(draft, node, parent);
	return word && !strcmp(word->name, node->word) ? NULL : word;
}

static void check(struct draft *draft, struct node *node, const struct word *word);

static void check_children(struct draft *draft, struct node *node, const struct word *word)
{
	const struct node *firsts[WORDS_MAX] = {0};

	for (struct node **at = &node->child; *at;) {
		struct node *child = *at;
		const struct word *found = identify(draft, child, node->word);

		if (found)
			child->word = found->name;
		if (found && found->once && firsts[word_index(found)]) {
			wrong(draft, child, "a second <%s> in <%s>; the first is in %s",
			      found->name, node->word,
			      node_line(draft, child, firsts[word_index(found)]));
			found = NULL;
		}
		if (!found) {
			*at = child->next;
			continue;
		}
		firsts[word_index(found)] = child;
		check(draft, child, found);
		at = &child->next;
	}
	if (word->needs && !node_first(node->child, word->needs))
		wrong(draft, node, "<%s> needs at least one <%s>", node->word, word->needs);
}

static void check(struct draft *draft, struct node *node, const struct word *word)
{
	if (node->checked)
		return;
	node->checked = true;
	check_attributes(draft, node, word);
	check_children(draft, node, word);
}

void words_check_one(struct draft *draft, struct node *node)
{
	check(draft, node, word_find(node->word, "card"));
}

bool words_check(struct draft *draft, struct node *root)
{
	const struct word *word = identify(draft, root, "");

	if (!word)
		return false;
	root->word = word->name;
	check(draft, root, word);
	return true;
}
