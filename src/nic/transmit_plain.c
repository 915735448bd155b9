/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The short way through a transmit ring: runs of slots with one plan, each a
 * frame as it lies in memory, are built in one loop; and results of slots that
 * have plans are written by their stores, causes raised once for all of them.
 */
#include "nic/transmit.h"

static uint8_t *look_up(struct build *build, uint64_t addr, uint64_t length)
{
	dma_window(build->nic->bus.memory, addr, DMA_READ, &build->window);
	return dma_within(&build->window, addr, length);
}

/* Frames of slots [i, end) while they keep to the plan; the first that does not. */
static unsigned run_build(struct build *build, const struct plan *plan, unsigned i, unsigned end)
{
	const struct plan_value at = plan->address, size = plan->length;
	const struct plans *plans = build->plans;
	const uint64_t shortest = plan->pad < 14 ? 14 : plan->pad;
	const unsigned slot_size = build->ring->slot_size;
	const uint8_t *slot = build->from + (size_t)i * slot_size;
	struct frame *frame = &build->nic->frames[build->frames];
	uint16_t *slots_of = &build->nic->slots_of[build->frames];
	struct dma_window window = build->window;
	uint8_t group = 0;

	for (; i < end; i++, frame++, slot += slot_size) {
		uint64_t key[PLAN_KEY], address, length;
		uint8_t *data;

		plan_key(plans, slot, key);
		if (!plan_fits(plan, key))
			break;
		address = plan_value(&at, slot, 0);
		length = (uint32_t)plan_value(&size, slot, 0);
		data = dma_within(&window, address, length);
		if (!data) {
			data = look_up(build, address, length);
			window = build->window;
		}
		if (!data || length - shortest > FRAME_MAX - shortest)
			break;
		group |= *data;
		frame->iovs = 1;
		frame->length = (uint32_t)length;
		frame->flags = 0;
		frame->iov[0] = (struct iovec){data, length};
		*slots_of++ = (uint16_t)(i + 1);
	}
	build->groups |= group & 1;
	return i;
}

/* Slots from I on that are frames of their own; the first that is not. */
unsigned plain_build(struct build *build, unsigned i, unsigned ready)
{
	while (i < ready && build->frames < BATCH) {
		unsigned most = BATCH - build->frames, past;
		const struct plan *plan = plan_of(build->nic, build->index,
						  build->from + (size_t)i * build->ring->slot_size);

		if (!plan->whole || plan->address.here || plan->length.here)
			break;
		past = run_build(build, plan, i, ready - i < most ? ready : i + most);
		if (past == i)
			break;
		build->frames += past - i;
		i = past;
	}
	return i;
}

/* Where it stands in its frame, for its result. */
static unsigned plan_stands(struct build *build, const struct plan *plan)
{
	unsigned place = 0;

	if (!plan->use || plan->use->as == USE_CONTEXT)
		return 0;
	if (plan->use->first.count ? plan->begins : !build->open) {
		place |= SLOT_FIRST;
		build->open = true;
	}
	if (build->open && plan->last) {
		place |= SLOT_LAST;
		build->open = false;
	}
	return place;
}

void causes_flush(struct build *build)
{
	struct causes *causes = &build->causes;
	struct scope scope = {
		.slot = causes->slot, .here = causes->here, .ring = (uint8_t)build->index};

	if (causes->bits)
		result_actions(build->nic, causes->list, causes->count, causes->bits, &scope);
	causes->bits = 0;
}

static void causes_add(struct build *build, const struct plan_result *result, const uint8_t *slot,
		       uint64_t here)
{
	struct causes *causes = &build->causes;

	if (causes->list != result->list)
		causes_flush(build);
	causes->list = result->list;
	causes->count = result->count;
	causes->bits |= result->actions;
	causes->slot = slot;
	causes->here = here;
}

/* Further slots of the plan that are frames of their own, like the one before I. */
static unsigned run_results(struct build *build, const struct plan *plan,
			    const struct plan_result *result, unsigned i, unsigned end, uint8_t *to)
{
	const struct plans *plans = build->plans;
	const unsigned slot_size = build->ring->slot_size;
	const uint8_t *slot = build->from + (size_t)i * slot_size;

	for (; i < end; i++, slot += slot_size, to += slot_size) {
		uint64_t key[PLAN_KEY];

		plan_key(plans, slot, key);
		if (!plan_fits(plan, key))
			break;
		result_store(result, slot, to, 0, 0);
	}
	return i;
}

/* Results of slots [i, end), which lie side by side at TO; the first that takes the long way. */
static unsigned side_commit(struct build *build, unsigned i, unsigned end, uint8_t *to,
			    uint64_t addr)
{
	const unsigned slot_size = build->ring->slot_size;
	const uint8_t *slot = build->from + (size_t)i * slot_size;
	unsigned begin = i, next;

	for (; i < end; i = next) {
		size_t into = (size_t)(i - begin) * slot_size;
		struct plan *plan = plan_of(build->nic, build->index, slot + into);
		const struct plan_result *result;
		bool open = build->open;
		unsigned place;

		if (plan->use && plan->use->as == USE_COMMAND)
			return i;
		place = plan_stands(build, plan);
		result = plan_result(build->nic, build->index, plan, place, slot + into, NULL);
		if (!result->plain) {
			build->open = open;
			return i;
		}
		if (plan->use && plan->use->as == USE_CONTEXT)
			transmit_context(build, plan->use, slot + into);
		if (build->plans->moderated)
			causes_flush(build);
		causes_add(build, result, slot + into, addr + into);
		result_store(result, slot + into, to + into, 0, 0);
		next = i + 1;
		if (place == (SLOT_FIRST | SLOT_LAST))
			next = run_results(build, plan, result, next, end, to + into + slot_size);
	}
	return i;
}

unsigned plain_commit(struct build *build, unsigned i, unsigned end, uint64_t addr)
{
	size_t length = (size_t)(end - i) * build->ring->slot_size;
	uint8_t *to = dma_pointer(build->nic->bus.memory, addr, length, DMA_WRITE);

	return to ? side_commit(build, i, end, to, addr) : i;
}
