/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/host_net.h"

#include "backend/backend.h"
#include "backend/bridge.h"
#include "backend/switch.h"
#include "instance/json_put.h"
#include "instance/port_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SWITCH[] = "switch", UPLINK[] = ",uplink=";

const char *host_net_kind(unsigned index)
{
	return index ? backend_kind(index - 1) : SWITCH;
}

/* What is behind the switch: "" is nobody; NULL: there is no switch. */
static const char *uplinks_of(const char *spec, bool shared)
{
	if (!strcmp(spec, SWITCH))
		return "";
	if (!strncmp(spec, SWITCH, strlen(SWITCH)) &&
	    !strncmp(spec + strlen(SWITCH), UPLINK, strlen(UPLINK)))
		return spec + strlen(SWITCH) + strlen(UPLINK);
	return shared ? spec : NULL;
}

static int no_switch(const struct host_net *net, struct error *err)
{
	return error_set(err, -EINVAL, "--net %s: expected switch or switch,uplink=SPEC",
			 net->spec);
}

/* SPEC: KIND and its options, and those of a port of the switch. */
static int uplink_open(struct host_net *net, char *spec, struct error *err)
{
	struct switch_port to_be = {0};
	struct port *port;

	if (!strncmp(spec, SWITCH, strlen(SWITCH)))
		return no_switch(net, err);
	snprintf(to_be.name, sizeof(to_be.name), "%s", spec);
	if (switch_port_take(&to_be, spec, err) < 0)
		return err->code;
	port = backend_open(spec, net->loop, err);
	return port ? switch_uplink(net->fabric, port, &to_be, err) : err->code;
}

static int fabric_make(struct host_net *net, const char *uplinks, struct error *err)
{
	char *specs = strdup(uplinks), *at = specs, *next;
	int result = 0;

	if (!specs)
		return error_set(err, -ENOMEM, "no memory");
	net->fabric = switch_new(net->loop, err);
	if (!net->fabric)
		result = err->code;
	for (; *at && result == 0; at = next) {
		next = strstr(at, UPLINK);
		if (next) {
			*next = 0;
			next += strlen(UPLINK);
		} else {
			next = at + strlen(at);
		}
		result = uplink_open(net, at, err);
	}
	free(specs);
	return result;
}

static int fabric_of(struct host_net *net, const char *uplinks, struct error *err)
{
	int result;

	loop_hold(net->loop);
	result = fabric_make(net, uplinks, err);
	loop_release(net->loop);
	return result;
}

/* Also where no NIC is on it yet: a misspelt word is told to whoever wrote it. */
static int side_make(struct host_net *net, const char *uplinks, struct error *err)
{
	if (uplinks)
		return fabric_of(net, uplinks, err);
	if (!strncmp(net->spec, SWITCH, strlen(SWITCH)) && net->spec[strlen(SWITCH)] == ',')
		return no_switch(net, err);
	return backend_check(net->spec, err);
}

struct host_net *host_net_new(const char *id, const char *spec, bool shared, struct loop *loop,
			      struct error *err)
{
	struct host_net *net = calloc(1, sizeof(*net));
	const char *uplinks = uplinks_of(spec, shared);

	if (net) {
		net->id = strdup(id);
		net->spec = strdup(spec);
		net->loop = loop;
	}
	if (!net || !net->id || !net->spec)
		error_set(err, -ENOMEM, "no memory");
	else if (side_make(net, uplinks, err) == 0)
		return net;
	host_net_free(net);
	return NULL;
}

struct host_net *host_net_around(const char *id, struct port *port, struct loop *loop,
				 struct error *err)
{
	struct host_net *net = host_net_new(id, SWITCH, true, loop, err);

	if (!net) {
		port->ops->close(port);
		return NULL;
	}
	if (switch_uplink(net->fabric, port, &(struct switch_port){.name = "port"}, err) == 0)
		return net;
	host_net_free(net);
	return NULL;
}

void host_net_free(struct host_net *net)
{
	if (!net)
		return;
	loop_hold(net->loop);
	switch_free(net->fabric);
	loop_release(net->loop);
	free(net->id);
	free(net->spec);
	free(net);
}

static struct port *port_here(struct host_net *net, const struct switch_port *to_be,
			      struct error *err)
{
	char words[256];

	switch_port_text(to_be, words, sizeof(words));
	if (net->fabric)
		return switch_join(net->fabric, to_be, err);
	if (*words)
		error_set(err, -EINVAL, "%s: that is for a port of a switch, and %s is none", words,
			  net->spec);
	else if (!net->users)
		return backend_open(net->spec, net->loop, err);
	else
		error_set(err, -EBUSY,
			  "network %s is another NIC's alone; only a switch has room for more",
			  net->id);
	return NULL;
}

struct port *host_net_port(struct host_net *net, struct loop *loop, const struct switch_port *to_be,
			   struct port **seat, struct error *err)
{
	struct port *port;

	loop_hold(net->loop);
	loop_hold(loop);
	port = port_here(net, to_be, err);
	*seat = net->fabric ? port : NULL;
	if (port && loop != net->loop)
		port = bridge_new(port, net->loop, loop, err);
	loop_release(loop);
	loop_release(net->loop);
	return port;
}

/* ---- told ---- */

static json_object *describe_port(const struct switch_port_look *look)
{
	json_object *to = json_object_new_object(), *sums = json_object_new_object();
	char words[1024];

	put_text(to, "name", look->port->name);
	put_flag(to, "uplink", look->uplink != NULL);
	switch_port_text(look->port, words, sizeof(words));
	if (*words)
		put_text(to, "options", words);
	put_count(to, "addresses", look->addresses);
	put_way(to, "in", &look->stats.tx);
	put_way(to, "out", &look->stats.rx);
	json_object_object_add(to, "drops", ports_drops("in", "out", &look->stats));
	put_number(sums, "in", port_missing(&look->stats.tx));
	put_number(sums, "out", port_missing(&look->stats.rx));
	json_object_object_add(to, "missing", sums);
	if (look->uplink)
		json_object_object_add(to, "host", port_describe(look->uplink));
	return to;
}

struct json_object *host_net_describe_port(const struct host_net *net, const struct port *seat)
{
	struct switch_port_look look;
	json_object *to;

	loop_hold(net->loop);
	switch_look_joined(seat, &look);
	to = describe_port(&look);
	loop_release(net->loop);
	return to;
}

static void describe_ports(json_object *to, const struct switch_net *fabric)
{
	json_object *list = json_object_new_array();
	struct switch_port_look look;
	unsigned index = 0;

	while (switch_look_port(fabric, &index, &look))
		json_object_array_add(list, describe_port(&look));
	json_object_object_add(to, "ports", list);
}

static void describe_switch(json_object *to, const struct switch_stats *stats)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{"uplinks", stats->uplinks}, {"addresses", stats->addresses},
		{"in", stats->in},	     {"routed", stats->routed},
		{"flooded", stats->flooded}, {"nowhere", stats->nowhere},
		{"refused", stats->refused}, {"copies", stats->copies},
		{"given", stats->given},     {"dropped", stats->dropped},
		{"waits", stats->waits},     {"abandoned", stats->abandoned},
		{"held", stats->held},
	};
	json_object *missing = json_object_new_object();

	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		json_object_object_add(to, counts[i].name, json_object_new_uint64(counts[i].count));
	json_object_object_add(missing, "in", json_object_new_int64(switch_missing_in(stats)));
	json_object_object_add(missing, "out", json_object_new_int64(switch_missing_out(stats)));
	json_object_object_add(to, "missing", missing);
}

struct json_object *host_net_describe(const struct host_net *net)
{
	json_object *to = json_object_new_object();
	struct switch_stats stats;

	json_object_object_add(to, "id", json_object_new_string(net->id));
	json_object_object_add(to, "spec", json_object_new_string(net->spec));
	json_object_object_add(to, "nics", json_object_new_int((int)net->users));
	json_object_object_add(to, "switch", json_object_new_boolean(net->fabric != NULL));
	if (!net->fabric)
		return to;
	loop_hold(net->loop);
	switch_look(net->fabric, &stats);
	describe_ports(to, net->fabric);
	loop_release(net->loop);
	describe_switch(to, &stats);
	return to;
}
