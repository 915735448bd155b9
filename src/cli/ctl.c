/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int usage(void)
{
	fputs("usage: anynic ctl SOCKET list|stats|link NIC up|down [--json]\n", stderr);
	return CLI_USAGE;
}

static json_object *request_of(int argc, char **argv)
{
	json_object *request = json_object_new_object();

	json_object_object_add(request, "command", json_object_new_string(argv[0]));
	if (!strcmp(argv[0], "link")) {
		if (argc != 3 || (strcmp(argv[2], "up") && strcmp(argv[2], "down"))) {
			json_object_put(request);
			return NULL;
		}
		json_object_object_add(request, "nic", json_object_new_string(argv[1]));
		json_object_object_add(request, "up",
				       json_object_new_boolean(!strcmp(argv[2], "up")));
	} else if (argc != 1) {
		json_object_put(request);
		return NULL;
	}
	return request;
}

static int dial(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(at.sun_path, path);
	return fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 ? fd : -1;
}

static json_object *ask(int fd, json_object *request)
{
	FILE *stream = fdopen(fd, "r+");
	static char line[1 << 16];

	if (!stream)
		return NULL;
	fprintf(stream, "%s\n", json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	fflush(stream);
	if (!fgets(line, sizeof(line), stream))
		*line = 0;
	fclose(stream);
	return json_tokener_parse(line);
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

static void print_answer(json_object *answer)
{
	json_object *part;

	if (json_object_object_get_ex(answer, "nics", &part)) {
		for (size_t i = 0; i < json_object_array_length(part); i++)
			print_plain(json_object_array_get_idx(part, i), "");
	} else if (json_object_object_get_ex(answer, "stats", &part)) {
		print_plain(part, "");
	}
}

int ctl_main(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[argc - 1], "--json");
	json_object *request, *answer, *ok, *wrong;
	int fd, result = CLI_FAILED;

	argc -= json;
	if (argc < 3)
		return usage();
	request = request_of(argc - 2, argv + 2);
	if (!request)
		return usage();
	fd = dial(argv[1]);
	if (fd < 0) {
		fprintf(stderr, "anynic: error: %s: %s\n", argv[1], strerror(errno));
		json_object_put(request);
		return CLI_FAILED;
	}
	answer = ask(fd, request);
	if (!answer || !json_object_object_get_ex(answer, "ok", &ok)) {
		fprintf(stderr, "anynic: error: %s: no answer\n", argv[1]);
	} else if (!json_object_get_boolean(ok)) {
		fprintf(stderr, "anynic: error: %s\n",
			json_object_object_get_ex(answer, "error", &wrong)
				? json_object_get_string(wrong)
				: "refused");
	} else {
		result = CLI_OK;
		if (json)
			puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY));
		else
			print_answer(answer);
	}
	json_object_put(answer);
	json_object_put(request);
	return result;
}
