/* SPDX-License-Identifier: Apache-2.0 */

/* Rings that point anywhere, over slots that say anything. */
#include "foe.h"

enum { SLOTS = 1 << 20, ROOM = 2 << 20, TRIES = 200, MANY = 320 };

static uint64_t sound_address(void)
{
	return unit_random() % 4 ? SLOTS : SLOTS + (unit_random() % 64 << 12);
}

static uint64_t sound_number(void)
{
	static const uint16_t numbers[] = {1, 2, 4, 8, 16, 60, 64, 100, 128, 256, 1024, 1514, 2048};

	return numbers[unit_random() % 13];
}

static void set_op(struct foe *foe, const struct op *op, uint64_t value)
{
	unsigned words = op->code == OP_STATE ? 1 : op->code == OP_ELEMENT ? op->count : 0;

	for (unsigned i = 0; i < words; i++) {
		uint64_t mask = (op->value << op->shift) & foe->valid[op->word + i];
		uint64_t *word = &foe->nic->state[op->word + i];

		*word = (*word & ~mask) | ((value << op->shift) & mask);
	}
}

/* Another value for every register that an expression asks for. */
static void stir(struct foe *foe, const struct expr *expr, bool numbers)
{
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		uint64_t trap = unit_random() & 1 ? foe_number() : foe_address(foe);

		set_op(foe, op, foe_evil(foe) ? trap : numbers ? sound_number() : unit_random());
	}
}

/* One register gets an address, the others none: often that is the sum of it. */
static void point(struct foe *foe, const struct expr *expr, unsigned ring)
{
	struct scope scope = ring_scope(foe->nic, ring);
	uint64_t goal = sound_address();

	for (unsigned one = 0; one < expr->count; one++) {
		for (unsigned i = 0; i < expr->count; i++)
			set_op(foe, &expr->ops[i], i == one ? goal : 0);
		if (expr_eval(foe->nic, expr, &scope) == goal)
			break;
	}
	if (foe_evil(foe))
		stir(foe, expr, false);
}

/* Until a condition holds, if it can be made to. */
static void strive(struct foe *foe, const struct expr *expr, unsigned ring)
{
	struct scope scope = ring_scope(foe->nic, ring);

	for (unsigned i = 0; i < TRIES && !expr_holds(foe->nic, expr, &scope); i++)
		stir(foe, expr, false);
}

static uint64_t slots_at(const struct foe *foe, unsigned ring)
{
	uint64_t base = foe->nic->rings[ring].base;

	return base < MACHINE_MEMORY - ROOM ? base : SLOTS;
}

/* A field may be an address: of this slot, of another, of a buffer, of no memory at all. */
static uint64_t field_value(struct foe *foe, const struct slot_field *field, uint64_t here,
			    uint64_t base, unsigned size)
{
	const uint64_t places[] = {here, base, base + unit_random() % MANY * size,
				   foe_address(foe)};
	uint64_t value;

	if (field->width >= 24 && foe_evil(foe))
		value = places[unit_random() % 4];
	else if (field->width >= 24) /* a buffer, or the next slot */
		value = unit_random() % 4 ? FOE_BUFFERS + unit_random() % 4096 : here + size;
	else if (foe_evil(foe))
		value = foe_number();
	else
		value = field->width >= 8 ? sound_number() : unit_random();
	return field->width >= 64 ? value : value & ((1ull << field->width) - 1);
}

static void fill_slot(struct foe *foe, const struct ring *ring, const struct slot_names *names,
		      uint8_t *slot, uint64_t here, uint64_t base)
{
	unit_fill(slot, ring->slot_size, unit_random());
	if (foe_evil(foe) && unit_random() % 4 == 0)
		return;
	for (unsigned i = 0; i < names->count; i++) {
		const struct slot_field *field = &names->fields[i];

		if (field->width <= 64)
			slot_set(slot, field->low, field->width,
				 field_value(foe, field, here, base, ring->slot_size));
	}
}

/* Most are ready, and of a kind that is known. */
static void make_slot(struct foe *foe, unsigned index, uint64_t here, uint64_t base)
{
	const struct ring *ring = foe->nic->rings[index].ring;
	const struct use *use = &ring->uses[unit_random() % ring->uses_count];
	uint8_t slot[SLOT_MAX + 8] = {0};
	struct scope scope = ring_scope(foe->nic, index);

	scope.slot = scope.first = slot;
	scope.here = here;
	for (unsigned i = 0; i < 16; i++) {
		fill_slot(foe, ring, use->names, slot, here, base);
		if ((ring->ready != READY_CONDITION ||
		     expr_holds(foe->nic, &ring->until, &scope)) &&
		    expr_holds(foe->nic, &use->when, &scope))
			break;
	}
	memcpy(foe->memory + here, slot, ring->slot_size);
}

void foe_slots(struct foe *foe, unsigned index)
{
	const struct ring *ring = foe->nic->rings[index].ring;
	uint64_t base = slots_at(foe, index), stride = foe->nic->rings[index].stride;

	unit_fill(foe->memory + FOE_BUFFERS, 4096, unit_random());
	if (ring->next == NEXT_REGISTERS || ring->next == NEXT_STREAM || !ring->uses_count ||
	    !ring->uses[0].names)
		return;
	if (stride < ring->slot_size || stride > 4096)
		stride = ring->slot_size;
	for (unsigned i = 0; i < MANY && base + (i + 1) * stride < MACHINE_MEMORY - SLOT_MAX; i++)
		make_slot(foe, index, base + i * stride, base);
}

static void open_some(struct foe *foe, const struct ring *ring)
{
	if (ring->counted) {
		for (unsigned i = 0; i < 3; i++)
			ring_open_number(foe->nic, ring, unit_random() % (ring->count + 2));
	}
}

void foe_filter(struct foe *foe)
{
	const struct filter *filter = &foe->card->filter;

	strive(foe, &filter->when, 0);
	for (unsigned i = 0; i < filter->count; i++) {
		if (filter->accepts[i].class <= ACCEPT_MULTICAST && !filter->accepts[i].must)
			strive(foe, &filter->accepts[i].when, 0);
	}
	nic_changed_all(foe->nic);
}

/* Where it ends and how far it goes: some numbers do, most do not. */
static void measure(struct foe *foe, unsigned index)
{
	struct nic *nic = foe->nic;
	const struct ring *ring = nic->rings[index].ring;

	stir(foe, &ring->end_value, true);
	stir(foe, &ring->stride, true);
	if (ring->ready == READY_UNTIL)
		stir(foe, &ring->until, true);
	stir(foe, &ring->stream.from, true);
	stir(foe, &ring->stream.read, true);
	if (ring->cursor_mask)
		nic->state[ring->cursor_word] = (foe_evil(foe)	    ? foe_number()
						 : ring->by_address ? nic->rings[index].base
								    : unit_random() % 8) &
						foe->valid[ring->cursor_word];
	nic_changed_all(nic);
	rings_update(nic);
}

static bool measured(struct foe *foe, unsigned index)
{
	const struct ring *ring = foe->nic->rings[index].ring;

	return ring->next != NEXT_ARRAY || ring->end > END_ENTRIES ||
	       (foe->nic->rings[index].entries > 1 &&
		(ring->ready != READY_UNTIL || ring_ready(foe->nic, index) > 0));
}

/* Slots that are registers: where their buffers are. */
static void buffers(struct foe *foe, unsigned index)
{
	const struct ring *ring = foe->nic->rings[index].ring;

	for (unsigned i = 0; i < ring->uses_count && !ring->uses[i].names; i++) {
		point(foe, &ring->uses[i].address, index);
		stir(foe, &ring->uses[i].length, true);
	}
	if (ring->next == NEXT_REGISTERS && ring->ready == READY_CONDITION)
		strive(foe, &ring->until, index);
}

void foe_ring(struct foe *foe, unsigned index)
{
	struct nic *nic = foe->nic;
	const struct ring *ring = nic->rings[index].ring;
	uint64_t at = foe_evil(foe) ? foe_address(foe) : SLOTS;

	open_some(foe, ring);
	strive(foe, &ring->when, index);
	point(foe, &ring->base, index);
	for (unsigned i = 0; i < 50; i++) {
		measure(foe, index);
		if (measured(foe, index))
			break;
	}
	buffers(foe, index);
	strive(foe, &ring->when, index);
	nic_changed_all(nic);
	rings_update(nic);
	if (ring->starts)
		ring_start(nic, index, unit_random() & 1 ? &at : NULL);
	foe_slots(foe, index);
	ring_wake(nic, index);
}
