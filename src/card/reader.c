/* SPDX-License-Identifier: Apache-2.0 */

/*
 *   text -> looked over (scan.c) -> nodes (xml.c) -> with those of the card it
 *   extends (extend.c) and those its module adds (configure.c) -> words and values
 *   checked (words.c, value.c) -> state words and names -> behaviour, rings, filter,
 *   interrupts (compile_*.c) -> frozen card
 *
 * Each step repairs what it reports, so that the next can go on and every
 * mistake is found in one run.
 */
#include "card/draft.h"
#include "module/module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void compile(struct draft *draft)
{
	struct card *card = draft->card;

	card->name = node_get(draft->root, "name");
	card->title = node_get(draft->root, "title");
	draft->ring = -1;
	compile_banks(draft);
	compile_names(draft);
	compile_layouts(draft);
	compile_function(draft);
	compile_memories(draft);
	compile_bars(draft);
	compile_capabilities(draft);
	compile_registers(draft);
	compile_records(draft);
	compile_rings(draft);
	compile_windows(draft);
	compile_pins(draft);
	compile_phy(draft);
	compile_resets(draft);
	compile_timers(draft);
	compile_eeprom(draft);
	compile_counters(draft);
	compile_receive(draft);
	compile_interrupts(draft);
	compile_starts(draft);
	compile_arms(draft);
	compile_maps(draft);
	compile_module(draft);
}

static struct card *read_text(const char *name, const char *text, size_t length, bool is_file,
			      const struct finder *finder, struct mistakes *mistakes)
{
	unsigned before = mistakes->count;
	struct draft draft = {.mistakes = mistakes, .finder = finder, .is_file = is_file};

	draft.symbols_last = &draft.symbols;
	draft.card = draft_take(&draft, struct card, 1);
	draft.card->path = arena_text(&draft.arena, name, strlen(name));
	draft.root = xml_nodes(&draft, draft.card->path, text, length);
	if (draft.root)
		draft.root = extend(&draft, draft.root);
	if (draft.root)
		configure(&draft);
	if (draft.root)
		phy_expand(&draft);
	if (draft.root && words_check(&draft, draft.root))
		compile(&draft);
	if (mistakes->count != before) {
		mistakes_sort(mistakes, before);
		module_close(draft.card->module);
		arena_free(draft.arena);
		return NULL;
	}
	draft.card->description = draft.root;
	draft.card->arena = draft.arena;
	return draft.card;
}

struct card *card_read_text_among(const char *name, const char *text, size_t length,
				  const struct finder *finder, struct mistakes *mistakes)
{
	return read_text(name, text, length, false, finder, mistakes);
}

char *card_text_title(const char *text, size_t length)
{
	struct mistakes mistakes = {0};
	struct draft draft = {.mistakes = &mistakes};
	const char *title;
	char *copy;

	draft.root = xml_nodes(&draft, "", text, length);
	title = draft.root ? node_get(draft.root, "title") : NULL;
	copy = title ? strdup(title) : NULL;
	arena_free(draft.arena);
	mistakes_free(&mistakes);
	return copy;
}

char *card_load(const char *path, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
	char *text = malloc(CARD_FILE_MAX + 1);
	ssize_t got = -1;

	*length = 0;
	while (fd >= 0 && text && *length <= CARD_FILE_MAX) {
		got = read(fd, text + *length, CARD_FILE_MAX + 1 - *length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		*length += (size_t)got;
	}
	saved = errno;
	if (fd >= 0)
		close(fd);
	if (got >= 0)
		return text;
	free(text);
	errno = saved;
	return NULL;
}

struct card *card_read_file_among(const char *path, const struct finder *finder,
				  struct mistakes *mistakes)
{
	struct card *card = NULL;
	size_t length;
	char *text = card_load(path, &length);

	mistakes_file(mistakes, path);
	if (text)
		card = read_text(path, text, length, true, finder, mistakes);
	else
		mistake(mistakes, path, 0, "%s", strerror(errno));
	free(text);
	return card;
}

struct card *card_read_text(const char *name, const char *text, size_t length,
			    struct mistakes *mistakes)
{
	return card_read_text_among(name, text, length, NULL, mistakes);
}

struct card *card_read_file(const char *path, struct mistakes *mistakes)
{
	return card_read_file_among(path, NULL, mistakes);
}

void card_free(struct card *card)
{
	if (!card)
		return;
	module_close(card->module);
	arena_free(card->arena);
}
