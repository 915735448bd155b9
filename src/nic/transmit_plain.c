/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The short way through a transmit ring: runs of slots with one plan, each a
 * frame as it lies in memory. A run is built in one loop and its results are
 * written in another; neither asks anything of the description.
 */
#include "nic/state.h"

struct runner {
	struct nic *nic;
	const struct plans *plans;
	const uint8_t *from;
	struct dma_window window;
	uint8_t group; /* bit 0: some frame is for a group */
};

static uint8_t *look_up(struct runner *runner, uint64_t addr, uint64_t length)
{
	dma_window(runner->nic->bus.memory, addr, DMA_READ, &runner->window);
	return dma_within(&runner->window, addr, length);
}

/* Frames of slots [i, end) while they keep to the plan; the first that does not. */
static unsigned run_build(struct runner *runner, const struct plan *plan, unsigned i, unsigned end,
			  struct frame *frame, uint16_t *slots_of)
{
	const struct plan_field address_at = plan->address, size = plan->size;
	const uint64_t asks[2] = {runner->plans->asks[0], runner->plans->asks[1]};
	const uint64_t bits[2] = {plan->bits[0], plan->bits[1]};
	const uint64_t shortest = plan->pad < 14 ? 14 : plan->pad;
	const uint8_t *slot = runner->from + (size_t)i * PLAN_SLOT;
	struct dma_window window = runner->window;
	uint8_t group = 0;

	for (; i < end; i++, frame++, slot += PLAN_SLOT) {
		uint64_t words[2], address, length;
		uint8_t *data;

		memcpy(words, slot, sizeof(words));
		if (((words[0] & asks[0]) ^ bits[0]) | ((words[1] & asks[1]) ^ bits[1]))
			break;
		address = plan_field(&address_at, slot);
		length = plan_field(&size, slot);
		data = dma_within(&window, address, length);
		if (!data) {
			data = look_up(runner, address, length);
			window = runner->window;
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
	runner->group |= group;
	return i;
}

unsigned plain_build(struct nic *nic, unsigned index, struct plain *plain, const uint8_t *from,
		     unsigned i, unsigned ready, unsigned *frames)
{
	struct runner runner = {.nic = nic, .plans = plans_of(nic, index), .from = from};

	while (i < ready && *frames < BATCH) {
		const struct plan *plan;
		unsigned end = ready - i < BATCH - *frames ? ready : i + BATCH - *frames, past;
		uint64_t words[2];

		memcpy(words, from + (size_t)i * PLAN_SLOT, sizeof(words));
		plan = plan_find(runner.plans, words);
		if (!plan)
			plan = plan_make(nic, index, from + (size_t)i * PLAN_SLOT);
		past = plan->plain ? run_build(&runner, plan, i, end, &nic->frames[*frames],
					       &nic->slots_of[*frames])
				   : i;
		if (past == i)
			break;
		plain->runs[plain->count++] =
			(struct plain_run){.first = i,
					   .end = past,
					   .plan = plan,
					   .bits = {plan->bits[0], plan->bits[1]}};
		*frames += past - i;
		i = past;
	}
	plain->groups |= runner.group & 1;
	return i;
}

static void store(uint8_t *to, uint64_t value, unsigned length)
{
	if (length == 1)
		__atomic_store_n(to, (uint8_t)value, __ATOMIC_RELEASE);
	else if (length == 4 && !((uintptr_t)to & 3))
		__atomic_store_n((uint32_t *)to, (uint32_t)value, __ATOMIC_RELEASE);
	else
		memcpy(to, &value, length);
}

static void run_results(const struct plan *plan, const uint8_t *slot, uint8_t *to, unsigned slots)
{
	const uint64_t mask = ~plan->mask, set = plan->value;
	const unsigned length = plan->length;

	slot += plan->at;
	to += plan->at;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (; slots--; slot += PLAN_SLOT, to += PLAN_SLOT) {
		uint64_t value;

		memcpy(&value, slot, sizeof(value));
		store(to, (value & mask) | set, length);
	}
}

/* Results of slots [i, end) of a run, side by side at ADDR; false: the long way. */
bool plain_commit(struct nic *nic, const struct plain_run *run, const uint8_t *from, unsigned i,
		  unsigned end, uint64_t addr)
{
	const struct plan *plan = run->plan;
	const uint8_t *slot = from + (size_t)i * PLAN_SLOT;
	struct scope scope = {.slot = slot, .here = addr};
	uint8_t *to = dma_pointer(nic->bus.memory, addr, (end - i) * PLAN_SLOT, DMA_WRITE);

	if (!to || plan->bits[0] != run->bits[0] || plan->bits[1] != run->bits[1])
		return false; /* another plan has taken its place */
	if (plan->length)
		run_results(plan, slot, to, end - i);
	for (unsigned k = i; plan->actions && k < (plan->once ? i + 1 : end); k++) {
		actions_run(nic, plan->actions, &scope);
		scope.slot += PLAN_SLOT;
		scope.here += PLAN_SLOT;
	}
	return true;
}
