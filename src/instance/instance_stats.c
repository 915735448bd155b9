/* SPDX-License-Identifier: Apache-2.0 */

/* What was counted, on either side, and whether it adds up. */
#include "instance/instance_internal.h"
#include "instance/json_put.h"
#include "instance/port_json.h"

#include <malloc.h>
#include <stdio.h>

static struct port_way sum(const struct port_way *a, const struct port_way *b)
{
	struct port_way both = *a;

	both.offered += b->offered;
	both.frames += b->frames;
	both.bytes += b->bytes;
	both.waits += b->waits;
	for (unsigned i = 0; i < PORT_DROPS; i++)
		both.dropped[i] += b->dropped[i];
	return both;
}

/* On the port, and on those that were there before it. */
static struct port_stats passed(const struct instance *instance)
{
	const struct port_stats *now = &instance->host->stats, *past = &instance->past;

	return (struct port_stats){.tx = sum(&now->tx, &past->tx),
				   .rx = sum(&now->rx, &past->rx),
				   .stalls = now->stalls + past->stalls};
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
	const struct port_stats both = passed(instance);
	json_object *to = group_of(stats, "host");

	put_way(to, "tx", &both.tx);
	put_way(to, "rx", &both.rx);
	put_count(to, "stalls", both.stalls);
	put_count(to, "limited", instance->rate ? instance->rate->port.stats.stalls : 0);
	put_count(to, "uncaptured",
		  instance->past.uncaptured +
			  (instance->capture ? instance->capture->port.stats.uncaptured : 0));
	json_object_object_add(stats, "host_drops", ports_drops("tx", "rx", &both));
	json_object_object_add(stats, "host_nic", port_nic(instance->host));
}

const struct nic_stats *instance_nic_stats(const struct instance *instance)
{
	return nic_stats(instance->nic);
}

void instance_sums(const struct instance *instance, struct nic_sums *sums)
{
	const struct port_stats both = passed(instance);

	nic_sums(instance->nic, &both.tx, &both.rx, sums);
}

/* 0, each of them, or something has not been counted. */
static void describe_sums(const struct instance *instance, json_object *stats)
{
	json_object *to = group_of(stats, "missing");
	struct nic_sums sums;

	instance_sums(instance, &sums);
	put_number(to, "tx", sums.tx);
	put_number(to, "rx", sums.rx);
	put_number(to, "loop", sums.loop);
	put_number(to, "tx_slots", sums.tx_slots);
	put_number(to, "rx_slots", sums.rx_slots);
	put_number(to, "host_tx", port_missing(&instance->host->stats.tx));
	put_number(to, "host_rx", port_missing(&instance->host->stats.rx));
}

/* What left one side and did not come to the other. */
static void describe_difference(const struct instance *instance, json_object *stats)
{
	const struct port_stats both = passed(instance);
	const struct nic_stats *nic = nic_stats(instance->nic);
	json_object *to = group_of(stats, "difference");

	put_number(to, "tx", (int64_t)(nic->tx_frames + nic->tx_cut - both.tx.frames));
	put_number(to, "rx", (int64_t)(both.rx.frames + nic->rx_cut - nic->rx_frames));
}

static void describe_slots(json_object *stats, const char *name, const struct nic_slots *slots)
{
	json_object *to = group_of(stats, name);

	put_count(to, "fetched", slots->fetched);
	put_count(to, "completed", slots->completed);
	for (unsigned i = SLOT_TAKEN + 1; i < SLOT_REJECTS; i++) {
		if (slots->rejected[i])
			put_count(to, slot_reject_names[i], slots->rejected[i]);
	}
}

static void describe_rings(const struct instance *instance, json_object *stats)
{
	json_object *rings = group_of(stats, "rings");
	struct ring_look look;

	for (unsigned i = 0; nic_look_ring(instance->nic, i, &look); i++) {
		char name[80];
		json_object *to;

		if (!look.open)
			continue;
		snprintf(name, sizeof(name), look.counted ? "%s.%u" : "%s", look.name, look.number);
		to = group_of(rings, name);
		put_text(to, "way", look.way);
		put_text(to, "state", look.state);
		put_count(to, "entries", look.entries);
		put_count(to, "ready", look.ready);
	}
}

/* Of the whole process: what was asked for and not given back, whatever the allocator keeps. */
static uint64_t memory_in_use(void)
{
	const struct mallinfo2 now = mallinfo2();

	return now.uordblks + now.hblkhd;
}

struct json_object *instance_stats(const struct instance *instance)
{
	static const struct vfio_user_stats none;
	const struct port_ops *host = instance->host->ops;
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
		{"guest", "rx_too_short", nic->rx_too_short},
		{"guest", "rx_unplugged", nic->rx_unplugged},
		{"guest", "rx_malformed", nic->rx_malformed},
		{"guest", "rx_cut", nic->rx_cut},
		{"guest", "rx_looped", nic->rx_looped},
		{"guest", "tx_looped", nic->tx_looped},
		{"guest", "tx_unplugged", nic->tx_unplugged},
		{"guest", "tx_malformed", nic->tx_malformed},
		{"guest", "tx_cut", nic->tx_cut},
		{"guest", "tx_abandoned", nic->tx_abandoned},
		{"guest", "tx_added", nic->tx_added},
		{"guest", "tx_removed", nic->tx_removed},
		{"guest", "rx_added", nic->rx_added},
		{"guest", "rx_removed", nic->rx_removed},
		{"guest", "loop_put", nic->loop_put},
		{"guest", "loop_lost", nic->loop_lost},
		{"guest", "interrupts", nic->interrupts},
		{"guest", "accesses", nic->accesses},
		{"guest", "undeclared", nic->undeclared},
		{"client", "requests", front->requests},
		{"client", "reads", front->reads},
		{"client", "writes", front->writes},
		{"client", "posted", front->posted},
		{"client", "unmasks", front->unmasks},
		{"client", "interrupts", front->interrupts},
		{"client", "dma_reads", front->dma_reads},
		{"client", "dma_writes", front->dma_writes},
		{"client", "dma_waiting", dma_waiting(instance->dma)},
		{"client", "errors", front->errors},
		{"client", "memory_faults", front->memory_faults},
		{"server", "calls", loop_calls(instance->loop)},
		{"server", "memory", memory_in_use()},
	};
	json_object *stats = json_object_new_object(), *group;

	if (host->examine)
		host->examine(instance->host);
	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		if (!json_object_object_get_ex(stats, counts[i].group, &group)) {
			group = group_of(stats, counts[i].group);
		}
		put_count(group, counts[i].name, counts[i].count);
	}
	describe_host(instance, stats);
	describe_slots(stats, "tx_slots", &nic->tx_slots);
	describe_slots(stats, "rx_slots", &nic->rx_slots);
	describe_difference(instance, stats);
	describe_sums(instance, stats);
	describe_rings(instance, stats);
	return stats;
}
