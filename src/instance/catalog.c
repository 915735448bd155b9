/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/catalog.h"

#include "card/nearest.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, FOLDERS_MAX = 16, ENTRIES_MAX = 1024 };

struct folders {
	char paths[FOLDERS_MAX][PATH_ROOM];
	unsigned count;
};

static void folder_add(struct folders *folders, const char *path, size_t length, const char *tail)
{
	if (folders->count < FOLDERS_MAX && length)
		snprintf(folders->paths[folders->count++], PATH_ROOM, "%.*s%s", (int)length, path,
			 tail);
}

static void folders_add_list(struct folders *folders, const char *list, const char *tail)
{
	while (list && *list) {
		size_t length = strcspn(list, ":");

		folder_add(folders, list, length, tail);
		list += length + (list[length] == ':');
	}
}

static void folders_find(struct folders *folders, const char *given)
{
	const char *home = getenv("HOME"), *user = getenv("XDG_DATA_HOME");

	folders->count = 0;
	if (given)
		folder_add(folders, given, strlen(given), "");
	folders_add_list(folders, getenv("ANYNIC_CARDS"), "");
	if (user && *user)
		folder_add(folders, user, strlen(user), "/anynic/cards");
	else if (home)
		folder_add(folders, home, strlen(home), "/.local/share/anynic/cards");
	folders_add_list(folders, getenv("XDG_DATA_DIRS") ?: "/usr/local/share:/usr/share",
			 "/anynic/cards");
}

static bool find_shipped(const char *name, struct found_card *found)
{
	for (unsigned i = 0; i < shipped_cards_count; i++) {
		const struct shipped_card *shipped = &shipped_cards[i];

		if (strcmp(shipped->name, name))
			continue;
		snprintf(found->path, sizeof(found->path), "%s", name);
		found->built_in = true;
		found->length = shipped->length;
		found->text = malloc(shipped->length + 1);
		if (found->text)
			memcpy(found->text, shipped->text, shipped->length);
		return found->text != NULL;
	}
	return false;
}

/* For the reader: the text of a card that another one extends. CONTEXT: --cards or NULL. */
static bool find_text(void *context, const char *name, struct found_card *found)
{
	struct folders *folders = calloc(1, sizeof(*folders));
	char path[PATH_ROOM + 300];

	if (!folders)
		return false;
	folders_find(folders, context);
	for (unsigned i = 0; i < folders->count && !found->text; i++) {
		snprintf(path, sizeof(path), "%s/%s/card.xml", folders->paths[i], name);
		if (strlen(path) >= sizeof(found->path) || access(path, R_OK) < 0)
			continue;
		strcpy(found->path, path);
		found->text = card_load(path, &found->length);
	}
	free(folders);
	return found->text || find_shipped(name, found);
}

struct finder catalog_finder(const char *folder)
{
	return (struct finder){find_text, (char *)folder};
}

static bool identity(const char *name, unsigned *vendor, unsigned *device)
{
	int end = 0;

	return sscanf(name, "%4x:%4x%n", vendor, device, &end) == 2 && !name[end];
}

/* Takes CARD; without one the first mistake is kept. */
static void entry_add(struct catalog *catalog, const char *name, const char *source,
		      struct card *card, struct mistakes *mistakes)
{
	struct catalog_entry *grown = NULL;

	if (catalog->count < ENTRIES_MAX)
		grown = realloc(catalog->entries, (catalog->count + 1) * sizeof(*grown));
	if (!grown) {
		card_free(card);
		return;
	}
	catalog->entries = grown;
	grown += catalog->count++;
	*grown = (struct catalog_entry){.card = card};
	snprintf(grown->name, sizeof(grown->name), "%s", name);
	snprintf(grown->source, sizeof(grown->source), "%s", source);
	if (!card)
		grown->wrong = mistakes_first(mistakes);
}

static bool listed(const struct catalog *catalog, const char *name)
{
	for (unsigned i = 0; i < catalog->count; i++) {
		if (!strcmp(catalog->entries[i].name, name))
			return true;
	}
	return false;
}

static void list_folder(struct catalog *catalog, const char *folder, const struct finder *finder)
{
	DIR *at = opendir(folder);
	struct dirent *entry;

	while (at && (entry = readdir(at))) {
		struct mistakes mistakes = {0};
		char path[PATH_ROOM + 300];
		struct card *card;

		snprintf(path, sizeof(path), "%s/%s/card.xml", folder, entry->d_name);
		if (entry->d_name[0] == '.' || access(path, F_OK) < 0 ||
		    listed(catalog, entry->d_name))
			continue;
		card = card_read_file_among(path, finder, &mistakes);
		entry_add(catalog, entry->d_name, path, card, &mistakes);
		mistakes_free(&mistakes);
	}
	if (at)
		closedir(at);
}

static int by_name(const void *a, const void *b)
{
	const struct catalog_entry *left = a, *right = b;

	return strcmp(left->name, right->name);
}

void catalog_list(struct catalog *catalog, const char *folder)
{
	struct folders *folders = calloc(1, sizeof(*folders));
	struct finder finder = catalog_finder(folder);

	*catalog = (struct catalog){0};
	if (!folders)
		return;
	folders_find(folders, folder);
	for (unsigned i = 0; i < folders->count; i++)
		list_folder(catalog, folders->paths[i], &finder);
	free(folders);
	for (unsigned i = 0; i < shipped_cards_count; i++) {
		const struct shipped_card *shipped = &shipped_cards[i];
		struct mistakes mistakes = {0};

		if (!listed(catalog, shipped->name))
			entry_add(catalog, shipped->name, "built in",
				  card_read_text_among(shipped->name, shipped->text,
						       shipped->length, &finder, &mistakes),
				  &mistakes);
		mistakes_free(&mistakes);
	}
	if (catalog->count)
		qsort(catalog->entries, catalog->count, sizeof(*catalog->entries), by_name);
}

void catalog_free(struct catalog *catalog)
{
	for (unsigned i = 0; i < catalog->count; i++) {
		card_free(catalog->entries[i].card);
		free(catalog->entries[i].wrong);
	}
	free(catalog->entries);
	*catalog = (struct catalog){0};
}

static struct card *find_identity(const char *folder, unsigned vendor, unsigned device)
{
	struct catalog_entry *best = NULL;
	struct card *card = NULL;
	struct catalog catalog;
	unsigned matches = 0;

	catalog_list(&catalog, folder);
	for (unsigned i = 0; i < catalog.count; i++) {
		struct catalog_entry *entry = &catalog.entries[i];

		if (!entry->card || entry->card->vendor != vendor || entry->card->device != device)
			continue;
		matches++;
		if (!best || entry->card->revision > best->card->revision)
			best = entry;
	}
	if (matches > 1)
		fprintf(stderr, "anynic: %04x:%04x is %s (%s), the newest revision of %u cards\n",
			vendor, device, best->name, best->source, matches);
	if (best) {
		card = best->card;
		best->card = NULL;
	}
	catalog_free(&catalog);
	return card;
}

static struct card *find_name(const char *name, const char *folder, struct mistakes *mistakes)
{
	struct folders *folders = calloc(1, sizeof(*folders));
	struct finder finder = catalog_finder(folder);
	struct card *card = NULL;
	char path[PATH_ROOM + 300];
	bool found = false;

	if (!folders)
		return NULL;
	folders_find(folders, folder);
	for (unsigned i = 0; i < folders->count && !found; i++) {
		snprintf(path, sizeof(path), "%s/%s/card.xml", folders->paths[i], name);
		found = access(path, F_OK) == 0;
		if (found)
			card = card_read_file_among(path, &finder, mistakes);
	}
	free(folders);
	for (unsigned i = 0; i < shipped_cards_count && !found; i++) {
		found = !strcmp(shipped_cards[i].name, name);
		if (found)
			card = card_read_text_among(name, shipped_cards[i].text,
						    shipped_cards[i].length, &finder, mistakes);
	}
	return card;
}

static void no_such_card(const char *name, const char *folder, struct mistakes *mistakes)
{
	struct nearest nearest = nearest_of(name, strlen(name));
	struct catalog catalog;

	catalog_list(&catalog, folder);
	for (unsigned i = 0; i < catalog.count; i++)
		nearest_offer(&nearest, catalog.entries[i].name);
	if (nearest.best)
		mistake(mistakes, name, 0, "no such card; did you mean %s?", nearest.best);
	else
		mistake(mistakes, name, 0, "no such card; `anynic list` shows those there are");
	catalog_free(&catalog);
}

/* Or a file of the working folder, which a name in a description cannot be. */
static bool is_path(const char *name)
{
	return strchr(name, '/') || (strchr(name, '.') && access(name, F_OK) == 0);
}

struct card *catalog_find(const char *name, const char *folder, struct mistakes *mistakes)
{
	unsigned before = mistakes->count, vendor, device;
	struct finder finder = catalog_finder(folder);
	struct card *card;

	if (is_path(name))
		return card_read_file_among(name, &finder, mistakes);
	card = identity(name, &vendor, &device) ? find_identity(folder, vendor, device)
						: find_name(name, folder, mistakes);
	if (!card && mistakes->count == before)
		no_such_card(name, folder, mistakes);
	return card;
}
