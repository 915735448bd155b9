/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A first look at the text, before libxml2 sees it: one pass, no memory but the
 * lines of start tags. It refuses what would make a parser slow or large, and
 * tells mistakes of nesting in words of its own.
 */
#include "card/draft.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
	DEPTH_MAX = 16,
	TAGS_MAX = 16384,
	ATTRIBUTES_MAX = 40,
	VALUE_BYTES_MAX = 4096,
	NAME_BYTES_MAX = 64,
};

struct open_tag {
	const char *name;
	size_t length;
	unsigned line;
};

struct scanner {
	struct draft *draft;
	const char *file, *at, *end;
	unsigned line, depth;
	struct open_tag open[DEPTH_MAX];
	struct scan *scan;
};

__attribute__((format(printf, 3, 4))) static bool refuse(const struct scanner *scanner,
							 unsigned line, const char *format, ...)
{
	char text[300];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	mistake(scanner->draft->mistakes, scanner->file, line, "%s", text);
	return false;
}

static bool starts(const struct scanner *scanner, const char *token)
{
	size_t length = strlen(token);

	return (size_t)(scanner->end - scanner->at) >= length &&
	       !memcmp(scanner->at, token, length);
}

static void step(struct scanner *scanner)
{
	scanner->line += *scanner->at++ == '\n';
}

/* To behind TOKEN, which must come. */
static bool past(struct scanner *scanner, const char *token, const char *what)
{
	unsigned begin = scanner->line;

	while (scanner->at < scanner->end) {
		if (starts(scanner, token)) {
			scanner->at += strlen(token);
			return true;
		}
		step(scanner);
	}
	return refuse(scanner, begin, "%s begins here and does not end", what);
}

static size_t name_span(const struct scanner *scanner)
{
	size_t length = 0;

	while (scanner->at + length < scanner->end && length <= NAME_BYTES_MAX &&
	       !isspace((unsigned char)scanner->at[length]) &&
	       !strchr("<>/=\"'", scanner->at[length]))
		length++;
	return length;
}

static bool value_end(struct scanner *scanner, unsigned begin)
{
	const char *from = scanner->at;
	char quote = *scanner->at++;

	while (scanner->at < scanner->end && *scanner->at != quote) {
		if (*scanner->at == '<')
			return refuse(scanner, scanner->line,
				      "< inside a value is written &lt; (or a quote is missing)");
		if (scanner->at - from > VALUE_BYTES_MAX)
			return refuse(scanner, begin, "a value is longer than %d bytes",
				      VALUE_BYTES_MAX);
		step(scanner);
	}
	if (scanner->at == scanner->end)
		return refuse(scanner, begin, "a tag begins here and does not end");
	scanner->at++;
	return true;
}

/* The rest of a start tag; *EMPTY: it has no end tag. */
static bool tag_end(struct scanner *scanner, unsigned begin, bool *empty)
{
	unsigned values = 0;

	*empty = false;
	while (scanner->at < scanner->end && *scanner->at != '>') {
		if (*scanner->at == '<')
			return refuse(scanner, begin, "a tag begins here and does not end");
		if (*scanner->at == '"' || *scanner->at == '\'') {
			if (++values > ATTRIBUTES_MAX)
				return refuse(scanner, begin, "more than %d attributes",
					      ATTRIBUTES_MAX);
			if (!value_end(scanner, begin))
				return false;
			*empty = false;
			continue;
		}
		*empty = *scanner->at == '/';
		step(scanner);
	}
	if (scanner->at == scanner->end)
		return refuse(scanner, begin, "a tag begins here and does not end");
	scanner->at++;
	return true;
}

static bool start_tag(struct scanner *scanner)
{
	unsigned begin = scanner->line;
	struct open_tag tag = {scanner->at, name_span(scanner), begin};
	bool empty;

	if (!tag.length || tag.length > NAME_BYTES_MAX)
		return refuse(scanner, begin, "< is not followed by the name of an element");
	if (scanner->scan->count == TAGS_MAX)
		return refuse(scanner, begin, "more than %d elements", TAGS_MAX);
	scanner->scan->lines[scanner->scan->count++] = begin;
	scanner->at += tag.length;
	if (!tag_end(scanner, begin, &empty))
		return false;
	if (scanner->depth == DEPTH_MAX)
		return refuse(scanner, begin, "elements nest deeper than %d", DEPTH_MAX);
	if (!empty)
		scanner->open[scanner->depth++] = tag;
	return true;
}

static bool end_tag(struct scanner *scanner)
{
	size_t length = name_span(scanner);
	const struct open_tag *open;

	if (!scanner->depth)
		return refuse(scanner, scanner->line, "</%.*s> ends nothing", (int)length,
			      scanner->at);
	open = &scanner->open[--scanner->depth];
	if (open->length != length || memcmp(open->name, scanner->at, length))
		return refuse(scanner, scanner->line, "</%.*s> where <%.*s> of line %u is open",
			      (int)length, scanner->at, (int)open->length, open->name, open->line);
	return past(scanner, ">", "a tag");
}

static bool declaration(struct scanner *scanner)
{
	const char *from = scanner->at, *encoding;
	unsigned line = scanner->line;

	if (!past(scanner, "?>", "<?"))
		return false;
	encoding = memmem(from, (size_t)(scanner->at - from), "encoding=", 9);
	if (strncmp(from, "xml ", 4) || !encoding || !strncasecmp(encoding + 10, "utf-8", 5))
		return true;
	return refuse(scanner, line, "a description is written in UTF-8");
}

static bool markup(struct scanner *scanner)
{
	scanner->at++;
	if (starts(scanner, "!--")) {
		if (++scanner->scan->comments > TAGS_MAX)
			return refuse(scanner, scanner->line, "more than %d comments", TAGS_MAX);
		scanner->at += 3;
		return past(scanner, "-->", "a comment");
	}
	if (starts(scanner, "?")) {
		scanner->at++;
		scanner->scan->comments++;
		return declaration(scanner);
	}
	if (starts(scanner, "![CDATA["))
		return refuse(scanner, scanner->line, "text between elements has no meaning here");
	if (starts(scanner, "!"))
		return refuse(scanner, scanner->line,
			      "a description has no document type and no entities");
	if (!starts(scanner, "/"))
		return start_tag(scanner);
	scanner->at++;
	return end_tag(scanner);
}

static bool walk(struct scanner *scanner)
{
	bool spoken = false; /* once between two tags is enough */

	while (scanner->at < scanner->end) {
		if (*scanner->at == '<') {
			spoken = false;
			if (!markup(scanner))
				return false;
			continue;
		}
		if (!spoken && scanner->depth && !isspace((unsigned char)*scanner->at)) {
			refuse(scanner, scanner->line, "text between elements has no meaning here");
			spoken = true;
		}
		step(scanner);
	}
	if (!scanner->depth)
		return true;
	return refuse(scanner, scanner->open[scanner->depth - 1].line, "<%.*s> is not closed",
		      (int)scanner->open[scanner->depth - 1].length,
		      scanner->open[scanner->depth - 1].name);
}

bool scan_text(struct draft *draft, const char *file, const char *text, size_t length,
	       struct scan *scan)
{
	struct scanner scanner = {
		.draft = draft,
		.file = file,
		.at = text,
		.end = text + length,
		.line = 1,
		.scan = scan,
	};

	*scan = (struct scan){.lines = draft_take(draft, uint32_t, TAGS_MAX)};
	if (memchr(text, 0, length))
		return refuse(&scanner, 1, "a description is written in UTF-8");
	return walk(&scanner);
}
