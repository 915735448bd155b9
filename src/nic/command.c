/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A slot that is a command: its actions are recorded once, with a copy of the
 * slot, and the ring stands still until they are done. Then the slot is
 * completed like any other. So a command that waits for guest memory neither
 * blocks an access nor is run twice.
 *
 *   pass: [data ...] committed | command: recorded, run | completed | [data ...]
 *                                  `-- not done: the ring looks again later
 */
#include "nic/state.h"

/* True: the command has been carried out. */
bool command_run(struct nic *nic, unsigned ring, const struct use *use, const struct scope *scope)
{
	struct ring_run *run = &nic->rings[ring];

	if (!use->actions.count)
		return true;
	if (!run->commanded) {
		run->commanded = true;
		recorded_add(nic, &use->actions, 0, scope);
	}
	recorded_work(nic);
	if (nic->recorded_count || !run->commanded)
		return false;
	run->commanded = false;
	return true;
}
