/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/catalog.h"

#include "card/nearest.h"
#include "instance/pack.h"
#include "instance/places.h"
#include "module/module.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

static const char LIKE[] = "like=";

/* ---- a card by its name ---- */

static const struct shipped_card *shipped_find(const char *name)
{
	for (unsigned i = 0; i < shipped_cards_count; i++) {
		if (!strcmp(shipped_cards[i].name, name))
			return &shipped_cards[i];
	}
	return NULL;
}

static bool shipped_text(const char *name, struct found_card *found)
{
	const struct shipped_card *shipped = shipped_find(name);

	if (!shipped || !(found->text = malloc(shipped->length + 1)))
		return false;
	snprintf(found->path, sizeof(found->path), "%s", name);
	found->built_in = true;
	found->length = shipped->length;
	memcpy(found->text, shipped->text, shipped->length);
	return true;
}

static bool folder_text(const char *folder, const char *name, struct found_card *found)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%s/%s/card.xml", folder, name);
	if (strlen(path) >= sizeof(found->path) || access(path, R_OK) < 0)
		return false;
	strcpy(found->path, path);
	found->text = card_load(path, &found->length);
	return found->text != NULL;
}

static bool place_text(const struct place *place, const char *name, struct found_card *found)
{
	struct pack *pack;
	bool result;

	if (!place->pack)
		return folder_text(place->path, name, found);
	pack = pack_open(place->path, NULL);
	result = pack && pack_card_text(pack, place->path, name, found);
	pack_close(pack);
	return result;
}

/* For the reader: the text of a card that another one extends. CONTEXT: --cards or NULL. */
static bool find_text(void *context, const char *name, struct found_card *found)
{
	struct places places;
	bool result = false;

	places_find(&places, context);
	for (unsigned i = 0; i < places.count && !result; i++)
		result = place_text(&places.list[i], name, found);
	places_free(&places);
	return result || shipped_text(name, found);
}

static bool shipped_beside(const char *card, const char *name, struct found_card *found)
{
	const struct shipped_card *shipped = shipped_find(card);

	for (unsigned i = 0; shipped && i < shipped->files_count; i++) {
		const struct shipped_file *file = &shipped->files[i];

		if (strcmp(file->name, name) || !(found->text = malloc(file->length + 1)))
			continue;
		snprintf(found->path, sizeof(found->path), "%s/%s", card, name);
		found->built_in = true;
		found->length = file->length;
		memcpy(found->text, file->bytes, file->length + 1);
		return true;
	}
	return false;
}

/* PATH/CARD is where pack_card_text() said that the description is. */
static bool pack_beside(const char *path, const char *name, struct found_card *found)
{
	const char *slash = strrchr(path, '/');
	char file[PATH_ROOM];
	struct pack *pack;
	bool result;

	if (!slash || snprintf(file, sizeof(file), "%.*s", (int)(slash - path), path) < 6 ||
	    strcmp(file + strlen(file) - 5, ".pack") || access(file, R_OK) < 0)
		return false;
	pack = pack_open(file, NULL);
	result = pack && pack_card_file(pack, file, slash + 1, name, found);
	found->foreign = true;
	pack_close(pack);
	return result;
}

/* For the reader: a file beside a description that find_text() found, or a pack's. */
static bool find_beside(void *context, const char *path, const char *name, struct found_card *found)
{
	(void)context;
	return shipped_beside(path, name, found) || pack_beside(path, name, found);
}

void catalog_allow_programs(void)
{
	module_allow_foreign();
}

struct finder catalog_finder(const char *given)
{
	return (struct finder){find_text, find_beside, (char *)given};
}

/* true: this is the place, and CARD or MISTAKES say what is there. */
static bool read_in_folder(const char *folder, const char *name, const char *given,
			   struct card **card, struct mistakes *mistakes)
{
	struct finder finder = catalog_finder(given);
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%s/%s/card.xml", folder, name);
	if (access(path, F_OK) < 0)
		return false;
	*card = card_read_file_among(path, &finder, mistakes);
	return true;
}

/* A pack that was asked for has to be one; others may lie about. */
static bool read_in_pack(const struct place *place, const char *name, const char *given,
			 struct card **card, struct mistakes *mistakes)
{
	struct found_card found = {0};
	struct error err = {0};
	struct pack *pack = pack_open(place->path, &err);

	if (!pack && place->given)
		mistake(mistakes, "anynic", 0, "%s", err.text);
	if (!pack)
		return place->given;
	if (pack_card_text(pack, place->path, name, &found))
		*card = pack_card_read(pack, place->path, name, given, mistakes);
	pack_close(pack);
	free(found.text);
	return found.text != NULL;
}

static struct card *find_name(const char *name, const char *given, struct mistakes *mistakes)
{
	const struct shipped_card *shipped = shipped_find(name);
	struct finder finder = catalog_finder(given);
	struct card *card = NULL;
	struct places places;
	bool found = false;

	places_find(&places, given);
	for (unsigned i = 0; i < places.count && !found; i++) {
		const struct place *place = &places.list[i];

		found = place->pack ? read_in_pack(place, name, given, &card, mistakes)
				    : read_in_folder(place->path, name, given, &card, mistakes);
	}
	places_free(&places);
	if (!found && shipped)
		card = card_read_text_among(name, shipped->text, shipped->length, &finder,
					    mistakes);
	return card;
}

/* ---- a card by its identity, or by whatever names it ---- */

static struct catalog_entry *best_of(struct catalog *catalog, const struct identity *wanted,
				     unsigned *matches)
{
	struct catalog_entry *best = NULL;
	int fits = -1;

	*matches = 0;
	for (unsigned i = 0; i < catalog->count; i++) {
		struct catalog_entry *entry = &catalog->entries[i];
		struct identity own;
		int how;

		if (!entry->card)
			continue;
		own = identity_of_card(entry->card);
		how = identity_fits(wanted, &own);
		*matches += how >= 0;
		if (how > fits) {
			fits = how;
			best = entry;
		}
	}
	return best;
}

/* What was chosen, and why, where there was a choice. */
static void tell_choice(const char *name, const struct identity *wanted,
			const struct catalog_entry *best, unsigned matches)
{
	const char *why = wanted->like ? "the nearest" : "the newest revision";

	if (wanted->like)
		fprintf(stderr, "anynic: %s is %04x:%04x, subsystem %04x:%04x, revision %02x\n",
			name + strlen(LIKE), wanted->vendor, wanted->device,
			wanted->subsystem_vendor, wanted->subsystem, wanted->revision);
	if (matches > 1)
		fprintf(stderr, "anynic: %04x:%04x is %s (%s), %s of %u cards\n", wanted->vendor,
			wanted->device, best->name, best->source, why, matches);
	else if (wanted->like)
		fprintf(stderr, "anynic: %04x:%04x is %s (%s)\n", wanted->vendor, wanted->device,
			best->name, best->source);
}

static struct card *find_identity(const char *name, const char *given,
				  const struct identity *wanted, struct mistakes *mistakes)
{
	struct card *card = NULL;
	struct catalog_entry *best;
	struct catalog catalog;
	unsigned matches;

	catalog_list_like(&catalog, given, wanted);
	best = best_of(&catalog, wanted, &matches);
	if (best) {
		tell_choice(name, wanted, best, matches);
		card = find_name(best->name, given, mistakes); /* and what it is made of */
	} else {
		mistake(mistakes, name, 0,
			"no card has that identity; `anynic list` shows those there are");
	}
	catalog_free(&catalog);
	return card;
}

static void no_such_card(const char *name, const char *given, struct mistakes *mistakes)
{
	struct nearest nearest = nearest_of(name, strlen(name));
	struct catalog catalog;

	catalog_list(&catalog, given);
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

static struct card *find_like(const char *name, const char *given, struct mistakes *mistakes)
{
	struct identity wanted;
	struct error err = {0};

	if (identity_of_slot(name + strlen(LIKE), &wanted, &err) == 0)
		return find_identity(name, given, &wanted, mistakes);
	mistake(mistakes, "anynic", 0, "%s", err.text);
	return NULL;
}

struct card *catalog_find(const char *name, const char *given, struct mistakes *mistakes)
{
	unsigned before = mistakes->count;
	struct finder finder = catalog_finder(given);
	struct identity wanted;
	struct card *card;

	if (!strncmp(name, LIKE, strlen(LIKE)))
		return find_like(name, given, mistakes);
	if (is_path(name))
		return card_read_file_among(name, &finder, mistakes);
	if (identity_parse(name, &wanted))
		return find_identity(name, given, &wanted, mistakes);
	card = find_name(name, given, mistakes);
	if (!card && mistakes->count == before)
		no_such_card(name, given, mistakes);
	return card;
}
