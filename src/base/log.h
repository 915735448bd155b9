/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* One line each to standard error, "anynic: " in front. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Lines that a guest or peer can cause: at most a burst of 5 a second per call site. */
struct log_limit {
	uint64_t window;
	unsigned count;
};

void log_guest_do(struct log_limit *limit, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_guest(...)                                                                             \
	do {                                                                                       \
		static struct log_limit log_limit_;                                                \
		log_guest_do(&log_limit_, __VA_ARGS__);                                            \
	} while (0)
