/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "card/draft.h"

/* compile_walks.c: before the slots are known, and after */
void read_geometry(struct draft *draft, const struct node *node, struct ring *ring);
void read_walk(struct draft *draft, const struct node *node, struct ring *ring);

/* compile_uses.c, for compile_rings.c */
void read_uses(struct draft *draft, const struct node *node, struct ring *ring,
	       const struct layout **layouts);
void read_completes(struct draft *draft, const struct node *node, const struct ring *ring,
		    const struct complete **completes, uint8_t *count);
const struct layout *layout_read(struct draft *draft, const struct node *node,
				 const char *attribute);

/* compile_streams.c */
void read_stream(struct draft *draft, const struct node *node, struct ring *ring,
		 const struct layout **header);
