/* SPDX-License-Identifier: Apache-2.0 */
#include "qtest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { LINE = 200 };

static void answered(struct qtest *qtest, const char *line)
{
	qtest->asked--;
	qtest->broken |= strncmp(line, "OK", 2) != 0;
	sscanf(line, "OK %x", &qtest->answer);
}

static void exchange(struct qtest *qtest)
{
	char answer[4096], line[LINE];
	size_t held = 0;

	if (send(qtest->fd, qtest->lines, qtest->length, MSG_NOSIGNAL) < 0)
		qtest->broken = true;
	qtest->length = 0;
	while (qtest->asked && !qtest->broken) {
		ssize_t got = recv(qtest->fd, answer, sizeof(answer), 0);

		qtest->broken = got <= 0;
		for (ssize_t i = 0; i < got; i++) {
			if (answer[i] != '\n') {
				line[held] = answer[i];
				held += held < sizeof(line) - 1;
				continue;
			}
			line[held] = '\0';
			held = 0;
			answered(qtest, line);
		}
	}
}

__attribute__((format(printf, 2, 0))) static void add(struct qtest *qtest, const char *format,
						      va_list list)
{
	if (qtest->length > QTEST_LINES - LINE)
		exchange(qtest);
	qtest->length += (size_t)vsnprintf(qtest->lines + qtest->length, LINE, format, list);
	qtest->asked++;
}

__attribute__((format(printf, 2, 3))) static void line(struct qtest *qtest, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	add(qtest, format, list);
	va_end(list);
}

/* QEMU takes a longer write apart again: as many writes of registers, and fewer lines. */
static void words_flush(struct qtest *qtest)
{
	char text[QTEST_WORDS * 8 + 1] = "";

	for (unsigned i = 0; i < qtest->count; i++)
		sprintf(text + i * 8, "%08x", __builtin_bswap32(qtest->words[i]));
	if (qtest->count)
		line(qtest, "write 0x%llx 0x%x 0x%s\n", (unsigned long long)qtest->at,
		     qtest->count * 4, text);
	qtest->count = 0;
}

void qtest_ask(struct qtest *qtest, const char *format, ...)
{
	va_list list;

	words_flush(qtest);
	va_start(list, format);
	add(qtest, format, list);
	va_end(list);
}

bool qtest_tell(struct qtest *qtest)
{
	words_flush(qtest);
	exchange(qtest);
	return !qtest->broken;
}

static char letter(unsigned width)
{
	return width == 1 ? 'b' : width == 2 ? 'w' : 'l';
}

void qtest_write(struct qtest *qtest, bool io, uint64_t at, unsigned width, uint32_t value)
{
	if (io || width != 4) {
		qtest_ask(qtest, "%s%c 0x%llx 0x%x\n", io ? "out" : "write", letter(width),
			  (unsigned long long)at, value);
		return;
	}
	if (qtest->count == QTEST_WORDS || at != qtest->at + qtest->count * 4ull)
		words_flush(qtest);
	if (!qtest->count)
		qtest->at = at;
	qtest->words[qtest->count++] = value;
}

uint32_t qtest_read(struct qtest *qtest, bool io, uint64_t at, unsigned width)
{
	qtest_ask(qtest, "%s%c 0x%llx\n", io ? "in" : "read", letter(width),
		  (unsigned long long)at);
	qtest_tell(qtest);
	return qtest->answer;
}
