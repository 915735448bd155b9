/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An uplink hands over what some NIC of the switch takes, in the VLANs that its port
 * has: the union of their filters. Where there are several, each may be the way to
 * what is behind another, and hands over all.
 *
 * What goes to many goes to those NICs only that take it.
 */
#include "backend/switch_internal.h"

#include <string.h>

static void add_address(struct port_filter *to, uint64_t address)
{
	for (unsigned i = 0; i < to->count; i++) {
		if (to->addresses[i] == address)
			return;
	}
	if (to->count < PORT_ADDRESSES)
		to->addresses[to->count++] = address;
	else if (address & 1)
		to->all_groups = true;
	else
		to->all = true;
}

static bool takes_some(const struct port_filter *filter)
{
	return filter->all || filter->all_groups || filter->broadcast || filter->count;
}

/* The tags that frames for it have on the way in. */
static void add_vlans(struct port_filter *to, const struct switch_end *end)
{
	const struct switch_port *port = &end->to_be;

	if (!switch_port_tags(port)) {
		to->all_vlans |= end->filter.all_vlans;
		for (unsigned i = 0; i < PORT_VLANS / 64; i++)
			to->vlans[i] |= end->filter.vlans[i];
		return;
	}
	if (port->native)
		vlans_add(to->vlans, port->vlan);
	for (unsigned i = 0; port->trunk && i < PORT_VLANS / 64; i++)
		to->vlans[i] |= port->vlans[i] &
				(end->filter.all_vlans ? UINT64_MAX : end->filter.vlans[i]);
}

static void add(struct port_filter *to, const struct switch_end *end)
{
	const struct port_filter *filter = &end->filter;

	if (!takes_some(filter))
		return;
	to->all |= filter->all;
	to->all_groups |= filter->all_groups;
	to->broadcast |= filter->broadcast;
	for (unsigned i = 0; i < filter->count; i++)
		add_address(to, filter->addresses[i]);
	add_vlans(to, end);
}

/* An uplink without a tag in VLAN N of the switch: its frames have none either way. */
static void tell(const struct switch_end *end, const struct port_filter *all)
{
	struct port_filter here = *all;
	const struct switch_port *port = &end->to_be;

	if (!end->uplink->ops->filter)
		return;
	if (switch_port_tags(port)) {
		here.all_vlans = false;
		for (unsigned i = 0; i < PORT_VLANS / 64; i++)
			here.vlans[i] = (all->all_vlans ? UINT64_MAX : all->vlans[i]) &
					(port->trunk ? port->vlans[i] : 0);
		vlans_add(here.vlans, 0); /* a priority only */
	}
	end->uplink->ops->filter(end->uplink, &here);
}

void switch_filter_changed(struct switch_net *net)
{
	unsigned uplinks = 0;
	struct port_filter all;

	memset(&all, 0, sizeof(all));
	for (unsigned i = 0; i < net->count; i++) {
		if (net->ends[i] && net->ends[i]->uplink)
			uplinks++;
		else if (net->ends[i])
			add(&all, net->ends[i]);
	}
	if (uplinks > 1)
		all.all = all.all_groups = all.broadcast = all.all_vlans = true;
	for (unsigned i = 0; uplinks && i < net->count; i++) {
		if (net->ends[i] && net->ends[i]->uplink)
			tell(net->ends[i], &all);
	}
}

bool switch_filter_takes(const struct switch_end *end, const struct switch_head *head)
{
	unsigned vlan = vlan_tagged(end, head->vlan) ? head->vlan : 0;

	return !end->told || (port_filter_takes_address(&end->filter, head_address(head, 0)) &&
			      (!vlan || port_filter_takes_vlan(&end->filter, vlan)));
}
