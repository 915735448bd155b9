/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct node *node_first(const struct node *node, const char *name)
{
	while (node && strcmp(node->word, name))
		node = node->next;
	return node;
}

const char *node_get(const struct node *node, const char *name)
{
	for (unsigned i = 0; i < node->attributes_count; i++) {
		if (!strcmp(node->attributes[i].name, name))
			return node->attributes[i].value;
	}
	return NULL;
}

bool node_yes(const struct node *node, const char *name)
{
	const char *value = node_get(node, name);

	return value && !strcmp(value, "yes");
}

/* Decimal or 0x; K and M multiply by 1024 each. */
bool text_number(const char *text, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (*end == 'K' || *end == 'M') {
		unsigned shift = *end == 'K' ? 10 : 20;

		if (*value >> (64 - shift))
			return false;
		*value <<= shift;
		end++;
	}
	return !errno && !*end;
}

bool node_number(struct draft *draft, const struct node *node, const char *name, uint64_t limit,
		 uint64_t *value)
{
	const char *text = node_get(node, name);
	uint64_t number;

	if (!text)
		return false;
	if (!text_number(text, &number)) {
		wrong(draft, node, "%s=\"%s\" is not a number (decimal, 0x…, or with K or M)", name,
		      text);
		return false;
	}
	if (number > limit) {
		wrong(draft, node, "%s=\"%s\" is above the limit, 0x%llx", name, text,
		      (unsigned long long)limit);
		return false;
	}
	*value = number;
	return true;
}

bool node_bits(struct draft *draft, const struct node *node, const char *name, unsigned limit,
	       unsigned *low, unsigned *width)
{
	const char *text = node_get(node, name);
	unsigned high;
	int end = 0;

	if (!text)
		return false;
	if (sscanf(text, "%u:%u%n", &high, low, &end) != 2 || text[end]) {
		if (sscanf(text, "%u%n", low, &end) != 1 || text[end]) {
			wrong(draft, node, "%s=\"%s\" is neither a bit nor HIGH:LOW", name, text);
			return false;
		}
		high = *low;
	}
	if (high < *low || high >= limit || high - *low >= 64) {
		wrong(draft, node,
		      "%s=\"%s\" does not lie in the %u bits there are, high part first", name,
		      text, limit);
		return false;
	}
	*width = high - *low + 1;
	return true;
}
