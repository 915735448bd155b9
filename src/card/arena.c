/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *next;
	max_align_t data[];
};

void *arena_take(struct arena_block **arena, size_t size)
{
	struct arena_block *block = calloc(1, sizeof(*block) + (size ? size : 1));

	if (!block)
		abort(); /* set-up, a few hundred kilobytes */
	block->next = *arena;
	*arena = block;
	return block->data;
}

char *arena_text(struct arena_block **arena, const char *text, size_t length)
{
	char *copy = arena_take(arena, length + 1);

	memcpy(copy, text, length);
	return copy;
}

void arena_free(struct arena_block *arena)
{
	while (arena) {
		struct arena_block *next = arena->next;

		free(arena);
		arena = next;
	}
}
