/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "card/reader.h"

#include <stddef.h>

/*
 * The database of cards: a path; else DIR/NAME/card.xml in --cards, in
 * $ANYNIC_CARDS and in the data folders of the user and the system, the first
 * that has it; else a description compiled into the program. VENDOR:DEVICE in
 * hexadecimal finds a card by identity, the newest revision where several match.
 */
struct shipped_card {
	const char *name, *text;
	size_t length;
};

extern const struct shipped_card shipped_cards[];
extern const unsigned shipped_cards_count;

struct catalog_entry {
	char name[64], source[512]; /* source: "built in" or a path */
	struct card *card;	    /* NULL: broken */
	char *wrong;		    /* then its first mistake, "FILE:LINE: error: …" */
};

struct catalog {
	struct catalog_entry *entries;
	unsigned count;
};

/* Every card there is, those that cannot be read too. FOLDER may be NULL. */
void catalog_list(struct catalog *catalog, const char *folder);
void catalog_free(struct catalog *catalog);

/* Finds what a card extends; for card_read_file. FOLDER may be NULL. */
struct finder catalog_finder(const char *folder);

/* The card, or NULL with everything that is wrong in MISTAKES. */
struct card *catalog_find(const char *name, const char *folder, struct mistakes *mistakes);
