/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static void error_fill(struct error *err, int code, const char *file, unsigned line,
		       const char *format, va_list args)
{
	if (!err)
		return;
	err->code = code;
	err->line = line;
	snprintf(err->file, sizeof(err->file), "%s", file);
	vsnprintf(err->text, sizeof(err->text), format, args);
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_fill(err, code, "", 0, format, args);
	va_end(args);
	return code;
}

int error_at(struct error *err, int code, const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_fill(err, code, file, line, format, args);
	va_end(args);
	return code;
}
