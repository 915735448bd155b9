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

void counters_post(struct nic *nic)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < COUNTED; i++)
		any |= nic->counts[i];
	if (!any)
		return;
	for (unsigned i = 0; i < nic->card->counters_count; i++) {
		const struct counter *counter = &nic->card->counters[i];

		if (nic->counts[counter->event])
			post(nic, counter, nic->counts[counter->event]);
	}
	for (unsigned i = 0; i < COUNTED; i++)
		nic->counts[i] = 0;
}
