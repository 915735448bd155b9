/* SPDX-License-Identifier: Apache-2.0 */

/*
 * unit ROOT [WORD...]: runs the tests whose file.name holds one of the words;
 * a line each, "ok NAME" or "FAILED NAME file:line: why".
 */
#include "unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define UNIT(name) extern const struct unit_file unit_##name;
#include "files.h"
#undef UNIT

static const struct unit_file *const files[] = {
#define UNIT(name) &unit_##name,
#include "files.h"
#undef UNIT
};

const char *unit_root;
static jmp_buf end;
static char name[128];
static uint32_t noise;

void unit_failed(const char *file, int line, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	printf("FAILED %s %s:%d: ", name, file, line);
	vprintf(format, list);
	printf("\n");
	fflush(stdout);
	va_end(list);
	longjmp(end, 1);
}

uint32_t unit_random(void)
{
	noise ^= noise << 13;
	noise ^= noise >> 17;
	noise ^= noise << 5;
	return noise;
}

void unit_fill(void *data, size_t length, uint32_t seed)
{
	for (size_t i = 0; i < length; i++)
		((uint8_t *)data)[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
}

static bool wanted(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		if (strstr(name, argv[i]))
			return true;
	}
	return argc <= 2;
}

static bool run(const struct unit_test *test)
{
	if (setjmp(end))
		return false;
	noise = 0x2545f491;
	test->run();
	printf("ok %s\n", name);
	fflush(stdout);
	return true;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;

	if (argc < 2)
		return 2;
	unit_root = argv[1];
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		for (unsigned k = 0; k < files[i]->count; k++) {
			snprintf(name, sizeof(name), "%s.%s", files[i]->name,
				 files[i]->tests[k].name);
			if (!wanted(argc, argv))
				continue;
			if (run(&files[i]->tests[k]))
				passed++;
			else
				failed++;
		}
	}
	printf("%u ok, %u failed\n", passed, failed);
	return failed || !passed;
}
