/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ctl.h"
#include "card/nearest.h"
#include "cli/cli.h"
#include "instance/nic_spec.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_text(json_object *request, const char *key, const char *text)
{
	json_object_object_add(request, key, json_object_new_string(text));
}

/* The card's process may be in another folder. */
static void put_file(json_object *request, const char *file)
{
	char path[PATH_MAX + 1] = "";

	if (*file != '/' && getcwd(path, sizeof(path)))
		strncat(path, "/", sizeof(path) - strlen(path) - 1);
	strncat(path, file, sizeof(path) - strlen(path) - 1);
	put_text(request, "file", path);
}

/* Each takes the words behind the command; false: they are not its. */

static bool take_nic(json_object *request, int count, char **words)
{
	if (count)
		put_text(request, "nic", words[0]);
	return true;
}

static bool take_link(json_object *request, int count, char **words)
{
	bool up = !strcmp(words[1], "up");

	json_object_object_add(request, "up", json_object_new_boolean(up));
	return take_nic(request, count, words) && (up || !strcmp(words[1], "down"));
}

static bool take_file(json_object *request, int count, char **words)
{
	put_file(request, words[1]);
	return take_nic(request, count, words);
}

static bool take_capture(json_object *request, int count, char **words)
{
	if (strcmp(words[1], "off"))
		return take_file(request, count, words);
	json_object_object_add(request, "file", NULL);
	return take_nic(request, count, words);
}

static bool take_net(json_object *request, int count, char **words)
{
	put_text(request, "net", words[count - 1]);
	return count == 1 || take_nic(request, count, words);
}

static bool take_rate(json_object *request, int count, char **words)
{
	json_object *rates = json_object_new_object();
	bool off = count == 2 && !strcmp(words[1], "off");

	json_object_object_add(request, "rate", rates);
	for (int i = 1; !off && i < count; i++) {
		size_t length = strcspn(words[i], "=");
		char key[16], *dash;
		uint64_t rate;

		snprintf(key, sizeof(key), "%.*s", (int)length, words[i]);
		if (!words[i][length] || !rate_parse(key, words[i] + length + 1, &rate))
			return false;
		dash = strchr(key, '-');
		*dash = '_';
		json_object_object_add(rates, key, json_object_new_uint64(rate));
	}
	return take_nic(request, count, words);
}

/* Words as behind --nic, which are joined as there. */
static bool take_port(json_object *request, int count, char **words)
{
	char text[1024] = "";

	for (int i = 1; i < count && strcmp(words[i], "off"); i++) {
		if (strlen(text) + strlen(words[i]) + 2 > sizeof(text))
			return false;
		strcat(strcat(text, *text ? "," : ""), words[i]);
	}
	put_text(request, "port", text);
	return take_nic(request, count, words);
}

static const struct ctl_command {
	const char *name, *words;
	int least, most; /* words behind the name */
	bool (*take)(json_object *request, int count, char **words);
} commands[] = {
	{"list", "list", 0, 0, take_nic},
	{"stats", "stats [NIC]", 0, 1, take_nic},
	{"filters", "filters NIC", 1, 1, take_nic},
	{"link", "link NIC up|down", 2, 2, take_link},
	{"attach", "attach NIC NET", 2, 2, take_net},
	{"rate", "rate NIC off|[tx-bits=N] [tx-frames=N] [rx-bits=N] [rx-frames=N]", 2, 5,
	 take_rate},
	{"port", "port NIC off|[isolated=on] [spoofchk=on] [vlan=N] [trunk=N-M]…", 2, 40,
	 take_port},
	{"capture", "capture NIC FILE|off", 2, 2, take_capture},
	{"add", "add CARD,socket=PATH…", 1, 1, take_nic},
	{"remove", "remove NIC", 1, 1, take_nic},
	{"add-net", "add-net ID=SPEC", 1, 1, take_net},
	{"remove-net", "remove-net ID", 1, 1, take_net},
	{"reload", "reload NIC [--reset] [--qmp PATH [--id ID]]", 1, 1, take_nic},
	{"save", "save NIC FILE [--hold]", 2, 2, take_file},
	{"load", "load NIC FILE", 2, 2, take_file},
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static const struct ctl_command *command_find(const char *name)
{
	struct nearest nearest = nearest_of(name, strlen(name));

	for (unsigned i = 0; i < COMMANDS; i++) {
		nearest_offer(&nearest, commands[i].name);
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	if (nearest.best)
		cli_wrong("ctl", "no command \"%s\"; did you mean %s?", name, nearest.best);
	else
		cli_wrong("ctl", "no command \"%s\"", name);
	return NULL;
}

/* NULL: the mistake has been told. */
static json_object *request_of(int argc, char **argv)
{
	const struct ctl_command *command = command_find(argv[0]);
	json_object *request;

	if (!command)
		return NULL;
	if (argc - 1 > command->most && !command->least) {
		cli_wrong("ctl", "%s takes no \"%s\"", argv[0], argv[argc - 1]);
		return NULL;
	}
	request = json_object_new_object();
	put_text(request, "command", command->name);
	if (argc - 1 >= command->least && argc - 1 <= command->most &&
	    command->take(request, argc - 1, argv + 1))
		return request;
	json_object_put(request);
	cli_wrong("ctl", "expected %s", command->words);
	return NULL;
}

static void print_plain(json_object *value, const char *prefix);

static void print_each(json_object *list, const char *prefix)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		char name[160];

		snprintf(name, sizeof(name), "%s.%zu", prefix, i);
		print_plain(json_object_array_get_idx(list, i), name);
	}
}

static bool has_objects(json_object *item)
{
	return json_object_is_type(item, json_type_array) && json_object_array_length(item) &&
	       json_object_is_type(json_object_array_get_idx(item, 0), json_type_object);
}

static void print_plain(json_object *value, const char *prefix)
{
	json_object_object_foreach(value, key, item)
	{
		char name[128];

		snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", key);
		if (json_object_is_type(item, json_type_object))
			print_plain(item, name);
		else if (has_objects(item))
			print_each(item, name);
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
	static const char *const parts[] = {"stats", "nic", "filters"};
	json_object *part;

	if (json_object_object_get_ex(answer, "nics", &part)) {
		print_list(part);
		if (json_object_object_get_ex(answer, "nets", &part) &&
		    json_object_array_length(part)) {
			putchar('\n');
			print_list(part);
		}
	}
	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (json_object_object_get_ex(answer, parts[i], &part))
			print_plain(part, "");
	}
	if (json_object_object_get_ex(answer, "reload", &part))
		puts(json_object_get_string(part));
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

static int run(const char *path, json_object *request, const char *nic,
	       const struct reload_words *reload, bool json)
{
	json_object *answer = nic ? ctl_reload(path, nic, reload) : ctl_request(path, request);
	int result = tell(path, answer, json);

	json_object_put(answer);
	json_object_put(request);
	return result;
}

int ctl_main(int argc, char **argv)
{
	static const struct option names[] = {
		{"json", no_argument, NULL, 'j'},      {"reset", no_argument, NULL, 'r'},
		{"qmp", required_argument, NULL, 'q'}, {"id", required_argument, NULL, 'i'},
		{"hold", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0},
	};
	struct reload_words reload = {0};
	bool json = false, hold = false, reloads;
	json_object *request;
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
		else if (name == 'h')
			hold = true;
		else
			return CLI_USAGE;
	}
	argc -= optind;
	argv += optind;
	if (argc < 2)
		return cli_wrong("ctl", "expected SOCKET and a command, as list");
	reloads = !strcmp(argv[1], "reload");
	if ((reload.reset || reload.qmp || reload.id) && !reloads)
		return cli_wrong("ctl", "--reset, --qmp and --id go with reload");
	if (reload.id && !reload.qmp)
		return cli_wrong("ctl", "--id goes with --qmp");
	if (hold && strcmp(argv[1], "save"))
		return cli_wrong("ctl", "--hold goes with save");
	request = request_of(argc - 1, argv + 1);
	if (!request)
		return CLI_USAGE;
	if (hold)
		json_object_object_add(request, "hold", json_object_new_boolean(true));
	return run(argv[0], request, reloads ? argv[2] : NULL, &reload, json);
}
