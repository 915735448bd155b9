/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "instance/catalog.h"

#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>

static void print_json(const struct catalog *catalog)
{
	json_object *list = json_object_new_array();

	for (unsigned i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->entries[i];
		json_object *card = json_object_new_object();
		char identity[16];

		snprintf(identity, sizeof(identity), "%04x:%04x", entry->card->vendor,
			 entry->card->device);
		json_object_object_add(card, "name", json_object_new_string(entry->name));
		json_object_object_add(card, "identity", json_object_new_string(identity));
		json_object_object_add(card, "title", json_object_new_string(entry->card->title));
		json_object_object_add(card, "source", json_object_new_string(entry->source));
		json_object_array_add(list, card);
	}
	puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY));
	json_object_put(list);
}

static void print_table(const struct catalog *catalog)
{
	for (unsigned i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->entries[i];

		printf("%-16s %04x:%04x  %-40s %s\n", entry->name, entry->card->vendor,
		       entry->card->device, entry->card->title, entry->source);
	}
}

int list_main(int argc, char **argv)
{
	static const struct option names[] = {
		{"cards", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	const char *folder = NULL;
	struct catalog catalog;
	bool json = false;
	int name;

	while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (name == 'd')
			folder = optarg;
		else if (name == 'j')
			json = true;
		else
			return CLI_USAGE;
	}
	if (optind != argc) {
		fputs("usage: anynic list [--cards DIR] [--json]\n", stderr);
		return CLI_USAGE;
	}
	catalog_list(&catalog, folder);
	if (json)
		print_json(&catalog);
	else
		print_table(&catalog);
	catalog_free(&catalog);
	return CLI_OK;
}
