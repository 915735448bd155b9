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
	return result;
}

/* ---- a NIC: its text is that of --nic ---- */

static int spec_of(struct call *call, struct nic_spec *spec)
{
	const char *text = call_text(call, "nic");
	int result;

	if (!text)
		return call_wrong(call, "\"nic\" is CARD,socket=PATH…");
	result = nic_spec_parse(spec, text, &call->err);
	if (result < 0 || spec->fd < 0)
		return result;
	nic_spec_free(spec);
	return call_wrong(call, "fd= is of no use here");
}

static void add_read(void *context, struct card *card, struct mistakes *mistakes)
{
	struct call *call = context;
	struct nic_spec spec;
	int result = -EINVAL;

	if (card && spec_of(call, &spec) == 0) {
		result = host_add_card(call->host, &spec, card, mistakes, &call->err);
		nic_spec_free(&spec);
	}
	result = put_mistakes(call, mistakes, result);
	if (result == 0)
		json_object_object_add(call->answer, "nic",
				       call_look(host_last(call->host), instance_describe));
	call_end(call, result);
}

int control_add(struct call *call)
{
	struct nic_spec spec;
	int result = spec_of(call, &spec);

	if (result < 0)
		return result;
	result = host_read(call->host, spec.card, add_read, call, &call->err);
	nic_spec_free(&spec);
	return result < 0 ? result : CALL_LATER;
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

int control_port(struct call *call)
{
	struct instance *nic = call_nic(call);
	const char *words = call_text(call, "port");

	if (!nic)
		return call->err.code;
	return words ? host_port(call->host, instance_name(nic), words, &call->err)
		     : call_wrong(call, "\"port\" is words as in isolated=on,vlan=5, or \"\"");
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

static void reload_read(void *context, struct card *card, struct mistakes *mistakes)
{
	static const char *const how[] = {
		[RELOADED_CARRIED] = "carried",
		[RELOADED_RESET] = "reset",
		[RELOADED_AFRESH] = "afresh",
	};
	struct call *call = context;
	int result = host_reload(call->host, call_text(call, "nic"), card, call_flag(call, "reset"),
				 mistakes, &call->err);

	if (!mistakes->count)
		put_needs(call, result);
	if (result >= 0)
		json_object_object_add(call->answer, "reload", json_object_new_string(how[result]));
	result = put_mistakes(call, mistakes, result);
	call_end(call, result);
}

int control_reload(struct call *call)
{
	struct instance *nic = call_nic(call);
	int result;

	if (!nic)
		return call->err.code;
	if (call_flag(call, "reset") < 0)
		return call_wrong(call, "\"reset\" is true or false");
	result = host_read(call->host, host_asked(call->host, instance_name(nic)), reload_read,
			   call, &call->err);
	return result < 0 ? result : CALL_LATER;
}
