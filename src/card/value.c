/* SPDX-License-Identifier: Apache-2.0 */

/* One attribute's value against its kind; expressions are only known not to be empty. */
#include "card/draft.h"
#include "card/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 32 };

const char broken[] = "?";

/* Decimal or 0x; K and M multiply by 1024 each. */
bool text_number(const char *text, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9' || (*text == '0' && isdigit((unsigned char)text[1])))
		return false; /* 010 would be octal to C and ten to most people */
	errno = 0;
	*value = strtoull(text, &end, text[1] == 'x' ? 16 : 10);
	if (*end == 'K' || *end == 'M') {
		unsigned shift = *end == 'K' ? 10 : 20;

		if (*value >> (64 - shift))
			return false;
		*value <<= shift;
		end++;
	}
	return !errno && !*end;
}

bool text_bits(const char *text, unsigned *low, unsigned *high)
{
	char *end;
	unsigned long a, b;

	if (!isdigit((unsigned char)*text) || strspn(text, "0123456789:") != strlen(text) ||
	    strlen(text) > 11)
		return false;
	a = b = strtoul(text, &end, 10);
	if (*end == ':' && isdigit((unsigned char)end[1]))
		b = strtoul(end + 1, &end, 10);
	*high = (unsigned)a;
	*low = (unsigned)b;
	return !*end;
}

bool text_span(const char *text, unsigned *first, unsigned *last)
{
	int end = 0;

	return strspn(text, "0123456789-") == strlen(text) && strlen(text) < 12 &&
	       sscanf(text, "%u-%u%n", first, last, &end) == 2 && !text[end];
}

static bool is_name(const char *text, bool hyphens)
{
	size_t length = strlen(text);

	if (!isalnum((unsigned char)*text) && *text != '_')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' &&
		    !(hyphens && text[i] == '-'))
			return false;
	}
	return hyphens || !isdigit((unsigned char)*text);
}

static const char *choice_hint(struct draft *draft, const char *choices, const char *text)
{
	struct nearest nearest = nearest_to(draft, text, strlen(text));

	for (const char *at = choices; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		nearest_offer(&nearest, arena_text(&draft->arena, at, length));
		at += length;
	}
	return nearest_hint(draft, &nearest);
}

static int choice_index(const char *choices, const char *text, size_t length)
{
	int index = 0;

	for (const char *at = choices; *at; at += strspn(at, " "), index++) {
		size_t here = strcspn(at, " ");

		if (here == length && !memcmp(at, text, length))
			return index;
		at += here;
	}
	return -1;
}

static bool check_number(struct draft *draft, const struct node *node,
			 const struct attribute_word *known, const char *text)
{
	uint64_t value;

	if (!text_number(text, &value))
		wrong(draft, node, "%s=\"%s\" is not a number (decimal, 0x…, or with K or M)",
		      known->name, text);
	else if (value < known->low || value > known->high)
		wrong(draft, node,
		      known->high > 4096 ? "%s=\"%s\" is not in the range 0x%llx to 0x%llx"
					 : "%s=\"%s\" is not in the range %llu to %llu",
		      known->name, text, (unsigned long long)known->low,
		      (unsigned long long)known->high);
	else
		return true;
	return false;
}

static bool check_choices(struct draft *draft, const struct node *node,
			  const struct attribute_word *known, const char *text)
{
	for (const char *at = text; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		if (choice_index(known->choices, at, length) < 0) {
			wrong(draft, node, "%s=\"%s\": \"%.*s\" is none of: %s", known->name, text,
			      (int)length, at, known->choices);
			return false;
		}
		at += length;
	}
	return true;
}

static bool check_names(struct draft *draft, const struct node *node,
			const struct attribute_word *known, const char *text)
{
	enum { NAMES_MAX = 256 };
	unsigned count = 0;

	for (const char *at = text; *at; at += strspn(at, " "), count++) {
		size_t length = strcspn(at, " ");

		for (size_t i = 0; i < length; i++) {
			if (isalnum((unsigned char)at[i]) || at[i] == '_' || at[i] == '-' ||
			    (at[i] == '*' && i + 1 == length && i))
				continue;
			wrong(draft, node, "%s=\"%s\" is not a list of names", known->name, text);
			return false;
		}
		at += length;
	}
	if (count <= NAMES_MAX)
		return true;
	wrong(draft, node, "%s= lists more than %d names", known->name, NAMES_MAX);
	return false;
}

static bool check_name(struct draft *draft, const struct node *node,
		       const struct attribute_word *known, const char *text)
{
	bool hyphens = known->kind == VALUE_LABEL;

	if (!is_name(text, hyphens))
		wrong(draft, node, "%s=\"%s\" is not a name (letters, digits and _%s)", known->name,
		      text, hyphens ? " and -" : ", no digit first");
	else if (strlen(text) > NAME_MAX_LENGTH)
		wrong(draft, node, "%s=\"%.32s…\" is longer than %d characters", known->name, text,
		      NAME_MAX_LENGTH);
	else if (known->kind == VALUE_NAME && name_reserved(text))
		wrong(draft, node, "%s=\"%s\": expressions use this word for something else",
		      known->name, text);
	else
		return true;
	return false;
}

static bool check_drivers(struct draft *draft, const struct node *node, const char *text)
{
	for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " "), system = strcspn(at, ": ");

		if (!system || system + 1 >= length || at[system] != ':') {
			wrong(draft, node, "drivers=\"%s\": expected a list of system:driver",
			      text);
			return false;
		}
		at += length;
	}
	return true;
}

static bool check_value(struct draft *draft, const struct node *node,
			const struct attribute_word *known, struct attribute *at)
{
	unsigned a, b;

	switch (known->kind) {
	case VALUE_DRIVERS:
		return check_drivers(draft, node, at->value);
	case VALUE_NAME:
	case VALUE_LABEL:
		return check_name(draft, node, known, at->value);
	case VALUE_NUMBER:
		return check_number(draft, node, known, at->value);
	case VALUE_BITS:
		if (text_bits(at->value, &a, &b))
			return true;
		wrong(draft, node, "bits=\"%s\" is neither a bit nor HIGH:LOW", at->value);
		return false;
	case VALUE_SPAN:
		if (text_span(at->value, &a, &b))
			return true;
		wrong(draft, node, "%s=\"%s\" is not FIRST-LAST", known->name, at->value);
		return false;
	case VALUE_VECTORS:
		if (text_span(at->value, &a, &b) && a <= b && b <= known->high)
			return true;
		return check_number(draft, node, known, at->value);
	case VALUE_CHOICE:
		at->choice = choice_index(known->choices, at->value, strlen(at->value));
		if (at->choice >= 0)
			return true;
		wrong(draft, node, "%s=\"%s\" is none of: %s%s", known->name, at->value,
		      known->choices, choice_hint(draft, known->choices, at->value));
		return false;
	case VALUE_CHOICES:
		return check_choices(draft, node, known, at->value);
	case VALUE_NAMES:
		return check_names(draft, node, known, at->value);
	default:
		return true;
	}
}

void value_check(struct draft *draft, struct node *node, const struct attribute_word *known,
		 struct attribute *at)
{
	bool good = at->value[strspn(at->value, " \t\r\n")];

	at->choice = -1;
	if (!good)
		wrong(draft, node, "%s= is empty", known->name);
	if (good && check_value(draft, node, known, at))
		return;
	at->value = broken;
	node->broken = true;
}
