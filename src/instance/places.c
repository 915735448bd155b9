/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/places.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PLACES_MAX = 256 };

static void place_add(struct places *places, char *path, bool pack, bool given)
{
	struct place *grown = NULL;

	if (path && places->count < PLACES_MAX)
		grown = realloc(places->list, (places->count + 1) * sizeof(*grown));
	if (!grown) {
		free(path);
		return;
	}
	places->list = grown;
	grown[places->count++] = (struct place){path, pack, given};
}

static int is_pack(const struct dirent *entry)
{
	return fnmatch("*.pack", entry->d_name, FNM_PERIOD) == 0;
}

static void packs_add(struct places *places, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_pack, alphasort);

	for (int i = 0; i < count; i++) {
		char *path;

		if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) >= 0)
			place_add(places, path, true, false);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void folder_add(struct places *places, const char *path, size_t length, const char *tail)
{
	char *folder;

	if (!length || asprintf(&folder, "%.*s%s", (int)length, path, tail) < 0)
		return;
	place_add(places, strdup(folder), false, false);
	packs_add(places, folder);
	free(folder);
}

static void list_add(struct places *places, const char *list, const char *tail)
{
	while (list && *list) {
		size_t length = strcspn(list, ":");

		folder_add(places, list, length, tail);
		list += length + (list[length] == ':');
	}
}

static void given_add(struct places *places, const char *given)
{
	struct stat found;

	if (stat(given, &found) == 0 && !S_ISDIR(found.st_mode))
		place_add(places, strdup(given), true, true);
	else
		folder_add(places, given, strlen(given), "");
}

void places_find(struct places *places, const char *given)
{
	const char *home = getenv("HOME"), *user = getenv("XDG_DATA_HOME");

	*places = (struct places){0};
	if (given)
		given_add(places, given);
	list_add(places, getenv("ANYNIC_CARDS"), "");
	if (user && *user)
		folder_add(places, user, strlen(user), "/anynic/cards");
	else if (home)
		folder_add(places, home, strlen(home), "/.local/share/anynic/cards");
	list_add(places, getenv("XDG_DATA_DIRS") ?: "/usr/local/share:/usr/share", "/anynic/cards");
}

void places_free(struct places *places)
{
	for (unsigned i = 0; i < places->count; i++)
		free(places->list[i].path);
	free(places->list);
	*places = (struct places){0};
}
