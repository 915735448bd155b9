/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A RELAX NG schema from the table, for editors. A card that extends another says
 * less, so there are two grammars of the words that are merged.
 */
#include "card/words.h"

#include <string.h>

static void text_out(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else
			putc(*text, out);
	}
}

static void pattern(FILE *out, const char *expression)
{
	fprintf(out, "<data type=\"string\"><param name=\"pattern\">%s</param></data>", expression);
}

static void choices(FILE *out, const struct attribute_word *at)
{
	fputs(at->kind == VALUE_CHOICES ? "<list><oneOrMore><choice>" : "<choice>", out);
	for (const char *word = at->choices; *word; word += strspn(word, " ")) {
		size_t length = strcspn(word, " ");

		fprintf(out, "<value>%.*s</value>", (int)length, word);
		word += length;
	}
	fputs(at->kind == VALUE_CHOICES ? "</choice></oneOrMore></list>" : "</choice>", out);
}

static void value_out(FILE *out, const struct attribute_word *at)
{
	static const char *const patterns[] = {
		[VALUE_TEXT] = "\\s*\\S[\\s\\S]*",
		[VALUE_DRIVERS] = "\\s*\\S+:\\S+(\\s+\\S+:\\S+)*\\s*",
		[VALUE_NAME] = "[A-Za-z_][A-Za-z0-9_]{0,31}",
		[VALUE_LABEL] = "[A-Za-z0-9_][A-Za-z0-9_\\-]{0,31}",
		[VALUE_NUMBER] = "(0x[0-9A-Fa-f]+|0|[1-9][0-9]*)[KM]?",
		[VALUE_BITS] = "[0-9]+(:[0-9]+)?",
		[VALUE_SPAN] = "[0-9]+-[0-9]+",
		[VALUE_VECTORS] = "(0x[0-9a-fA-F]+|[0-9]+|[0-9]+-[0-9]+)",
		[VALUE_EXPR] = "\\s*\\S[\\s\\S]*",
		[VALUE_PLACE] = "[A-Za-z_][\\s\\S]*",
		[VALUE_ACTIONS] = "\\s*\\S[\\s\\S]*",
		[VALUE_WRITES] = "\\s*\\S[\\s\\S]*",
		[VALUE_NAMES] = "[A-Za-z0-9_*\\- ]+",
		[VALUE_NEXT] = "array|registers|stream|(array stride|chain) [\\s\\S]+",
		[VALUE_END] = "none|(bytes|entries|bit) [\\s\\S]+",
		[VALUE_READY] = "\\s*\\S[\\s\\S]*",
	};

	if (at->kind == VALUE_CHOICE || at->kind == VALUE_CHOICES)
		choices(out, at);
	else
		pattern(out, patterns[at->kind]);
}

static void attributes_out(FILE *out, const struct word *word, bool extending)
{
	bool loose = extending && strcmp(word->name, "card");

	for (const struct attribute_word *at = word->attributes;
	     at < word->attributes + WORD_ATTRIBUTES && at->name; at++) {
		bool extends = !strcmp(at->name, "extends");
		bool must = (at->required && (!loose || !strcmp(at->name, "name"))) ||
			    (extends && extending);

		if (extends && !extending)
			continue;
		fprintf(out, "    %s<attribute name=\"%s\"><a:documentation>",
			must ? "" : "<optional>", at->name);
		text_out(out, at->doc);
		fputs("</a:documentation>", out);
		value_out(out, at);
		fprintf(out, "</attribute>%s\n", must ? "" : "</optional>");
	}
}

static void definition_name(FILE *out, const struct word *word, bool extending)
{
	fprintf(out, "%s%s", extending && word_merges(word->name) ? "more-" : "", word->name);
	for_each_word(other) /* one word, two meanings */
	{
		if (other != word && !strcmp(other->name, word->name))
			fprintf(out, "-of-%.*s", (int)strcspn(word->parents, " "), word->parents);
	}
}

static void children_out(FILE *out, const struct word *word, bool extending)
{
	fputs("    <interleave>\n", out);
	for_each_word(child)
	{
		bool must = word->needs && !strcmp(word->needs, child->name) && !extending;
		const char *count = must ? (child->once ? "group" : "oneOrMore")
					 : (child->once ? "optional" : "zeroOrMore");

		if (!word_in(child->parents, word->name))
			continue;
		fprintf(out, "      <%s><ref name=\"", count);
		definition_name(out, child, extending);
		fprintf(out, "\"/></%s>\n", count);
	}
	fputs("      <empty/>\n    </interleave>\n", out);
}

static void definition(FILE *out, const struct word *word, bool extending)
{
	fputs("  <define name=\"", out);
	definition_name(out, word, extending);
	fprintf(out, "\"><element name=\"%s\">\n    <a:documentation>", word->name);
	text_out(out, word->doc);
	fputs("</a:documentation>\n", out);
	attributes_out(out, word, extending);
	children_out(out, word, extending);
	fputs("  </element></define>\n", out);
}

void words_schema(FILE *out)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<!-- generated from src/card/words_*.c; `anynic check` says more -->\n"
	      "<grammar xmlns=\"http://relaxng.org/ns/structure/1.0\"\n"
	      "         xmlns:a=\"http://relaxng.org/ns/compatibility/annotations/1.0\"\n"
	      "         datatypeLibrary=\"http://www.w3.org/2001/XMLSchema-datatypes\">\n"
	      "  <start><choice><ref name=\"card\"/><ref name=\"more-card\"/></choice></start>\n",
	      out);
	for_each_word(word)
	{
		definition(out, word, false);
		if (word_merges(word->name))
			definition(out, word, true);
	}
	fputs("</grammar>\n", out);
}
