/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A driver acknowledges causes, then looks at its rings. Its writes are not
 * waited for, and while one is on its way here a pass may put a frame in:
 *
 *   driver:  acknowledge ──────┐  look: nothing   wait for an interrupt
 *   here:            frame, raise └> acknowledged: nobody will look again
 *
 * What passes raise is therefore remembered until all that was sent before
 * has been dealt with, and raised again if it was acknowledged meanwhile. A
 * driver that has seen the cause in a read since knows of it.
 *
 *   fresh ──nic_looking(): what was sent until now is read──> old
 *   old ──nic_looked(): and has been dealt with──> raised again, forgotten
 */
#include "nic/state.h"

void raised_note(struct nic *nic, unsigned word, uint64_t mask)
{
	unsigned i;

	if (nic->accessing || !nic->bus.settle)
		return;
	for (i = 0; i < nic->raised_count && nic->raised[i].word != word; i++)
		;
	if (i == RAISED_MAX)
		return;
	if (i == nic->raised_count)
		nic->raised[nic->raised_count++] = (struct raised){.word = (uint16_t)word};
	if (!nic->raised[i].fresh)
		nic->bus.settle(nic->bus.context);
	nic->raised[i].fresh |= mask;
}

void raised_told(struct nic *nic, unsigned word, uint64_t shown)
{
	for (unsigned i = 0; i < nic->raised_count; i++) {
		struct raised *raised = &nic->raised[i];

		if (raised->word == word) {
			raised->fresh &= ~shown;
			raised->old &= ~shown;
		}
	}
}

void nic_looking(struct nic *nic)
{
	for (unsigned i = 0; i < nic->raised_count; i++) {
		nic->raised[i].old |= nic->raised[i].fresh;
		nic->raised[i].fresh = 0;
	}
}

void nic_looked(struct nic *nic)
{
	unsigned left = 0;
	bool again = false;

	for (unsigned i = 0; i < nic->raised_count; i++) {
		struct raised *raised = &nic->raised[i];

		if (raised->old & ~nic->state[raised->word]) {
			nic->state[raised->word] |= raised->old;
			nic_changed(nic, raised->word);
			again = true;
		}
		raised->old = 0;
		if (raised->fresh)
			nic->raised[left++] = *raised;
	}
	nic->raised_count = left;
	if (again)
		interrupts_update(nic);
}
