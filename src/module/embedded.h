/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* What modules in C are compiled with, by the names they include it by; tools/embed.py. */
struct embedded {
	const char *name;
	const char *bytes;
	size_t length;
};

extern const struct embedded embedded_files[];
extern const unsigned embedded_files_count;
