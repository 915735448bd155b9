/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Lines of JSON: a greeting, then an answer to each command, and events whenever
 * QEMU likes. Of those only the end of a device is of interest, and it may come
 * before the answer to what asked for it, so that it is kept.
 */
#include "cli/qmp.h"

#include "cli/ctl.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct qmp {
	FILE *stream;
	char *line;
	size_t room;
	char deleted[512]; /* the last device that was, or would not be */
	bool refused;
};

static const char *text_at(json_object *object, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

static void take_event(struct qmp *qmp, json_object *message)
{
	const char *event = text_at(message, "event");
	json_object *data;

	if (!event || !json_object_object_get_ex(message, "data", &data))
		return;
	qmp->refused = !strcmp(event, "DEVICE_UNPLUG_GUEST_ERROR");
	if (qmp->refused || !strcmp(event, "DEVICE_DELETED"))
		snprintf(qmp->deleted, sizeof(qmp->deleted), "%s", text_at(data, "path") ?: "");
}

/* The next message that is no event, or any; NULL and errno EAGAIN: not in time. */
static json_object *next(struct qmp *qmp, bool any)
{
	for (;;) {
		json_object *message;

		errno = 0;
		if (getline(&qmp->line, &qmp->room, qmp->stream) <= 0) {
			clearerr(qmp->stream);
			return NULL;
		}
		message = json_tokener_parse(qmp->line);
		if (!message || !text_at(message, "event"))
			return message;
		take_event(qmp, message);
		if (any)
			return message;
		json_object_put(message);
	}
}

void qmp_close(struct qmp *qmp)
{
	if (!qmp)
		return;
	if (qmp->stream)
		fclose(qmp->stream);
	free(qmp->line);
	free(qmp);
}

static int greet(struct qmp *qmp, struct error *err)
{
	json_object *greeting = next(qmp, false);
	bool known = greeting && json_object_object_get_ex(greeting, "QMP", NULL);

	json_object_put(greeting);
	if (!known)
		return error_set(err, -EPROTO, "it does not answer as QEMU's QMP socket does");
	greeting = qmp_run(qmp, "qmp_capabilities", NULL, err);
	json_object_put(greeting);
	return greeting ? 0 : err->code;
}

struct qmp *qmp_open(const char *path, struct error *err)
{
	struct qmp *qmp = calloc(1, sizeof(*qmp));
	int fd = qmp ? ctl_dial(path) : -1;

	if (qmp && fd >= 0)
		qmp->stream = fdopen(fd, "r+");
	if (!qmp || !qmp->stream)
		error_set(err, -errno, "%s", strerror(errno));
	else if (greet(qmp, err) == 0)
		return qmp;
	qmp_close(qmp);
	return NULL;
}

static json_object *result_of(struct qmp *qmp, const char *command, struct error *err)
{
	json_object *answer = next(qmp, false), *result = NULL, *wrong;

	if (!answer)
		error_set(err, -ETIMEDOUT, "%s: no answer", command);
	else if (json_object_object_get_ex(answer, "return", &result))
		json_object_get(result);
	else if (json_object_object_get_ex(answer, "error", &wrong))
		error_set(err, -EINVAL, "%s: %s", command, text_at(wrong, "desc") ?: "refused");
	else
		error_set(err, -EPROTO, "%s: no answer of QEMU's", command);
	json_object_put(answer);
	return result;
}

json_object *qmp_run(struct qmp *qmp, const char *command, json_object *arguments,
		     struct error *err)
{
	json_object *request = json_object_new_object();

	json_object_object_add(request, "execute", json_object_new_string(command));
	if (arguments)
		json_object_object_add(request, "arguments", arguments);
	fprintf(qmp->stream, "%s\n",
		json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	fflush(qmp->stream);
	json_object_put(request);
	return result_of(qmp, command, err);
}

int qmp_deleted(struct qmp *qmp, const char *device, unsigned seconds, struct error *err)
{
	time_t end = time(NULL) + seconds;

	while (strcmp(qmp->deleted, device)) {
		json_object *message = next(qmp, true);

		if (!message && errno != EAGAIN)
			return error_set(err, -EPIPE, "QEMU has gone");
		if (!message && time(NULL) >= end)
			return error_set(err, -ETIMEDOUT, "the guest does not let the card go");
		json_object_put(message);
	}
	return qmp->refused ? error_set(err, -EBUSY, "the guest refuses to let the card go") : 0;
}
