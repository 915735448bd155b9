/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "instance/catalog.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static void put_text(json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text));
}

/* The next of some lines, and its length; NULL: there is none. */
static const char *line_next(const char **lines, int *length)
{
	const char *line = *lines;

	*length = (int)strcspn(line, "\n");
	*lines += *length + (line[*length] == '\n');
	return *line ? line : NULL;
}

/* What has the same name in a place that is looked at later. */
static json_object *hidden_of(const char *lines)
{
	json_object *list = json_object_new_array();
	const char *line;
	int length;

	while ((line = line_next(&lines, &length)))
		json_object_array_add(list, json_object_new_string_len(line, length));
	return list;
}

static void print_hidden(const char *lines)
{
	const char *line;
	int length;

	while ((line = line_next(&lines, &length)))
		printf("%-16s hides %.*s\n", "", length, line);
}

static void print_json(const struct catalog *catalog)
{
	json_object *list = json_object_new_array();

	for (unsigned i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->entries[i];
		json_object *card = json_object_new_object();
		char identity[16];

		put_text(card, "name", entry->name);
		put_text(card, "source", entry->source);
		if (entry->card) {
			snprintf(identity, sizeof(identity), "%04x:%04x", entry->card->vendor,
				 entry->card->device);
			put_text(card, "identity", identity);
			put_text(card, "title", entry->card->title);
		} else {
			put_text(card, "broken", entry->wrong ?: "no memory");
		}
		if (entry->hides)
			json_object_object_add(card, "hides", hidden_of(entry->hides));
		json_object_array_add(list, card);
	}
	puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY));
	json_object_put(list);
}

static void print_table(const struct catalog *catalog)
{
	for (unsigned i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->entries[i];

		if (entry->card)
			printf("%-16s %04x:%04x  %-46s %s\n", entry->name, entry->card->vendor,
			       entry->card->device, entry->card->title, entry->source);
		else
			printf("%-16s broken     %s\n", entry->name, entry->wrong ?: "no memory");
		if (entry->hides)
			print_hidden(entry->hides);
	}
}

int list_main(int argc, char **argv)
{
	static const struct option names[] = {
		{"cards", required_argument, NULL, 'd'},
		CLI_ALLOW,
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	const char *folder = NULL;
	struct catalog catalog;
	bool json = false;
	int name;

	while ((name = cli_option(argc, argv, "", names)) != -1) {
		if (name == 'j')
			json = true;
		else if (name == 'd' && cli_cards(argv[0], optarg))
			folder = optarg;
		else
			return CLI_USAGE;
	}
	if (optind != argc)
		return cli_wrong(argv[0], "\"%s\" is one word too many", argv[optind]);
	catalog_list(&catalog, folder);
	if (json)
		print_json(&catalog);
	else
		print_table(&catalog);
	catalog_free(&catalog);
	return CLI_OK;
}
