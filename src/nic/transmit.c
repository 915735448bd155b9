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
#include "nic/hook_calls.h"

#include <errno.h>
#include <string.h>

/* Slots side by side, as many as the driver says there are. */
static int slots_load(struct build *build, uint32_t cursor, uint32_t count)
{
	struct nic *nic = build->nic;
	const struct ring_run *run = build->run;
	unsigned size = build->ring->slot_size;
	uint32_t loaded = 0;

	if (build->ring->next == NEXT_REGISTERS) /* they are at hand */
		return 0;
	while (loaded < count) {
		uint32_t at = cursor + loaded;
		uint32_t part = count - loaded;
		struct iovec iov[4];
		uint8_t *to = nic->slots + loaded * size;
		int got;

		if (at >= run->entries)
			at -= run->entries;
		if (part > run->entries - at)
			part = run->entries - at;
		got = dma_read_view(nic->bus.memory, run->base + (uint64_t)at * size, part * size,
				    iov, 4);
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

/* How many slots are at hand, or what guest memory said. */
static int load(struct build *build)
{
	uint32_t ready = ring_ready(build->nic, build->index);
	int error;

	if (ready > BUDGET)
		ready = BUDGET;
	error = ready ? slots_load(build, ring_cursor(build->nic, build->index), ready) : 0;
	if (error < 0 && error != -EAGAIN) { /* no such memory: the slots are passed over */
		count_faults(build->nic, 1);
		build->nic->stats.tx_slots.fetched += ready;
		build->nic->stats.tx_slots.rejected[SLOT_MEMORY] += ready;
		ring_advance(build->nic, build->index, ready);
	}
	return error < 0 ? error : (int)ready;
}

static int load_walked(struct build *build)
{
	struct nic *nic = build->nic;
	int got = ring_walk_begin(&build->walk, nic, build->index);
	unsigned count = 0;

	for (; got >= 0 && count < BUDGET; count++) {
		uint8_t *slot = nic->slots + count * build->ring->slot_size;

		got = ring_walk_slot(&build->walk, slot, &nic->slot_at[count]);
		if (got <= 0)
			break;
	}
	nic->slot_at[count] = build->walk.at;
	if (got == -EAGAIN || (got >= 0 || count))
		return got == -EAGAIN ? got : (int)count;
	count_faults(nic, 1); /* no such memory: until the driver says more */
	build->run->state = RING_STARVED;
	return got;
}

static void build_begin(struct build *build, struct nic *nic, unsigned index)
{
	build->nic = nic;
	build->ring = nic->rings[index].ring;
	build->run = &nic->rings[index];
	build->index = index;
	build->plans = plans_of(nic, index);
	build->shown = nic->hook_shown;
	build->scope = ring_scope(nic, index);
	build->window.size = 0;
	build->causes.bits = 0;
	build->again = build->blocked = false;
	build->fault = SLOT_TAKEN;
	build->frames = 0;
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

static void frame_built(struct build *build, unsigned slots)
{
	struct nic *nic = build->nic;

	if (build->shown) {
		hook_show(&build->shown[build->frames], build->frame);
		build->longest |= build->frame->length;
	}
	nic->slots_of[build->frames++] = (uint16_t)slots;
}

static void frame_end(struct build *build, unsigned slots)
{
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
		frame_built(build, slots);
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

static void frame_pieces(struct build *build, const struct use *use, const struct plan *plan)
{
	struct taking taking = {build, use};
	int result;

	for (unsigned i = 0; plan && plan->pieces_known && i < plan->pieces_count; i++)
		frame_buffer(
			build, use,
			plan_value(&plan->pieces[i].address, build->scope.slot, build->scope.here),
			(uint32_t)plan_value(&plan->pieces[i].length, build->scope.slot,
					     build->scope.here));
	if (plan && plan->pieces_known)
		return;
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

/* Cursors of the slots of this part; walked rings only. */
static const uint64_t *part_at(const struct build *build)
{
	return build->nic->slot_at + build->part;
}

/* Of the slot that is I behind the cursor. */
static unsigned slot_index(const struct build *build, unsigned i)
{
	uint32_t at;

	if (build->ring->walked)
		return build->ring->by_address
			       ? 0
			       : (unsigned)slot_number(build->run, part_at(build)[i]);
	at = ring_cursor(build->nic, build->index) + i;
	return at < build->run->entries ? at : at - build->run->entries;
}

/* What it calls i: of registers the element, else the ring's instance. */
static unsigned slot_i(const struct build *build, unsigned i)
{
	return build->ring->next == NEXT_REGISTERS ? slot_index(build, i) : build->run->number;
}

static uint64_t slot_here(const struct build *build, unsigned i)
{
	return build->ring->walked
		       ? slot_address(build->nic, build->index, part_at(build)[i])
		       : build->run->base + (uint64_t)slot_index(build, i) * build->ring->slot_size;
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

static void build_frames(struct build *build, uint32_t ready)
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

/* Where it stands in its frame; and the next slot is in the same one, or not. */
static unsigned commit_place(struct build *build, const struct use *use, const struct scope *scope)
{
	unsigned place = 0;

	if (!use || use->as == USE_CONTEXT)
		return 0;
	if (use->first.count ? expr_eval(build->nic, &use->first, scope) != 0 : !build->open) {
		place |= SLOT_FIRST;
		build->open = true;
	}
	if (build->open && (!use->last.count || expr_eval(build->nic, &use->last, scope))) {
		place |= SLOT_LAST;
		build->open = false;
	}
	return place;
}

static void commit_slot(struct build *build, uint8_t *slot, uint64_t addr, unsigned index)
{
	struct nic *nic = build->nic;
	struct scope scope = ring_scope(nic, build->index);
	const struct use *use;
	unsigned place;

	scope.slot = build->scope.slot = slot;
	scope.index = build->scope.index = index;
	use = ring_use(nic, build->ring, &scope);
	if (use && use->as == USE_CONTEXT)
		transmit_context(build, use, slot);
	place = commit_place(build, use, &scope);
	if (place & SLOT_FIRST)
		build->first = slot;
	scope.first = build->first;
	ring_complete(nic, build->ring, use, &scope, addr, slot, place);
}

/* Slots [i, end) lie side by side up to there. */
static unsigned alongside(const struct build *build, unsigned i, unsigned end, uint64_t addr)
{
	uint32_t at = slot_index(build, i), entries = build->run->entries;
	unsigned k = i + 1;

	if (!build->ring->walked)
		return end - i < entries - at ? end : i + entries - at;
	while (k < end && slot_here(build, k) == addr + (uint64_t)(k - i) * build->ring->slot_size)
		k++;
	return k;
}

/* Results of the first SLOTS slots, of those that lie side by side where there are plans. */
static void commit(struct build *build, unsigned slots)
{
	unsigned side = 0;

	build->open = false;
	build->first = NULL;
	for (unsigned i = 0, past; i < slots; i = past) {
		uint64_t addr = slot_here(build, i);

		if (side <= i)
			side = build->plans->usable ? alongside(build, i, slots, addr) : slots;
		past = build->plans->usable ? plain_commit(build, i, side, addr) : i;
		if (past > i)
			continue;
		causes_flush(build);
		commit_slot(build, build->from + i * build->ring->slot_size, addr,
			    slot_i(build, i));
		past = i + 1;
	}
	causes_flush(build);
}

static void advance(struct build *build, unsigned slots)
{
	const uint64_t *at;
	bool last;

	if (!slots)
		return;
	build->nic->stats.tx_slots.fetched += slots;
	if (!build->ring->walked) {
		ring_advance(build->nic, build->index, slots);
		return;
	}
	build->run->total += slots;
	at = part_at(build);
	last = at + slots == build->nic->slot_at + build->loaded;
	ring_walk_done(&build->walk, at[slots - 1], at[slots], last,
		       build->from + (slots - 1) * build->ring->slot_size);
}

/* The slot at the front is a command: 1 done, 0 not yet. */
static unsigned transmit_command(struct build *build)
{
	struct nic *nic = build->nic;

	build->blocked = !build->room.slots || !build->room.frames ||
			 !command_run(nic, build->index, build->command, &build->scope);
	if (build->blocked)
		return 0;
	slots_count(build, 1);
	commit(build, 1);
	advance(build, 1);
	return 1;
}

/* How many of the frames at the front are done with. A driver may have changed given slots. */
static unsigned frames_gone(struct build *build)
{
	struct ring_run *run = build->run;
	unsigned gone = run->gone < build->frames ? run->gone : build->frames;

	build->nic->stats.tx_abandoned += run->gone - gone;
	run->given = (uint16_t)(run->given - run->gone);
	run->gone = 0;
	return gone;
}

/* A batch of frames out of READY loaded slots: how many slots are done with. */
static unsigned transmit_part(struct build *build, uint32_t ready)
{
	struct nic *nic = build->nic;
	struct ring_run *run = build->run;
	unsigned given, taken, done, slots;

	build->frame = NULL;
	build->frames = build->slots = build->longest = 0;
	build->verdicts = false;
	build->saved = false;
	build->command = NULL;
	build->blocked = false;
	build->room = result_room(nic, build->index);
	build->groups = false;
	build->runs_count = 0;
	build_frames(build, ready);
	if (build->saved)
		memcpy(build->run->context, build->contexts, sizeof(build->contexts));
	if (build->again)
		return 0;
	if (build->command)
		return transmit_command(build);
	given = run->given < build->frames ? run->given : build->frames;
	taken = build->shown ? hooks_transmit(build)
			     : send_frames(nic, build->index, given, build->frames, build->looped);
	if (nic->trace)
		trace_frames(nic, build->looped ? "loop" : "out", nic->frames + given, taken);
	run->waits = given + taken < build->frames;
	done = frames_gone(build);
	slots = done == build->frames ? build->slots : done ? nic->slots_of[done - 1] : 0;
	if (!build->shown) /* to a module, which may have changed them, and has counted */
		count_frames(nic, done, build->groups);
	slots_count(build, slots);
	commit(build, slots);
	advance(build, slots);
	return slots;
}

/* The slots at hand, in parts; how many are done with. */
static uint32_t transmit_parts(struct build *build)
{
	uint32_t done = 0, slots;

	do {
		build->part = done;
		build->from = build->nic->slots + done * build->ring->slot_size;
		slots = transmit_part(build, build->loaded - done);
		done += slots;
	} while (slots && done < build->loaded && !build->run->waits);
	return done;
}

bool transmit_work(struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;
	struct ring_run *run = &nic->rings[index];
	struct build build;
	uint32_t done;
	int loaded;

	if (run->state != RING_RUNNING || run->waits)
		return false;
	build_begin(&build, nic, index);
	loaded = ring->walked ? load_walked(&build) : load(&build);
	if (loaded < 0) /* once more, unless the answer or the driver wakes us */
		return loaded != -EAGAIN && run->state == RING_RUNNING;
	if (!loaded) {
		ring_dry(nic, index);
		dma_settle(nic->bus.memory);
		return false;
	}
	build.loaded = (uint32_t)loaded;
	done = transmit_parts(&build);
	if (done || !build.again)
		dma_settle(nic->bus.memory);
	if (build.again || build.blocked)
		return false;
	if (!done && run->given)
		return false;	    /* until the port has sent some */
	if (!done && !run->waits) { /* an open frame: more slots will come */
		run->state = RING_STARVED;
		return false;
	}
	return !run->waits;
}
