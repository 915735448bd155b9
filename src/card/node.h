/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * A description as it was written, what it extends laid under it. The reader
 * builds the card from it; it stays with the card for people to look at.
 */
struct attribute {
	const char *name, *value;
	int choice; /* index, where the value is one of several */
};

struct node {
	const char *word, *file;
	unsigned line;
	bool inherited; /* from the card this one extends */
	bool checked;	/* words and values are */
	bool broken;	/* something in its own tag was wrong and has been reported */
	struct attribute *attributes;
	unsigned attributes_count;
	struct node *child, *next;
};

const char *node_get(const struct node *node, const char *name); /* NULL: absent */

/* The first of these siblings that is a <name>. */
const struct node *node_first(const struct node *node, const char *name);

/* Of the same words, attributes and children, wherever they were written. */
bool node_same(const struct node *a, const struct node *b);

#define for_each_node(at, parent, name)                                                            \
	for (const struct node *at = node_first((parent)->child, name); at;                        \
	     at = node_first(at->next, name))

/* "7:0" or "7" */
bool text_bits(const char *text, unsigned *low, unsigned *high);
