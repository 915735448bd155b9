/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The client's end of QEMU's qtest protocol: a line asks, a line answers. */
enum { QTEST_LINES = 16 << 10, QTEST_WORDS = 8 };

struct qtest {
	int fd;
	char lines[QTEST_LINES];
	size_t length;
	unsigned asked;
	bool broken;	 /* for good: gone, or it answered what is none */
	uint32_t answer; /* the last one */
	uint64_t at;	 /* double words side by side, of which one line is made */
	uint32_t words[QTEST_WORDS];
	unsigned count;
};

__attribute__((format(printf, 2, 3))) void qtest_ask(struct qtest *qtest, const char *format, ...);
/* Sends what was asked and waits until each line is answered. */
bool qtest_tell(struct qtest *qtest);
/* IO: port space; else memory. */
void qtest_write(struct qtest *qtest, bool io, uint64_t at, unsigned width, uint32_t value);
uint32_t qtest_read(struct qtest *qtest, bool io, uint64_t at, unsigned width);
