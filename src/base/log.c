/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { LOG_BURST = 5 };

static void log_line(const char *format, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, args);
	fprintf(stderr, "anynic: %s\n", text);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(format, args);
	va_end(args);
}

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(format, args);
	va_end(args);
}

void log_guest_do(struct log_limit *limit, const char *format, ...)
{
	struct timespec now;
	va_list args;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((uint64_t)now.tv_sec != limit->window) {
		limit->window = now.tv_sec;
		limit->count = 0;
	}
	if (limit->count++ >= LOG_BURST)
		return;
	va_start(args, format);
	log_line(format, args);
	va_end(args);
}
