/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Events are counted in the engine and posted to the card's registers once a
 * batch; the order of the enum gives each direction frames, bytes, broadcast,
 * multicast and six sizes in a row.
 */
#include "nic/state.h"

static void post(struct nic *nic, const struct counter *counter, uint64_t count)
{
	uint64_t *low = &nic->state[counter->word], value;

	if (counter->high != 0xffff) {
		uint64_t *high = &nic->state[counter->high];

		value = ((*high << 32) | *low) + count;
		*low = (uint32_t)value;
		*high = value >> 32;
		return;
	}
	value = *low + count;
	if (value > counter->limit)
		value = counter->stick ? counter->limit : value & counter->limit;
	*low = value;
}

/* Counters in the order of their events, and where each event's begin. */
void counters_init(struct nic *nic)
{
	unsigned at = 0;

	for (unsigned event = 0; event < COUNTED; event++) {
		nic->counters_from[event] = (uint16_t)at;
		for (unsigned i = 0; i < nic->card->counters_count; i++) {
			if (nic->card->counters[i].event == event)
				nic->counters[at++] = &nic->card->counters[i];
		}
	}
	nic->counters_from[COUNTED] = (uint16_t)at;
}

void counters_post(struct nic *nic)
{
	for (unsigned event = 0; event < COUNTED; event++) {
		if (!nic->counts[event])
			continue;
		for (unsigned i = nic->counters_from[event]; i < nic->counters_from[event + 1]; i++)
			post(nic, nic->counters[i], nic->counts[event]);
		nic->counts[event] = 0;
	}
}
