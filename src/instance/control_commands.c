/* SPDX-License-Identifier: Apache-2.0 */

/* Each command fills in the answer, or says what is wrong. */
#include "instance/control_commands.h"

#include "instance/host.h"
#include "instance/instance.h"
#include "instance/nic_spec.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call {
	struct host *host;
	json_object *request, *answer;
	struct loop *held; /* until the command is done, or NULL */
	struct error err;  /* what is wrong; code 0: nothing */
};

static int wrong(struct call *call, const char *text)
{
	return error_set(&call->err, -EINVAL, "%s", text);
}

/* NULL: not there, or not a string. */
static const char *text_of(struct call *call, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(call->request, key, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

/* Absent is false; -1: something else than true or false. */
static int flag_of(struct call *call, const char *key)
{
	json_object *value;

	if (!json_object_object_get_ex(call->request, key, &value))
		return 0;
	return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value) : -1;
}

static struct instance *nic_named(struct call *call)
{
	const char *name = text_of(call, "nic");
	struct instance *nic = name ? host_find(call->host, name) : NULL;

	if (!nic)
		wrong(call, "no such NIC");
	return nic;
}

static struct instance *nic_of(struct call *call)
{
	struct instance *nic = nic_named(call);

	if (nic)
		loop_hold(call->held = instance_loop(nic));
	return nic;
}

static json_object *of_running(struct instance *nic,
			       json_object *(*look)(const struct instance *nic))
{
	json_object *seen;

	loop_hold(instance_loop(nic));
	seen = look(nic);
	loop_release(instance_loop(nic));
	return seen;
}

static int do_list(struct call *call)
{
	json_object *list = json_object_new_array();
	struct instance *nic;

	for (unsigned i = 0; (nic = host_nic(call->host, i)); i++)
		json_object_array_add(list, of_running(nic, instance_describe));
	json_object_object_add(call->answer, "nics", list);
	json_object_object_add(call->answer, "nets", host_describe_nets(call->host));
	return 0;
}

/* Of the one that is named, of the only one, or of each by its name. */
static int do_stats(struct call *call)
{
	struct instance *nic = NULL, *at = host_nic(call->host, 0);
	json_object *stats;
	int each = flag_of(call, "each");

	if (each < 0)
		return wrong(call, "\"each\" is true or false");
	if (json_object_object_get_ex(call->request, "nic", &stats) && !(nic = nic_named(call)))
		return call->err.code;
	if (!nic && !each && at && !host_nic(call->host, 1))
		nic = at;
	stats = nic ? of_running(nic, instance_stats) : json_object_new_object();
	for (unsigned i = 0; !nic && (at = host_nic(call->host, i)); i++)
		json_object_object_add(stats, instance_name(at), of_running(at, instance_stats));
	json_object_object_add(call->answer, "stats", stats);
	return 0;
}

static int with_file(struct call *call, int (*run)(struct instance *, const char *, struct error *))
{
	struct instance *nic = nic_of(call);
	const char *file = text_of(call, "file");

	if (!nic)
		return call->err.code;
	return file ? run(nic, file, &call->err) : wrong(call, "\"file\" is the name of a file");
}

static int do_save(struct call *call)
{
	return with_file(call, instance_save);
}

static int do_load(struct call *call)
{
	return with_file(call, instance_load);
}

static int do_link(struct call *call)
{
	struct instance *nic = nic_of(call);
	json_object *up;

	if (!nic)
		return call->err.code;
	if (!json_object_object_get_ex(call->request, "up", &up) ||
	    !json_object_is_type(up, json_type_boolean))
		return wrong(call, "\"up\" is true or false");
	instance_link(nic, json_object_get_boolean(up));
	return 0;
}

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
			result = wrong(call, line ?: "no memory");
		free(line);
	}
	if (list)
		json_object_object_add(call->answer, "mistakes", list);
	mistakes_free(mistakes);
	return result;
}

/* The text of a NIC is that of --nic. */
static int do_add(struct call *call)
{
	const char *text = text_of(call, "nic");
	struct mistakes mistakes = {0};
	struct nic_spec spec;
	int result;

	if (!text)
		return wrong(call, "\"nic\" is CARD,socket=PATH…");
	result = nic_spec_parse(&spec, text, &call->err);
	if (result == 0 && spec.fd >= 0)
		result = wrong(call, "fd= is of no use here");
	if (result == 0)
		result = host_add(call->host, &spec, &mistakes, &call->err);
	nic_spec_free(&spec);
	result = put_mistakes(call, &mistakes, result);
	if (result == 0)
		json_object_object_add(call->answer, "nic",
				       of_running(host_last(call->host), instance_describe));
	return result;
}

static int do_remove(struct call *call)
{
	struct instance *nic = nic_named(call);

	return nic ? host_remove(call->host, instance_name(nic), &call->err) : call->err.code;
}

/* ID=SPEC, as --net of run has it; what many are to be on says that it is a switch. */
static int do_add_net(struct call *call)
{
	const char *text = text_of(call, "net"), *spec = text ? strchr(text, '=') : NULL;
	char id[64];

	if (!spec || (size_t)(spec - text) >= sizeof(id))
		return wrong(call, "\"net\" is ID=SPEC");
	snprintf(id, sizeof(id), "%.*s", (int)(spec - text), text);
	return host_add_net(call->host, id, spec + 1, false, &call->err);
}

static int do_remove_net(struct call *call)
{
	const char *id = text_of(call, "net");

	return id ? host_remove_net(call->host, id, &call->err)
		  : wrong(call, "\"net\" is the ID of a network");
}

static int do_attach(struct call *call)
{
	struct instance *nic = nic_named(call);
	const char *id = text_of(call, "net");

	if (!nic)
		return call->err.code;
	return id ? host_attach(call->host, instance_name(nic), id, &call->err)
		  : wrong(call, "\"net\" is the ID of a network");
}

static int do_filters(struct call *call)
{
	struct instance *nic = nic_of(call);

	if (!nic)
		return call->err.code;
	json_object_object_add(call->answer, "filters", instance_describe_filter(nic));
	return 0;
}

/* "file": null is off. */
static int do_capture(struct call *call)
{
	struct instance *nic = nic_of(call);
	const char *file = text_of(call, "file");
	json_object *off;

	if (!nic)
		return call->err.code;
	if (!file && (!json_object_object_get_ex(call->request, "file", &off) || off))
		return wrong(call, "\"file\" is the name of a file, or null");
	return instance_capture(nic, file, &call->err);
}

static int limits_of(struct call *call, json_object *rates, struct rate_limits *limits)
{
	const struct {
		const char *name;
		uint64_t *place;
	} names[] = {
		{"tx_bits", &limits->tx_bits},
		{"tx_frames", &limits->tx_frames},
		{"rx_bits", &limits->rx_bits},
		{"rx_frames", &limits->rx_frames},
	};
	int known = 0;

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		json_object *rate;

		if (!json_object_object_get_ex(rates, names[i].name, &rate))
			continue;
		if (!json_object_is_type(rate, json_type_int) || json_object_get_int64(rate) < 0)
			return wrong(call, "a rate is a whole number, a second; 0: no limit");
		*names[i].place = json_object_get_uint64(rate);
		known++;
	}
	return known == json_object_object_length(rates)
		       ? 0
		       : wrong(call, "rates are tx_bits, tx_frames, rx_bits and rx_frames");
}

/* The whole set: what is not named has no limit. */
static int do_rate(struct call *call)
{
	struct instance *nic = nic_of(call);
	struct rate_limits limits = {0};
	json_object *rates;

	if (!nic)
		return call->err.code;
	if (!json_object_object_get_ex(call->request, "rate", &rates) ||
	    !json_object_is_type(rates, json_type_object))
		return wrong(call, "\"rate\" is an object of rates");
	if (limits_of(call, rates, &limits) < 0)
		return call->err.code;
	return instance_rate(nic, &limits, &call->err);
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

static int do_reload(struct call *call)
{
	static const char *const how[] = {
		[RELOADED_CARRIED] = "carried",
		[RELOADED_RESET] = "reset",
		[RELOADED_AFRESH] = "afresh",
	};
	struct instance *nic = nic_named(call);
	struct mistakes mistakes = {0};
	int reset = flag_of(call, "reset"), result;

	if (!nic)
		return call->err.code;
	if (reset < 0)
		return wrong(call, "\"reset\" is true or false");
	result = host_reload(call->host, instance_name(nic), reset, &mistakes, &call->err);
	if (!mistakes.count)
		put_needs(call, result);
	if (result >= 0)
		json_object_object_add(call->answer, "reload", json_object_new_string(how[result]));
	return put_mistakes(call, &mistakes, result);
}

static const struct command {
	const char *name;
	int (*run)(struct call *call);
} commands[] = {
	{"list", do_list},
	{"stats", do_stats},
	{"filters", do_filters},
	{"link", do_link},
	{"attach", do_attach},
	{"rate", do_rate},
	{"capture", do_capture},
	{"add", do_add},
	{"remove", do_remove},
	{"add-net", do_add_net},
	{"remove-net", do_remove_net},
	{"reload", do_reload},
	{"save", do_save},
	{"load", do_load},
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static int no_command(struct call *call)
{
	char names[256] = "";

	for (unsigned i = 0; i < COMMANDS; i++) {
		strncat(names, i ? ", " : "", sizeof(names) - strlen(names) - 1);
		strncat(names, commands[i].name, sizeof(names) - strlen(names) - 1);
	}
	return error_set(&call->err, -EINVAL, "no such command; there is %s", names);
}

static int run(struct call *call)
{
	const char *name;

	if (!json_object_is_type(call->request, json_type_object) ||
	    !(name = text_of(call, "command")))
		return wrong(call, "expected {\"command\": …}");
	for (unsigned i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return commands[i].run(call);
	}
	return no_command(call);
}

void control_refuse(json_object *answer, const char *why)
{
	json_object_object_add(answer, "ok", json_object_new_boolean(false));
	json_object_object_add(answer, "error", json_object_new_string(why));
}

void control_answer(struct host *host, json_object *request, json_object *answer)
{
	struct call call = {.host = host, .request = request, .answer = answer};

	int result = run(&call);

	if (call.held)
		loop_release(call.held);
	if (result < 0)
		control_refuse(answer, call.err.text);
	else
		json_object_object_add(answer, "ok", json_object_new_boolean(true));
}
