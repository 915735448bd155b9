/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Slots that are registers: slot k is element k of the arrays its description
 * speaks of, under the name i. There is nothing to load and nothing to write
 * back but registers, which actions do; all else is a pass over a ring like
 * any other (transmit.c). They are taken strictly in turn, as the chips do:
 * one that is ready behind one that is not waits.
 */
#include "nic/state.h"

uint32_t registers_ready(struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;
	uint32_t entries = nic->rings[index].entries, cursor = ring_cursor(nic, index);
	uint32_t count = 0;

	while (count < entries && cursor < entries && count < BUDGET) {
		struct scope scope = {.index = (cursor + count) % entries, .ring = (uint16_t)index};

		if (!expr_holds(nic, &ring->until, &scope))
			break;
		count++;
	}
	return count;
}
