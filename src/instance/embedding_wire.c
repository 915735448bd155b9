/* SPDX-License-Identifier: Apache-2.0 */

/* A network whose other end is whoever has us in his program. */
#include "instance/embedding.h"

#include "instance/host.h"
#include "nic/port.h"

#include <errno.h>
#include <stdlib.h>

enum { ETHERNET_HEADER = 14, WIRE_MAX = 65535 };

struct anynic_wire {
	struct port port;
	struct anynic_wire_options options;
	bool closed; /* by its network; the caller may still hold it */
	struct anynic_wire *next;
};

static unsigned wire_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct anynic_wire *wire = port->context;

	for (unsigned i = 0; i < count; i++) {
		if (wire->options.transmit)
			wire->options.transmit(wire->options.context, frames[i].iov, frames[i].iovs,
					       frames[i].length);
		port_count(&port->stats.tx, frames[i].length);
	}
	return count;
}

static void wire_resume(struct port *port)
{
	struct anynic_wire *wire = port->context;

	if (wire->options.ready)
		wire->options.ready(wire->options.context);
}

static void wire_close(struct port *port)
{
	((struct anynic_wire *)port->context)->closed = true;
}

static const struct port_ops wire_ops = {
	.transmit = wire_transmit,
	.resume = wire_resume,
	.close = wire_close,
};

struct anynic_wire *anynic_wire_add(struct anynic *nics, const char *id,
				    const struct anynic_wire_options *options,
				    struct anynic_error *error)
{
	struct anynic_wire *wire = calloc(1, sizeof(*wire));
	struct error err = {.code = -ENOMEM, .text = "no memory"};

	if (wire && !embedding_options(&wire->options, sizeof(wire->options), options))
		error_set(&err, -EINVAL, "options: their size is not set");
	else if (wire) {
		wire->port = (struct port){.ops = &wire_ops, .context = wire};
		if (host_add_port(nics->host, id, &wire->port, &err) == 0) {
			wire->next = nics->wires;
			nics->wires = wire;
			return wire;
		}
	}
	free(wire);
	embedding_error(error, &err);
	return NULL;
}

int anynic_wire_deliver(struct anynic_wire *wire, const void *data, size_t length)
{
	struct frame frame = {.iovs = 1, .length = (uint32_t)length};

	if (length < ETHERNET_HEADER || length > WIRE_MAX)
		return -EMSGSIZE;
	if (wire->closed || !wire->port.peer.receive)
		return -ENOTCONN;
	frame.iov[0] = (struct iovec){(void *)data, length};
	if (port_receive(&wire->port, &frame, 1) != 1)
		return -EAGAIN;
	port_count(&wire->port.stats.rx, frame.length);
	return 0;
}

void anynic_wire_link(struct anynic_wire *wire, int up)
{
	port_link(&wire->port, up);
}

void embedding_wires_free(struct anynic *nics)
{
	while (nics->wires) {
		struct anynic_wire *wire = nics->wires;

		nics->wires = wire->next;
		free(wire);
	}
}
