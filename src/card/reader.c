/* SPDX-License-Identifier: Apache-2.0 */

/*
 *   text -> nodes (xml.c) -> words checked (words.c) -> state words and names
 *        -> behaviour, rings, filter, interrupts (compile_*.c) -> frozen card
 *
 * Each step reports all it finds; the next runs only when there was nothing.
 */
#include "card/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void compile(struct draft *draft)
{
	struct card *card = draft->card;

	card->name = node_get(draft->root, "name");
	card->title = node_get(draft->root, "title");
	draft->ring = -1;
	compile_banks(draft);
	compile_function(draft);
	compile_registers(draft);
	compile_rings(draft);
	compile_parts(draft);
	compile_receive(draft);
	compile_interrupts(draft);
	compile_maps(draft);
}

struct card *card_read_text(const char *name, const char *text, size_t length,
			    struct mistakes *mistakes)
{
	unsigned before = mistakes->count;
	struct draft draft = {.mistakes = mistakes};

	draft.card = draft_take(&draft, struct card, 1);
	draft.root = xml_nodes(&draft, arena_text(&draft.arena, name, strlen(name)), text, length);
	if (draft.root && words_check(&draft, draft.root) && counts_check(&draft))
		compile(&draft);
	free(draft.symbols);
	if (mistakes->count != before) {
		arena_free(draft.arena);
		return NULL;
	}
	draft.card->path = arena_text(&draft.arena, name, strlen(name));
	draft.card->arena = draft.arena;
	return draft.card;
}

struct card *card_read_file(const char *path, struct mistakes *mistakes)
{
	enum { FILE_MAX = (4 << 20) + 1 };
	FILE *file = fopen(path, "re");
	struct card *card = NULL;
	char *text = NULL;
	size_t length;

	if (!file) {
		mistake(mistakes, path, 0, "%s", strerror(errno));
		return NULL;
	}
	text = malloc(FILE_MAX);
	length = text ? fread(text, 1, FILE_MAX, file) : 0;
	if (!text || ferror(file))
		mistake(mistakes, path, 0, "cannot be read");
	else
		card = card_read_text(path, text, length, mistakes);
	free(text);
	fclose(file);
	return card;
}

void card_free(struct card *card)
{
	if (card)
		arena_free(card->arena);
}
