/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Events are counted in the engine and posted to the card's registers once a
 * batch; the order of the enum gives each direction frames, bytes, broadcast,
 * multicast and six sizes in a row.
 */
#include "nic/state.h"

#include <string.h>

/* The value, in one place or in two; LIMIT is that of the lower one. */
static uint64_t value_of(const struct nic *nic, const struct counter *counter)
{
	uint64_t high = nic->state[counter->high] >> counter->high_shift & counter->high_mask;

	return counter->high_mask ? high * (counter->limit + 1) + nic->state[counter->word]
				  : nic->state[counter->word];
}

static void put(struct nic *nic, const struct counter *counter, uint64_t value)
{
	uint64_t *high = &nic->state[counter->high];

	nic->state[counter->word] = value & counter->limit;
	if (!counter->high_mask)
		return;
	*high &= ~(counter->high_mask << counter->high_shift);
	*high |= (value / (counter->limit + 1) & counter->high_mask) << counter->high_shift;
}

static void post(struct nic *nic, const struct counter *counter, uint64_t count)
{
	uint64_t before = value_of(nic, counter), value = before + count;
	uint64_t most = counter->high_mask
				? counter->high_mask * (counter->limit + 1) + counter->limit
				: counter->limit;

	if (counter->raise_mask && before < counter->reaches && value >= counter->reaches) {
		nic->state[counter->raise] |= counter->raise_mask;
		nic_changed(nic, counter->raise);
	}
	if (counter->stick && (value > most || value < before))
		value = most;
	put(nic, counter, value);
}

/* Counters in the order of their events, and where those of each event that has any begin. */
void counters_init(struct nic *nic)
{
	unsigned at = 0;

	for (unsigned event = 0; event < COUNTED; event++) {
		struct counted_run *run = &nic->counted[nic->counted_count];

		run->event = (uint8_t)event;
		run->first = (uint16_t)at;
		for (unsigned i = 0; i < nic->card->counters_count; i++) {
			if (nic->card->counters[i].event == event)
				nic->counters[at++] = &nic->card->counters[i];
		}
		run->end = (uint16_t)at;
		nic->counted_count += run->end > run->first;
	}
}

void counters_post(struct nic *nic)
{
	for (unsigned k = 0; k < nic->counted_count; k++) {
		const struct counted_run *run = &nic->counted[k];
		uint64_t count = nic->counts[run->event];

		for (unsigned i = run->first; count && i < run->end; i++)
			post(nic, nic->counters[i], count);
	}
	memset(nic->counts, 0, sizeof(nic->counts));
}
