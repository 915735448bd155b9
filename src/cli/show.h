/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "card/reader.h"

#include <stdio.h>

/* What both forms of `anynic show` say in the same words. */
extern const char *const show_classes[]; /* by enum accept_class */

/* The access word of some bits of a register; the first that fits says it. */
const char *show_access(const struct reg *reg, uint64_t mask);
uint64_t show_mask(const struct field *field);

void show_json(const struct card *card, FILE *out);
