/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "nic/card.h"

#include <stdio.h>

/*
 * Mistakes of a description, all of them, in the order they stand in the file;
 * and the files that were read for it, right or wrong.
 */
struct mistakes {
	struct error *list;
	unsigned count, room;
	char **files;
	unsigned files_count;
};

void mistake(struct mistakes *mistakes, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void mistakes_file(struct mistakes *mistakes, const char *path);
void mistakes_sort(struct mistakes *mistakes, unsigned from);
void mistakes_print(const struct mistakes *mistakes, FILE *out);      /* FILE:LINE: error: ... */
char *mistakes_line(const struct mistakes *mistakes, unsigned index); /* for free(); or NULL */
void mistakes_free(struct mistakes *mistakes);

/*
 * Where a description that another one extends comes from, or a file beside one;
 * TEXT is freed by the reader.
 */
struct found_card {
	char path[512];
	bool built_in;
	bool foreign; /* it may come from anywhere */
	char *text;
	size_t length;
};

struct finder {
	bool (*find)(void *context, const char *name, struct found_card *found);
	/* A file beside the description that was found at PATH; NULL: of the file system only. */
	bool (*beside)(void *context, const char *path, const char *name, struct found_card *found);
	void *context;
};

/*
 * Reads, checks and freezes a description and what it extends. NULL: see mistakes.
 * Those that lie among others have a FINDER, asked for what does not lie beside them.
 */
struct card *card_read_file(const char *path, struct mistakes *mistakes);
struct card *card_read_text(const char *name, const char *text, size_t length,
			    struct mistakes *mistakes);
struct card *card_read_file_among(const char *path, const struct finder *finder,
				  struct mistakes *mistakes);
struct card *card_read_text_among(const char *name, const char *text, size_t length,
				  const struct finder *finder, struct mistakes *mistakes);
void card_free(struct card *card);
/* The title that a text gives, whatever else is wrong with it: for free(), or NULL. */
char *card_text_title(const char *text, size_t length);

/* All of a file, at most what a description may have and a byte more; NULL and errno. */
char *card_load(const char *path, size_t *length);
