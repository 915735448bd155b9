/* SPDX-License-Identifier: Apache-2.0 */

/* What people may see of a NIC at work; nothing is changed by it. */
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
