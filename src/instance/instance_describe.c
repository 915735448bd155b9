/* SPDX-License-Identifier: Apache-2.0 */

/* What a running card is. */
#include "instance/instance_internal.h"
#include "instance/json_put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void mac_text(const uint8_t mac[static 6], char *text, size_t room)
{
	snprintf(text, room, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
}

static void describe_limits(json_object *to, const struct rate_limits *limits)
{
	const struct {
		const char *name;
		uint64_t rate;
	} rates[] = {
		{"tx_bits", limits->tx_bits},
		{"tx_frames", limits->tx_frames},
		{"rx_bits", limits->rx_bits},
		{"rx_frames", limits->rx_frames},
	};
	json_object *group = rate_unlimited(limits) ? NULL : json_object_new_object();

	for (unsigned i = 0; group && i < sizeof(rates) / sizeof(*rates); i++) {
		if (rates[i].rate)
			put_count(group, rates[i].name, rates[i].rate);
	}
	if (group)
		json_object_object_add(to, "rate", group);
}

/* Where a client of any folder finds it. */
static void put_socket(json_object *to, const char *path)
{
	char *whole = path ? realpath(path, NULL) : NULL;

	if (path)
		put_text(to, "socket", whole ?: path);
	free(whole);
}

struct json_object *instance_describe(const struct instance *instance)
{
	json_object *nic = json_object_new_object();
	char text[32];

	put_text(nic, "name", instance->name);
	put_text(nic, "card", instance->card->name);
	snprintf(text, sizeof(text), "%04x:%04x", instance->card->vendor, instance->card->device);
	put_text(nic, "identity", text);
	mac_text(instance->mac, text, sizeof(text));
	put_text(nic, "mac", text);
	put_text(nic, "net", instance->net);
	put_socket(nic, instance->socket_path);
	json_object_object_add(nic, "link", json_object_new_boolean(!instance->link_down));
	json_object_object_add(nic, "client", json_object_new_boolean(instance->connected));
	if (instance->capture_path)
		put_text(nic, "capture", instance->capture_path);
	describe_limits(nic, &instance->limits);
	return nic;
}

static json_object *addresses_of(const struct port_filter *filter)
{
	json_object *list = json_object_new_array();

	for (unsigned i = 0; i < filter->count; i++) {
		uint8_t mac[6];
		char text[32];

		memcpy(mac, &filter->addresses[i], sizeof(mac));
		mac_text(mac, text, sizeof(text));
		json_object_array_add(list, json_object_new_string(text));
	}
	return list;
}

static json_object *vlans_of(const struct port_filter *filter)
{
	json_object *list = json_object_new_array();

	for (int i = 0; i < PORT_VLANS; i++) {
		if (vlans_have(filter->vlans, i))
			json_object_array_add(list, json_object_new_int(i));
	}
	return list;
}

struct json_object *instance_describe_filter(struct instance *instance)
{
	json_object *to = json_object_new_object();
	struct port_filter filter;

	nic_look_filter(instance->nic, &filter);
	put_flag(to, "promiscuous", filter.all);
	put_flag(to, "all_groups", filter.all_groups);
	put_flag(to, "broadcast", filter.broadcast);
	put_flag(to, "all_vlans", filter.all_vlans);
	json_object_object_add(to, "addresses", addresses_of(&filter));
	if (!filter.all_vlans)
		json_object_object_add(to, "vlans", vlans_of(&filter));
	return to;
}
