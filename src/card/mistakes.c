/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MISTAKES_MAX = 1024 };

static struct error *slot_take(struct mistakes *mistakes)
{
	if (mistakes->count == mistakes->room) {
		unsigned room = mistakes->room ? mistakes->room * 2 : 16;
		struct error *grown;

		if (room > MISTAKES_MAX)
			return NULL;
		grown = realloc(mistakes->list, room * sizeof(*grown));
		if (!grown)
			return NULL;
		mistakes->list = grown;
		mistakes->room = room;
	}
	return &mistakes->list[mistakes->count++];
}

void mistake(struct mistakes *mistakes, const char *file, unsigned line, const char *format, ...)
{
	struct error *error = slot_take(mistakes);
	char text[400];
	va_list args;

	if (!error)
		return;
	if (mistakes->count == MISTAKES_MAX) {
		error_at(error, -EINVAL, file, UINT32_MAX, "and more, which is not shown");
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_at(error, -EINVAL, file, line, "%s", text);
}

/* By line, as found where the line is the same; a base's mistakes come before. */
static int by_place(const void *a, const void *b)
{
	const struct error *left = a, *right = b;
	int file = strcmp(left->file, right->file);

	if (file)
		return file;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return strcmp(left->text, right->text);
}

void mistakes_sort(struct mistakes *mistakes, unsigned from)
{
	unsigned kept = from;

	if (mistakes->count == from)
		return;
	qsort(mistakes->list + from, mistakes->count - from, sizeof(*mistakes->list), by_place);
	for (unsigned i = from; i < mistakes->count; i++) {
		if (i > from && !by_place(&mistakes->list[kept - 1], &mistakes->list[i]))
			continue; /* two readers of one text said the same */
		mistakes->list[kept++] = mistakes->list[i];
	}
	mistakes->count = kept;
}

static void print_one(const struct error *at, FILE *out)
{
	if (at->line && at->line != UINT32_MAX)
		fprintf(out, "%s:%u: error: %s\n", at->file, at->line, at->text);
	else
		fprintf(out, "%s: error: %s\n", at->file, at->text);
}

void mistakes_print(const struct mistakes *mistakes, FILE *out)
{
	for (unsigned i = 0; i < mistakes->count; i++)
		print_one(&mistakes->list[i], out);
}

char *mistakes_line(const struct mistakes *mistakes, unsigned index)
{
	char *text = NULL;
	size_t length;
	FILE *out = index < mistakes->count ? open_memstream(&text, &length) : NULL;

	if (!out)
		return NULL;
	print_one(&mistakes->list[index], out);
	fclose(out);
	text[strcspn(text, "\n")] = 0;
	return text;
}

/* The list is short: a description, what it extends, code. */
void mistakes_file(struct mistakes *mistakes, const char *path)
{
	char **grown, *copy = strdup(path);

	for (unsigned i = 0; copy && i < mistakes->files_count; i++) {
		if (!strcmp(mistakes->files[i], path)) {
			free(copy);
			return;
		}
	}
	grown = reallocarray(mistakes->files, mistakes->files_count + 1, sizeof(*grown));
	if (grown)
		mistakes->files = grown;
	if (grown && copy)
		grown[mistakes->files_count++] = copy;
	else
		free(copy);
}

void mistakes_free(struct mistakes *mistakes)
{
	for (unsigned i = 0; i < mistakes->files_count; i++)
		free(mistakes->files[i]);
	free(mistakes->files);
	free(mistakes->list);
	*mistakes = (struct mistakes){0};
}
