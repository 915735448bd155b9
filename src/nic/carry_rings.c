/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rings by their names. One that runs goes on at its cursor if the driver's
 * slots mean the same and lie in the same place, which is known once the new
 * registers are there; one that is stopped holds nothing.
 */
#include "nic/carry.h"

#include <errno.h>
#include <string.h>

static int ring_find(const struct card *card, const char *name)
{
	for (unsigned i = 0; i < card->rings_count; i++) {
		if (!strcmp(card->rings[i].name, name))
			return (int)i;
	}
	return -1;
}

/* The field that stands elsewhere in the other; NULL: none does. */
static const char *fields_differ(const struct slot_names *a, const struct slot_names *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		const struct slot_field *field = &a->fields[i];

		for (unsigned k = 0; k < b->count; k++) {
			if (!strcmp(b->fields[k].name, field->name) &&
			    (b->fields[k].low != field->low || b->fields[k].width != field->width))
				return field->name;
		}
	}
	return NULL;
}

/* The same, of slots of one name. */
static const char *slots_differ(const struct ring *a, const struct ring *b)
{
	const char *field = NULL;

	for (unsigned i = 0; i < a->uses_count && !field; i++) {
		for (unsigned k = 0; k < b->uses_count && !field; k++) {
			const struct slot_names *x = a->uses[i].names, *y = b->uses[k].names;

			if (x && y && !strcmp(x->name, y->name))
				field = fields_differ(x, y);
		}
	}
	return field;
}

static bool walks_alike(const struct ring *a, const struct ring *b)
{
	return a->counted == b->counted && !a->phase.count == !b->phase.count &&
	       a->until_mask == b->until_mask && a->direction == b->direction &&
	       a->next == b->next && a->walked == b->walked && a->by_address == b->by_address &&
	       a->slot_size == b->slot_size && !a->cursor_mask == !b->cursor_mask &&
	       a->stream.memory == b->stream.memory && a->stream.unit == b->stream.unit &&
	       a->stream.align == b->stream.align;
}

static int lost(struct carry *carry, const char *ring, const char *what, const char *field)
{
	return error_set(carry->why, -ECANCELED, "ring %s is in use, and %s%s", ring, what, field);
}

/* As the new registers have it; they may say what the old ones did. */
static bool lies_alike(struct nic *to, unsigned index, const struct ring_run *old)
{
	const struct ring_run *run = &to->rings[index];

	if (run->ring->counted)
		ring_geometry(to, index);
	to->touched |= cares_ring((unsigned)(run->ring - to->card->rings));
	rings_update(to);
	return run->base == old->base && run->stride == old->stride &&
	       run->entries == old->entries && run->position == old->position;
}

/* The state of one, into one of another card. */
static void run_copy(struct ring_run *to, const struct ring_run *from)
{
	const struct ring_run own = *to;

	*to = *from;
	to->ring = own.ring;
	to->plans = own.plans;
}

static int carry_ring(struct carry *carry, unsigned index)
{
	const struct ring_run *old = &carry->from->rings[index];
	const struct ring *ring = old->ring;
	int found = ring_find(carry->to->card, ring->name), place;
	const struct ring *other = found < 0 ? NULL : &carry->to->card->rings[found];
	struct ring_run *run = NULL;
	const char *field;

	if (other && old->number < other->count)
		run = &carry->to->rings[other->first + old->number];
	place = run ? (int)(run - carry->to->rings) : -1;
	if (run && walks_alike(ring, other) && !slots_differ(ring, other)) {
		run_copy(run, old);
		carry->places[index] = place;
		if (old->state == RING_STOPPED || lies_alike(carry->to, (unsigned)place, old))
			return 0;
		return lost(carry, ring->name, "lies elsewhere in the new description", "");
	}
	if (old->state == RING_STOPPED)
		return 0;
	if (!run)
		return lost(carry, ring->name, "the new description has none of that name", "");
	field = walks_alike(ring, other) ? slots_differ(ring, other) : NULL;
	if (field)
		return lost(carry, ring->name, "its slots have another place for ", field);
	return lost(carry, ring->name, "its slots are others in the new description", "");
}

int carry_rings(struct carry *carry)
{
	int result = 0;

	for (unsigned i = 0; result == 0 && i < carry->from->card->instances; i++)
		result = carry_ring(carry, i);
	rings_live(carry->to);
	return result;
}

/* Those of rings that did not come along are nobody's. */
void carry_flights(struct carry *carry)
{
	const struct nic *from = carry->from;
	struct nic *to = carry->to;

	for (unsigned i = 0; i < from->card->instances; i++) {
		if (carry->places[i] < 0)
			to->stats.tx_abandoned += from->rings[i].given + from->rings[i].cut;
	}
	to->flights_first = 0;
	to->flights_count = from->flights_count;
	for (unsigned i = 0; i < from->flights_count; i++) {
		unsigned ring = from->flights[(from->flights_first + i) % FLIGHTS];

		to->flights[i] = ring == NO_RING || carry->places[ring] < 0
					 ? NO_RING
					 : (uint16_t)carry->places[ring];
	}
}
