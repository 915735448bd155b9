/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"

#include <json-c/json.h>

struct host;
struct instance;
struct loop;

/* One request of the control socket on its way to an answer. */
struct call {
	struct host *host;
	json_object *request, *answer;
	struct loop *held; /* until the command is done, or NULL */
	struct error err;  /* what is wrong; code 0: nothing */
	void (*done)(void *context, json_object *answer);
	void *context;
};

enum { CALL_LATER = 1 }; /* call_end() follows */

/* The answer goes, and CALL with it; RESULT as of a command. */
void call_end(struct call *call, int result);

/* What each command makes of the request; a negative errno, and what is wrong. */
int call_wrong(struct call *call, const char *text);
const char *call_text(struct call *call, const char *key); /* NULL: not there, or no string */
int call_flag(struct call *call, const char *key);	   /* -1: something else */
struct instance *call_nic(struct call *call);		   /* the one that is named */

/* What LOOK sees of a NIC while its loop stands still. */
json_object *call_look(struct instance *nic, json_object *(*look)(const struct instance *nic));

/* control_changes.c: commands that change what there is */
int control_add(struct call *call);
int control_remove(struct call *call);
int control_add_net(struct call *call);
int control_remove_net(struct call *call);
int control_attach(struct call *call);
int control_port(struct call *call);
int control_reload(struct call *call);
