/* SPDX-License-Identifier: Apache-2.0 */

/* Each command fills in the answer, or says what is wrong. */
#include "instance/control_commands.h"

#include "instance/control_call.h"
#include "instance/host.h"
#include "instance/instance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct instance *nic_of(struct call *call)
{
	struct instance *nic = call_nic(call);

	if (nic)
		loop_hold(call->held = instance_loop(nic));
	return nic;
}

static int do_list(struct call *call)
{
	json_object *list = json_object_new_array();
	struct instance *nic;

	for (unsigned i = 0; (nic = host_nic(call->host, i)); i++)
		json_object_array_add(list, call_look(nic, instance_describe));
	json_object_object_add(call->answer, "nics", list);
	json_object_object_add(call->answer, "nets", host_describe_nets(call->host));
	return 0;
}

/* The NIC's own, and what the switch has counted at its port. */
static json_object *stats_of(struct call *call, struct instance *nic)
{
	json_object *stats = call_look(nic, instance_stats);
	json_object *port = host_describe_port(call->host, instance_name(nic));

	if (port)
		json_object_object_add(stats, "switch_port", port);
	return stats;
}

/* Of the one that is named, of the only one, or of each by its name. */
static int do_stats(struct call *call)
{
	struct instance *nic = NULL, *at = host_nic(call->host, 0);
	json_object *stats;
	int each = call_flag(call, "each");

	if (each < 0)
		return call_wrong(call, "\"each\" is true or false");
	if (json_object_object_get_ex(call->request, "nic", &stats) && !(nic = call_nic(call)))
		return call->err.code;
	if (!nic && !each && at && !host_nic(call->host, 1))
		nic = at;
	stats = nic ? stats_of(call, nic) : json_object_new_object();
	for (unsigned i = 0; !nic && (at = host_nic(call->host, i)); i++)
		json_object_object_add(stats, instance_name(at), stats_of(call, at));
	json_object_object_add(call->answer, "stats", stats);
	return 0;
}

static int with_file(struct call *call, int (*run)(struct instance *, const char *, struct error *))
{
	struct instance *nic = nic_of(call);
	const char *file = call_text(call, "file");

	if (!nic)
		return call->err.code;
	return file ? run(nic, file, &call->err)
		    : call_wrong(call, "\"file\" is the name of a file");
}

/* Held by its loop until the answer has been made, so nothing comes between the two. */
static int do_save(struct call *call)
{
	int hold = call_flag(call, "hold"), result;

	if (hold < 0)
		return call_wrong(call, "\"hold\" is true or false");
	result = with_file(call, instance_save);
	if (result == 0 && hold)
		instance_stand(call_nic(call));
	return result;
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
		return call_wrong(call, "\"up\" is true or false");
	instance_link(nic, json_object_get_boolean(up));
	return 0;
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
	const char *file = call_text(call, "file");
	json_object *off;

	if (!nic)
		return call->err.code;
	if (!file && (!json_object_object_get_ex(call->request, "file", &off) || off))
		return call_wrong(call, "\"file\" is the name of a file, or null");
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
			return call_wrong(call, "a rate is a whole number, a second; 0: no limit");
		*names[i].place = json_object_get_uint64(rate);
		known++;
	}
	return known == json_object_object_length(rates)
		       ? 0
		       : call_wrong(call, "rates are tx_bits, tx_frames, rx_bits and rx_frames");
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
		return call_wrong(call, "\"rate\" is an object of rates");
	if (limits_of(call, rates, &limits) < 0)
		return call->err.code;
	return instance_rate(nic, &limits, &call->err);
}

static const struct command {
	const char *name;
	int (*run)(struct call *call);
} commands[] = {
	{"list", do_list},
	{"stats", do_stats},
	{"filters", do_filters},
	{"link", do_link},
	{"attach", control_attach},
	{"rate", do_rate},
	{"port", control_port},
	{"capture", do_capture},
	{"add", control_add},
	{"remove", control_remove},
	{"add-net", control_add_net},
	{"remove-net", control_remove_net},
	{"reload", control_reload},
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
	    !(name = call_text(call, "command")))
		return call_wrong(call, "expected {\"command\": …}");
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

void control_answer(struct host *host, json_object *request,
		    void (*done)(void *context, json_object *answer), void *context)
{
	struct call *call = calloc(1, sizeof(*call));
	json_object *answer = json_object_new_object();
	int result;

	if (!call) {
		control_refuse(answer, "no memory");
		done(context, answer);
		json_object_put(answer);
		return;
	}
	*call = (struct call){.host = host,
			      .request = json_object_get(request),
			      .answer = answer,
			      .done = done,
			      .context = context};
	result = run(call);
	if (result != CALL_LATER)
		call_end(call, result);
}
