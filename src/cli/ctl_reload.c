/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A reload that a running guest must not notice is one request. One that the guest
 * has to see is:
 *
 *   QEMU: device_del -> the guest lets go -> DEVICE_DELETED
 *   card: its client is gone -> reload
 *   QEMU: device_add, of the same name at the same place
 *
 * If the new description is wrong the old one is plugged in again.
 */
#include "cli/ctl.h"
#include "cli/qmp.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUSY_MS = 20, TRIES_MAX = 250, PATIENCE = 60 };

static const char *const folders[] = {"/machine/peripheral", "/machine/peripheral-anon"};

struct device {
	char path[256]; /* among QEMU's objects */
	char bus[64];
	unsigned number; /* on its bus */
	bool named;
};

static const char *text_at(json_object *object, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value)
							      : NULL;
}

/* ---- the card's side ---- */

static json_object *ask(const char *path, const char *nic, bool reset)
{
	json_object *request = json_object_new_object(), *answer;

	json_object_object_add(request, "command", json_object_new_string("reload"));
	json_object_object_add(request, "nic", json_object_new_string(nic));
	json_object_object_add(request, "reset", json_object_new_boolean(reset));
	answer = ctl_request(path, request);
	json_object_put(request);
	return answer;
}

static bool needs(json_object *answer, const char *what)
{
	const char *needs = text_at(answer, "needs");

	return needs && !strcmp(needs, what);
}

/* GONE: it is known that no VM has the card, which its process may not know yet. */
static json_object *reload(const char *path, const char *nic, bool reset, bool gone)
{
	const struct timespec pause = {0, BUSY_MS * 1000000l};
	json_object *answer = ask(path, nic, reset);

	for (unsigned i = 0; i < TRIES_MAX && answer; i++) {
		if (!needs(answer, "again") && !(gone && needs(answer, "replug")))
			break;
		json_object_put(answer);
		nanosleep(&pause, NULL);
		answer = ask(path, nic, reset);
	}
	return answer;
}

/* Where the card's process listens; for free(). */
static char *socket_of(const char *path, const char *nic)
{
	json_object *request = json_object_new_object(), *answer, *list = NULL;
	char *found = NULL;

	json_object_object_add(request, "command", json_object_new_string("list"));
	answer = ctl_request(path, request);
	json_object_put(request);
	if (answer)
		json_object_object_get_ex(answer, "nics", &list);
	for (size_t i = 0; list && !found && i < json_object_array_length(list); i++) {
		json_object *at = json_object_array_get_idx(list, i);
		const char *name = text_at(at, "name"), *socket = text_at(at, "socket");

		if (name && socket && !strcmp(name, nic))
			found = strdup(socket);
	}
	json_object_put(answer);
	return found;
}

/* ---- QEMU's side ---- */

static json_object *word(const char *key, const char *value)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, key, json_object_new_string(value));
	return object;
}

static json_object *get(struct qmp *qmp, const char *path, const char *property, struct error *err)
{
	json_object *arguments = word("path", path);

	json_object_object_add(arguments, "property", json_object_new_string(property));
	return qmp_run(qmp, "qom-get", arguments, err);
}

/* How many devices of our kind there are in a folder; the last one's path, or that of ID. */
static unsigned look_in(struct qmp *qmp, unsigned folder, const char *id, struct device *device,
			struct error *err)
{
	json_object *list = qmp_run(qmp, "qom-list", word("path", folders[folder]), err);
	unsigned count = 0;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *at = json_object_array_get_idx(list, i);
		const char *name = text_at(at, "name"), *type = text_at(at, "type");

		if (!name || !type || strcmp(type, "child<vfio-user-pci>") ||
		    (id && (folder || strcmp(name, id))))
			continue;
		snprintf(device->path, sizeof(device->path), "%s/%s", folders[folder], name);
		device->named = folder == 0;
		count++;
	}
	json_object_put(list);
	return count;
}

/* QEMU does not say which socket a device has, so that there has to be but one, or an id. */
static int device_choose(struct qmp *qmp, const char *id, struct device *device, struct error *err)
{
	unsigned count = look_in(qmp, 0, id, device, err) + look_in(qmp, 1, id, device, err);

	if (count == 1)
		return 0;
	if (id)
		return error_set(err, -ENOENT, "it has no vfio-user-pci device \"%s\"", id);
	if (count)
		return error_set(err, -EINVAL,
				 "it has %u vfio-user-pci devices; --id says which one is meant",
				 count);
	return error_set(err, -ENOENT, "it has no vfio-user-pci device");
}

static int device_place(struct qmp *qmp, struct device *device, struct error *err)
{
	json_object *bus = get(qmp, device->path, "parent_bus", err);
	json_object *number = bus ? get(qmp, device->path, "addr", err) : NULL;
	const char *last = bus ? strrchr(json_object_get_string(bus), '/') : NULL;
	int result = -EPROTO;

	if (number && last) {
		snprintf(device->bus, sizeof(device->bus), "%s", last + 1);
		device->number = (unsigned)json_object_get_int(number) >> 3;
		result = 0;
	}
	json_object_put(bus);
	json_object_put(number);
	return result;
}

static int run(struct qmp *qmp, const char *command, json_object *arguments, struct error *err)
{
	json_object *result = qmp_run(qmp, command, arguments, err);

	json_object_put(result);
	return result ? 0 : err->code;
}

static int unplug(struct qmp *qmp, const struct device *device, struct error *err)
{
	return run(qmp, "device_del", word("id", device->path), err)
		       ?: qmp_deleted(qmp, device->path, PATIENCE, err);
}

static int plug(struct qmp *qmp, const struct device *device, const char *path, struct error *err)
{
	json_object *arguments = word("driver", "vfio-user-pci"), *at = word("type", "unix");
	char number[16];

	snprintf(number, sizeof(number), "%x", device->number);
	json_object_object_add(at, "path", json_object_new_string(path));
	json_object_object_add(arguments, "socket", at);
	json_object_object_add(arguments, "bus", json_object_new_string(device->bus));
	json_object_object_add(arguments, "addr", json_object_new_string(number));
	if (device->named)
		json_object_object_add(arguments, "id",
				       json_object_new_string(strrchr(device->path, '/') + 1));
	return run(qmp, "device_add", arguments, err);
}

/* ---- both ---- */

static json_object *replug(struct qmp *qmp, const char *path, const char *nic,
			   const struct reload_words *words, const char *socket, struct error *err)
{
	struct device device = {0};
	json_object *answer;

	if (device_choose(qmp, words->id, &device, err) < 0 ||
	    device_place(qmp, &device, err) < 0 || unplug(qmp, &device, err) < 0)
		return NULL;
	answer = reload(path, nic, words->reset, true);
	if (plug(qmp, &device, socket, err) == 0)
		return answer;
	json_object_put(answer);
	return NULL;
}

static json_object *by_qmp(const char *path, const char *nic, const struct reload_words *words)
{
	char *socket = socket_of(path, nic);
	struct error err = {0};
	struct qmp *qmp = NULL;
	json_object *answer = NULL;

	if (socket)
		qmp = qmp_open(words->qmp, &err);
	else
		error_set(&err, -EINVAL, "%s listens on no socket", nic);
	if (qmp)
		answer = replug(qmp, path, nic, words, socket, &err);
	if (!answer && *err.text)
		fprintf(stderr, "anynic: error: %s: %s\n", words->qmp, err.text);
	qmp_close(qmp);
	free(socket);
	return answer;
}

json_object *ctl_reload(const char *path, const char *nic, const struct reload_words *words)
{
	json_object *answer = reload(path, nic, words->reset, false);

	if (!answer || !words->qmp || !(needs(answer, "replug") || needs(answer, "reset")))
		return answer;
	json_object_put(answer);
	return by_qmp(path, nic, words);
}
