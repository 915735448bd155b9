/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Saving and loading. Registers go by their names, an array by its elements;
 * times as what is left of them, or how long ago they were.
 *
 *   not saved    why
 *   ring base, entries    follow from registers
 *   level of the line     follows from causes, and a new PIC has to be told
 *   waits, held           both sides of the port try again
 *   what passes raised    there is nothing on its way when a card is saved
 *   recorded actions      a NIC that waits for guest memory is not saved
 *   frames of a module    that wait for the port are the network's already
 *
 * What is loaded is hostile: every number has a limit, and a first walk stores
 * nothing.
 */
#include "nic/snapshot.h"

#include "nic/hooked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY = 160, PHASES = 7, LEFT_MAX = 24, COUNT_MAX = 15, MDIO_LEFT = 18, MDIO_COUNTED = 4 };
enum { BUDGETS = 16 }; /* of work that is finished first */
static const uint64_t ever = 1ull << 62;

struct walk {
	struct nic *nic;
	struct exchange *exchange;
	bool dry, failed;
	char key[KEY];
};

static void fail(struct walk *walk, const char *why)
{
	if (!walk->failed)
		error_set(walk->exchange->err, -EINVAL, "%s: %s", walk->key, why);
	walk->failed = true;
}

/* What there is under the key: VALUE when saving, what is given when loading. */
static uint64_t given(struct walk *walk, uint64_t value, uint64_t limit)
{
	if (!walk->exchange->number(walk->exchange->context, walk->key, &value))
		fail(walk, "missing");
	else if (walk->exchange->loading && value > limit)
		fail(walk, "too large");
	return walk->failed ? 0 : value;
}

/* What is so afterwards. */
static uint64_t number(struct walk *walk, uint64_t value, uint64_t limit)
{
	uint64_t got = given(walk, value, limit);

	return walk->exchange->loading && !walk->dry && !walk->failed ? got : value;
}

#define NUMBER(walk, place, limit, ...)                                                            \
	do {                                                                                       \
		snprintf((walk)->key, KEY, __VA_ARGS__);                                           \
		(place) = (__typeof__(place))number(walk, (uint64_t)(place), limit);               \
	} while (0)

static void bytes(struct walk *walk, uint8_t *data, size_t length)
{
	uint8_t *room = data, *spare = NULL;

	if (walk->exchange->loading && walk->dry)
		room = spare = malloc(length + 1);
	if (!room || !walk->exchange->bytes(walk->exchange->context, walk->key, room, length))
		fail(walk, "missing, or not of the right length");
	free(spare);
}

/* ---- times ---- */

static void walk_timer(struct walk *walk, struct timer *timer)
{
	struct clock *clock = walk->nic->bus.clock;
	uint64_t now = clock_now(clock), left = UINT64_MAX;

	if (timer_armed(timer))
		left = timer->deadline > now ? timer->deadline - now : 0;
	left = number(walk, left, UINT64_MAX);
	if (!walk->exchange->loading || walk->dry || walk->failed)
		return;
	timer_cancel(clock, timer);
	if (left < ever)
		timer_arm(clock, timer, now + left);
}

/* A moment in the past; 0: never. */
static uint64_t walk_past_time(struct walk *walk, uint64_t at)
{
	uint64_t now = clock_now(walk->nic->bus.clock), ago = at ? now - at : UINT64_MAX;

	ago = number(walk, ago, UINT64_MAX);
	if (!walk->exchange->loading || walk->dry || walk->failed)
		return at;
	return ago == UINT64_MAX ? 0 : ago < now ? now - ago : 1;
}

static void walk_times(struct walk *walk)
{
	struct nic *nic = walk->nic;

	for (unsigned i = 0; i < nic->card->timers_count; i++) {
		snprintf(walk->key, KEY, "timer.%s", nic->card->timers[i].name);
		walk_timer(walk, &nic->timers[i]);
	}
	for (unsigned i = 0; i < nic->card->windows_count; i++) {
		snprintf(walk->key, KEY, "window.%u", i);
		walk_timer(walk, &nic->windows[i].timer);
	}
	snprintf(walk->key, KEY, "negotiation");
	walk_timer(walk, &nic->negotiation);
	snprintf(walk->key, KEY, "reset");
	nic->reset_time = walk_past_time(walk, nic->reset_time);
}

static void walk_vector(struct walk *walk, unsigned k)
{
	struct vector_run *vector = &walk->nic->vectors[k];
	uint64_t *due = &walk->nic->due[k / 64], bit = *due >> k % 64 & 1;

	NUMBER(walk, vector->masked, 1, "vector.%u.masked", k);
	NUMBER(walk, bit, 1, "vector.%u.due", k);
	*due = (*due & ~(1ull << k % 64)) | bit << k % 64;
	snprintf(walk->key, KEY, "vector.%u.timer", k);
	walk_timer(walk, &vector->timer);
	snprintf(walk->key, KEY, "vector.%u.last", k);
	vector->last = walk_past_time(walk, vector->last);
}

static void walk_interrupts(struct walk *walk)
{
	struct nic *nic = walk->nic;

	NUMBER(walk, nic->levels, UINT32_MAX, "interrupts.levels");
	for (unsigned i = 0; i < nic->card->vectors; i++)
		walk_vector(walk, i);
	for (unsigned i = 0; i < nic->card->interrupts_count * MODERATE_MAX; i++) {
		struct delayed *delayed = &nic->delayed[i];

		if (i % MODERATE_MAX >= nic->card->interrupts[i / MODERATE_MAX].moderate_count)
			continue;
		NUMBER(walk, delayed->pending, 1, "moderate.%u.pending", i);
		NUMBER(walk, delayed->events, UINT64_MAX, "moderate.%u.events", i);
		snprintf(walk->key, KEY, "moderate.%u.timer", i);
		walk_timer(walk, &delayed->timer);
		snprintf(walk->key, KEY, "moderate.%u.last", i);
		delayed->last = walk_past_time(walk, delayed->last);
		snprintf(walk->key, KEY, "moderate.%u.first", i);
		delayed->first = walk_past_time(walk, delayed->first);
	}
}

/* ---- registers, memories, shifters ---- */

static void walk_register(struct walk *walk, const struct bank *bank, const struct reg *reg,
			  uint8_t *seen)
{
	for (unsigned k = 0; k < reg->count; k++) {
		unsigned word = reg->word + k;

		if (seen[word]++) /* an alias */
			continue;
		if (reg->count > 1)
			NUMBER(walk, walk->nic->state[word], reg->valid, "%s.%s.%u", bank->name,
			       reg->name, k);
		else
			NUMBER(walk, walk->nic->state[word], reg->valid, "%s.%s", bank->name,
			       reg->name);
	}
}

static void walk_registers(struct walk *walk)
{
	const struct card *card = walk->nic->card;
	uint8_t *seen = calloc(card->words + 1u, 1);

	for (unsigned i = 0; seen && i < card->banks_count; i++) {
		for (unsigned k = 0; k < card->banks[i].regs_count; k++)
			walk_register(walk, &card->banks[i], &card->banks[i].regs[k], seen);
	}
	if (!seen)
		fail(walk, "no memory");
	free(seen);
	for (unsigned i = 0; i < card->memories_count; i++) {
		snprintf(walk->key, KEY, "memory.%s", card->memories[i].name);
		bytes(walk, walk->nic->memories[i], card->memories[i].size);
	}
}

static void walk_shifters(struct walk *walk)
{
	for (unsigned i = 0; i < walk->nic->card->pins_count; i++) {
		struct shifter now = walk->nic->shifters[i], *at = &now;
		bool mdio = walk->nic->card->pins[i].mdio;

		NUMBER(walk, at->in, UINT32_MAX, "pins.%u.in", i);
		NUMBER(walk, at->count, COUNT_MAX, "pins.%u.count", i);
		NUMBER(walk, at->phase, mdio ? PHASES : 3, "pins.%u.phase", i);
		NUMBER(walk, at->out, UINT16_MAX, "pins.%u.out", i);
		NUMBER(walk, at->left, mdio ? MDIO_LEFT : LEFT_MAX, "pins.%u.left", i);
		NUMBER(walk, at->address, UINT16_MAX, "pins.%u.address", i);
		NUMBER(walk, at->enabled, 1, "pins.%u.enabled", i);
		NUMBER(walk, at->clock, 1, "pins.%u.clock", i);
		NUMBER(walk, at->data, 1, "pins.%u.data", i);
		if (mdio && at->phase >= MDIO_COUNTED && !at->left)
			at->phase = 0; /* it would count below nothing */
		if (mdio)
			at->address &= 0x1f;
		if (walk->exchange->loading && !walk->dry && !walk->failed)
			walk->nic->shifters[i] = now;
	}
}

/* ---- rings, frames, counts ---- */

/* One of many goes by its number; of one that is closed there is nothing else to say. */
static void walk_ring(struct walk *walk, const struct ring *ring, struct ring_run *run)
{
	char name[KEY / 2];
	bool open;

	snprintf(name, sizeof(name), ring->counted ? "%s.%u" : "%s", ring->name, run->number);
	if (ring->counted) {
		snprintf(walk->key, KEY, "ring.%s.open", name);
		open = given(walk, run->open, 1);
		if (walk->exchange->loading && !walk->dry)
			run->open = open;
		if (!open)
			return;
	}
	NUMBER(walk, run->state, RING_SUSPENDED, "ring.%s.state", name);
	NUMBER(walk, run->halted, 1, "ring.%s.halted", name);
	NUMBER(walk, run->finished, 1, "ring.%s.finished", name);
	NUMBER(walk, run->base, UINT64_MAX, "ring.%s.base", name); /* a new one moves it */
	NUMBER(walk, run->position, UINT64_MAX, "ring.%s.position", name);
	NUMBER(walk, run->total, UINT64_MAX, "ring.%s.total", name);
	NUMBER(walk, run->finished_at, UINT64_MAX, "ring.%s.finished-at", name);
	for (unsigned k = 0; k < CARD_CONTEXTS; k++) {
		snprintf(walk->key, KEY, "ring.%s.context.%u", name, k);
		bytes(walk, run->context[k], SLOT_MAX);
	}
}

static void walk_loop(struct walk *walk)
{
	struct nic *nic = walk->nic;
	bool stores = walk->exchange->loading && !walk->dry;
	unsigned count;

	snprintf(walk->key, KEY, "loop.count");
	count = (unsigned)given(walk, nic->loop_count, LOOP_FRAMES);
	if (stores) {
		nic->stats.loop_lost += nic->loop_count;
		nic->stats.loop_put += count;
		nic->loop_head = 0;
		nic->loop_count = count;
	}
	for (unsigned i = 0; i < count && !walk->failed; i++) {
		struct loop_frame *frame = &nic->loop[(nic->loop_head + i) % LOOP_FRAMES];
		uint32_t length;

		snprintf(walk->key, KEY, "loop.%u.length", i);
		length = (uint32_t)given(walk, frame->length, sizeof(frame->data));
		if (stores)
			frame->length = length;
		snprintf(walk->key, KEY, "loop.%u.data", i);
		bytes(walk, frame->data, length);
	}
}

/* What the module keeps; it is asked to take that once all of it is sound. */
static void walk_module(struct walk *walk)
{
	struct nic *nic = walk->nic;
	bool loading = walk->exchange->loading;
	uint8_t *state = nic->hooked ? calloc(1, HOOK_STATE) : NULL;
	int32_t length = 0;

	if (!nic->hooked)
		return;
	if (state && !loading)
		length = hooks_save(nic, state, HOOK_STATE);
	snprintf(walk->key, KEY, "module.length");
	if (!state || length < 0)
		fail(walk, "not saved");
	length = (int32_t)given(walk, (uint64_t)length, HOOK_STATE);
	snprintf(walk->key, KEY, "module.state");
	if (state && !walk->failed &&
	    !walk->exchange->bytes(walk->exchange->context, walk->key, state, (size_t)length))
		fail(walk, "missing, or not of the right length");
	if (loading && !walk->dry && !walk->failed &&
	    hooks_restore(nic, state, (uint32_t)length) < 0)
		fail(walk, "the module does not take it");
	free(state);
	NUMBER(walk, nic->hooked->kicked, (1ull << nic->card->called_count) - 1, "module.kicked");
	for (unsigned i = 0; i < nic->card->called_count; i++)
		NUMBER(walk, nic->hooked->values[i], UINT64_MAX, "module.value.%s",
		       nic->card->called[i]);
	NUMBER(walk, nic->module_link_down, 1, "module.link-down");
}

static void walk_all(struct walk *walk)
{
	struct nic *nic = walk->nic;

	walk_module(walk); /* first: where it says no, nothing is stored */
	walk_registers(walk);
	walk_shifters(walk);
	for (unsigned i = 0; i < nic->card->instances; i++)
		walk_ring(walk, nic->rings[i].ring, &nic->rings[i]);
	for (unsigned i = 0; i < COUNTED; i++)
		NUMBER(walk, nic->counts[i], UINT64_MAX, "count.%u", i);
	NUMBER(walk, nic->link, 1, "link");
	NUMBER(walk, nic->negotiating, 1, "negotiating");
	walk_interrupts(walk);
	walk_times(walk);
	walk_loop(walk);
}

static uint64_t mix(uint64_t hash, const void *data, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3u;
	return hash;
}

uint64_t nic_fingerprint(const struct nic *nic)
{
	const struct card *card = nic->card;
	uint64_t hash = mix(0xcbf29ce484222325u, card->name, strlen(card->name));

	hash = mix(hash, card->reset_words, card->words * sizeof(*card->reset_words));
	for (unsigned i = 0; i < card->banks_count; i++) {
		for (unsigned k = 0; k < card->banks[i].regs_count; k++) {
			const struct reg *reg = &card->banks[i].regs[k];
			const uint64_t what[] = {reg->at, reg->count, reg->bytes, reg->word,
						 reg->rw, reg->w1c,   reg->w1s,	  reg->read_clear};

			hash = mix(hash, reg->name, strlen(reg->name));
			hash = mix(hash, what, sizeof(what));
		}
	}
	for (unsigned i = 0; i < card->rings_count; i++) {
		hash = mix(hash, card->rings[i].name, strlen(card->rings[i].name));
		hash = mix(hash, &card->rings[i].slot_size, sizeof(card->rings[i].slot_size));
	}
	return hash;
}

int nic_save(struct nic *nic, struct exchange *exchange)
{
	struct walk walk = {.nic = nic, .exchange = exchange};

	/* a guest's ring may go on for ever: what it has not come to is found by the next card */
	for (unsigned i = 0; i < BUDGETS && nic_work(nic); i++)
		;
	if (nic->recorded_count || dma_busy(nic->bus.memory))
		return error_set(exchange->err, -EAGAIN,
				 "the card waits for guest memory; try again");
	walk_all(&walk);
	return walk.failed ? -EINVAL : 0;
}

/* What follows from what was loaded. */
static void loaded(struct nic *nic)
{
	nic->recorded_count = nic->raised_count = 0;
	nic->stands = false;
	nic->late = 0;
	/* whoever waits at the port is asked again */
	nic->held = nic->held_fetch = nic->port && nic->port->ops->resume;
	nic->held_ring = 0;
	nic->stats.rx_cut += nic->held_segments;
	nic->held_segments = 0;
	for (unsigned i = 0; i < nic->card->instances; i++) {
		nic->rings[i].waits = false;
		nic->rings[i].commanded = false;
	}
	rings_update(nic);
	for (unsigned i = 0; i < nic->card->instances; i++) {
		struct ring_run *run = &nic->rings[i];

		if (run->ring->counted)
			ring_loaded(nic, i);
		if (!run->ring->by_address && run->position >= ring_laps(run))
			run->position = 0;
		if (run->state == RING_STARVED)
			run->state = RING_RUNNING; /* it looks again */
	}
	nic_changed_all(nic);
	rings_live(nic);
	for (unsigned i = 0; i < nic->card->instances; i++)
		flights_forget(nic, i);
	nic_wire_update(nic); /* the cable may be another one now */
	/* interrupts are looked at by then, when configuration space says how they are told */
	nic->bus.schedule(nic->bus.context);
}

int nic_load(struct nic *nic, struct exchange *exchange)
{
	struct walk walk = {.nic = nic, .exchange = exchange, .dry = true};

	walk_all(&walk);
	if (walk.failed)
		return -EINVAL;
	walk.dry = false;
	walk_all(&walk);
	loaded(nic);
	return walk.failed ? -EINVAL : 0;
}
