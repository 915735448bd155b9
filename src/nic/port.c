/* SPDX-License-Identifier: Apache-2.0 */
#include "nic/port.h"

#include <string.h>

const char *const port_drop_names[PORT_DROPS] = {
	[DROP_NOBODY] = "nobody",	[DROP_NO_ROOM] = "no_room", [DROP_TOO_LONG] = "too_long",
	[DROP_MALFORMED] = "malformed", [DROP_REFUSED] = "refused", [DROP_FOREIGN] = "foreign",
	[DROP_NOWHERE] = "nowhere",	[DROP_SPOOFED] = "spoofed", [DROP_VLAN] = "vlan",
	[DROP_ISOLATED] = "isolated",
};

void port_link(struct port *port, bool up)
{
	if (port->down == !up)
		return;
	port->down = !up;
	if (port->peer.link)
		port->peer.link(port->peer.context, up);
}

void port_health(struct port *port, const struct port_health *health)
{
	if (!memcmp(&port->health, health, sizeof(*health)))
		return;
	port->health = *health;
	if (port->peer.health)
		port->peer.health(port->peer.context, health);
}

/* With nobody behind it, frames have come to their end. */
unsigned port_receive(struct port *port, const struct frame *frames, unsigned count)
{
	return port->peer.receive ? port->peer.receive(port->peer.context, frames, count) : count;
}

void port_writable(struct port *port)
{
	if (port->peer.writable)
		port->peer.writable(port->peer.context);
}

void port_sent(struct port *port, unsigned count)
{
	if (count && port->peer.sent)
		port->peer.sent(port->peer.context, count);
}

uint64_t port_dropped(const struct port_way *way)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < PORT_DROPS; i++)
		sum += way->dropped[i];
	return sum;
}

int64_t port_missing(const struct port_way *way)
{
	return (int64_t)(way->offered - way->frames - way->waits - port_dropped(way));
}

bool port_filter_takes_address(const struct port_filter *filter, uint64_t to)
{
	if (filter->all && !(to & 1))
		return true;
	if (to == 0xffffffffffff ? filter->broadcast : filter->all_groups && (to & 1))
		return true;
	for (unsigned i = 0; i < filter->count; i++) {
		if (filter->addresses[i] == to)
			return true;
	}
	return false;
}

bool port_filter_takes_vlan(const struct port_filter *filter, unsigned vlan)
{
	return filter->all_vlans || vlans_have(filter->vlans, vlan);
}

bool port_filter_takes(const struct port_filter *filter, const uint8_t *head, uint32_t length)
{
	unsigned tag = length < 18 ? 0 : (unsigned)(head[14] << 8 | head[15]) & 0xfff;
	uint64_t to = 0;

	if (length < 14)
		return false;
	memcpy(&to, head, 6);
	if (head[12] == 0x81 && !head[13] && !port_filter_takes_vlan(filter, tag))
		return false;
	return port_filter_takes_address(filter, to);
}
