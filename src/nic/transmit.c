/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One pass over a transmit ring:
 *
 *   load     ready slots, copied in once
 *   build    slots to frames; buffers become views of guest memory
 *   hand on  the batch to the port, which takes some of it
 *   commit   results of the slots whose frames were taken, then the cursor
 *
 * Until commit nothing has changed: a pass that must wait for guest memory is
 * given up and run again. Contexts are put back for that and applied anew by
 * commit. Whole frames only: slots of an open frame stay for the next pass.
 */
#include "nic/transmit.h"

#include <errno.h>
#include <string.h>

static int slots_load(struct nic *nic, const struct ring *ring, const struct ring_run *run,
		      uint32_t cursor, uint32_t count)
{
	uint32_t loaded = 0;

	if (ring->next == NEXT_REGISTERS) /* they are at hand */
		return 0;
	while (loaded < count) {
		uint32_t at = cursor + loaded;
		uint32_t part = count - loaded;
		struct iovec iov[4];
		uint8_t *to = nic->slots + loaded * ring->slot_size;
		int got;

		if (at >= run->entries)
			at -= run->entries;
		if (part > run->entries - at)
			part = run->entries - at;
		got = dma_read_view(nic->bus.memory, run->base + (uint64_t)at * ring->slot_size,
				    part * ring->slot_size, iov, 4);
		if (got < 0)
			return got;
		for (int i = 0; i < got; i++) {
			memcpy(to, iov[i].iov_base, iov[i].iov_len);
			to += iov[i].iov_len;
		}
		loaded += part;
	}
	return 0;
}

static void build_begin(struct build *build, struct nic *nic, unsigned index)
{
	build->nic = nic;
	build->ring = &nic->card->rings[index];
	build->run = &nic->rings[index];
	build->index = index;
	build->plans = &nic->plans[index];
	build->scope = (struct scope){.ring = (uint8_t)index};
	build->again = build->fault = build->blocked = false;
	build->looped = build->ring->loop_present &&
			expr_holds(nic, &build->ring->loop_when, &build->scope);
	plans_check(nic, index);
}

static void frame_begin(struct build *build)
{
	struct frame *frame = &build->nic->frames[build->frames];

	frame->iovs = 0;
	frame->length = 0;
	frame->flags = 0;
	build->frame = frame;
	build->plain.groups = true; /* not known yet */
	build->fault = false;
}

/* Views of guest memory, or of memory on the card. */
static int buffer_view(struct build *build, const struct use *use, uint64_t addr, uint32_t length)
{
	struct frame *frame = build->frame;
	struct iovec *iov = frame->iov + frame->iovs;

	if (!use->memory)
		return dma_read_view(build->nic->bus.memory, addr, length, iov,
				     FRAME_IOVS - 2 - frame->iovs);
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
		build->fault = true;
		return;
	}
	got = buffer_view(build, use, addr, length);
	if (got == -EAGAIN) {
		build->again = true; /* goes on, so that all that is missing is asked for */
		return;
	}
	if (got < 0) {
		build->fault = true;
		return;
	}
	frame->iovs += (unsigned)got;
	frame->length += length;
}

static void frame_end(struct build *build, unsigned slots)
{
	struct nic *nic = build->nic;

	build->slots = slots;
	if (!build->again && !build->fault && build->frame->length >= 14) {
		frame_pad(build);
		if (!frame_segments(build))
			frame_checksums(build);
		frame_vlan(build);
	}
	if (build->fault || build->frame->length < 14)
		build->faults++;
	else
		nic->slots_of[build->frames++] = (uint16_t)slots;
	build->frame = NULL;
}

static void context_keep(struct build *build, const struct use *use, const uint8_t *slot)
{
	uint64_t key = use->key.count ? expr_eval(build->nic, &use->key, &build->scope) : 0;

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

static void frame_pieces(struct build *build, const struct use *use)
{
	struct taking taking = {build, use};
	int result = pieces_each(build->nic, use, &build->scope, take_piece, &taking);

	build->again |= result == -EAGAIN;
	build->fault |= result < 0 && result != -EAGAIN;
}

/* A command waits until what stands before it is done; an open frame never ends. */
static void build_command(struct build *build, const struct use *use, unsigned i)
{
	if (build->frame) {
		build->fault = true;
		frame_end(build, i);
	}
	build->command = i == 0 ? use : NULL;
}

/* Of the slot that is I behind the cursor. */
static unsigned slot_index(const struct build *build, unsigned i)
{
	uint32_t at = ring_cursor(build->nic, build->index) + i;

	return at < build->run->entries ? at : at - build->run->entries;
}

static void build_frames(struct build *build, uint32_t ready)
{
	struct nic *nic = build->nic;

	for (unsigned i = 0; i < ready && build->frames < BATCH; i++) {
		const uint8_t *slot = build->from + i * build->ring->slot_size;
		const struct use *use;

		if (!build->frame && build->plans->usable) {
			unsigned past = plain_build(nic, build->index, &build->plain, build->from,
						    i, ready, &build->frames);

			if (past > i)
				build->slots = i = past;
			if (i == ready || build->frames == BATCH)
				return;
			slot = build->from + i * build->ring->slot_size;
		}
		build->scope.slot = slot;
		build->scope.index = slot_index(build, i);
		build->scope.here =
			build->run->base + (uint64_t)build->scope.index * build->ring->slot_size;
		use = ring_use(nic, build->ring, &build->scope);
		if (use && use->as == USE_COMMAND) {
			build_command(build, use, i);
			return;
		}
		if (!use || use->as == USE_CONTEXT ||
		    (!build->frame && use->first.count &&
		     !expr_eval(nic, &use->first, &build->scope))) {
			if (use && use->as == USE_CONTEXT)
				context_keep(build, use, slot);
			if (!build->frame)
				build->slots = i + 1;
			continue;
		}
		if (!build->frame) {
			frame_begin(build);
			build->scope.first = slot;
			build->use = use;
		}
		frame_buffer(build, use, expr_eval(nic, &use->address, &build->scope),
			     (uint32_t)expr_eval(nic, &use->length, &build->scope));
		if (use->pieces_count)
			frame_pieces(build, use);
		if (!use->last.count || expr_eval(nic, &use->last, &build->scope))
			frame_end(build, i + 1);
	}
	/* a whole lap, or a whole budget, without an end: that frame can never be */
	if (build->frame && build->frames == 0 && build->from == nic->slots &&
	    (ready == BUDGET || ready + 1 >= build->run->entries)) {
		build->fault = true;
		frame_end(build, ready);
	}
}

static void commit_slot(struct build *build, uint8_t *slot, uint64_t addr, unsigned index)
{
	struct nic *nic = build->nic;
	struct scope scope = {.slot = slot, .index = index};
	const struct use *use = ring_use(nic, build->ring, &scope);

	build->scope.slot = slot;
	build->scope.index = index;
	if (use && use->as == USE_CONTEXT)
		context_keep(build, use, slot);
	ring_complete(nic, build->ring, use, &scope, addr, slot,
		      use && (!use->last.count || expr_eval(nic, &use->last, &scope)));
}

/* Results of the first SLOTS slots: those of runs by the run, split where the ring ends. */
static void commit(struct build *build, uint32_t cursor, unsigned slots)
{
	const struct plain_run *run = build->plain.runs, *last = run + build->plain.count;
	uint32_t entries = build->run->entries;
	unsigned size = build->ring->slot_size;

	for (unsigned i = 0, end; i < slots; i = end) {
		uint32_t at = cursor + i < entries ? cursor + i : cursor + i - entries;
		uint64_t addr = build->run->base + (uint64_t)at * size;

		while (run < last && run->end <= i)
			run++;
		end = run < last && run->first <= i ? run->end : i + 1;
		end = end < slots ? end : slots;
		end = end - i < entries - at ? end : i + entries - at;
		if (run < last && run->first <= i &&
		    plain_commit(build->nic, run, build->from, i, end, addr))
			continue;
		commit_slot(build, build->from + i * size, addr, at);
		end = i + 1;
	}
}

static void ring_starve(struct nic *nic, const struct ring *ring, struct ring_run *run)
{
	struct scope scope = {0};

	run->state = RING_STARVED;
	actions_run(nic, &ring->empty, &scope);
}

/* The slot at the front is a command: 1 done, 0 not yet. */
static unsigned transmit_command(struct build *build)
{
	struct nic *nic = build->nic;

	build->blocked = !command_run(nic, build->index, build->command, &build->scope);
	if (build->blocked)
		return 0;
	commit(build, ring_cursor(nic, build->index), 1);
	ring_advance(nic, build->index, 1);
	return 1;
}

/* A batch of frames out of READY loaded slots: how many slots are done with. */
static unsigned transmit_part(struct build *build, uint32_t ready)
{
	struct nic *nic = build->nic;
	unsigned taken, slots;

	build->frame = NULL;
	build->frames = build->slots = build->faults = 0;
	build->saved = false;
	build->command = NULL;
	build->plain.count = 0;
	build->plain.groups = false;
	build_frames(build, ready);
	if (build->saved)
		memcpy(build->run->context, build->contexts, sizeof(build->contexts));
	if (build->again)
		return 0;
	if (build->command)
		return transmit_command(build);
	taken = send_frames(nic, build->frames, build->looped);
	slots = taken == build->frames ? build->slots : taken ? nic->slots_of[taken - 1] : 0;
	build->run->waits = taken < build->frames;
	count_frames(nic, taken, build->plain.groups);
	if (taken == build->frames) /* else this part is made again */
		count_faults(nic, build->faults);
	commit(build, ring_cursor(nic, build->index), slots);
	ring_advance(nic, build->index, slots);
	return slots;
}

bool transmit_work(struct nic *nic, unsigned index)
{
	const struct ring *ring = &nic->card->rings[index];
	struct ring_run *run = &nic->rings[index];
	struct build build;
	uint32_t ready = ring_ready(nic, index), done = 0, slots;
	int loaded;

	if (run->state != RING_RUNNING || run->waits)
		return false;
	if (!ready) {
		ring_starve(nic, ring, run);
		return false;
	}
	if (ready > BUDGET)
		ready = BUDGET;
	loaded = slots_load(nic, ring, run, ring_cursor(nic, index), ready);
	if (loaded < 0) {
		if (loaded != -EAGAIN) { /* no such memory: the slots are passed over */
			count_faults(nic, 1);
			ring_advance(nic, index, ready);
		}
		return loaded != -EAGAIN;
	}
	build_begin(&build, nic, index);
	do {
		build.from = nic->slots + done * ring->slot_size;
		slots = transmit_part(&build, ready - done);
		done += slots;
	} while (slots && done < ready && !run->waits);
	if (done || !build.again)
		dma_settle(nic->bus.memory);
	if (build.again || build.blocked)
		return false;
	if (!done && !run->waits) { /* an open frame: more slots will come */
		run->state = RING_STARVED;
		return false;
	}
	return !run->waits;
}
