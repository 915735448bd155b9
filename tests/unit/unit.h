/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A test is a function; it passes by returning. A file of tests ends in a table
 * of them, and unit.c has the table of files.
 */
struct unit_test {
	const char *name;
	void (*run)(void);
};

struct unit_file {
	const char *name;
	const struct unit_test *tests;
	unsigned count;
};

#define UNIT_FILE(file, ...)                                                                       \
	static const struct unit_test file##_tests[] = {__VA_ARGS__};                              \
	const struct unit_file unit_##file = {#file, file##_tests,                                 \
					      sizeof(file##_tests) / sizeof(*file##_tests)}

/* Both end the test when they fail. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			unit_failed(__FILE__, __LINE__, "%s", #condition);                         \
	} while (0)

#define CHECK_EQUAL(got, expected)                                                                 \
	do {                                                                                       \
		uint64_t got_ = (uint64_t)(got), expected_ = (uint64_t)(expected);                 \
		if (got_ != expected_)                                                             \
			unit_failed(__FILE__, __LINE__, "%s is %#lx, expected %#lx", #got,         \
				    (unsigned long)got_, (unsigned long)expected_);                \
	} while (0)

void unit_failed(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* Repeatable noise. */
uint32_t unit_random(void);
void unit_fill(void *data, size_t length, uint32_t seed);

/* Folder of the source tree. */
extern const char *unit_root;
