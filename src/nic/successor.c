/* SPDX-License-Identifier: Apache-2.0 */

/*
 *   settle    FROM: what is recorded is done, what is delayed is told
 *   make      TO, and one of FROM's description to compare with, on a bus that is deaf
 *   carry     into TO; where something has no place TO is freed, and that is all
 *   take over TO gets FROM's bus and port; its interrupts and rings are looked at
 *
 *   not carried        why
 *   plans, counters' order, levels of causes    follow from registers and description
 *   delayed causes     are told before
 *   recorded actions   are of the old description: it waits until there are none
 */
#include "nic/successor.h"

#include "nic/carry.h"
#include "nic/hooked.h"

#include <errno.h>
#include <string.h>

enum { SETTLE_PASSES = 4 };

/* ---- FROM ---- */

static int settle(struct nic *nic, struct error *err)
{
	for (unsigned i = 0; i < SETTLE_PASSES && nic->recorded_count; i++)
		recorded_work(nic);
	if (nic->recorded_count)
		return error_set(err, -EAGAIN, "the card waits for guest memory; try again");
	for (unsigned i = 0; i < nic->card->windows_count; i++) {
		if (timer_armed(&nic->windows[i].timer))
			return error_set(err, -EAGAIN, "a command is under way; try again");
	}
	rings_update(nic);
	counters_post(nic);
	interrupts_tell(nic);
	return 0;
}

/* ---- TO, before it is there ---- */

static void deaf_line(void *context, bool level)
{
	(void)context;
	(void)level;
}

static void deaf_message(void *context, unsigned vector)
{
	(void)context;
	(void)vector;
}

static void deaf_schedule(void *context)
{
	(void)context;
}

static struct nic *make(const struct nic *like, const struct card *card)
{
	const struct bus bus = {NULL,	   like->bus.memory, like->bus.clock,
				deaf_line, deaf_message,     deaf_schedule,
				NULL};

	return nic_new(card, like->mac, &bus);
}

/* ---- carry ---- */

static void carry_timer(struct carry *carry, struct timer *to, const struct timer *from)
{
	timer_arm(carry->to->bus.clock, to, from->deadline);
}

static void carry_timers(struct carry *carry)
{
	const struct card *card = carry->from->card, *other = carry->to->card;

	for (unsigned i = 0; i < card->timers_count; i++) {
		for (unsigned k = 0; k < other->timers_count; k++) {
			if (!strcmp(card->timers[i].name, other->timers[k].name))
				carry_timer(carry, &carry->to->timers[k], &carry->from->timers[i]);
		}
	}
	carry_timer(carry, &carry->to->negotiation, &carry->from->negotiation);
	carry->to->negotiating = carry->from->negotiating;
	carry->to->reset_time = carry->from->reset_time;
}

/* The first of its kind to its kind's first, and so on. */
static unsigned pins_rank(const struct card *card, unsigned index)
{
	const struct pins *pins = card->pins;
	unsigned rank = 0;

	for (unsigned i = 0; i < index; i++)
		rank += pins[i].mdio == pins[index].mdio && pins[i].to == pins[index].to;
	return rank;
}

static void carry_shifters(struct carry *carry)
{
	const struct card *card = carry->from->card, *other = carry->to->card;

	for (unsigned i = 0; i < card->pins_count; i++) {
		for (unsigned k = 0; k < other->pins_count; k++) {
			const struct pins *a = &card->pins[i], *b = &other->pins[k];

			if (a->mdio == b->mdio && pins_rank(card, i) == pins_rank(other, k) &&
			    !strcmp(card->banks[a->to].name, other->banks[b->to].name))
				carry->to->shifters[k] = carry->from->shifters[i];
		}
	}
}

static void carry_interrupt(struct carry *carry, unsigned from, unsigned to)
{
	const struct interrupt *a = &carry->from->card->interrupts[from];
	const struct interrupt *b = &carry->to->card->interrupts[to];

	if (a->is_vector != b->is_vector || (a->is_vector && a->vector != b->vector))
		return;
	carry->to->levels |= (carry->from->levels >> from & 1) << to;
	for (unsigned i = 0; i < a->moderate_count && i < b->moderate_count; i++) {
		const struct delayed *old = &carry->from->delayed[from * MODERATE_MAX + i];
		struct delayed *new = &carry->to->delayed[to * MODERATE_MAX + i];

		new->last = old->last;
		new->first = old->first;
		new->events = old->events;
	}
}

static void carry_vectors(struct carry *carry)
{
	struct nic *to = carry->to;
	const struct nic *from = carry->from;

	vectors_reset(to);
	for (unsigned i = 0; i < from->card->vectors && i < to->card->vectors; i++) {
		to->due[i / 64] |= from->due[i / 64] & 1ull << i % 64;
		to->vectors[i].masked = from->vectors[i].masked;
		to->vectors[i].last = from->vectors[i].last;
		carry_timer(carry, &to->vectors[i].timer, &from->vectors[i].timer);
	}
}

static void carry_interrupts(struct carry *carry)
{
	interrupts_reset(carry->to);
	carry_vectors(carry);
	carry->to->levels = 0;
	for (unsigned i = 0; i < carry->from->card->interrupts_count; i++) {
		for (unsigned k = 0; k < carry->to->card->interrupts_count; k++)
			carry_interrupt(carry, i, k);
	}
}

static void carry_loop(struct carry *carry)
{
	struct nic *to = carry->to, *from = carry->from;

	to->loop_head = 0;
	to->loop_count = from->loop_count;
	for (unsigned i = 0; i < from->loop_count; i++) {
		const struct loop_frame *frame = &from->loop[(from->loop_head + i) % LOOP_FRAMES];

		to->loop[i].length = frame->length;
		memcpy(to->loop[i].data, frame->data, frame->length);
	}
}

static int carry_all(struct carry *carry)
{
	int result = carry_registers(carry) ?: carry_memories(carry);

	if (result < 0)
		return result;
	carry_timers(carry);
	carry_shifters(carry);
	carry_interrupts(carry);
	carry_loop(carry);
	return carry_rings(carry);
}

/* ---- over ---- */

/* The port learns whom it serves now, and what the new filter takes. */
static void take_over(struct nic *to, struct nic *from)
{
	struct trace *trace = from->trace;

	to->bus = from->bus;
	to->level = from->level;
	if (trace) {
		nic_trace_end(from);
		nic_trace(to, trace);
	}
	nic_attach(to, from->port);
	nic_attach(from, NULL);
	nic_changed_all(to);
	interrupts_update(to);
	to->bus.schedule(to->bus.context);
}

static void carry_network(struct carry *carry)
{
	struct nic *to = carry->to, *from = carry->from;

	to->stats = from->stats;
	hooks_left(to, from);
	to->carrier = from->carrier;
	to->plugged = from->plugged;
	to->health = from->health;
	to->held = from->held;
	to->held_dry = from->held_dry;
	if (carry->places[from->held_ring] >= 0)
		to->held_ring = (uint16_t)carry->places[from->held_ring];
	to->held_segments = from->held_segments;
	to->look_after = from->look_after;
	carry_timer(carry, &to->look, &from->look);
	carry_flights(carry);
}

static int fill(struct nic *to, struct nic *from, bool afresh, struct error *err)
{
	struct carry carry = {.to = to, .from = from, .why = err};
	struct nic *fresh = afresh ? NULL : make(from, from->card);
	int result = 0;

	carry.fresh = fresh;
	memset(carry.places, -1, sizeof(carry.places));
	if (!afresh)
		result = fresh ? carry_all(&carry) : error_set(err, -ENOMEM, "no memory");
	nic_free(fresh);
	if (result == 0 && !afresh && hooks_carry(to, from) < 0)
		result = error_set(err, -ECANCELED, "%s does not take what its predecessor saved",
				   to->hooked->hooks->name);
	if (result < 0)
		return result;
	carry_network(&carry);
	if (afresh)
		to->stats.loop_lost += from->loop_count;
	if (afresh)
		nic_link(to, from->plugged); /* it wakes up with the cable as it is */
	else
		to->link = from->link;
	return 0;
}

/* The module starts as on a card that was just plugged in. */
static struct nic *make_whole(const struct nic *like, const struct card *card, struct hooks *hooks,
			      struct error *err)
{
	struct nic *nic = make(like, card);
	int result;

	if (!nic)
		error_set(err, -ENOMEM, "no memory");
	if (!nic && hooks)
		hooks->close(hooks);
	if (!nic || !hooks)
		return nic;
	result = nic_hooks(nic, hooks);
	if (result >= 0)
		return nic;
	error_set(err, -EINVAL, "%s: its start() says %d", hooks->name, result);
	nic_free(nic);
	return NULL;
}

struct nic *nic_successor(struct nic *from, const struct card *card, struct hooks *hooks,
			  bool afresh, struct error *err)
{
	struct nic *to;

	if (!afresh && settle(from, err) < 0) {
		if (hooks)
			hooks->close(hooks);
		return NULL;
	}
	to = make_whole(from, card, hooks, err);
	if (!to)
		return NULL;
	if (fill(to, from, afresh, err) < 0) {
		nic_free(to);
		return NULL;
	}
	take_over(to, from);
	return to;
}
