/* SPDX-License-Identifier: Apache-2.0 */

/* NICs and networks that come and go, and descriptions. */
#include "instance/control_call.h"
#include "instance/host.h"
#include "instance/instance.h"
#include "instance/nic_spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MISTAKES_TOLD = 100 };

/* As lines; the first is the error. */
static int put_mistakes(struct call *call, struct mistakes *mistakes, int result)
{
	json_object *list = mistakes->count ? json_object_new_array() : NULL;

	for (unsigned i = 0; i < mistakes->count && i < MISTAKES_TOLD; i++) {
		char *line = mistakes_line(mistakes, i);

		if (line)
			json_object_array_add(list, json_object_new_string(line));
		if (i == 0)
			result = call_wrong(call, line ?: "no memory");
		free(line);
	}
	if (list)
		json_object_object_add(call->answer, "mistakes", list);
	mistakes_free(mistakes);
	return result;
}

/* The text of a NIC is that of --nic. */
int control_add(struct call *call)
{
	const char *text = call_text(call, "nic");
	struct mistakes mistakes = {0};
	struct nic_spec spec;
	int result;

	if (!text)
		return call_wrong(call, "\"nic\" is CARD,socket=PATH…");
	result = nic_spec_parse(&spec, text, &call->err);
	if (result == 0 && spec.fd >= 0)
		result = call_wrong(call, "fd= is of no use here");
	if (result == 0)
		result = host_add(call->host, &spec, &mistakes, &call->err);
	nic_spec_free(&spec);
	result = put_mistakes(call, &mistakes, result);
	if (result == 0)
		json_object_object_add(call->answer, "nic",
				       call_look(host_last(call->host), instance_describe));
	return result;
}

int control_remove(struct call *call)
{
	struct instance *nic = call_nic(call);

	return nic ? host_remove(call->host, instance_name(nic), &call->err) : call->err.code;
}

/* ID=SPEC, as --net of run has it; what many are to be on says that it is a switch. */
int control_add_net(struct call *call)
{
	const char *text = call_text(call, "net"), *spec = text ? strchr(text, '=') : NULL;
	char id[64];

	if (!spec || (size_t)(spec - text) >= sizeof(id))
		return call_wrong(call, "\"net\" is ID=SPEC");
	snprintf(id, sizeof(id), "%.*s", (int)(spec - text), text);
	return host_add_net(call->host, id, spec + 1, false, &call->err);
}

int control_remove_net(struct call *call)
{
	const char *id = call_text(call, "net");

	return id ? host_remove_net(call->host, id, &call->err)
		  : call_wrong(call, "\"net\" is the ID of a network");
}

int control_attach(struct call *call)
{
	struct instance *nic = call_nic(call);
	const char *id = call_text(call, "net");

	if (!nic)
		return call->err.code;
	return id ? host_attach(call->host, instance_name(nic), id, &call->err)
		  : call_wrong(call, "\"net\" is the ID of a network");
}

/* What would help. */
static void put_needs(struct call *call, int result)
{
	const char *what = result == -EAGAIN	  ? "again"
			   : result == -EBUSY	  ? "replug"
			   : result == -ECANCELED ? "reset"
						  : NULL;

	if (what)
		json_object_object_add(call->answer, "needs", json_object_new_string(what));
}

int control_reload(struct call *call)
{
	static const char *const how[] = {
		[RELOADED_CARRIED] = "carried",
		[RELOADED_RESET] = "reset",
		[RELOADED_AFRESH] = "afresh",
	};
	struct instance *nic = call_nic(call);
	struct mistakes mistakes = {0};
	int reset = call_flag(call, "reset"), result;

	if (!nic)
		return call->err.code;
	if (reset < 0)
		return call_wrong(call, "\"reset\" is true or false");
	result = host_reload(call->host, instance_name(nic), reset, &mistakes, &call->err);
	if (!mistakes.count)
		put_needs(call, result);
	if (result >= 0)
		json_object_object_add(call->answer, "reload", json_object_new_string(how[result]));
	return put_mistakes(call, &mistakes, result);
}
