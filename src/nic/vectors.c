/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Messages that actions and completion rings raise, a vector each:
 *
 *   raised --at once, or when its time is up--> due --not masked, enabled,
 *     |                                          |    long enough after the last--> sent
 *     '--again before that: the earlier time     '--masked: until it is unmasked
 *
 * On sending, a vector may mask itself (on-send="mask"). What is raised while it
 * is masked is sent once, when it is unmasked. A vector that no <interrupt>
 * speaks of is a fault of the driver's, and counted.
 */
#include "nic/state.h"

#include <stdlib.h>

static void vector_fire(struct timer *timer)
{
	struct vector_run *vector = timer->context;
	struct nic *nic = vector->nic;
	unsigned number = (unsigned)(vector - nic->vectors);

	nic->due[number / 64] |= 1ull << number % 64;
	interrupts_update(nic);
}

bool vectors_init(struct nic *nic)
{
	nic->vectors = calloc(nic->card->vectors + 1u, sizeof(*nic->vectors));
	for (unsigned i = 0; nic->vectors && i < nic->card->vectors; i++) {
		nic->vectors[i].nic = nic;
		timer_init(&nic->vectors[i].timer, vector_fire, &nic->vectors[i]);
	}
	return nic->vectors;
}

void vectors_reset(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->vectors; i++) {
		timer_cancel(nic->bus.clock, &nic->vectors[i].timer);
		nic->vectors[i].masked = false;
		nic->vectors[i].last = 0;
	}
	for (unsigned i = 0; i < sizeof(nic->due) / sizeof(*nic->due); i++)
		nic->due[i] = 0;
}

static const struct interrupt *interrupt_of(const struct nic *nic, uint64_t vector)
{
	for (unsigned i = 0; i < nic->card->interrupts_count; i++) {
		const struct interrupt *interrupt = &nic->card->interrupts[i];

		if (interrupt->events && vector - interrupt->vector < interrupt->vectors)
			return interrupt;
	}
	return NULL;
}

void vector_raise(struct nic *nic, uint64_t number, uint64_t after)
{
	struct vector_run *vector;
	uint64_t at = clock_now(nic->bus.clock) + after;

	if (number >= nic->card->vectors || !interrupt_of(nic, number)) {
		nic->stats.ring_faults++;
		return;
	}
	vector = &nic->vectors[number];
	if (nic->due[number / 64] >> number % 64 & 1)
		return;
	if (!after || at <= clock_now(nic->bus.clock)) {
		timer_cancel(nic->bus.clock, &vector->timer);
		nic->due[number / 64] |= 1ull << number % 64;
	} else if (!timer_armed(&vector->timer) || at < vector->timer.deadline) {
		timer_arm(nic->bus.clock, &vector->timer, at);
	}
	nic->touched |= CARES_INTERRUPTS;
}

void vector_mask(struct nic *nic, uint64_t number, bool masked)
{
	if (number >= nic->card->vectors || !interrupt_of(nic, number)) {
		nic->stats.ring_faults++;
		return;
	}
	nic->vectors[number].masked = masked;
	nic->touched |= CARES_INTERRUPTS;
}

/* Too early for another one: its timer looks again. */
static bool too_early(struct nic *nic, const struct interrupt *interrupt, unsigned number)
{
	struct vector_run *vector = &nic->vectors[number];
	struct scope scope = {.index = number};
	uint64_t interval, now;

	if (!interrupt->moderate_count)
		return false;
	interval = expr_eval(nic, &interrupt->moderate[0].interval, &scope);
	now = clock_now(nic->bus.clock);
	if (!interval || !vector->last || now - vector->last >= interval)
		return false;
	nic->due[number / 64] &= ~(1ull << number % 64);
	timer_arm(nic->bus.clock, &vector->timer, vector->last + interval);
	return true;
}

static void vector_send(struct nic *nic, unsigned number)
{
	const struct interrupt *interrupt = interrupt_of(nic, number);
	struct vector_run *vector = &nic->vectors[number];
	struct scope scope = {.index = number};

	if (!interrupt || vector->masked || !expr_holds(nic, &interrupt->enable, &scope) ||
	    too_early(nic, interrupt, number))
		return;
	nic->due[number / 64] &= ~(1ull << number % 64);
	vector->last = clock_now(nic->bus.clock);
	vector->masked = interrupt->on_send == SEND_MASK;
	nic->stats.interrupts++;
	if (nic->trace)
		trace_message(nic, number);
	nic->bus.message(nic->bus.context, number);
}

void vectors_update(struct nic *nic)
{
	for (unsigned i = 0; i * 64 < nic->card->vectors; i++) {
		uint64_t due = nic->due[i];

		if (due && dma_busy(nic->bus.memory))
			return; /* what they tell of is not there yet */
		for (; due; due &= due - 1)
			vector_send(nic, i * 64 + (unsigned)__builtin_ctzll(due));
	}
}
