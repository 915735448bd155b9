/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK = 1 << 16, ARENA_ALIGN = _Alignof(max_align_t) };

struct arena_block {
	struct arena_block *next;
	size_t used, room;
	max_align_t data[];
};

static struct arena_block *block_new(size_t room)
{
	struct arena_block *block = calloc(1, sizeof(*block) + room);

	if (!block)
		abort(); /* set-up, a few hundred kilobytes */
	block->room = room;
	return block;
}

/* Large pieces have a block of their own, behind the one that is being filled. */
void *arena_take(struct arena_block **arena, size_t size)
{
	struct arena_block *block = *arena;
	void *taken;

	size = (size + ARENA_ALIGN) & ~(size_t)(ARENA_ALIGN - 1);
	if (!block || size > block->room - block->used) {
		bool large = size > ARENA_BLOCK / 4;

		block = block_new(large ? size : ARENA_BLOCK);
		if (large && *arena) {
			block->next = (*arena)->next;
			(*arena)->next = block;
		} else {
			block->next = *arena;
			*arena = block;
		}
	}
	taken = (char *)block->data + block->used;
	block->used += size;
	return taken;
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
