/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "card/reader.h"
#include "instance/identity.h"

#include <stddef.h>

/*
 * The catalogue of cards: everything of places.h, then the descriptions that are
 * compiled into the program. docs/catalogue.md says which one counts.
 */
struct shipped_file {
	const char *name, *bytes;
	size_t length;
};

struct shipped_card {
	const char *name, *text;
	size_t length;
	const struct shipped_file *files; /* that lie beside it */
	unsigned files_count;
};

extern const struct shipped_card shipped_cards[];
extern const unsigned shipped_cards_count;

struct catalog_entry {
	char name[64], source[512]; /* source: "built in", a path, or that of a pack */
	struct card *card;	    /* NULL: broken */
	char *wrong;		    /* then its first mistake, "FILE:LINE: error: …" */
	char *hides;		    /* sources of the same name that do not count, a line each */
};

struct catalog {
	struct catalog_entry *entries;
	unsigned count;
};

/* Every card there is, those that cannot be read too. GIVEN: --cards, or NULL. */
void catalog_list(struct catalog *catalog, const char *given);
/* The same without reading what packs say to be of another vendor or device. */
void catalog_list_like(struct catalog *catalog, const char *given, const struct identity *wanted);
void catalog_free(struct catalog *catalog);

/* Modules in packs may be programs, which may do anything. */
void catalog_allow_programs(void);

/* Finds what a card extends; for card_read_file. GIVEN may be NULL. */
struct finder catalog_finder(const char *given);

/*
 * NAME: of a card; VENDOR:DEVICE[:SUBSYSTEM-VENDOR:SUBSYSTEM]; like=0000:03:00.0,
 * a PCI device of the host; or a path. NULL: MISTAKES has all that is wrong.
 */
struct card *catalog_find(const char *name, const char *given, struct mistakes *mistakes);

/* ---- one place of the catalogue; pack_cards.c ---- */

struct pack;

/* Of a card in a pack; what it extends may be there too. */
struct card *pack_card_read(struct pack *pack, const char *path, const char *name,
			    const char *given, struct mistakes *mistakes);
/* The text of NAME; false: it is not there. */
bool pack_card_text(struct pack *pack, const char *path, const char *name,
		    struct found_card *found);
/* A file beside it. */
bool pack_card_file(struct pack *pack, const char *path, const char *card, const char *name,
		    struct found_card *found);
