/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <string.h>

const struct node *node_first(const struct node *node, const char *name)
{
	while (node && (*node->word != *name || strcmp(node->word, name)))
		node = node->next;
	return node;
}

const char *node_line(struct draft *draft, const struct node *from, const struct node *to)
{
	char text[300];

	if (!strcmp(from->file, to->file))
		snprintf(text, sizeof(text), "line %u", to->line);
	else
		snprintf(text, sizeof(text), "line %u of %s", to->line, to->file);
	return arena_text(&draft->arena, text, strlen(text));
}

static const struct attribute *attribute(const struct node *node, const char *name)
{
	for (unsigned i = 0; i < node->attributes_count; i++) {
		const char *at = node->attributes[i].name;

		if (*at == *name && !strcmp(at, name))
			return &node->attributes[i];
	}
	return NULL;
}

const char *node_get(const struct node *node, const char *name)
{
	const struct attribute *at = attribute(node, name);

	return at ? at->value : NULL;
}

int node_choice(const struct node *node, const char *name)
{
	const struct attribute *at = attribute(node, name);

	return at ? at->choice : -1;
}

bool node_yes(const struct node *node, const char *name)
{
	const char *value = node_get(node, name);

	return value && !strcmp(value, "yes");
}

void node_useless(struct draft *draft, const struct node *node, const char *name, const char *why)
{
	if (node_get(node, name))
		wrong(draft, node, "%s= has no meaning %s", name, why);
}

bool node_number(struct draft *draft, const struct node *node, const char *name, uint64_t limit,
		 uint64_t *value)
{
	const char *text = node_get(node, name);
	uint64_t number;

	if (!text || text == broken || !text_number(text, &number))
		return false;
	if (number > limit) {
		wrong(draft, node, "%s=\"%s\" is above 0x%llx, the highest value here", name, text,
		      (unsigned long long)limit);
		return false;
	}
	*value = number;
	return true;
}

bool node_bits(struct draft *draft, const struct node *node, unsigned limit, unsigned *low,
	       unsigned *width)
{
	const char *text = node_get(node, "bits");
	unsigned high;

	*low = 0;
	*width = 1;
	if (!text || text == broken || !text_bits(text, low, &high))
		return false;
	if (high >= *low && high < limit && high - *low < 64) {
		*width = high - *low + 1;
		return true;
	}
	if (high < *low)
		wrong(draft, node, "bits=\"%s\": the high bit stands first", text);
	else if (high >= limit)
		wrong(draft, node, "bits=\"%s\" lies beyond the %u bits there are", text, limit);
	else
		wrong(draft, node, "bits=\"%s\" is wider than 64 bits", text);
	*low = 0;
	return false;
}

static bool attributes_same(const struct node *a, const struct node *b)
{
	if (a->attributes_count != b->attributes_count)
		return false;
	for (unsigned i = 0; i < a->attributes_count; i++) {
		if (strcmp(a->attributes[i].name, b->attributes[i].name) ||
		    strcmp(a->attributes[i].value, b->attributes[i].value))
			return false;
	}
	return true;
}

bool node_same(const struct node *a, const struct node *b)
{
	if (strcmp(a->word, b->word) || !attributes_same(a, b))
		return false;
	for (a = a->child, b = b->child; a && b; a = a->next, b = b->next) {
		if (!node_same(a, b))
			return false;
	}
	return !a && !b;
}
