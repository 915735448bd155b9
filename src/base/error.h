/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Set-up errors: a negative errno, the text for the user, and where the
 * mistake stands when it is in a file (line 0: not in a file).
 */
struct error {
	int code;
	unsigned line;
	char file[256];
	char text[512];
};

/* Both return CODE, so that "return error_set(...)" reads well. ERR may be NULL. */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int error_at(struct error *err, int code, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
