/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "nic/card.h"

#include <stdio.h>

/* Mistakes of a description, all of them, in the order they stand in the file. */
struct mistakes {
	struct error *list;
	unsigned count, room;
};

void mistake(struct mistakes *mistakes, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void mistakes_print(const struct mistakes *mistakes, FILE *out); /* FILE:LINE: error: ... */
void mistakes_free(struct mistakes *mistakes);

/* Reads, checks and freezes a description (and what it extends). NULL: see mistakes. */
struct card *card_read_file(const char *path, struct mistakes *mistakes);
struct card *card_read_text(const char *name, const char *text, size_t length,
			    struct mistakes *mistakes);
void card_free(struct card *card);
