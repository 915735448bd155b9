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

#define SPECIALIZED static inline __attribute__((always_inline))

/*
 * Frames of slots [i, end) while they keep to the plan; the first that does not.
 * BARE: address and length are fields, and what is asked is in one word. SHOWS: to a
 * module, which sees that there is nothing left to do for them.
 */
SPECIALIZED unsigned run_frames(struct build *build, const struct plan *plan, unsigned i,
				unsigned end, const bool bare, const bool shows)
{
	const struct plan_field at = plan->address.low, size = plan->length.low;
	const struct plan_look look = plan_look(build->plans, plan);
	const uint64_t shortest = plan->pad < 14 ? 14 : plan->pad;
	const unsigned slot_size = build->ring->slot_size;
	const uint8_t *slot = build->from + (size_t)i * slot_size;
	struct frame *frame = &build->nic->frames[build->frames];
	uint16_t *slots_of = &build->nic->slots_of[build->frames];
	struct anynic_frame *shown = build->shown + build->frames;
	struct dma_window window = build->window;
	uint64_t seen = 0; /* first bytes, and above them lengths: all of them together */

	for (; i < end; i++, frame++, slot += slot_size) {
		uint64_t address, length;
		uint8_t *data;

		if (bare ? !plan_keeps_word(&look, slot) : !plan_keeps(&look, slot))
			break;
		address = bare ? plan_field(&at, slot) : plan_value(&plan->address, slot, 0);
		length = (uint32_t)(bare ? plan_field(&size, slot)
					 : plan_value(&plan->length, slot, 0));
		data = dma_within(&window, address, length);
		if (!data) {
			data = look_up(build, address, length);
			window = build->window;
		}
		if (!data || length - shortest > FRAME_MAX - shortest)
			break;
		seen |= shows ? length << 8 | *data : *data;
		frame->iovs = 1;
		frame->length = (uint32_t)length;
		frame->flags = 0;
		frame->iov[0] = (struct iovec){data, length};
		*slots_of++ = (uint16_t)(i + 1);
		if (shows)
			*shown++ = (struct anynic_frame){.length = (uint32_t)length};
	}
	build->groups |= seen & 1;
	build->longest |= (uint32_t)(seen >> 8);
	return i;
}

static unsigned run_build(struct build *build, const struct plan *plan, unsigned i, unsigned end)
{
	bool bare = plan->address.bare && plan->length.bare && !plan->address.set &&
		    !plan->length.set && !build->plans->tests_count && !build->plans->asks[1];

	if (build->shown)
		return bare ? run_frames(build, plan, i, end, true, true)
			    : run_frames(build, plan, i, end, false, true);
	return bare ? run_frames(build, plan, i, end, true, false)
		    : run_frames(build, plan, i, end, false, false);
}

/* Slots from I on that are frames of their own; the first that is not. */
unsigned plain_build(struct build *build, unsigned i, unsigned ready)
{
	unsigned frames = build->room.frames < BATCH ? build->room.frames : BATCH;

	ready = ready < build->room.slots ? ready : build->room.slots;
	while (i < ready && build->frames < frames) {
		unsigned most = frames - build->frames, past;
		const struct plan *plan = plan_of(build->nic, build->index,
						  build->from + (size_t)i * build->ring->slot_size);

		if (!plan->whole || plan->address.here || plan->length.here)
			break;
		past = run_build(build, plan, i, ready - i < most ? ready : i + most);
		if (past == i)
			break;
		if (build->runs_count < RUNS)
			build->runs[build->runs_count++] =
				(struct run){i, past, {plan->key[0], plan->key[1], plan->key[2]}};
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
	struct scope scope = ring_scope(build->nic, build->index);

	scope.slot = causes->slot;
	scope.here = causes->here;
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

/* Up to where slots from I on are known to keep to the plan. */
static unsigned run_known(const struct build *build, const struct plan *plan, unsigned i)
{
	for (unsigned k = 0; k < build->runs_count; k++) {
		const struct run *run = &build->runs[k];

		if (run->first <= i && i < run->end && plan_fits(plan, run->key))
			return run->end;
	}
	return i;
}

/* Slots [i, end) as long as they keep to a plan whose result is one store of LENGTH; 0: any. */
SPECIALIZED unsigned run_store(struct build *build, const struct plan *plan,
			       const struct plan_result *result, unsigned i, unsigned end,
			       uint8_t *to, const unsigned length)
{
	const struct plan_store store = result->stores[0];
	const unsigned slot_size = build->ring->slot_size, known = run_known(build, plan, i);
	const struct plan_look look = plan_look(build->plans, plan);
	const uint8_t *slot = build->from + (size_t)i * slot_size;

	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (; i < end; i++, slot += slot_size, to += slot_size) {
		uint64_t word;

		if (i >= known && !plan_keeps(&look, slot))
			break;
		if (!length) {
			result_store(result, slot, to, 0, 0);
			continue;
		}
		memcpy(&word, slot + store.at, sizeof(word));
		plan_bytes_store(to + store.at, (word & store.keep) | store.set, length);
	}
	return i;
}

/* Further slots of the plan that are frames of their own, like the one before I. */
static unsigned run_results(struct build *build, const struct plan *plan,
			    const struct plan_result *result, unsigned i, unsigned end, uint8_t *to)
{
	unsigned length = result->stores_count == 1 ? result->stores[0].length : 0;

	if (length == 1)
		return run_store(build, plan, result, i, end, to, 1);
	if (length == 4)
		return run_store(build, plan, result, i, end, to, 4);
	return run_store(build, plan, result, i, end, to, 0);
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
		if (build->plans->moderated || build->plans->assigns)
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
	uint8_t *to = NULL;

	if (build->plans->results)
		to = dma_pointer(build->nic->bus.memory, addr, length, DMA_WRITE);
	return to ? side_commit(build, i, end, to, addr) : i;
}
