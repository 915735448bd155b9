/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What comes of the slots that were fetched. Almost always all of a part were
 * taken, which costs nothing: only when one was not are there verdicts, one a slot.
 */
#include "nic/transmit.h"

uint8_t *slot_verdict(struct build *build, unsigned slot)
{
	if (!build->verdicts)
		memset(build->nic->verdicts, SLOT_TAKEN, sizeof(build->nic->verdicts));
	build->verdicts = true;
	return &build->nic->verdicts[slot];
}

void slots_reject(struct build *build, unsigned from, unsigned end, enum slot_reject why)
{
	memset(slot_verdict(build, from), why, end - from);
	*slot_verdict(build, end - 1) |= SLOT_FAULT;
}

void slots_count(struct build *build, unsigned slots)
{
	struct nic_slots *counts = &build->nic->stats.tx_slots;

	if (!build->verdicts)
		counts->completed += slots;
	for (unsigned i = 0; build->verdicts && i < slots; i++) {
		unsigned why = build->nic->verdicts[i] & ~SLOT_FAULT;

		counts->completed += why == SLOT_TAKEN;
		counts->rejected[why] += why != SLOT_TAKEN;
		if (build->nic->verdicts[i] & SLOT_FAULT)
			count_faults(build->nic, 1);
	}
}
