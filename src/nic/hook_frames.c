/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A batch of frames through a module:
 *
 *   take     as many as the store could keep, if nothing waits there already
 *   show     their lengths and offloads; the hook looks, edits, judges, adds
 *   hand on  in order, the module's own behind the frames it said; what stays
 *            together goes together
 *   keep     what the port or the driver has no room for, copied
 *
 * So whoever gave the frames is done with them, and none is shown twice.
 */
#include "nic/hooked.h"
#include "nic/transmit.h"

#include <string.h>

/* ---- how many ---- */

/* LONGEST: of COUNT, or more; if so many are not too many, it does not matter how long each is. */
static unsigned batch_size(const struct anynic_frame *shown, unsigned count, uint32_t longest)
{
	uint32_t bytes = 0;
	unsigned i = 0;

	if ((uint64_t)frame_store_needs(longest) * count <= HOOK_BATCH)
		return count;
	for (; i < count; i++) {
		bytes += frame_store_needs(shown[i].length);
		if (bytes > HOOK_BATCH)
			break;
	}
	return i;
}

/* ---- handing on ---- */

struct handing { /* frames side by side that go on together */
	struct nic *nic;
	const struct frame *first;
	unsigned count;
	bool looped;
};

/* What is not taken waits; frames that do not fit there are lost, which HOOK_STORE excludes. */
static void run_end(struct handing *run)
{
	struct hooked *hooked = run->nic->hooked;
	struct frame_store *store = hooked->receiving ? &hooked->in : &hooked->out;
	unsigned done = 0;

	if (!run->count)
		return;
	if (store->count)
		; /* behind what waits already */
	else if (hooked->receiving)
		done = receive_frames(run->nic, run->first, run->count);
	else
		done = send_others(run->nic, run->first, run->count, run->looped, &hooked->cut);
	for (; done < run->count; done++)
		frame_store_put(store, &run->first[done]);
	run->count = 0;
}

static void run_add(struct handing *run, const struct frame *frame)
{
	if (run->count && run->first + run->count != frame)
		run_end(run);
	if (!run->count)
		run->first = frame;
	run->count++;
}

static void turn(struct nic *nic, struct frame *frame)
{
	struct hooked *hooked = nic->hooked;
	struct frame_store *store = hooked->receiving ? &hooked->out : &hooked->in;

	if ((hooked->receiving && !hook_out_ready(nic, frame)) ||
	    frame_store_used(store) > HOOK_QUEUE || !frame_store_put(store, frame)) {
		hook_lost(nic);
	} else {
		hook_removed(nic, hooked->receiving, 1);
		hook_added(nic, !hooked->receiving, 1);
	}
	nic->bus.schedule(nic->bus.context);
}

static void new_ones(struct handing *run, unsigned behind, unsigned *next)
{
	struct hook_batch *batch = &run->nic->hooked->batch;
	struct frame frame;

	for (; *next < batch->new_count && batch->new_behind[*next] == behind; ++*next) {
		hook_added(run->nic, run->nic->hooked->receiving, 1);
		if (!hook_new_frame(run->nic, *next, &frame)) {
			hook_lost(run->nic);
			continue;
		}
		run_end(run);
		run_add(run, &frame);
		run_end(run);
	}
}

static bool as_it_came(const struct hooked *hooked, unsigned i)
{
	const struct anynic_frame *shown = &hooked->batch.shown[i];

	return hooked->receiving && hook_frame_now(hooked, i) == &hooked->batch.frames[i] &&
	       !shown->verdict && !((shown->flags | hooked->batch.frames[i].flags) & ~FRAME_VALID);
}

/* The frame where a module said to hold, or all of them. */
static unsigned judge(struct handing *run)
{
	struct nic *nic = run->nic;
	struct hook_batch *batch = &nic->hooked->batch;
	unsigned next = 0, i;

	for (i = 0; i < batch->count; i++) {
		const struct anynic_frame *shown = &batch->shown[i];
		struct frame *frame;

		if (shown->verdict == ANYNIC_HOLD && nic->hooked->receiving)
			break;
		if (as_it_came(nic->hooked, i)) {
			run_add(run, &batch->frames[i]);
			new_ones(run, i, &next);
			continue;
		}
		frame = hook_frame(nic->hooked, i);
		if (shown->verdict != ANYNIC_PASS && shown->verdict != ANYNIC_TURN)
			hook_removed(nic, nic->hooked->receiving, 1);
		else if (!hook_frame_end(nic, frame, shown))
			hook_lost(nic);
		else if (shown->verdict == ANYNIC_TURN)
			turn(nic, frame);
		else
			run_add(run, frame);
		new_ones(run, i, &next);
	}
	run_end(run);
	return i;
}

/* Those that a module put behind later frames come first where it named them first: sorted. */
static void sort_new(struct hook_batch *batch)
{
	for (unsigned i = 1; i < batch->new_count; i++) {
		for (unsigned k = i; k && batch->new_behind[k - 1] > batch->new_behind[k]; k--) {
			uint16_t behind = batch->new_behind[k];
			struct anynic_frame frame = batch->news[k];
			uint8_t *bytes = batch->new_bytes[k];

			batch->new_behind[k] = batch->new_behind[k - 1];
			batch->news[k] = batch->news[k - 1];
			batch->new_bytes[k] = batch->new_bytes[k - 1];
			batch->new_behind[k - 1] = behind;
			batch->news[k - 1] = frame;
			batch->new_bytes[k - 1] = bytes;
		}
	}
}

/* Length, flags and verdict. */
static uint64_t first_word(const struct anynic_frame *shown)
{
	uint64_t word;

	memcpy(&word, shown, sizeof(word));
	return word;
}

/* Did it only look, at frames for which nothing is left to do? Asked of every frame. */
static bool unchanged(const struct hook_batch *batch)
{
	const struct anynic_frame asks = {.flags = (uint16_t)~FRAME_VALID, .verdict = UINT16_MAX};
	const struct anynic_frame *at = batch->shown, *end = at + batch->count;
	uint64_t even = 0, odd = 0;

	for (; end - at >= 4; at += 4) {
		even |= first_word(at) | first_word(at + 2);
		odd |= first_word(at + 1) | first_word(at + 3);
	}
	for (; at < end; at++)
		even |= first_word(at);
	return !batch->touched && !((even | odd) & first_word(&asks));
}

static unsigned hand_on(struct nic *nic, bool looped)
{
	struct hook_batch *batch = &nic->hooked->batch;
	struct handing run = {.nic = nic, .looped = looped};
	unsigned done = batch->count;

	if (unchanged(batch)) {
		run.first = batch->frames;
		run.count = batch->count;
		run_end(&run);
	} else {
		sort_new(batch);
		done = judge(&run);
	}
	batch->count = 0;
	return done;
}

/* ---- the two ways ---- */

/* The next frames, as they are shown; how many. Most have nothing that is left to do. */
static unsigned show_some(struct hooked *hooked, const struct frame *frames, unsigned count)
{
	struct anynic_frame any = {0};

	if (count > BATCH)
		count = BATCH;
	for (unsigned i = 0; i < count; i++) {
		hooked->shown[i] =
			(struct anynic_frame){.length = frames[i].length, .flags = frames[i].flags};
		any.length |= frames[i].length;
		any.flags |= frames[i].flags;
	}
	for (unsigned i = 0; (any.flags & FRAME_OFFLOADS) && i < count; i++)
		hook_show(&hooked->shown[i], &frames[i]);
	return batch_size(hooked->shown, count, any.length);
}

unsigned hooks_transmit(struct nic *nic, unsigned index, const struct handful *handful)
{
	struct hooked *hooked = nic->hooked;
	struct ring_run *run = &nic->rings[index];
	struct hook_entry entry;
	unsigned count;

	if (hooked->out.count || hooked->failed || !handful->frames)
		return 0;
	count = handful->shown ? batch_size(hooked->shown, handful->frames, handful->longest)
			       : show_some(hooked, nic->frames, handful->frames);
	count_frames(nic, count, handful->groups);
	hook_batch_begin(hooked, nic->frames, count, false);
	entry = hook_enter(hooked, WITHIN_WORK, "transmit");
	hooked->hooks->call.transmit(hooked->hooks->self, (uint32_t)(run->ring - nic->card->rings),
				     run->number, hooked->batch.shown, count);
	hook_leave(hooked, entry);
	run->given = run->gone = (uint16_t)count;
	hand_on(nic, handful->looped);
	return count;
}

unsigned hooks_receive(struct nic *nic, const struct frame *frames, unsigned count)
{
	struct hooked *hooked = nic->hooked;
	unsigned done = 0, part, taken;

	while (done < count) {
		struct hook_entry entry;

		if (hook_in_drain(nic) || !(part = show_some(hooked, frames + done, count - done)))
			break;
		hook_batch_begin(hooked, frames + done, part, true);
		entry = hook_enter(hooked, WITHIN_WORK, "receive");
		hooked->hooks->call.receive(hooked->hooks->self, hooked->batch.shown, part);
		hook_leave(hooked, entry);
		if (nic->failed) {
			hook_removed(nic, true, count - done);
			return count;
		}
		taken = hand_on(nic, false);
		done += taken;
		if (taken < part)
			break;
	}
	nic->held |= done < count;
	return done;
}

/* ---- what waits ---- */

bool hook_out_drain(struct nic *nic)
{
	struct frame_store *store = &nic->hooked->out;
	struct frame frame;

	while (frame_store_first(store, &frame)) {
		if (!send_others(nic, &frame, 1, false, &nic->hooked->cut))
			return true;
		frame_store_drop(store);
	}
	return false;
}

bool hook_in_drain(struct nic *nic)
{
	struct frame_store *store = &nic->hooked->in;
	struct frame frame;

	while (frame_store_first(store, &frame)) {
		if (!receive_frames(nic, &frame, 1)) {
			nic->held = true;
			return true;
		}
		frame_store_drop(store);
	}
	return false;
}
