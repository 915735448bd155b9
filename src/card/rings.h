/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "card/draft.h"

/* compile_walks.c: before the slots are known, and after */
void read_geometry(struct draft *draft, const struct node *node, struct ring *ring);
void read_walk(struct draft *draft, const struct node *node, struct ring *ring);

/* compile_uses.c, for compile_rings.c */
void read_uses(struct draft *draft, const struct node *node, struct ring *ring,
	       const struct layout **layouts);
void read_completes(struct draft *draft, const struct node *node, struct ring *ring,
		    const struct complete **completes, uint8_t *count);
const struct layout *layout_read(struct draft *draft, const struct node *node,
				 const char *attribute);

/* compile_completions.c */
void read_completion(struct draft *draft, const struct node *node, struct ring *ring);
const struct produced *produced_read(struct draft *draft, const struct node *node);

/* compile_walks.c: ready="until EXPR free-running", of a ring that is written */
void read_free_running(struct draft *draft, const struct node *node, struct ring *ring);

/* compile_streams.c */
void read_stream(struct draft *draft, const struct node *node, struct ring *ring,
		 const struct layout **header);
