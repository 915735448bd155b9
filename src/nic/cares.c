/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What follows from which register. Of most writes nothing does: a driver rings
 * a doorbell, acknowledges an interrupt. So for each state word it is known who
 * has to look again when it has changed; they do so when they are next asked.
 *
 *   bits change -> touched |= who       CARES_RINGS << i   ring i: when, geometry, plans
 *                                       CARES_INTERRUPTS   levels
 *                                       CARES_FILTER       and what the port was told of it
 *
 * Whoever asks anything besides registers (the link, another ring, the time) is in
 * `always` and looks again each time.
 */
#include "nic/state.h"

#include <stdlib.h>

static void care(struct nic *nic, unsigned word, uint64_t bits, uint32_t who)
{
	if (word >= nic->card->words)
		return;
	nic->cares[word].bits |= bits;
	nic->cares[word].who |= who;
}

static void care_words(struct nic *nic, unsigned word, unsigned count, uint64_t bits, uint32_t who)
{
	for (unsigned i = 0; i < count; i++)
		care(nic, word + i, bits, who);
}

/* What the engine knows of a card or a frame does not change by itself. */
static bool stays(const struct op *op)
{
	return op->value <= VALUE_MAC ||
	       (op->value >= VALUE_FRAME_LENGTH && op->value < VALUE_RING_STATE);
}

static void care_expr(struct nic *nic, const struct expr *expr, uint32_t who)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		if (op->code == OP_STATE)
			care(nic, op->word, op->value << op->shift, who);
		else if (op->code == OP_ELEMENT)
			care_words(nic, op->word, op->count, op->value << op->shift, who);
		else if (op->code >= OP_TICKS || (op->code == OP_ENGINE && !stays(op)))
			nic->always |= who;
	}
}

uint32_t cares_ring(unsigned ring)
{
	return ring < CARES_RING_LAST ? CARES_RINGS << ring : CARES_RINGS << CARES_RING_LAST;
}

static void care_ring(struct nic *nic, unsigned index)
{
	const struct ring *ring = &nic->card->rings[index];
	const struct plans *plans = &nic->plans[index];
	uint32_t who = cares_ring(index);

	care_expr(nic, &ring->when, who);
	care_expr(nic, &ring->base, who);
	care_expr(nic, &ring->stride, who);
	care_expr(nic, &ring->end_value, who);
	care_expr(nic, &ring->stream.from, who);
	care_expr(nic, &ring->loop_when, who);
	for (unsigned i = 0; i < plans->depends_count; i++)
		care(nic, plans->depends[i].word, plans->depends[i].mask, who);
}

static void care_filter(struct nic *nic)
{
	const struct filter *filter = &nic->card->filter;

	care_expr(nic, &filter->when, CARES_FILTER);
	for (unsigned i = 0; i < filter->count; i++) {
		const struct accept *accept = &filter->accepts[i];

		care_expr(nic, &accept->when, CARES_FILTER);
		care_expr(nic, &accept->table, CARES_FILTER);
		care_expr(nic, &accept->valid, CARES_FILTER);
		care_expr(nic, &accept->index, CARES_FILTER);
		care_words(nic, accept->word, accept->words, UINT64_MAX, CARES_FILTER);
	}
}

static void care_interrupt(struct nic *nic, const struct interrupt *interrupt)
{
	care(nic, interrupt->cause_word, interrupt->cause_bits, CARES_INTERRUPTS);
	care(nic, interrupt->mask_word, interrupt->cause_bits, CARES_INTERRUPTS);
	care_expr(nic, &interrupt->enable, CARES_INTERRUPTS);
	for (unsigned i = 0; i < interrupt->causes_count; i++) {
		const struct cause *cause = &interrupt->causes[i];

		care(nic, cause->word, cause->bits, CARES_INTERRUPTS);
		care(nic, cause->mask_word, cause->mask_bits, CARES_INTERRUPTS);
	}
}

static void care_window(struct nic *nic, const struct window *window)
{
	for (unsigned i = window->trigger; i < window->trigger + window->trigger_count; i++) {
		if (i < nic->card->words)
			nic->cares[i].windows = true;
	}
}

bool cares_init(struct nic *nic)
{
	nic->cares = calloc(nic->card->words + 1u, sizeof(*nic->cares));
	if (!nic->cares)
		return false;
	for (unsigned i = 0; i < nic->card->rings_count; i++)
		care_ring(nic, i);
	for (unsigned i = 0; i < nic->card->interrupts_count; i++)
		care_interrupt(nic, &nic->card->interrupts[i]);
	care_filter(nic);
	for (unsigned i = 0; i < nic->card->pins_count; i++)
		nic->cares[nic->card->pins[i].word].pins = true;
	for (unsigned i = 0; i < nic->card->windows_count; i++)
		care_window(nic, &nic->card->windows[i]);
	nic->touched = UINT32_MAX;
	return true;
}
