/* SPDX-License-Identifier: Apache-2.0 */

/* An uplink hands over what some NIC of the switch takes: the union of their filters. */
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

static void add(struct port_filter *to, const struct port_filter *filter)
{
	if (!takes_some(filter))
		return;
	to->all |= filter->all;
	to->all_groups |= filter->all_groups;
	to->broadcast |= filter->broadcast;
	to->all_vlans |= filter->all_vlans;
	for (unsigned i = 0; i < filter->count; i++)
		add_address(to, filter->addresses[i]);
	for (unsigned i = 0; i < PORT_VLANS / 64; i++)
		to->vlans[i] |= filter->vlans[i];
}

void switch_filter_changed(struct switch_net *net)
{
	struct port *uplink = NULL;
	struct port_filter all;

	memset(&all, 0, sizeof(all));
	for (unsigned i = 0; i < net->count; i++) {
		if (net->ends[i] && net->ends[i]->uplink)
			uplink = net->ends[i]->uplink;
		else if (net->ends[i])
			add(&all, &net->ends[i]->filter);
	}
	if (uplink && uplink->ops->filter)
		uplink->ops->filter(uplink, &all);
}
