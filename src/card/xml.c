/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libxml2 parses; what comes out is a tree of our own nodes. A document type
 * would bring entities, so there is none, and size and depth are limited
 * before anything is built.
 */
#include "card/draft.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <stdlib.h>
#include <string.h>

enum { XML_BYTES_MAX = 4 << 20, XML_DEPTH_MAX = 16 };

struct xml_context {
	struct draft *draft;
	const char *name;
};

static void xml_complaint(void *user, xmlErrorPtr error)
{
	struct xml_context *context = user;
	const char *text = error->message ? error->message : "not XML";

	mistake(context->draft->mistakes, context->name, (unsigned)error->line, "%.*s",
		(int)strcspn(text, "\n"), text);
}

static struct node *xml_convert(struct draft *draft, const char *name, const xmlNode *from,
				unsigned depth)
{
	struct node *node = draft_take(draft, struct node, 1), **last = &node->child;
	unsigned count = 0;

	node->word = arena_text(&draft->arena, (const char *)from->name,
				strlen((const char *)from->name));
	node->file = name;
	node->line = (unsigned)xmlGetLineNo(from);
	if (depth > XML_DEPTH_MAX) {
		wrong(draft, node, "elements nest deeper than %d", XML_DEPTH_MAX);
		return node;
	}
	for (const xmlAttr *at = from->properties; at; at = at->next)
		count++;
	node->attributes = draft_take(draft, struct attribute, count);
	for (const xmlAttr *at = from->properties; at; at = at->next) {
		xmlChar *value = xmlNodeGetContent((const xmlNode *)at);
		struct attribute *to = &node->attributes[node->attributes_count++];

		to->name = arena_text(&draft->arena, (const char *)at->name,
				      strlen((const char *)at->name));
		to->value = arena_text(&draft->arena, value ? (const char *)value : "",
				       value ? strlen((const char *)value) : 0);
		xmlFree(value);
	}
	for (const xmlNode *at = from->children; at; at = at->next) {
		if (at->type == XML_ELEMENT_NODE) {
			*last = xml_convert(draft, name, at, depth + 1);
			last = &(*last)->next;
		} else if (at->type == XML_TEXT_NODE && !xmlIsBlankNode(at)) {
			mistake(draft->mistakes, name, (unsigned)xmlGetLineNo(at),
				"text between elements has no meaning here");
		}
	}
	return node;
}

struct node *xml_nodes(struct draft *draft, const char *name, const char *text, size_t length)
{
	struct xml_context context = {draft, name};
	unsigned before = draft->mistakes->count;
	struct node *root = NULL;
	xmlDoc *document;

	if (length > XML_BYTES_MAX) {
		mistake(draft->mistakes, name, 1, "larger than the %d bytes a description may have",
			XML_BYTES_MAX);
		return NULL;
	}
	/* an entity can only come from a document type, so refusing that is enough */
	if (memmem(text, length, "<!DOCTYPE", 9) || memmem(text, length, "<!ENTITY", 8)) {
		mistake(draft->mistakes, name, 1,
			"a description has no document type and no entities");
		return NULL;
	}
	xmlSetStructuredErrorFunc(&context, xml_complaint);
	document = xmlReadMemory(text, (int)length, name, NULL,
				 XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES);
	xmlSetStructuredErrorFunc(NULL, NULL);
	if (document && document->intSubset) /* written in an encoding that hid it above */
		mistake(draft->mistakes, name, 1, "a description has no document type");
	if (document && draft->mistakes->count == before && xmlDocGetRootElement(document))
		root = xml_convert(draft, name, xmlDocGetRootElement(document), 0);
	else if (draft->mistakes->count == before)
		mistake(draft->mistakes, name, 1, "not an XML document");
	xmlFreeDoc(document);
	return draft->mistakes->count == before ? root : NULL;
}
