/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ctl.h"
#include "card/nearest.h"
#include "cli/cli.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool takes_file(const char *command)
{
	return !strcmp(command, "save") || !strcmp(command, "load");
}

static json_object *request_of(int argc, char **argv)
{
	json_object *request = json_object_new_object();

	json_object_object_add(request, "command", json_object_new_string(argv[0]));
	if (argc > 1)
		json_object_object_add(request, "nic", json_object_new_string(argv[1]));
	if (argc == 3 && takes_file(argv[0])) {
		char path[PATH_MAX + 1] = "";

		/* the card's process may be in another folder */
		if (*argv[2] != '/' && getcwd(path, sizeof(path)))
			strncat(path, "/", sizeof(path) - strlen(path) - 1);
		strncat(path, argv[2], sizeof(path) - strlen(path) - 1);
		json_object_object_add(request, "file", json_object_new_string(path));
	} else if (argc == 3) {
		json_object_object_add(request, "up",
				       json_object_new_boolean(!strcmp(argv[2], "up")));
	}
	return request;
}

static const struct ctl_command {
	const char *name, *words;
	int least, most; /* words behind the name */
} commands[] = {
	{"list", "list", 0, 0},
	{"stats", "stats [NIC]", 0, 1},
	{"link", "link NIC up|down", 2, 2},
	{"add", "add CARD,socket=PATH…", 1, 1},
	{"remove", "remove NIC", 1, 1},
	{"save", "save NIC FILE", 2, 2},
	{"load", "load NIC FILE", 2, 2},
	{"reload", "reload NIC [--reset] [--qmp PATH [--id ID]]", 1, 1},
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

/* CLI_OK, or CLI_USAGE with the mistake told. */
static int check_words(int argc, char **argv)
{
	struct nearest nearest = nearest_of(argv[0], strlen(argv[0]));

	for (unsigned i = 0; i < COMMANDS; i++) {
		const struct ctl_command *command = &commands[i];

		nearest_offer(&nearest, command->name);
		if (strcmp(command->name, argv[0]))
			continue;
		if (argc - 1 > command->most && !command->least)
			return cli_wrong("ctl", "%s takes no \"%s\"", argv[0], argv[argc - 1]);
		if (argc - 1 < command->least || argc - 1 > command->most ||
		    (!strcmp(argv[0], "link") && strcmp(argv[2], "up") && strcmp(argv[2], "down")))
			return cli_wrong("ctl", "expected %s", command->words);
		return CLI_OK;
	}
	return nearest.best ? cli_wrong("ctl", "no command \"%s\"; did you mean %s?", argv[0],
					nearest.best)
			    : cli_wrong("ctl", "no command \"%s\"", argv[0]);
}

static void print_plain(json_object *value, const char *prefix)
{
	json_object_object_foreach(value, key, item)
	{
		char name[128];

		snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", key);
		if (json_object_is_type(item, json_type_object))
			print_plain(item, name);
		else
			printf("%-24s %s\n", name, json_object_get_string(item));
	}
}

/* Of one kind, an empty line between two. */
static void print_list(json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (i)
			putchar('\n');
		print_plain(json_object_array_get_idx(list, i), "");
	}
}

static void print_answer(json_object *answer)
{
	json_object *part;

	if (json_object_object_get_ex(answer, "nics", &part)) {
		print_list(part);
		if (json_object_object_get_ex(answer, "nets", &part) &&
		    json_object_array_length(part)) {
			putchar('\n');
			print_list(part);
		}
	} else if (json_object_object_get_ex(answer, "stats", &part) ||
		   json_object_object_get_ex(answer, "nic", &part)) {
		print_plain(part, "");
	} else if (json_object_object_get_ex(answer, "reload", &part)) {
		puts(json_object_get_string(part));
	}
}

static int tell(const char *path, json_object *answer, bool json)
{
	int result = answer ? ctl_check(path, answer) : CLI_FAILED;

	if (result == CLI_OK && json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY));
	else if (result == CLI_OK)
		print_answer(answer);
	return result;
}

static int run(const char *path, int argc, char **argv, const struct reload_words *reload,
	       bool json)
{
	json_object *request = request_of(argc, argv), *answer;
	int result;

	if (!strcmp(argv[0], "reload"))
		answer = ctl_reload(path, argv[1], reload);
	else
		answer = ctl_request(path, request);
	result = tell(path, answer, json);
	json_object_put(answer);
	json_object_put(request);
	return result;
}

int ctl_main(int argc, char **argv)
{
	static const struct option names[] = {
		{"json", no_argument, NULL, 'j'},
		{"reset", no_argument, NULL, 'r'},
		{"qmp", required_argument, NULL, 'q'},
		{"id", required_argument, NULL, 'i'},
		{NULL, 0, NULL, 0},
	};
	struct reload_words reload = {0};
	bool json = false;
	int name;

	while ((name = cli_option(argc, argv, "", names)) != -1) {
		if (name == 'j')
			json = true;
		else if (name == 'r')
			reload.reset = true;
		else if (name == 'q')
			reload.qmp = optarg;
		else if (name == 'i')
			reload.id = optarg;
		else
			return CLI_USAGE;
	}
	argc -= optind;
	argv += optind;
	if (argc < 2)
		return cli_wrong("ctl", "expected SOCKET and list, stats, link, add, remove, "
					"reload, save or load");
	if (check_words(argc - 1, argv + 1) != CLI_OK)
		return CLI_USAGE;
	if ((reload.reset || reload.qmp || reload.id) && strcmp(argv[1], "reload"))
		return cli_wrong("ctl", "--reset, --qmp and --id go with reload");
	if (reload.id && !reload.qmp)
		return cli_wrong("ctl", "--id goes with --qmp");
	return run(argv[0], argc - 1, argv + 1, &reload, json);
}
