/* SPDX-License-Identifier: Apache-2.0 */

/* A running card as programs and people ask for it. */
#include "instance/instance_internal.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

static void put_text(json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text));
}

static void put_count(json_object *to, const char *key, uint64_t count)
{
	json_object_object_add(to, key, json_object_new_uint64(count));
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
	const uint8_t *mac = instance->mac;
	char text[32];

	put_text(nic, "name", instance->name);
	put_text(nic, "card", instance->card->name);
	snprintf(text, sizeof(text), "%04x:%04x", instance->card->vendor, instance->card->device);
	put_text(nic, "identity", text);
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	put_text(nic, "mac", text);
	put_text(nic, "net", instance->net);
	put_socket(nic, instance->socket_path);
	json_object_object_add(nic, "link", json_object_new_boolean(!instance->link_down));
	return nic;
}

static void describe_way(json_object *to, const char *name, const struct port_way *way)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {{"offered", way->offered},
		      {"frames", way->frames},
		      {"bytes", way->bytes},
		      {"waits", way->waits},
		      {"dropped", port_dropped(way)}};
	char key[32];

	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		snprintf(key, sizeof(key), "%s_%s", name, counts[i].name);
		put_count(to, key, counts[i].count);
	}
}

/* Those that were lost of it, by reason. */
static void describe_drops(json_object *to, const char *name, const struct port_way *way)
{
	char key[32];

	for (unsigned i = 0; i < PORT_DROPS; i++) {
		snprintf(key, sizeof(key), "%s_%s", name, port_drop_names[i]);
		if (way->dropped[i])
			put_count(to, key, way->dropped[i]);
	}
}

static json_object *group_of(json_object *stats, const char *name)
{
	json_object *group = json_object_new_object();

	json_object_object_add(stats, name, group);
	return group;
}

/* The host's side: what passed it, what was lost there, what its driver knows of the host's NIC. */
static void describe_host(const struct instance *instance, json_object *stats)
{
	const struct port *port = instance->host;
	json_object *to = group_of(stats, "host");

	if (port->ops->examine)
		port->ops->examine(instance->host);
	describe_way(to, "tx", &port->stats.tx);
	describe_way(to, "rx", &port->stats.rx);
	put_count(to, "stalls", port->stats.stalls);
	put_count(to, "uncaptured", instance->port->stats.uncaptured);
	to = group_of(stats, "host_drops");
	describe_drops(to, "tx", &port->stats.tx);
	describe_drops(to, "rx", &port->stats.rx);
	to = group_of(stats, "host_nic");
	json_object_object_add(to, "carrier", json_object_new_boolean(!port->down));
	put_count(to, "mbps", port->health.mbps);
	put_count(to, "rx_errors", port->health.rx_errors);
	put_count(to, "rx_missed", port->health.rx_missed);
	put_count(to, "tx_errors", port->health.tx_errors);
	put_count(to, "tx_discarded", port->health.tx_discarded);
}

struct json_object *instance_stats(const struct instance *instance)
{
	static const struct vfio_user_stats none;
	const struct vfio_user_stats *front =
		instance->front ? vfio_user_stats(instance->front) : &none;
	const struct nic_stats *nic = nic_stats(instance->nic);
	const struct {
		const char *group, *name;
		uint64_t count;
	} counts[] = {
		{"guest", "tx_frames", nic->tx_frames},
		{"guest", "tx_bytes", nic->tx_bytes},
		{"guest", "tx_faults", nic->tx_faults},
		{"guest", "rx_frames", nic->rx_frames},
		{"guest", "rx_bytes", nic->rx_bytes},
		{"guest", "rx_filtered", nic->rx_filtered},
		{"guest", "rx_no_room", nic->rx_no_room},
		{"guest", "rx_stopped", nic->rx_stopped},
		{"guest", "rx_too_long", nic->rx_too_long},
		{"guest", "rx_malformed", nic->rx_malformed},
		{"guest", "rx_cut", nic->rx_cut},
		{"guest", "rx_looped", nic->rx_looped},
		{"guest", "tx_looped", nic->tx_looped},
		{"guest", "tx_unplugged", nic->tx_unplugged},
		{"guest", "tx_malformed", nic->tx_malformed},
		{"guest", "tx_cut", nic->tx_cut},
		{"guest", "interrupts", nic->interrupts},
		{"guest", "undeclared", nic->undeclared},
		{"client", "requests", front->requests},
		{"client", "reads", front->reads},
		{"client", "writes", front->writes},
		{"client", "posted", front->posted},
		{"client", "unmasks", front->unmasks},
		{"client", "interrupts", front->interrupts},
		{"client", "dma_reads", front->dma_reads},
		{"client", "dma_writes", front->dma_writes},
		{"client", "errors", front->errors},
		{"client", "memory_faults", front->memory_faults},
		{"server", "calls", loop_calls(instance->loop)},
	};
	json_object *stats = json_object_new_object(), *group;

	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		if (!json_object_object_get_ex(stats, counts[i].group, &group)) {
			group = group_of(stats, counts[i].group);
		}
		put_count(group, counts[i].name, counts[i].count);
	}
	describe_host(instance, stats);
	return stats;
}
