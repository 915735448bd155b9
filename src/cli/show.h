/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "card/node.h"
#include "card/reader.h"

#include <stdio.h>

/* What both forms of `anynic show` say in the same words. */
extern const char *const show_classes[]; /* by enum accept_class */

/* The access word of some bits of a register; the first that fits says it. */
const char *show_access(const struct reg *reg, uint64_t mask);
uint64_t show_mask(const struct field *field);
const char *show_direction(const struct ring *ring);

/* What was written of a register of a bank, or NULL; of one of its fields. */
const struct node *show_register_node(const struct card *card, const char *bank, const char *name);
const struct node *show_field_node(const struct node *reg, const char *name);

/* The register that holds the causes of an interrupt; NULL: none. */
const struct reg *show_causes(const struct card *card, const struct interrupt *interrupt);

/* Not told elsewhere: neither identity nor BARs nor registers. */
bool show_is_part(const struct node *node);

/* A value on one line, whatever it is in the file; attributes but those in EXCEPT. */
void show_text(const char *text);
void show_attributes(const struct node *node, const char *const *except);
void show_node(const struct node *node, unsigned indent);

/* show_record.c: a table of bits, 32 in a row */
void show_record(const struct node *record);
/* show_parts.c: rings, filter, interrupts and all else, in the words of the description */
void show_parts(const struct card *card);
void show_json(const struct card *card, FILE *out);
