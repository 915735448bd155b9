/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"

struct json_object;
struct qmp;

/* QEMU's machine protocol: one command at a time, and the events between. */
struct qmp *qmp_open(const char *path, struct error *err);
void qmp_close(struct qmp *qmp);
/* What "return" holds, for json_object_put(). ARGUMENTS are given away. */
struct json_object *qmp_run(struct qmp *qmp, const char *command, struct json_object *arguments,
			    struct error *err);
/* Until DEVICE, a path of QEMU's objects, has been deleted. */
int qmp_deleted(struct qmp *qmp, const char *device, unsigned seconds, struct error *err);
