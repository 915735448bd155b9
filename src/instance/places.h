/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Where descriptions are looked for, in this order; the first place that has a
 * name is the one that counts:
 *   --cards, each of $ANYNIC_CARDS, the user's data folder, the system's;
 *   of a folder first DIR/NAME/card.xml, then what its packs hold, by their names;
 *   last what is built into the program, which is no place here.
 */
struct places {
	struct place {
		char *path;
		bool pack;  /* else a folder of folders */
		bool given; /* by --cards */
	} * list;
	unsigned count;
};

void places_find(struct places *places, const char *given);
void places_free(struct places *places);
