/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* Of the names that are offered, the one that was probably meant. */
struct nearest {
	const char *text, *best; /* best: NULL if none is near */
	size_t length;
	unsigned allowed; /* edits */
};

struct nearest nearest_of(const char *text, size_t length);
void nearest_offer(struct nearest *nearest, const char *name); /* name is kept, not copied */
