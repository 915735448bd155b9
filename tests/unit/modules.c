/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool module_text(const char *text, const char *name, struct found_card *found)
{
	snprintf(found->path, sizeof(found->path), "%s", name);
	found->built_in = true;
	found->text = strdup(text);
	found->length = strlen(text);
	return true;
}

static bool find(void *context, const char *name, struct found_card *found)
{
	(void)context;
	snprintf(found->path, sizeof(found->path), "%s/cards/%s/card.xml", unit_root, name);
	found->text = card_load(found->path, &found->length);
	return found->text;
}

static bool beside(void *context, const char *path, const char *name, struct found_card *found)
{
	(void)path;
	return context && !strcmp(name, "module.c") && module_text(context, name, found);
}

static struct card *said(struct card *card, struct mistakes *mistakes)
{
	mistakes_print(mistakes, stdout);
	mistakes_free(mistakes);
	CHECK(card);
	return card;
}

struct card *module_card(const char *xml, const char *source)
{
	const struct finder finder = {find, beside, (void *)source};
	struct mistakes mistakes = {0};
	char text[8192];

	snprintf(text, sizeof(text),
		 "<card name=\"t\" title=\"T\" extends=\"e1000\"><module kind=\"c\" "
		 "file=\"module.c\"/>%s</card>",
		 xml);
	return said(card_read_text_among("test.xml", text, strlen(text), &finder, &mistakes),
		    &mistakes);
}

struct card *module_card_file(const char *directory)
{
	const struct finder finder = {find, beside, NULL};
	struct mistakes mistakes = {0};
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/card.xml", unit_root, directory);
	return said(card_read_file_among(path, &finder, &mistakes), &mistakes);
}

struct card *module_read(const char *text,
			 bool (*beside)(void *context, const char *path, const char *name,
					struct found_card *found),
			 void *context, char *why, size_t room)
{
	const struct finder finder = {find, beside, context};
	struct mistakes mistakes = {0};
	struct card *card =
		card_read_text_among("test.xml", text, strlen(text), &finder, &mistakes);

	snprintf(why, room, "%s", mistakes.count ? mistakes.list[0].text : "");
	mistakes_free(&mistakes);
	return card;
}
