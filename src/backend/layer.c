/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/layer.h"

#include <stddef.h>

/* ---- from the NIC to the host ---- */

static unsigned pass_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct layer *layer = port->context;

	return layer->transmit ? layer->transmit(layer, frames, count)
			       : layer_transmit(layer, frames, count);
}

static void pass_resume(struct port *port)
{
	layer_resume(port->context);
}

static void pass_filter(struct port *port, const struct port_filter *filter)
{
	struct layer *layer = port->context;

	layer->inner->ops->filter(layer->inner, filter);
}

static void pass_examine(struct port *port)
{
	struct layer *layer = port->context;

	if (layer->inner->ops->examine)
		layer->inner->ops->examine(layer->inner);
}

static void pass_close(struct port *port)
{
	struct layer *layer = port->context;
	struct port *inner = layer->inner;

	layer_free(layer);
	inner->ops->close(inner);
}

/* ---- from the host to the NIC ---- */

static unsigned pass_receive(void *context, const struct frame *frames, unsigned count)
{
	struct layer *layer = context;

	return layer->receive ? layer->receive(layer, frames, count)
			      : port_receive(&layer->port, frames, count);
}

static void pass_link(void *context, bool up)
{
	struct layer *layer = context;

	port_link(&layer->port, up);
}

static void pass_writable(void *context)
{
	struct layer *layer = context;

	port_writable(&layer->port);
}

static void pass_sent(void *context, unsigned count)
{
	struct layer *layer = context;

	port_sent(&layer->port, count);
}

static void pass_health(void *context, const struct port_health *health)
{
	struct layer *layer = context;

	port_health(&layer->port, health);
}

void layer_around(struct layer *layer, struct port *inner)
{
	layer->ops = (struct port_ops){
		.transmit = pass_transmit,
		.resume = pass_resume,
		.filter = inner->ops->filter ? pass_filter : NULL,
		.examine = pass_examine,
		.close = pass_close,
		.offloads = inner->ops->offloads,
		.defers = inner->ops->defers,
	};
	layer->port.ops = &layer->ops;
	layer->port.context = layer;
	layer->port.health = inner->health;
	layer->port.down = inner->down;
	layer->inner = inner;
	inner->peer = (struct port_peer){layer,		pass_receive, pass_link,
					 pass_writable, pass_sent,    pass_health};
}

void layer_free(struct layer *layer)
{
	if (layer)
		layer->free(layer);
}
