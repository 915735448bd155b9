/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/control_call.h"

#include "instance/control_commands.h"
#include "instance/host.h"
#include "instance/instance.h"

#include <errno.h>
#include <stdlib.h>

int call_wrong(struct call *call, const char *text)
{
	return error_set(&call->err, -EINVAL, "%s", text);
}

/* NULL: not there, or not a string. */
const char *call_text(struct call *call, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(call->request, key, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

/* Absent is false; -1: something else than true or false. */
int call_flag(struct call *call, const char *key)
{
	json_object *value;

	if (!json_object_object_get_ex(call->request, key, &value))
		return 0;
	return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value) : -1;
}

struct instance *call_nic(struct call *call)
{
	const char *name = call_text(call, "nic");
	struct instance *nic = name ? host_find(call->host, name) : NULL;

	if (!nic)
		call_wrong(call, "no such NIC");
	return nic;
}

json_object *call_look(struct instance *nic, json_object *(*look)(const struct instance *nic))
{
	json_object *seen;

	loop_hold(instance_loop(nic));
	seen = look(nic);
	loop_release(instance_loop(nic));
	return seen;
}

void call_end(struct call *call, int result)
{
	if (call->held)
		loop_release(call->held);
	if (result < 0)
		control_refuse(call->answer, call->err.text);
	else
		json_object_object_add(call->answer, "ok", json_object_new_boolean(true));
	call->done(call->context, call->answer);
	json_object_put(call->answer);
	json_object_put(call->request);
	free(call);
}
