/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <string.h>

enum {
	NAME_MAX_COMPARED = 32,
	HINTS_MAX = 24, /* each may look at every name of the card */
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edits between two names: insert, remove, replace, or swap two neighbours. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned row[3][NAME_MAX_COMPARED + 1];

	for (unsigned k = 0; k <= b_length; k++)
		row[1][k] = k;
	for (unsigned i = 1; i <= a_length; i++) {
		row[2][0] = i;
		for (unsigned k = 1; k <= b_length; k++) {
			unsigned cost = a[i - 1] != b[k - 1];

			row[2][k] = least(least(row[1][k] + 1, row[2][k - 1] + 1),
					  row[1][k - 1] + cost);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				row[2][k] = least(row[2][k], row[0][k - 2] + 1);
		}
		memcpy(row[0], row[1], sizeof(row[0]));
		memcpy(row[1], row[2], sizeof(row[1]));
	}
	return row[1][b_length];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	size_t length = strlen(name);
	unsigned far;

	if (length > NAME_MAX_COMPARED || nearest->length > NAME_MAX_COMPARED ||
	    length + nearest->allowed < nearest->length ||
	    nearest->length + nearest->allowed < length)
		return;
	far = distance(nearest->text, nearest->length, name, length);
	if (far && far <= nearest->allowed) {
		nearest->best = name;
		nearest->allowed = far - 1;
	}
}

struct nearest nearest_of(const char *text, size_t length)
{
	return (struct nearest){
		.text = text,
		.length = length,
		.allowed = length < 3	? 0
			   : length < 6 ? 1
					: 2,
	};
}

struct nearest nearest_to(const struct draft *draft, const char *text, size_t length)
{
	struct nearest nearest = nearest_of(text, length);

	if (draft->hints >= HINTS_MAX)
		nearest.allowed = 0;
	return nearest;
}

const char *nearest_hint(struct draft *draft, const struct nearest *nearest)
{
	static const char before[] = "; did you mean ";
	char *text;

	draft->hints++;
	if (!nearest->best)
		return "";
	text = arena_take(&draft->arena, sizeof(before) + strlen(nearest->best) + 1);
	strcpy(text, before);
	strcat(text, nearest->best);
	return strcat(text, "?");
}
