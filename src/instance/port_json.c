/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/port_json.h"
#include "instance/json_put.h"

#include <stdio.h>

void put_way(json_object *to, const char *name, const struct port_way *way)
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

static void put_drops(json_object *to, const char *name, const struct port_way *way)
{
	char key[32];

	for (unsigned i = 0; i < PORT_DROPS; i++) {
		snprintf(key, sizeof(key), "%s_%s", name, port_drop_names[i]);
		if (way->dropped[i])
			put_count(to, key, way->dropped[i]);
	}
}

json_object *ports_drops(const char *tx, const char *rx, const struct port_stats *stats)
{
	json_object *to = json_object_new_object();

	put_drops(to, tx, &stats->tx);
	put_drops(to, rx, &stats->rx);
	return to;
}

json_object *port_nic(const struct port *port)
{
	json_object *to = json_object_new_object();

	put_flag(to, "carrier", !port->down);
	put_count(to, "mbps", port->health.mbps);
	put_count(to, "rx_errors", port->health.rx_errors);
	put_count(to, "rx_missed", port->health.rx_missed);
	put_count(to, "tx_errors", port->health.tx_errors);
	put_count(to, "tx_discarded", port->health.tx_discarded);
	return to;
}

json_object *port_describe(const struct port *port)
{
	json_object *to = json_object_new_object();

	put_way(to, "tx", &port->stats.tx);
	put_way(to, "rx", &port->stats.rx);
	put_count(to, "stalls", port->stats.stalls);
	json_object_object_add(to, "drops", ports_drops("tx", "rx", &port->stats));
	json_object_object_add(to, "nic", port_nic(port));
	return to;
}
