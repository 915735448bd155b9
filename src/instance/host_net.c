/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/host_net.h"

#include "backend/backend.h"
#include "backend/bridge.h"
#include "backend/switch.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static const char SWITCH[] = "switch", UPLINK[] = "switch,uplink=";

/* What is behind the switch: "" is nobody; NULL: there is no switch. */
static const char *uplink_of(const char *spec, bool shared)
{
	if (!strcmp(spec, SWITCH))
		return "";
	if (!strncmp(spec, UPLINK, strlen(UPLINK)))
		return spec + strlen(UPLINK);
	return shared ? spec : NULL;
}

static int fabric_make(struct host_net *net, const char *uplink, struct error *err)
{
	struct port *port = NULL;

	if (!strncmp(uplink, SWITCH, strlen(SWITCH)))
		return error_set(err, -EINVAL, "--net %s: expected switch or switch,uplink=SPEC",
				 net->spec);
	if (*uplink && !(port = backend_open(uplink, net->loop, err)))
		return err->code;
	net->fabric = switch_new(port, net->loop, err);
	return net->fabric ? 0 : err->code;
}

static int fabric_of(struct host_net *net, const char *uplink, struct error *err)
{
	int result;

	loop_hold(net->loop);
	result = fabric_make(net, uplink, err);
	loop_release(net->loop);
	return result;
}

struct host_net *host_net_new(const char *id, const char *spec, bool shared, struct loop *loop,
			      struct error *err)
{
	struct host_net *net = calloc(1, sizeof(*net));
	const char *uplink = uplink_of(spec, shared);

	if (net) {
		net->id = strdup(id);
		net->spec = strdup(spec);
		net->loop = loop;
	}
	if (!net || !net->id || !net->spec)
		error_set(err, -ENOMEM, "no memory");
	else if (!uplink || fabric_of(net, uplink, err) == 0)
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
	switch_free(net->fabric);
	net->fabric = switch_new(port, loop, err);
	if (net->fabric)
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

static struct port *port_here(struct host_net *net, struct error *err)
{
	if (net->fabric)
		return switch_join(net->fabric, err);
	if (!net->users)
		return backend_open(net->spec, net->loop, err);
	error_set(err, -EBUSY, "network %s is another NIC's alone; only a switch has room for more",
		  net->id);
	return NULL;
}

struct port *host_net_port(struct host_net *net, struct loop *loop, struct error *err)
{
	struct port *port;

	loop_hold(net->loop);
	loop_hold(loop);
	port = port_here(net, err);
	if (port && loop != net->loop)
		port = bridge_new(port, net->loop, loop, err);
	loop_release(loop);
	loop_release(net->loop);
	return port;
}

static void describe_switch(json_object *to, const struct switch_stats *stats)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{"addresses", stats->addresses}, {"in", stats->in},
		{"routed", stats->routed},	 {"flooded", stats->flooded},
		{"nowhere", stats->nowhere},	 {"copies", stats->copies},
		{"given", stats->given},	 {"dropped", stats->dropped},
		{"waits", stats->waits},	 {"abandoned", stats->abandoned},
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
	loop_release(net->loop);
	describe_switch(to, &stats);
	return to;
}
