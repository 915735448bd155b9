/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Level = enabled and any(cause & mask), of one register or of several places. Moderation as a
 * whole keeps a distance between rises of the line; moderation of a cause keeps its bit back until
 * `idle` has passed since the last event or `limit` since the first, there were `frames` of them,
 * or the line rises for another cause: one interrupt tells of both.
 */
#include "nic/state.h"

static struct delayed *delayed_at(struct nic *nic, unsigned interrupt, unsigned moderate)
{
	return &nic->delayed[interrupt * MODERATE_MAX + moderate];
}

static const struct moderate *moderate_of(const struct nic *nic, const struct delayed *delayed)
{
	size_t at = (size_t)(delayed - nic->delayed);

	return &nic->card->interrupts[at / MODERATE_MAX].moderate[at % MODERATE_MAX];
}

static void delayed_raise(struct nic *nic, const struct moderate *moderate)
{
	nic->state[moderate->word] |= moderate->mask;
	raised_note(nic, moderate->word, moderate->mask);
}

static void delayed_fire(struct timer *timer)
{
	struct delayed *delayed = timer->context;
	struct nic *nic = delayed->nic;
	const struct moderate *moderate = moderate_of(nic, delayed);

	if (delayed->pending)
		delayed_raise(nic, moderate);
	delayed->pending = false;
	interrupts_update(nic);
}

void interrupts_init(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->interrupts_count * MODERATE_MAX; i++) {
		nic->delayed[i].nic = nic;
		timer_init(&nic->delayed[i].timer, delayed_fire, &nic->delayed[i]);
	}
}

void interrupts_reset(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->interrupts_count * MODERATE_MAX; i++) {
		timer_cancel(nic->bus.clock, &nic->delayed[i].timer);
		nic->delayed[i].pending = false;
	}
}

static uint64_t evaluated(struct nic *nic, const struct expr *expr, const struct scope *scope)
{
	return expr->count ? expr_eval(nic, expr, scope) : 0;
}

/* As many as may wait, this one included: all are told of now. */
static bool enough(struct nic *nic, const struct moderate *moderate, struct delayed *delayed,
		   const struct scope *scope)
{
	uint64_t most = evaluated(nic, &moderate->frames, scope);

	delayed->events = delayed->pending ? delayed->events + 1 : 1;
	if (!most || delayed->events < most)
		return false;
	delayed->pending = false;
	timer_cancel(nic->bus.clock, &delayed->timer);
	return true;
}

/* True: the cause waits for its timer. */
static bool moderate_cause(struct nic *nic, const struct moderate *moderate,
			   struct delayed *delayed, const struct scope *scope)
{
	uint64_t idle, limit, now, at;

	if (!expr_holds(nic, &moderate->when, scope))
		return false;
	idle = evaluated(nic, &moderate->idle, scope);
	limit = evaluated(nic, &moderate->limit, scope);
	if ((!idle && (!limit || moderate->idle.count)) || enough(nic, moderate, delayed, scope))
		return false;
	now = clock_now(nic->bus.clock);
	if (!delayed->pending)
		delayed->first = now;
	delayed->pending = true;
	at = idle ? now + idle : delayed->first + limit;
	if (limit && delayed->first + limit < at)
		at = delayed->first + limit;
	timer_arm_lazy(nic->bus.clock, &delayed->timer, at);
	return true;
}

bool interrupts_delay(struct nic *nic, unsigned word, uint64_t mask, const struct scope *scope)
{
	for (unsigned i = 0; i < nic->card->interrupts_count; i++) {
		const struct interrupt *interrupt = &nic->card->interrupts[i];

		for (unsigned k = 0; k < interrupt->moderate_count; k++) {
			const struct moderate *moderate = &interrupt->moderate[k];

			if (moderate->mask && moderate->word == word && moderate->mask == mask &&
			    moderate_cause(nic, moderate, delayed_at(nic, i, k), scope))
				return true;
		}
	}
	return false;
}

/* Too early for another rise: the timer looks again. */
static bool too_early(struct nic *nic, unsigned index)
{
	const struct interrupt *interrupt = &nic->card->interrupts[index];
	struct scope scope = {0};

	for (unsigned k = 0; k < interrupt->moderate_count; k++) {
		const struct moderate *moderate = &interrupt->moderate[k];
		struct delayed *delayed = delayed_at(nic, index, k);
		uint64_t interval, now;

		if (moderate->mask || !moderate->interval.count)
			continue;
		interval = expr_eval(nic, &moderate->interval, &scope);
		now = clock_now(nic->bus.clock);
		if (interval && delayed->last && now - delayed->last < interval) {
			if (!timer_armed(&delayed->timer))
				timer_arm(nic->bus.clock, &delayed->timer,
					  delayed->last + interval);
			return true;
		}
		delayed->last = now;
	}
	return false;
}

static void tell_delayed(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->interrupts_count * MODERATE_MAX; i++) {
		struct delayed *delayed = &nic->delayed[i];
		const struct moderate *moderate = moderate_of(nic, delayed);

		if (!delayed->pending)
			continue;
		delayed->pending = false;
		timer_cancel(nic->bus.clock, &delayed->timer);
		delayed_raise(nic, moderate);
	}
}

void interrupts_tell(struct nic *nic)
{
	tell_delayed(nic);
	interrupts_update(nic);
}

static bool active(const struct nic *nic, const struct interrupt *interrupt)
{
	if (nic->state[interrupt->cause_word] & interrupt->cause_bits &
	    nic->state[interrupt->mask_word])
		return true;
	for (unsigned i = 0; i < interrupt->causes_count; i++) {
		const struct cause *cause = &interrupt->causes[i];
		uint64_t bits = (nic->state[cause->word] & cause->bits) >> cause->shift;
		uint64_t mask =
			(nic->state[cause->mask_word] & cause->mask_bits) >> cause->mask_shift;

		if (bits & (cause->masked ? cause->disables ? ~mask : mask : UINT64_MAX))
			return true;
	}
	return false;
}

/* What a message takes with it: its causes, or the bits that enabled them. */
static void sent(struct nic *nic, const struct interrupt *interrupt)
{
	uint64_t told = interrupt->cause_bits & nic->state[interrupt->mask_word];

	if (interrupt->on_send == SEND_CLEAR)
		nic->raised_count = 0; /* whoever gets the message knows */
	if (interrupt->on_send == SEND_CLEAR)
		nic->state[interrupt->cause_word] &= ~told;
	else if (interrupt->on_send == SEND_MASK)
		nic->state[interrupt->mask_word] &= ~interrupt->cause_bits;
	for (unsigned i = 0; i < interrupt->causes_count; i++) {
		const struct cause *cause = &interrupt->causes[i];

		if (interrupt->on_send == SEND_CLEAR)
			nic->state[cause->word] &= ~cause->bits;
		else if (interrupt->on_send == SEND_MASK && cause->disables)
			nic->state[cause->mask_word] |= cause->mask_bits;
		else if (interrupt->on_send == SEND_MASK && cause->masked)
			nic->state[cause->mask_word] &= ~cause->mask_bits;
	}
}

/* Active, enabled, and if it was not before: allowed to be so now. */
static bool level_of(struct nic *nic, unsigned index, bool before)
{
	const struct interrupt *interrupt = &nic->card->interrupts[index];
	struct scope scope = {0};

	return active(nic, interrupt) && expr_holds(nic, &interrupt->enable, &scope) &&
	       (before || (!dma_busy(nic->bus.memory) && !too_early(nic, index)));
}

/* By the number that registers have for it; one that is not there goes nowhere. */
static void send(struct nic *nic, const struct interrupt *interrupt)
{
	struct scope scope = {0};
	uint64_t number = evaluated(nic, &interrupt->number, &scope);

	if (number >= interrupt->vectors)
		return;
	if (nic->trace)
		trace_message(nic, interrupt->vector + (unsigned)number);
	nic->bus.message(nic->bus.context, interrupt->vector + (unsigned)number);
}

static void vector_update(struct nic *nic, unsigned index)
{
	const struct interrupt *interrupt = &nic->card->interrupts[index];
	bool before = nic->levels >> index & 1, level = level_of(nic, index, before);

	nic->levels = (nic->levels & ~(1u << index)) | (uint32_t)level << index;
	if (!level || before)
		return;
	tell_delayed(nic);
	nic->stats.interrupts++;
	send(nic, interrupt);
	sent(nic, interrupt);
	if (!active(nic, interrupt))
		nic->levels &= ~(1u << index);
}

void interrupts_update(struct nic *nic)
{
	bool level = false;

	if (nic->told)
		completions_tell(nic);
	vectors_update(nic);
	nic->touched &= ~(uint32_t)CARES_INTERRUPTS;
	for (unsigned i = 0; i < nic->card->interrupts_count; i++) {
		if (nic->card->interrupts[i].events)
			continue;
		if (nic->card->interrupts[i].is_vector)
			vector_update(nic, i);
		else
			level |= level_of(nic, i, nic->level);
	}
	if (level == nic->level)
		return;
	nic->level = level;
	if (level)
		tell_delayed(nic);
	nic->stats.interrupts += level;
	if (nic->trace)
		trace_line(nic, level);
	nic->bus.line(nic->bus.context, level);
}
