/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libxml2 parses what scan.c has let pass; what comes out is a tree of our own
 * nodes, each with the line its start tag begins in.
 */
#include "card/draft.h"
#include "card/words.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <stdlib.h>
#include <string.h>

struct xml_context {
	struct draft *draft;
	const char *name;
	struct scan scan;
	unsigned next; /* start tag */
	bool failed;
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

static char *xml_text(struct draft *draft, const xmlChar *text)
{
	return arena_text(&draft->arena, text ? (const char *)text : "",
			  text ? strlen((const char *)text) : 0);
}

static void xml_attributes(struct draft *draft, struct node *node, const xmlNode *from)
{
	unsigned count = 0;

	for (const xmlAttr *at = from->properties; at; at = at->next)
		count++;
	/* room for what the table may add */
	node->attributes = draft_take(draft, struct attribute, count + WORD_ATTRIBUTES);
	for (const xmlAttr *at = from->properties; at; at = at->next) {
		xmlChar *value = xmlNodeGetContent((const xmlNode *)at);

		if (at->ns)
			wrong(draft, node, "%s:%s=: namespaces have no meaning here",
			      (const char *)at->ns->prefix, (const char *)at->name);
		else
			node->attributes[node->attributes_count++] = (struct attribute){
				xml_text(draft, at->name), xml_text(draft, value), -1};
		xmlFree(value);
	}
}

static struct node *xml_convert(struct xml_context *context, const xmlNode *from)
{
	struct draft *draft = context->draft;
	struct node *node = draft_take(draft, struct node, 1), **last = &node->child;

	node->word = xml_text(draft, from->name);
	node->file = context->name;
	node->line = context->next < context->scan.count ? context->scan.lines[context->next] : 0;
	context->next++;
	if (from->ns || from->nsDef)
		wrong(draft, node, "<%s>: namespaces have no meaning here", node->word);
	xml_attributes(draft, node, from);
	for (const xmlNode *at = from->children; at; at = at->next) {
		if (at->type != XML_ELEMENT_NODE)
			continue;
		*last = xml_convert(context, at);
		last = &(*last)->next;
	}
	return node;
}

struct node *xml_nodes(struct draft *draft, const char *name, const char *text, size_t length)
{
	struct xml_context context = {.draft = draft, .name = name};
	struct node *root = NULL;
	xmlDoc *document;

	if (length > CARD_FILE_MAX) {
		mistake(draft->mistakes, name, 1, "larger than the %d KiB a description may have",
			CARD_FILE_MAX >> 10);
		return NULL;
	}
	if (!scan_text(draft, name, text, length, &context.scan))
		return NULL;
	xmlSetStructuredErrorFunc(&context, xml_complaint);
	document = xmlReadMemory(text, (int)length, name, "UTF-8",
				 XML_PARSE_NONET | XML_PARSE_BIG_LINES);
	xmlSetStructuredErrorFunc(NULL, NULL);
	if (document && !context.failed && xmlDocGetRootElement(document))
		root = xml_convert(&context, xmlDocGetRootElement(document));
	else if (!context.failed)
		mistake(draft->mistakes, name, 1, "not an XML document");
	xmlFreeDoc(document);
	return root;
}
