/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "instance/identity.h"

#include <stddef.h>

/*
 * A pack: cards with the files of their folders in one file, an SQLite database
 *
 *   card: name, vendor, device, subsystem_vendor, subsystem, revision
 *   file: card, name, data          "card.xml" is the description
 *
 * with an index over the identity. A pack may come from anywhere. It is read into
 * memory and opened there, so that nothing is written and no other file is looked
 * for; one whose tables are not exactly these is refused. What its table says of a
 * card is a hint: what counts is the description.
 */
struct pack;

enum {
	PACK_BYTES = 64 << 20,
	PACK_FILE_BYTES = 4 << 20,
	PACK_CARDS = 1024,
	PACK_NAME = 64,
};

struct pack_card {
	char name[PACK_NAME];
	struct identity identity;
	unsigned files;
	uint64_t bytes;
};

struct pack *pack_open(const char *path, struct error *err);
void pack_close(struct pack *pack);

/* All cards by their names. */
int pack_cards(struct pack *pack, struct pack_card **cards, unsigned *count, struct error *err);
/* For free(), with a zero behind it; NULL: it is not there, or ERR says what is wrong. */
char *pack_file(struct pack *pack, const char *card, const char *name, size_t *length,
		struct error *err);

bool pack_name_right(const char *name); /* of a card */

/* pack_write.c */
struct pack_draft;

struct pack_draft *pack_create(const char *path, struct error *err);
int pack_put_card(struct pack_draft *draft, const char *name, const struct identity *identity,
		  struct error *err);
int pack_put_file(struct pack_draft *draft, const char *card, const char *name, const void *data,
		  size_t length, struct error *err);
/* Puts it in its place, whole; or leaves nothing. */
int pack_finish(struct pack_draft *draft, struct error *err);
void pack_abandon(struct pack_draft *draft);

enum { PACK_APPLICATION = 0x416e7943, PACK_VERSION = 1 }; /* "AnyC" */

extern const char *const pack_tables[3];
