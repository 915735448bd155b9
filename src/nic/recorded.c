/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Actions that need guest memory. An access is answered at once, so within its
 * lists the first action that touches guest memory is recorded, and so is all
 * that follows it in the same access:
 *
 *   write ── set A; load R at X; set B ── next list of this access: set C
 *            now    `-------------------------------------------´
 *                    one after the other, from the work that follows
 *
 *   recorded[0] is run item by item, conditions looked at when it is its turn;
 *   -EAGAIN (memory by messages) leaves it where it is, and a later pass goes on
 *   recorded[n] waits for those before it
 *   a load waits until all that was stored is there
 *
 * Memory that does not exist ends a list: what should have followed the load
 * did not happen, and the driver sees just that. A reset of a ring drops all
 * that is recorded but the list it stands in. What lists add while they are run
 * stands behind everything else. The queue is short: a driver that asks for
 * more before anything was done has its lists dropped, and counted as faults.
 */
#include "nic/hook_calls.h"
#include "nic/state.h"

#include <errno.h>
#include <string.h>

void recorded_add(struct nic *nic, const struct actions *actions, unsigned at,
		  const struct scope *scope)
{
	struct recorded *entry = &nic->recorded[nic->recorded_count];

	nic->recording = nic->accessing;
	nic->bus.schedule(nic->bus.context);
	if (nic->recorded_count == RECORDED_MAX) {
		nic->stats.tx_faults++;
		return;
	}
	nic->recorded_count++;
	entry->actions = *actions;
	entry->at = at;
	entry->scope = *scope;
	entry->scope.first = NULL; /* of a pass that will be over */
	if (scope->slot) {
		memcpy(entry->slot, scope->slot, sizeof(entry->slot));
		entry->scope.slot = entry->slot;
	}
	if (scope->facts) {
		entry->facts = *scope->facts;
		entry->scope.facts = &entry->facts;
	}
}

void recorded_drop(struct nic *nic)
{
	nic->recorded_count = nic->replaying && nic->recorded_count ? 1 : 0;
}

static void first_done(struct nic *nic)
{
	nic->recorded_count--;
	memmove(nic->recorded, nic->recorded + 1, nic->recorded_count * sizeof(*nic->recorded));
	for (unsigned i = 0; i < nic->recorded_count; i++) { /* what they point at moved along */
		struct recorded *entry = &nic->recorded[i];

		if (entry->scope.slot)
			entry->scope.slot = entry->slot;
		if (entry->scope.facts)
			entry->scope.facts = &entry->facts;
	}
}

/* No older than what was stored before: the driver may act on that and on nothing else. */
static int load(struct nic *nic, const struct record *record, uint64_t addr, struct scope *scope)
{
	if (dma_flush(nic->bus.memory))
		return -EAGAIN; /* the last acknowledgement wakes us */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return record_load(nic, record, addr, scope);
}

static int store(struct nic *nic, const struct record *record, uint64_t addr, struct scope *scope)
{
	int result = record_store(nic, record, addr, scope);

	if (!result)
		dma_settle(nic->bus.memory); /* copies from before it are of no use to a load */
	return result;
}

/* One item of the first list: 0, or what guest memory said. */
static int step(struct nic *nic, struct recorded *entry)
{
	const struct action *action = &entry->actions.list[entry->at];
	const struct record *record;
	uint64_t addr;

	if (!expr_holds(nic, &action->when, &entry->scope))
		return 0;
	if (action->verb < VERB_LOAD) {
		action_run(nic, action, &entry->scope);
		return 0;
	}
	if (action->verb == VERB_COMMAND)
		return hooks_command(nic, action, &entry->scope);
	if (action->verb == VERB_PRODUCE) {
		produce(nic, action->produced, &entry->scope);
		return 0;
	}
	record = &nic->card->records[action->operand];
	addr = expr_eval(nic, &action->value, &entry->scope);
	return action->verb == VERB_LOAD ? load(nic, record, addr, &entry->scope)
					 : store(nic, record, addr, &entry->scope);
}

/* The first list as far as it goes; false: it waits for guest memory. */
static bool replay(struct nic *nic)
{
	struct recorded *entry = &nic->recorded[0];
	int result = 0;

	nic->replaying = true;
	while (entry->at < entry->actions.count && result == 0) {
		result = step(nic, entry);
		entry->at += result == 0;
	}
	nic->replaying = false;
	if (result == -EAGAIN)
		return false;
	nic->stats.tx_faults += result < 0;
	first_done(nic);
	dma_settle(nic->bus.memory);
	return true;
}

bool recorded_work(struct nic *nic)
{
	for (unsigned i = 0; i < RECORDED_MAX && nic->recorded_count; i++) {
		if (!replay(nic))
			return false; /* the answer wakes us */
	}
	return nic->recorded_count != 0;
}
