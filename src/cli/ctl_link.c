/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/ctl.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE = 5 }; /* s */

int ctl_dial(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE};
	int fd;

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

json_object *ctl_ask(int fd, json_object *request)
{
	FILE *stream = fdopen(fd, "r+");
	json_object *answer;
	char *line = NULL;
	size_t room = 0;
	bool got;
	int why;

	if (!stream)
		return NULL;
	fprintf(stream, "%s\n", json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	errno = 0;
	got = fflush(stream) == 0 && getline(&line, &room, stream) > 0;
	why = errno == EAGAIN ? ETIMEDOUT : 0;
	answer = got ? json_tokener_parse(line) : NULL;
	free(line);
	fclose(stream);
	errno = why;
	return answer;
}

json_object *ctl_request(const char *path, json_object *request)
{
	int fd = ctl_dial(path);
	json_object *answer, *ok;

	if (fd < 0) {
		fprintf(stderr, "anynic: error: %s: %s\n", path,
			errno == ECONNREFUSED ? "nobody serves this socket" : strerror(errno));
		return NULL;
	}
	answer = ctl_ask(fd, request);
	if (answer && json_object_object_get_ex(answer, "ok", &ok))
		return answer;
	fprintf(stderr, "anynic: error: %s: %s\n", path,
		errno == ETIMEDOUT ? "no answer; is it the --control socket of a card?"
				   : "not the --control socket of a card");
	json_object_put(answer);
	return NULL;
}

/* Mistakes of a description have their own places, and are told as `anynic check` does. */
static bool tell_mistakes(json_object *answer)
{
	json_object *list;

	if (!json_object_object_get_ex(answer, "mistakes", &list) ||
	    !json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		fprintf(stderr, "%s\n", json_object_get_string(json_object_array_get_idx(list, i)));
	return true;
}

int ctl_check(const char *path, json_object *answer)
{
	json_object *wrong;

	if (json_object_get_boolean(json_object_object_get(answer, "ok")))
		return CLI_OK;
	if (!tell_mistakes(answer))
		fprintf(stderr, "anynic: error: %s: %s\n", path,
			json_object_object_get_ex(answer, "error", &wrong)
				? json_object_get_string(wrong)
				: "refused");
	return CLI_FAILED;
}
