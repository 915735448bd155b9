/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is between a NIC and its network:
 *
 *   NIC -- rate limits -- capture -- host's port
 *
 * The two in the middle come and go while frames flow. Whoever waits then for the
 * other side looks again, since the one he waits for may not be there any more.
 */
#include "backend/backend.h"
#include "instance/instance_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t MOVING_NS = 3000000000; /* there are drivers that look every two seconds */

static void join(struct instance *instance)
{
	struct port *port = instance->host;

	if (instance->capture) {
		layer_around(instance->capture, port);
		port = &instance->capture->port;
	}
	if (instance->rate) {
		layer_around(instance->rate, port);
		port = &instance->rate->port;
	}
	instance->port = port;
	nic_attach(instance->nic, port);
}

static void join_again(struct instance *instance)
{
	join(instance);
	port_writable(instance->port);
	if (instance->port->ops->resume)
		instance->port->ops->resume(instance->port);
}

static void plugged_in(struct timer *timer)
{
	struct instance *instance = timer->context;

	nic_link(instance->nic, !instance->link_down);
}

int instance_start_ports(struct instance *instance, const struct instance_config *config,
			 struct error *err)
{
	timer_init(&instance->moving, plugged_in, instance);
	if (!instance->host)
		instance->host = backend_open(config->net, config->loop, err);
	if (!instance->host)
		return -EINVAL;
	join(instance);
	if (config->capture && instance_capture(instance, config->capture, err) < 0)
		return -EINVAL;
	return instance_rate(instance, &config->limits, err);
}

void instance_close_ports(struct instance *instance)
{
	timer_cancel(loop_clock(instance->loop), &instance->moving);
	if (instance->host)
		instance->host->ops->close(instance->host);
	layer_free(instance->capture);
	layer_free(instance->rate);
	free(instance->capture_path);
}

int instance_capture(struct instance *instance, const char *path, struct error *err)
{
	char *copy = path ? strdup(path) : NULL;
	struct layer *old = instance->capture, *new = NULL;

	if (path && !copy)
		return error_set(err, -ENOMEM, "no memory");
	if (path && !(new = capture_open(instance->host, path, err))) {
		free(copy);
		return -EINVAL;
	}
	instance->capture = new;
	free(instance->capture_path);
	instance->capture_path = copy;
	join_again(instance);
	if (old)
		instance->past.uncaptured += old->port.stats.uncaptured;
	layer_free(old);
	return 0;
}

int instance_rate(struct instance *instance, const struct rate_limits *limits, struct error *err)
{
	struct layer *old = instance->rate;

	if (!rate_unlimited(limits) && old) {
		rate_set(old, limits);
	} else if (!rate_unlimited(limits)) {
		instance->rate = rate_open(instance->host, limits, instance->loop, err);
		if (!instance->rate)
			return err->code;
		join_again(instance);
	} else if (old) {
		instance->rate = NULL;
		join_again(instance);
		layer_free(old);
	}
	instance->limits = *limits;
	return 0;
}

static void way_add(struct port_way *to, const struct port_way *way)
{
	to->offered += way->offered;
	to->frames += way->frames;
	to->bytes += way->bytes;
	for (unsigned i = 0; i < PORT_DROPS; i++)
		to->dropped[i] += way->dropped[i];
	to->dropped[DROP_NOBODY] += way->waits; /* what waited there is lost with it */
}

static void move_cable(struct instance *instance)
{
	struct clock *clock = loop_clock(instance->loop);

	nic_link(instance->nic, false);
	timer_arm(clock, &instance->moving, clock_now(clock) + MOVING_NS);
}

void instance_link(struct instance *instance, bool up)
{
	instance->link_down = !up;
	timer_cancel(loop_clock(instance->loop), &instance->moving);
	nic_link(instance->nic, up);
}

void instance_attach(struct instance *instance, struct port *port, const char *net)
{
	struct port *old = instance->host;

	old->peer = (struct port_peer){0};
	way_add(&instance->past.tx, &old->stats.tx);
	way_add(&instance->past.rx, &old->stats.rx);
	instance->past.stalls += old->stats.stalls;
	old->ops->close(old);
	instance->host = port;
	instance->net = net;
	nic_moved(instance->nic);
	move_cable(instance);
	join_again(instance);
}
