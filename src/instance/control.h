/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"

struct host;

/*
 * The control socket: one JSON object a line each way.
 *   {"command":"list"}                     "nics", and the "nets" they are on
 *   {"command":"stats","nic":NAME}         "stats"; without NAME those of the only
 *                                          NIC, or of many each below its name
 *   {"command":"link","nic":NAME,"up":true}
 *   {"command":"add","nic":"CARD,socket=PATH…"}   as --nic; the new "nic"
 *   {"command":"remove","nic":NAME}
 * The answer has "ok", and "error" where that is false.
 */
struct control;

struct control *control_new(struct loop *loop, const char *path, struct host *host,
			    struct error *err);
void control_free(struct control *control);
