/* SPDX-License-Identifier: Apache-2.0 */

/* Slots to frames, whose buffers are views of guest memory. What a slot is, its plan says. */
#include "nic/transmit.h"

#include <errno.h>
#include <string.h>

static void frame_begin(struct build *build)
{
	struct frame *frame = &build->nic->frames[build->frames];

	frame->iovs = 0;
	frame->length = 0;
	frame->flags = 0;
	build->frame = frame;
	build->groups = true; /* not known yet */
	build->fault = SLOT_TAKEN;
	build->odd = false;
}

/* Views of guest memory, or of memory on the card. */
static int buffer_view(struct build *build, const struct use *use, uint64_t addr, uint32_t length)
{
	struct frame *frame = build->frame;
	struct iovec *iov = frame->iov + frame->iovs;

	if (!use->memory) {
		*iov = (struct iovec){dma_within(&build->window, addr, length), length};
		if (iov->iov_base)
			return 1;
		dma_window(build->nic->bus.memory, addr, DMA_READ, &build->window);
		return dma_read_view(build->nic->bus.memory, addr, length, iov,
				     FRAME_IOVS - 2 - frame->iovs);
	}
	*iov = (struct iovec){memory_at(build->nic, use->memory - 1u, addr, length), length};
	return iov->iov_base ? 1 : -EFAULT;
}

static void frame_buffer(struct build *build, const struct use *use, uint64_t addr, uint32_t length)
{
	struct frame *frame = build->frame;
	int got;

	if (!length || build->fault)
		return;
	if (length > FRAME_MAX - frame->length || frame->iovs + 3 > FRAME_IOVS) {
		build->fault = SLOT_LONG;
		return;
	}
	got = buffer_view(build, use, addr, length);
	if (got == -EAGAIN) {
		build->again = true; /* goes on, so that all that is missing is asked for */
		return;
	}
	if (got < 0) {
		build->fault = SLOT_MEMORY;
		return;
	}
	frame->iovs += (unsigned)got;
	frame->length += length;
}

static void frame_work(struct build *build, unsigned work)
{
	if (work & WORK_PAD)
		frame_pad(build);
	if ((work & (WORK_SEGMENT | WORK_CHECKSUM)) && !frame_segments(build))
		frame_checksums(build);
	if (work & WORK_VLAN)
		frame_vlan(build);
}

static void frame_end(struct build *build, unsigned slots)
{
	struct nic *nic = build->nic;
	unsigned work = build->work;

	if (slots > build->room.slots || build->frames >= build->room.frames) {
		build->blocked = true; /* as it was before it began */
		build->frame = NULL;
		return;
	}
	if (slots != build->first_at + 1) /* of several: what the first one cannot know is asked */
		work |= WORK_ALL & ~(unsigned)build->plans->of_first;
	build->slots = slots;
	if (!build->again && !build->fault && build->frame->length >= 14)
		frame_work(build, work);
	if (!build->fault && build->frame->length < 14)
		build->fault = SLOT_SHORT;
	if (build->fault)
		slots_reject(build, build->first_at, slots, build->fault);
	else
		nic->slots_of[build->frames++] = (uint16_t)slots;
	if (!build->fault && build->odd)
		*slot_verdict(build, slots - 1) |= SLOT_FAULT;
	build->frame = NULL;
}

void transmit_context(struct build *build, const struct use *use, const uint8_t *slot)
{
	uint64_t key = 0;

	build->scope.slot = slot;
	if (use->key.count)
		key = expr_eval(build->nic, &use->key, &build->scope);
	if (!build->saved)
		memcpy(build->contexts, build->run->context, sizeof(build->contexts));
	build->saved = true;
	if (key < CARD_CONTEXTS)
		memcpy(build->run->context[key], slot, build->ring->slot_size);
}

struct taking {
	struct build *build;
	const struct use *use;
};

static void take_piece(void *context, uint64_t addr, uint32_t length)
{
	struct taking *taking = context;

	frame_buffer(taking->build, taking->use, addr, length);
}

/* False: not all of it is in one piece of memory. */
static bool array_pieces(struct build *build, const struct use *use, const struct plan_piece *piece)
{
	const struct scope *scope = &build->scope;
	uint64_t at = plan_value(&piece->at, scope->slot, scope->here);
	uint64_t count = plan_value(&piece->count, scope->slot, scope->here);
	uint8_t one[SLOT_MAX + 8] = {0};
	const uint8_t *from;

	count = count < FRAME_IOVS ? count : FRAME_IOVS;
	from = dma_within(&build->pieces, at, count * piece->size);
	if (!from) {
		dma_window(build->nic->bus.memory, at, DMA_READ, &build->pieces);
		from = dma_within(&build->pieces, at, count * piece->size);
	}
	for (; from && count--; from += piece->size) {
		memcpy(one, from, piece->size);
		frame_buffer(build, use, plan_value(&piece->address, one, scope->here),
			     (uint32_t)plan_value(&piece->length, one, scope->here));
		if (piece->lasts && plan_value(&piece->last, one, scope->here))
			break;
	}
	return from;
}

static bool plan_pieces(struct build *build, const struct use *use, const struct plan *plan)
{
	const struct scope *scope = &build->scope;

	if (!plan || !plan->pieces_known || (plan->arrays && plan->pieces_count > 1))
		return false;
	for (unsigned i = 0; i < plan->pieces_count; i++) {
		const struct plan_piece *piece = &plan->pieces[i];

		if (piece->array)
			return array_pieces(build, use, piece);
		frame_buffer(build, use, plan_value(&piece->address, scope->slot, scope->here),
			     (uint32_t)plan_value(&piece->length, scope->slot, scope->here));
	}
	return true;
}

static void frame_pieces(struct build *build, const struct use *use, const struct plan *plan)
{
	struct taking taking = {build, use};
	int result = 0;

	if (!plan_pieces(build, use, plan))
		result = pieces_each(build->nic, use, &build->scope, take_piece, &taking);
	build->again |= result == -EAGAIN;
	if (result < 0 && result != -EAGAIN)
		build->fault = SLOT_MEMORY;
}

/* A command waits until what stands before it is done; an open frame never ends. */
static void build_command(struct build *build, const struct use *use, unsigned i)
{
	if (build->frame) {
		build->fault = SLOT_ENDLESS;
		frame_end(build, i);
	}
	build->command = i == 0 ? use : NULL;
}

static void frame_open(struct build *build, const struct use *use, const struct plan *plan,
		       unsigned i)
{
	if (build->frame) /* the one before has no end */
		slots_reject(build, build->first_at, i, SLOT_ENDLESS);
	frame_begin(build);
	build->scope.first = build->scope.slot;
	build->use = use;
	build->first_at = i;
	build->work = plan ? plan->work : WORK_ALL;
}

/* A frame begins here, whatever was before it. */
static bool begins(struct build *build, const struct use *use, const struct plan *plan)
{
	return use->first.count &&
	       (plan ? plan->begins : expr_eval(build->nic, &use->first, &build->scope) != 0);
}

static void slot_buffers(struct build *build, const struct use *use, const struct plan *plan)
{
	const struct scope *scope = &build->scope;
	uint64_t address, length;

	address = plan && plan->address.kind ? plan_value(&plan->address, scope->slot, scope->here)
					     : expr_eval(build->nic, &use->address, scope);
	length = plan && plan->length.kind ? plan_value(&plan->length, scope->slot, scope->here)
					   : expr_eval(build->nic, &use->length, scope);
	frame_buffer(build, use, address, (uint32_t)length);
	if (use->pieces_count)
		frame_pieces(build, use, plan);
}

/* Slot I; false: it is a command, before which we stop. */
static bool build_slot(struct build *build, unsigned i)
{
	const uint8_t *slot = build->from + i * build->ring->slot_size;
	const struct plan *plan =
		build->plans->usable ? plan_of(build->nic, build->index, slot) : NULL;
	const struct use *use;

	build->scope.slot = slot;
	build->scope.index = slot_i(build, i);
	build->scope.here = slot_here(build, i);
	use = plan ? plan->use : ring_use(build->nic, build->ring, &build->scope);
	if (use && use->as == USE_COMMAND) {
		build_command(build, use, i);
		return false;
	}
	if (use && use->as == USE_CONTEXT)
		transmit_context(build, use, slot);
	if (!use || use->as == USE_CONTEXT ||
	    (!build->frame && use->first.count &&
	     !begins(build, use, plan))) { /* none of a frame */
		if (!use || use->as != USE_CONTEXT)
			*slot_verdict(build, i) = use ? SLOT_STRAY : SLOT_UNKNOWN;
		if (!build->frame)
			build->slots = i + 1;
		return true;
	}
	if (!build->frame || begins(build, use, plan))
		frame_open(build, use, plan, i);
	slot_buffers(build, use, plan);
	if (plan ? plan->last
		 : !use->last.count || expr_eval(build->nic, &use->last, &build->scope))
		frame_end(build, i + 1);
	return true;
}

/* A whole lap, or a whole budget, without an end: that frame can never be. */
static bool endless(const struct build *build, uint32_t ready)
{
	if (!build->frame || build->frames || build->from != build->nic->slots)
		return false;
	return ready == BUDGET ||
	       (build->ring->walked ? build->walk.lap : ready + 1 >= build->run->entries);
}

void transmit_build(struct build *build, uint32_t ready)
{
	for (unsigned i = 0; i < ready && build->frames < BATCH && !build->blocked; i++) {
		if (!build->frame && build->plans->usable) {
			unsigned past = plain_build(build, i, ready);

			if (past > i)
				build->slots = i = past;
			if (i == ready || build->frames == BATCH)
				return;
		}
		if (!build_slot(build, i))
			return;
	}
	if (endless(build, ready)) {
		build->fault = SLOT_ENDLESS;
		frame_end(build, ready);
	}
}
