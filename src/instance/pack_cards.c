/* SPDX-License-Identifier: Apache-2.0 */

/* Cards of packs, as the reader and the catalogue want them. */
#include "instance/catalog.h"
#include "instance/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct beside { /* looks in the pack before it looks elsewhere */
	struct pack *pack;
	const char *path;
	struct finder others;
};

bool pack_card_text(struct pack *pack, const char *path, const char *name, struct found_card *found)
{
	struct error err = {0};

	found->text = pack_file(pack, name, "card.xml", &found->length, &err);
	if (!found->text)
		return false;
	snprintf(found->path, sizeof(found->path), "%s/%s", path, name);
	found->built_in = true; /* nothing lies beside it in a folder */
	return true;
}

bool pack_card_file(struct pack *pack, const char *path, const char *card, const char *name,
		    struct found_card *found)
{
	struct error err = {0};

	found->text = pack_file(pack, card, name, &found->length, &err);
	if (!found->text)
		return false;
	snprintf(found->path, sizeof(found->path), "%s/%s/%s", path, card, name);
	found->built_in = true;
	return true;
}

static bool find_text(void *context, const char *name, struct found_card *found)
{
	const struct beside *beside = context;

	return pack_card_text(beside->pack, beside->path, name, found) ||
	       beside->others.find(beside->others.context, name, found);
}

static bool find_file(void *context, const char *path, const char *name, struct found_card *found)
{
	const struct beside *beside = context;

	return beside->others.beside(beside->others.context, path, name, found);
}

struct card *pack_card_read(struct pack *pack, const char *path, const char *name,
			    const char *given, struct mistakes *mistakes)
{
	struct beside beside = {pack, path, catalog_finder(given)};
	const struct finder finder = {find_text, find_file, &beside};
	char place[512 + PACK_NAME];
	struct error err = {0};
	struct card *card;
	size_t length;
	char *text = pack_file(pack, name, "card.xml", &length, &err);

	snprintf(place, sizeof(place), "%s/%s", path, name);
	mistakes_file(mistakes, path);
	if (!text) {
		mistake(mistakes, place, 0, "%s", *err.text ? err.text : "no description");
		return NULL;
	}
	card = card_read_text_among(place, text, length, &finder, mistakes);
	free(text);
	return card;
}
