/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"

struct instance;

/*
 * The control socket: one JSON object a line each way.
 *   {"command":"list"} {"command":"stats"} {"command":"link","nic":NAME,"up":true}
 * The answer has "ok", and "error" where that is false.
 */
struct control;

struct control *control_new(struct loop *loop, const char *path, struct instance *instance,
			    struct error *err);
void control_free(struct control *control);
