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

/* How many slots are at hand of those that are READY, or what guest memory said. */
static int load(struct build *build, uint32_t ready)
{
	int error;

	if (ready > BUDGET)
		ready = BUDGET;
	error = slots_load(build, ring_cursor(build->nic, build->index), ready);
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
	build->scope = ring_scope(nic, index);
	build->window.size = build->pieces.size = 0;
	build->causes.bits = 0;
	build->again = build->blocked = false;
	build->fault = SLOT_TAKEN;
	build->frames = 0;
	build->looped = build->run->loops;
	plans_check(nic, index);
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
	transmit_commit(build, 1);
	transmit_advance(build, 1);
	return 1;
}

/* A batch of frames out of READY loaded slots: how many slots are done with. */
static unsigned transmit_part(struct build *build, uint32_t ready)
{
	struct nic *nic = build->nic;
	unsigned slots;

	if (!build->ring->walked)
		build->cursor = ring_cursor(nic, build->index);
	build->frame = NULL;
	build->frames = build->slots = 0;
	build->verdicts = false;
	build->saved = false;
	build->command = NULL;
	build->blocked = false;
	build->room = result_room(nic, build->index);
	build->groups = false;
	build->runs_count = 0;
	transmit_build(build, ready);
	if (build->saved)
		memcpy(build->run->context, build->contexts, sizeof(build->contexts));
	if (build->again)
		return 0;
	if (build->command)
		return transmit_command(build);
	slots = frames_hand_on(
		nic, build->index,
		&(struct handful){build->frames, build->slots, build->looped, build->groups});
	slots_count(build, slots);
	transmit_commit(build, slots);
	transmit_advance(build, slots);
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

static enum pass transmit_pass(struct nic *nic, unsigned index, uint32_t *done)
{
	const struct ring *ring = nic->rings[index].ring;
	struct ring_run *run = &nic->rings[index];
	uint32_t ready = ring->walked ? 0 : ring_ready(nic, index);
	struct build build;
	int loaded = 0;

	if (ready && ring->next == NEXT_REGISTERS && plans_of(nic, index)->usable)
		return registers_pass(nic, index, ready, done);
	if (ready || ring->walked)
		build_begin(&build, nic, index);
	if (ready || ring->walked)
		loaded = ring->walked ? load_walked(&build) : load(&build, ready);
	if (loaded < 0) /* once more, unless the answer or the driver wakes us */
		return loaded != -EAGAIN && run->state == RING_RUNNING ? PASS_AGAIN : PASS_OVER;
	if (!loaded) {
		ring_dry(nic, index);
		dma_settle(nic->bus.memory);
		return PASS_OVER;
	}
	build.loaded = (uint32_t)loaded;
	*done = transmit_parts(&build);
	if (*done || !build.again)
		dma_settle(nic->bus.memory);
	if (build.again || build.blocked)
		return PASS_OVER;
	if (!*done && run->given)
		return PASS_OVER;    /* until the port has sent some */
	if (!*done && !run->waits) { /* an open frame: more slots will come */
		run->state = RING_STARVED;
		return PASS_OVER;
	}
	return run->waits ? PASS_OVER : *done == build.loaded ? PASS_LOOK : PASS_AGAIN;
}

/* One budget; where all that there was has gone, it is seen at once whether there is more. */
bool transmit_work(struct nic *nic, unsigned index)
{
	const struct ring_run *run = &nic->rings[index];
	uint32_t total = 0, done = 0;
	enum pass pass;

	do {
		if (run->state != RING_RUNNING || run->waits)
			return false;
		pass = transmit_pass(nic, index, &done);
		total += done;
		if (pass != PASS_LOOK || total >= BUDGET || nic->recorded_count || nic->hooked ||
		    dma_busy(nic->bus.memory)) /* results are not there yet */
			break;
		rings_update(nic);
	} while (true);
	return pass != PASS_OVER;
}
