/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What decisions about a ring's slots ask for: bits of the slot, registers, facts
 * of the frame. Found once, when the card is made. A field that is wide and only
 * compared with a constant (an address that is 0, the end of a list) is a test,
 * not bits: else each slot would be a pattern of its own.
 */
#include "nic/planned.h"

enum { WIDE = 8 }; /* bits of a field that is not asked for as a whole */

struct note {
	struct plans *plans;
	uint64_t asks[(SLOT_MAX + 8) / 8]; /* bits of the whole slot */
	bool facts, first;		   /* a frame is known, too; its first slot is this one */
};

static bool depends(struct plans *plans, uint16_t word, uint64_t mask)
{
	for (unsigned i = 0; i < plans->depends_count; i++) {
		if (plans->depends[i].word == word) {
			plans->depends[i].mask |= mask;
			return true;
		}
	}
	if (plans->depends_count == PLAN_DEPENDS)
		return false;
	plans->depends[plans->depends_count].word = word;
	plans->depends[plans->depends_count++].mask = mask;
	return true;
}

static bool ask(struct note *note, unsigned bit, unsigned width)
{
	for (unsigned i = bit; i < bit + width && i < SLOT_MAX * 8; i++)
		note->asks[i / 64] |= 1ull << i % 64;
	return true;
}

static bool same_test(const struct plan_test *a, const struct plan_test *b)
{
	return a->field.byte == b->field.byte && a->field.shift == b->field.shift &&
	       a->field.mask == b->field.mask && a->value == b->value;
}

/* A field of the slot; how many operations are done with, 0: it cannot be. */
static unsigned ask_slot(struct note *note, const struct op *op, unsigned left)
{
	struct plans *plans = note->plans;
	struct plan_test test;
	unsigned i;

	if (op->width <= WIDE || left < 3 || op[1].code != OP_CONST ||
	    (op[2].code != OP_EQ && op[2].code != OP_NE) ||
	    !plan_field_of(&test.field, op->shift, op->width))
		return ask(note, op->shift, op->width);
	test.value = op[1].value;
	for (i = 0; i < plans->tests_count && !same_test(&plans->tests[i], &test); i++)
		;
	if (i == PLAN_TESTS)
		return ask(note, op->shift, op->width);
	plans->tests[i] = test;
	plans->tests_count = (uint8_t)(i < plans->tests_count ? plans->tests_count : i + 1);
	return 3;
}

/* Facts that one frame has and another has not; those that move are no decision. */
static uint32_t facts_of(const struct op *op)
{
	switch (op->value) {
	case VALUE_FRAME_TYPE:
		return FACTS_TYPE;
	case VALUE_FRAME_L4:
		return FACTS_L4;
	case VALUE_FRAME_CHECKED_IP:
	case VALUE_FRAME_OK_IP:
	case VALUE_FRAME_CHECKED_L4:
	case VALUE_FRAME_OK_L4:
		return FACTS_SUMS;
	case VALUE_FRAME_BROADCAST:
	case VALUE_FRAME_MULTICAST:
		return FACTS_GROUP;
	case VALUE_FRAME_MATCH:
		return 1u << (FACTS_MATCH_SHIFT + op->shift);
	case VALUE_FRAME_FIRST:
	case VALUE_FRAME_LAST:
	case VALUE_FRAME_TCI:
	case VALUE_FRAME_VLAN:
		return FACTS_KNOWN;
	default:
		return 0;
	}
}

static bool ask_engine(struct note *note, const struct op *op)
{
	uint32_t facts = facts_of(op);

	if (op->value == VALUE_MAC)
		return true;
	if (!note->facts || !facts)
		return false;
	note->plans->asks_facts |= facts & ~(uint32_t)FACTS_KNOWN;
	note->plans->asks_type |= (facts & (FACTS_TYPE | FACTS_L4)) != 0;
	return true;
}

/* False: it asks what no plan can know. */
static bool note(struct note *note, const struct expr *expr)
{
	unsigned done = 0;

	for (unsigned i = 0; i < expr->count; i += done) {
		const struct op *op = expr->ops + i;
		bool good = true;

		done = 1;
		switch (op->code) {
		case OP_STATE:
			good = depends(note->plans, op->word, op->value << op->shift);
			break;
		case OP_FIRST:
			if (!note->first)
				return false;
			/* fall through */
		case OP_SLOT:
			done = ask_slot(note, op, expr->count - i);
			break;
		case OP_ENGINE:
			good = ask_engine(note, op);
			break;
		default:
			good = op->code != OP_ELEMENT && op->code != OP_CONTEXT &&
			       op->code < OP_TICKS;
		}
		if (!good)
			return false;
	}
	return true;
}

/* A number that is put together anew each time: only registers decide how. */
static bool note_value(struct note *note, const struct expr *expr)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		if (op->code == OP_STATE && !depends(note->plans, op->word, op->value << op->shift))
			return false;
	}
	return true;
}

/* What is written may speak of what moves: the rest of it is noted. */
static bool note_write(struct note *one, const struct expr *expr)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		const struct expr part = {op, 1, false, FORM_CODE};
		bool moves = op->code == OP_ENGINE &&
			     (op->value == VALUE_FRAME_LENGTH || op->value == VALUE_FRAME_PUT ||
			      op->value == VALUE_FRAME_NEXT);

		if (!(moves && one->facts) && !note(one, &part))
			return false;
	}
	return true;
}

/* Neither frame nor slot: what it says of rings is asked when all is done. */
bool plan_of_ring(const struct expr *expr)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		if (op->code == OP_SLOT || op->code == OP_FIRST || op->code == OP_CONTEXT ||
		    (op->code == OP_ENGINE && op->value < VALUE_RING_STATE))
			return false;
	}
	return true;
}

/* Delays of its causes: false, by what is in the slot, or by how many there are. */
static bool note_moderate(struct nic *nic, struct note *one, const struct target *target)
{
	for (unsigned i = 0; i < nic->card->interrupts_count; i++) {
		const struct interrupt *interrupt = &nic->card->interrupts[i];

		for (unsigned k = 0; k < interrupt->moderate_count; k++) {
			const struct moderate *moderate = &interrupt->moderate[k];

			if (!moderate->mask || moderate->word != target->word ||
			    moderate->mask != target->mask ||
			    (plan_of_ring(&moderate->when) && !moderate->frames.count))
				continue;
			one->plans->moderated = true;
			if (!note(one, &moderate->when))
				return false;
		}
	}
	return true;
}

static unsigned overlaps(const struct complete *list, unsigned count, const struct target *target)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = 0; k < list[i].actions.count; k++) {
			const struct target *other = &list[i].actions.list[k].target;

			found += other->word == target->word && (other->mask & target->mask);
		}
	}
	return found;
}

/* Nothing else that happens to slots of the ring changes these bits. */
static bool is_alone(const struct ring *ring, const struct target *target)
{
	unsigned found = overlaps(ring->completes, ring->completes_count, target);

	for (unsigned i = 0; i < ring->uses_count; i++)
		found += overlaps(ring->uses[i].completes, ring->uses[i].completes_count, target);
	return found == 1;
}

/* The same again changes nothing, nor does it matter what of other actions came between. */
static bool is_idempotent(const struct ring *ring, const struct action *action)
{
	switch (action->verb) {
	case VERB_RAISE:
	case VERB_SET:
		return true;
	case VERB_CLEAR:
		return is_alone(ring, &action->target);
	case VERB_ASSIGN:
		return is_alone(ring, &action->target);
	default:
		return false;
	}
}

static bool note_action(struct nic *nic, struct note *one, const struct ring *ring,
			const struct action *action)
{
	one->plans->assigns |= action->verb == VERB_ASSIGN && !action->value.constant;
	return is_idempotent(ring, action) && !action->target.index.count &&
	       (plan_of_ring(&action->when) || note(one, &action->when)) &&
	       (action->verb != VERB_ASSIGN || note(one, &action->value)) &&
	       (action->verb != VERB_RAISE || note_moderate(nic, one, &action->target));
}

static bool note_completes(struct nic *nic, struct note *one, const struct ring *ring,
			   const struct complete *list, unsigned count)
{
	bool good = true;

	for (unsigned i = 0; i < count; i++) {
		good &= note(one, &list[i].when);
		for (unsigned k = 0; k < list[i].writes_count; k++)
			good &= note_write(one, &list[i].writes[k].value);
		for (unsigned k = 0; k < list[i].actions.count; k++)
			good &= note_action(nic, one, ring, &list[i].actions.list[k]);
	}
	return good;
}

/* What decisions or values ask for would be another thing for the next slot of a pass. */
static bool changes_asked(const struct plans *plans, const struct complete *list, unsigned count)
{
	bool changes = false;

	for (unsigned i = 0; i < plans->depends_count; i++) {
		const struct target asked = {.word = plans->depends[i].word,
					     .mask = plans->depends[i].mask};

		changes |= overlaps(list, count, &asked) != 0;
	}
	return changes;
}

static bool note_use(struct note *one, const struct use *use)
{
	bool good = note(one, &use->when) & note(one, &use->first) & note(one, &use->last) &
		    note(one, &use->skip) & note_value(one, &use->address) &
		    note_value(one, &use->length);

	for (unsigned i = 0; i < use->pieces_count; i++) {
		const struct piece *piece = &use->pieces[i];

		good &= note(one, &piece->when) & note_value(one, &piece->address) &
			note_value(one, &piece->length) & note_value(one, &piece->at) &
			note_value(one, &piece->count) & note_value(one, &piece->last);
	}
	return good;
}

static bool note_walk(struct note *one, const struct ring *ring)
{
	bool good = ring->next <= NEXT_CHAIN || ring->next == NEXT_STREAM;

	if (ring->ready == READY_CONDITION)
		good &= note(one, &ring->until);
	good &= note(one, &ring->phase);
	if (ring->end == END_BIT)
		good &= note(one, &ring->end_value);
	for (unsigned i = 0; i < ring->links_count; i++)
		good &= note(one, &ring->links[i].when) & note_value(one, &ring->links[i].address);
	for (unsigned i = 0; i < ring->stops_count; i++)
		good &= note(one, &ring->stops[i].when);
	return good;
}

static bool only_first(const struct expr *expr)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		if (op->code == OP_SLOT)
			return false;
	}
	return true;
}

/* Work on frames: what a plan cannot know is asked of each, and so are most of several slots. */
static uint8_t note_work(struct note *one, const struct ring *ring)
{
	struct plans *plans = one->plans;
	uint8_t unknown = 0, of_slot = 0;

	one->first = true;
	if (!note(one, &ring->vlan_when))
		unknown |= WORK_VLAN;
	if (!note(one, &ring->pad_when) || !note(one, &ring->pad_to))
		unknown |= WORK_PAD;
	of_slot |= only_first(&ring->vlan_when) ? 0 : WORK_VLAN;
	of_slot |= only_first(&ring->pad_when) && only_first(&ring->pad_to) ? 0 : WORK_PAD;
	for (unsigned i = 0; i < ring->uses_count; i++) {
		const struct use *use = &ring->uses[i];

		if (use->segment_present) {
			unknown |= note(one, &use->segment.when) ? 0 : WORK_SEGMENT;
			of_slot |= only_first(&use->segment.when) ? 0 : WORK_SEGMENT;
		}
		for (unsigned k = 0; k < use->checksums_count; k++) {
			unknown |= note(one, &use->checksums[k].when) ? 0 : WORK_CHECKSUM;
			of_slot |= only_first(&use->checksums[k].when) ? 0 : WORK_CHECKSUM;
		}
	}
	one->first = false;
	plans->of_first = (uint8_t)(WORK_ALL & ~(of_slot | unknown));
	return unknown;
}

/* The words of the slot that decide; false: there are too many. */
static bool asks_pack(struct note *one, unsigned size)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sizeof(one->asks) / sizeof(*one->asks); i++) {
		if (!one->asks[i])
			continue;
		if (count == PLAN_ASKS || i * 8 >= size)
			return false;
		one->plans->ask_at[count] = (uint8_t)(i * 8);
		one->plans->asks[count++] = one->asks[i];
	}
	return true;
}

static bool note_receive(struct nic *nic, struct note *one, const struct ring *ring)
{
	return note(one, &ring->vlan_type) & note(one, &ring->fcs_when) &
	       note(one, &ring->check_ip) & note(one, &ring->check_l4) &
	       note(one, &nic->card->filter.max);
}

void plans_note(struct nic *nic, unsigned index)
{
	const struct ring *ring = &nic->card->rings[index];
	struct plans *plans = &nic->plans[index];
	struct note one = {.plans = plans};
	bool good = note_walk(&one, ring);

	if (ring->direction == RING_TRANSMIT)
		plans->unknown = note_work(&one, ring);
	else
		good &= ring->direction == RING_RECEIVE && note_receive(nic, &one, ring);
	if (ring->next == NEXT_STREAM)
		good &= note(&one, &ring->stream.wraps) && !ring->uses_count;
	for (unsigned i = 0; i < ring->uses_count; i++)
		good &= note_use(&one, &ring->uses[i]);
	plans->results = !ring->produces;
	one.facts = ring->direction == RING_RECEIVE;
	for (unsigned i = 0; plans->results && i < ring->uses_count; i++)
		good &= note_completes(nic, &one, ring, ring->uses[i].completes,
				       ring->uses[i].completes_count);
	if (plans->results)
		good &= note_completes(nic, &one, ring, ring->completes, ring->completes_count);
	for (unsigned i = 0; i < ring->uses_count; i++)
		good &= !changes_asked(plans, ring->uses[i].completes,
				       ring->uses[i].completes_count);
	good &= !changes_asked(plans, ring->completes, ring->completes_count);
	plans->usable = good && asks_pack(&one, ring->slot_size);
}
