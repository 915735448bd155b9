/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/catalog.h"
#include "instance/pack.h"
#include "instance/places.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, ENTRIES_MAX = 4096 };

static const char BUILT_IN[] = "built in";

static struct catalog_entry *entry_of(struct catalog *catalog, const char *name)
{
	for (unsigned i = 0; i < catalog->count; i++) {
		if (!strcmp(catalog->entries[i].name, name))
			return &catalog->entries[i];
	}
	return NULL;
}

static void entry_hides(struct catalog_entry *entry, const char *source)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", entry->hides ?: "", entry->hides ? "\n" : "", source) < 0)
		return;
	free(entry->hides);
	entry->hides = longer;
}

/* NULL: the name is taken by a place before, or there is no room. */
static struct catalog_entry *entry_new(struct catalog *catalog, const char *name,
				       const char *source)
{
	struct catalog_entry *grown = entry_of(catalog, name);

	if (grown || strlen(name) >= sizeof(grown->name) || catalog->count == ENTRIES_MAX) {
		if (grown)
			entry_hides(grown, source);
		return NULL;
	}
	grown = realloc(catalog->entries, (catalog->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	catalog->entries = grown;
	grown += catalog->count++;
	*grown = (struct catalog_entry){0};
	snprintf(grown->name, sizeof(grown->name), "%s", name);
	snprintf(grown->source, sizeof(grown->source), "%s", source);
	return grown;
}

/* Takes CARD; without one the first mistake is kept. */
static void entry_set(struct catalog_entry *entry, struct card *card, struct mistakes *mistakes)
{
	entry->card = card;
	if (!card)
		entry->wrong = mistakes_line(mistakes, 0);
	mistakes_free(mistakes);
}

static void list_folder(struct catalog *catalog, const char *folder, const struct finder *finder)
{
	DIR *at = opendir(folder);
	struct dirent *entry;

	while (at && (entry = readdir(at))) {
		struct mistakes mistakes = {0};
		struct catalog_entry *new;
		char path[PATH_ROOM];

		snprintf(path, sizeof(path), "%s/%s/card.xml", folder, entry->d_name);
		if (entry->d_name[0] == '.' || access(path, F_OK) < 0)
			continue;
		new = entry_new(catalog, entry->d_name, path);
		if (new)
			entry_set(new, card_read_file_among(path, finder, &mistakes), &mistakes);
	}
	if (at)
		closedir(at);
}

/* The table finds cards by identity, so it has to be true. */
static struct card *read_row(struct pack *pack, const struct place *place,
			     const struct pack_card *row, const char *given,
			     struct mistakes *mistakes)
{
	struct card *card = pack_card_read(pack, place->path, row->name, given, mistakes);
	struct identity identity;

	if (!card)
		return NULL;
	identity = identity_of_card(card);
	if (identity_same(&identity, &row->identity))
		return card;
	mistake(mistakes, place->path, 0, "its table says another identity of %s", row->name);
	card_free(card);
	return NULL;
}

static void list_rows(struct catalog *catalog, struct pack *pack, const struct place *place,
		      const char *given, const struct identity *wanted)
{
	struct pack_card *rows;
	struct error err = {0};
	unsigned count;

	if (pack_cards(pack, &rows, &count, &err) < 0) {
		struct catalog_entry *new = entry_new(catalog, "?", place->path);

		if (new)
			new->wrong = strdup(err.text);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		struct catalog_entry *new = entry_new(catalog, rows[i].name, place->path);
		struct mistakes mistakes = {0};

		if (new && (!wanted || identity_fits(wanted, &rows[i].identity) >= 0))
			entry_set(new, read_row(pack, place, &rows[i], given, &mistakes),
				  &mistakes);
	}
	free(rows);
}

static void list_pack(struct catalog *catalog, const struct place *place, const char *given,
		      const struct identity *wanted)
{
	struct error err = {0};
	struct pack *pack = pack_open(place->path, &err);
	const char *slash = strrchr(place->path, '/');
	struct catalog_entry *new;

	if (pack) {
		list_rows(catalog, pack, place, given, wanted);
		pack_close(pack);
	} else if ((new = entry_new(catalog, slash ? slash + 1 : place->path, place->path))) {
		new->wrong = strdup(err.text);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct catalog_entry *left = a, *right = b;

	return strcmp(left->name, right->name);
}

void catalog_list_like(struct catalog *catalog, const char *given, const struct identity *wanted)
{
	struct finder finder = catalog_finder(given);
	struct places places;

	*catalog = (struct catalog){0};
	places_find(&places, given);
	for (unsigned i = 0; i < places.count; i++) {
		if (places.list[i].pack)
			list_pack(catalog, &places.list[i], given, wanted);
		else
			list_folder(catalog, places.list[i].path, &finder);
	}
	places_free(&places);
	for (unsigned i = 0; i < shipped_cards_count; i++) {
		const struct shipped_card *shipped = &shipped_cards[i];
		struct catalog_entry *new = entry_new(catalog, shipped->name, BUILT_IN);
		struct mistakes mistakes = {0};

		if (new)
			entry_set(new,
				  card_read_text_among(shipped->name, shipped->text,
						       shipped->length, &finder, &mistakes),
				  &mistakes);
	}
	if (catalog->count)
		qsort(catalog->entries, catalog->count, sizeof(*catalog->entries), by_name);
}

void catalog_list(struct catalog *catalog, const char *given)
{
	catalog_list_like(catalog, given, NULL);
}

void catalog_free(struct catalog *catalog)
{
	for (unsigned i = 0; i < catalog->count; i++) {
		card_free(catalog->entries[i].card);
		free(catalog->entries[i].wrong);
		free(catalog->entries[i].hides);
	}
	free(catalog->entries);
	*catalog = (struct catalog){0};
}
