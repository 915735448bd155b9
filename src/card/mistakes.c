/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

#include <errno.h>
#include <stdlib.h>

enum { MISTAKES_MAX = 1000 };

void mistake(struct mistakes *mistakes, const char *file, unsigned line, const char *format, ...)
{
	char text[400];
	va_list args;

	if (mistakes->count == mistakes->room) {
		unsigned room = mistakes->room ? mistakes->room * 2 : 16;
		struct error *grown;

		if (room > MISTAKES_MAX)
			return;
		grown = realloc(mistakes->list, room * sizeof(*grown));
		if (!grown)
			return;
		mistakes->list = grown;
		mistakes->room = room;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_at(&mistakes->list[mistakes->count++], -EINVAL, file, line, "%s", text);
}

void mistakes_print(const struct mistakes *mistakes, FILE *out)
{
	for (unsigned i = 0; i < mistakes->count; i++) {
		const struct error *at = &mistakes->list[i];

		if (at->line)
			fprintf(out, "%s:%u: error: %s\n", at->file, at->line, at->text);
		else
			fprintf(out, "%s: error: %s\n", at->file, at->text);
	}
}

void mistakes_free(struct mistakes *mistakes)
{
	free(mistakes->list);
	*mistakes = (struct mistakes){0};
}
