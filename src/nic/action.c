/* SPDX-License-Identifier: Apache-2.0 */
#include "nic/hook_calls.h"
#include "nic/state.h"

#include <string.h>

uint64_t *target_word(struct nic *nic, const struct target *target, const struct scope *scope)
{
	uint64_t k = 0;

	if (target->index.count)
		k = expr_eval(nic, &target->index, scope);
	return k < (target->count ? target->count : 1) ? &nic->state[target->word + k] : NULL;
}

void target_put(struct nic *nic, const struct target *target, const struct scope *scope,
		uint64_t value)
{
	uint64_t *word = target_word(nic, target, scope);

	if (!word)
		return;
	*word = (*word & ~target->mask) | (value << target->shift & target->mask);
	nic_changed(nic, (unsigned)(word - nic->state));
}

static void assign(struct nic *nic, const struct action *action, const struct scope *scope)
{
	const struct target *target = &action->target;
	uint64_t *word = target_word(nic, target, scope);
	uint64_t value, mask = target->mask;

	if (!word)
		return;
	if (action->verb == VERB_CLEAR)
		value = *word & ~mask;
	else if (action->verb == VERB_ASSIGN)
		value = (*word & ~mask) |
			(expr_eval(nic, &action->value, scope) << target->shift & mask);
	else
		value = *word | mask;
	if (action->verb == VERB_RAISE && interrupts_delay(nic, target->word, mask, scope))
		return;
	nic_changed_bits(nic, (unsigned)(word - nic->state), value ^ *word);
	*word = value;
	if (action->verb == VERB_RAISE)
		raised_note(nic, (unsigned)(word - nic->state), mask);
}

void ring_wake(struct nic *nic, unsigned ring)
{
	if (nic->rings[ring].state == RING_STOPPED) { /* waking does not start */
		nic->stats.ring_faults += nic->rings[ring].ring->counted;
		return;
	}
	nic->rings[ring].state = RING_RUNNING;
	if (nic->rings[ring].ring->walked)
		dma_cancel(nic->bus.memory); /* a slot that is being fetched may be older */
	nic->bus.schedule(nic->bus.context);
}

/* The ring that is meant, of a counted one; -1: there are not so many. */
static int instance(struct nic *nic, const struct action *action, const struct scope *scope)
{
	const struct ring *ring = &nic->card->rings[action->operand];
	uint64_t number = ring->counted ? expr_eval(nic, &action->value, scope) : 0;

	if (number < ring->count)
		return ring->first + (int)number;
	nic->stats.ring_faults++;
	return -1;
}

static void start(struct nic *nic, const struct action *action, const struct scope *scope)
{
	uint64_t at = action->value.count ? expr_eval(nic, &action->value, scope) : 0;

	ring_start(nic, nic->card->rings[action->operand].first, action->value.count ? &at : NULL);
	ring_wake(nic, nic->card->rings[action->operand].first);
}

static void stop(struct nic *nic, unsigned ring)
{
	nic->rings[ring].state = RING_STOPPED;
	nic->rings[ring].halted = true;
	flights_forget(nic, ring);
}

void nic_reset_list(struct nic *nic, unsigned which)
{
	const struct reset *reset = &nic->card->resets[which];
	struct scope scope = {0};

	if (nic->nesting == NESTING_MAX)
		return; /* lists that name one another */
	for (unsigned i = 0; i < reset->words_count; i++)
		nic->state[reset->words[i]] = nic->card->reset_words[reset->words[i]];
	for (unsigned i = 0; i < nic->card->instances; i++) {
		if (reset->rings >> (nic->rings[i].ring - nic->card->rings) & 1)
			ring_forget(nic, i);
	}
	if (reset->rings) {
		rings_live(nic);
		vectors_reset(nic);
		recorded_drop(nic);
	}
	nic_changed_all(nic);
	interrupts_reset(nic);
	nic->raised_count = 0;
	nic->nesting++;
	actions_run(nic, &reset->actions, &scope);
	nic->nesting--;
	if (nic->hooked)
		hooks_reset(nic, which);
}

static uint64_t timer_period(struct nic *nic, const struct action *action,
			     const struct scope *scope)
{
	if (action->value.count)
		return expr_eval(nic, &action->value, scope);
	return expr_eval(nic, &nic->card->timers[action->operand].period, scope);
}

void action_run(struct nic *nic, const struct action *action, struct scope *scope)
{
	int number;

	switch (action->verb) {
	case VERB_RESET:
		nic_reset_list(nic, action->operand);
		break;
	case VERB_WAKE:
		number = instance(nic, action, scope);
		if (number >= 0)
			ring_wake(nic, (unsigned)number);
		break;
	case VERB_START:
		start(nic, action, scope);
		break;
	case VERB_STOP:
		stop(nic, nic->card->rings[action->operand].first);
		break;
	case VERB_OPEN:
		ring_open_number(nic, &nic->card->rings[action->operand],
				 expr_eval(nic, &action->value, scope));
		break;
	case VERB_CLOSE:
		ring_close_number(nic, &nic->card->rings[action->operand],
				  expr_eval(nic, &action->value, scope));
		break;
	case VERB_MESSAGE:
		vector_raise(nic, expr_eval(nic, &action->value, scope),
			     action->after ? expr_eval(nic, action->after, scope) : 0);
		break;
	case VERB_MASK:
	case VERB_UNMASK:
		vector_mask(nic, expr_eval(nic, &action->value, scope), action->verb == VERB_MASK);
		break;
	case VERB_COPY:
		memmove(&nic->state[action->target.word], &nic->state[action->source],
			action->count * sizeof(uint64_t));
		nic_changed_all(nic);
		break;
	case VERB_ARM:
		timer_arm(nic->bus.clock, &nic->timers[action->operand],
			  clock_now(nic->bus.clock) + timer_period(nic, action, scope));
		break;
	case VERB_NEGOTIATE:
		phy_negotiate(nic);
		break;
	case VERB_CALL:
	case VERB_KICK:
		hooks_call(nic, action, scope);
		break;
	case VERB_CANCEL:
		timer_cancel(nic->bus.clock, &nic->timers[action->operand]);
		break;
	default:
		assign(nic, action, scope);
	}
}

void actions_run(struct nic *nic, const struct actions *actions, struct scope *scope)
{
	for (unsigned i = 0; i < actions->count; i++) {
		const struct action *action = &actions->list[i];

		/* what asks for guest memory is recorded, and so is all of this access after it */
		if (nic->recording || action->verb >= VERB_LOAD) {
			recorded_add(nic, actions, i, scope);
			return;
		}
		if (action->when.count && !expr_eval(nic, &action->when, scope))
			continue;
		if (action->verb <= VERB_RAISE)
			assign(nic, action, scope);
		else
			action_run(nic, action, scope);
	}
}
