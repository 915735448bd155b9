/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libxml2 parses what scan.c has let pass, and tells of one tag after the other;
 * from that comes a tree of our own nodes, each with the line its start tag
 * begins in. There is no tree of libxml2's.
 */
#include "card/draft.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <string.h>

enum { DEPTH_MAX = 32, NAMES = 256 };

struct xml_context {
	struct draft *draft;
	const char *name;
	struct scan scan;
	unsigned next; /* start tag */
	bool failed;
	struct node *root, *open[DEPTH_MAX], **last[DEPTH_MAX];
	unsigned depth;
	struct { /* libxml2 has each name once; so have we */
		const xmlChar *theirs;
		char *ours;
	} names[NAMES];
};

/* The first only: what a parser says after that is about its own confusion. */
static void xml_complaint(void *user, xmlErrorPtr error)
{
	struct xml_context *context = user;
	const char *text = error->message ? error->message : "not XML";

	if (!context->failed)
		mistake(context->draft->mistakes, context->name, (unsigned)error->line,
			"not XML: %.*s", (int)strcspn(text, "\n"), text);
	context->failed = true;
}

static char *xml_name(struct xml_context *context, const xmlChar *name)
{
	unsigned place = (unsigned)((uintptr_t)name >> 3) % NAMES;

	if (context->names[place].theirs != name) {
		context->names[place].theirs = name;
		context->names[place].ours = arena_text(&context->draft->arena, (const char *)name,
							strlen((const char *)name));
	}
	return context->names[place].ours;
}

enum { PART_NAME, PART_PREFIX, PART_SPACE, PART_VALUE, PART_END, PARTS };

static void xml_attributes(struct xml_context *context, struct node *node, unsigned count,
			   const xmlChar **parts)
{
	struct draft *draft = context->draft;

	node->attributes = draft_take(draft, struct attribute, count);
	for (; count; count--, parts += PARTS) {
		const char *value = (const char *)parts[PART_VALUE];

		if (parts[PART_PREFIX])
			wrong(draft, node, "%s:%s=: namespaces have no meaning here",
			      (const char *)parts[PART_PREFIX], (const char *)parts[PART_NAME]);
		else
			node->attributes[node->attributes_count++] = (struct attribute){
				xml_name(context, parts[PART_NAME]),
				arena_text(&draft->arena, value,
					   (size_t)((const char *)parts[PART_END] - value)),
				-1};
	}
}

static void xml_begin(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *space,
		      int spaces, const xmlChar **declared, int attributes, int defaulted,
		      const xmlChar **parts)
{
	struct xml_context *context = user;
	struct node *node = draft_take(context->draft, struct node, 1);

	(void)declared;
	(void)defaulted;
	if (context->depth == DEPTH_MAX)
		return; /* scan.c lets nothing so deep pass */
	node->word = xml_name(context, name);
	node->file = context->name;
	node->line = context->next < context->scan.count ? context->scan.lines[context->next] : 0;
	context->next++;
	if (prefix || space || spaces)
		wrong(context->draft, node, "<%s>: namespaces have no meaning here", node->word);
	xml_attributes(context, node, (unsigned)attributes, parts);
	if (context->depth) {
		*context->last[context->depth - 1] = node;
		context->last[context->depth - 1] = &node->next;
	} else if (!context->root) {
		context->root = node;
	}
	context->last[context->depth++] = &node->child;
}

static void xml_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *space)
{
	struct xml_context *context = user;

	(void)name;
	(void)prefix;
	(void)space;
	context->depth -= context->depth > 0;
}

static void xml_parse(struct xml_context *context, const char *text, size_t length)
{
	xmlSAXHandler handler = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = xml_begin,
		.endElementNs = xml_end,
		.serror = xml_complaint,
	};
	xmlParserCtxt *parser = xmlNewParserCtxt();

	if (!parser)
		return;
	*parser->sax = handler;
	parser->userData = context;
	/* NOENT: values come with &amp; and the like replaced; scan.c lets no other entity pass */
	xmlFreeDoc(xmlCtxtReadMemory(parser, text, (int)length, context->name, "UTF-8",
				     XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_BIG_LINES));
	xmlFreeParserCtxt(parser);
}

struct node *xml_nodes(struct draft *draft, const char *name, const char *text, size_t length)
{
	struct xml_context context = {.draft = draft, .name = name};

	if (length > CARD_FILE_MAX) {
		mistake(draft->mistakes, name, 1, "larger than the %d KiB a description may have",
			CARD_FILE_MAX >> 10);
		return NULL;
	}
	if (!scan_text(draft, name, text, length, &context.scan))
		return NULL;
	xml_parse(&context, text, length);
	if (context.failed)
		return NULL;
	if (!context.root)
		mistake(draft->mistakes, name, 1, "not an XML document");
	return context.root;
}
