/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What people may see of a NIC at work; nothing is changed by it. What is counted
 * adds up, at any time between two turns of the loop:
 *
 *   (a module adds frames and removes some, each way, and some wait for it)
 *   out   frames of rings + more by cutting + abandoned + given but not done with
 *           = looped + without a link + malformed + offered to the port
 *   in    from the port + more by cutting + of one that is held + looped
 *           = put into rings + dropped for every reason
 *   loop  put = received again + lost + on their way
 *   slots fetched = completed + rejected for every reason, each way
 *
 * and a port's own, offered = passed + dropped for every reason + waiting.
 */
#include "nic/hook_calls.h"
#include "nic/state.h"

#include <string.h>

bool nic_look_ring(struct nic *nic, unsigned index, struct ring_look *look)
{
	static const char *const states[] = {
		[RING_STOPPED] = "stopped",
		[RING_RUNNING] = "running",
		[RING_STARVED] = "starved",
		[RING_SUSPENDED] = "suspended",
	};
	static const char *const ways[] = {
		[RING_TRANSMIT] = "tx",
		[RING_RECEIVE] = "rx",
		[RING_COMPLETION] = "done",
	};
	const struct ring_run *run = &nic->rings[index];

	if (index >= nic->card->instances)
		return false;
	*look = (struct ring_look){
		.name = run->ring->name,
		.number = run->number,
		.counted = run->ring->counted,
		.open = run->open || !run->ring->counted,
		.way = ways[run->ring->direction],
		.state = states[run->state],
		.entries = run->entries,
	};
	if (run->ring->direction != RING_COMPLETION &&
	    (run->state == RING_RUNNING || run->state == RING_STARVED)) {
		dma_look(nic->bus.memory, true);
		look->ready = ring_ready(nic, index);
		dma_look(nic->bus.memory, false);
	}
	return true;
}

void nic_look_filter(struct nic *nic, struct port_filter *filter)
{
	memset(filter, 0, sizeof(*filter));
	if (receive_ring(nic) >= 0)
		port_filter_look(nic, filter);
}

const char *const slot_reject_names[SLOT_REJECTS] = {
	[SLOT_TAKEN] = "taken",	  [SLOT_UNKNOWN] = "unknown", [SLOT_STRAY] = "stray",
	[SLOT_MEMORY] = "memory", [SLOT_LONG] = "long",	      [SLOT_SHORT] = "short",
	[SLOT_ASKS] = "asks",	  [SLOT_ENDLESS] = "endless",
};

static uint64_t given(const struct nic *nic)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < nic->card->instances; i++)
		sum += nic->rings[i].given + nic->rings[i].cut;
	return sum;
}

static int64_t slots_missing(const struct nic_slots *slots)
{
	uint64_t sum = slots->completed;

	for (unsigned i = 0; i < SLOT_REJECTS; i++)
		sum += slots->rejected[i];
	return (int64_t)(slots->fetched - sum);
}

void nic_sums(const struct nic *nic, const struct port_way *tx, const struct port_way *rx,
	      struct nic_sums *sums)
{
	const struct nic_stats *stats = &nic->stats;
	uint64_t out, in, cut;

	hooks_waiting(nic, &out, &in, &cut);
	sums->tx = (int64_t)(stats->tx_frames + stats->tx_cut + stats->tx_abandoned + given(nic) +
			     cut + stats->tx_added - stats->tx_removed - out - stats->tx_looped -
			     stats->tx_unplugged - stats->tx_malformed - tx->offered);
	sums->rx = (int64_t)(rx->frames + stats->rx_cut + nic->held_segments + stats->rx_looped +
			     stats->rx_added - stats->rx_removed - in - stats->rx_frames -
			     stats->rx_filtered - stats->rx_no_room - stats->rx_stopped -
			     stats->rx_too_long - stats->rx_too_short - stats->rx_malformed -
			     stats->rx_unplugged);
	sums->loop =
		(int64_t)(stats->loop_put - stats->rx_looped - stats->loop_lost - nic->loop_count);
	sums->tx_slots = slots_missing(&stats->tx_slots);
	sums->rx_slots = slots_missing(&stats->rx_slots);
}
