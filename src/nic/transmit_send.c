/* SPDX-License-Identifier: Apache-2.0 */

/* Frames on their way out: to the port, or back inside the card; and their counters. */
#include "nic/hook_calls.h"
#include "nic/transmit.h"

#include <string.h>

static uint64_t destination(const struct frame *frame)
{
	uint64_t value = 0;

	if (frame->iov[0].iov_len >= sizeof(value))
		memcpy(&value, frame->iov[0].iov_base, sizeof(value)); /* one load, not two */
	else
		frame_copy(frame, 0, &value, 6);
	return value & 0xffffffffffff;
}

/* Payload and headers, in segments as they are on the wire. */
static void count_segments(struct nic *nic, const struct frame *frame)
{
	uint32_t header = frame->header_length, payload = frame->length - header;
	uint32_t whole = payload / frame->segment_size, rest = payload % frame->segment_size;

	nic->counts[COUNT_TX_SEGMENTED]++;
	count_total(nic, COUNT_TX_FRAMES, whole + !!rest, payload + (whole + !!rest) * header);
	count_size(nic, COUNT_TX_FRAMES, header + frame->segment_size, whole);
	if (rest)
		count_size(nic, COUNT_TX_FRAMES, header + rest, 1);
}

void count_faults(struct nic *nic, unsigned faults)
{
	nic->counts[COUNT_TX_FAULTS] += faults;
	nic->stats.tx_faults += faults;
}

static void loop_put(struct nic *nic, const uint8_t *data, size_t length)
{
	struct loop_frame *entry;

	nic->stats.loop_put++;
	if (nic->loop_count == LOOP_FRAMES || length > sizeof(entry->data)) {
		nic->stats.loop_lost++;
		return;
	}
	entry = &nic->loop[(nic->loop_head + nic->loop_count++) % LOOP_FRAMES];
	memcpy(entry->data, data, length);
	entry->length = (uint32_t)length;
	if (length < 60) {
		memset(entry->data + length, 0, 60 - length);
		entry->length = 60;
	}
}

/* No port completes what stays inside the card. */
static void loop_back(struct nic *nic, const struct frame *frame)
{
	struct segments cut;
	size_t length = frame->length;

	if (frame->flags & (FRAME_TCP4 | FRAME_TCP6)) {
		if (!segments_begin(&cut, frame))
			return;
		while ((length = segments_next(&cut, nic->segment, sizeof(nic->segment))))
			loop_put(nic, nic->segment, length);
	} else if (length <= FRAME_MAX) {
		frame_copy(frame, 0, nic->linear, length);
		frame_complete(frame, nic->linear);
		loop_put(nic, nic->linear, length);
	}
}

/*
 * Frames that a port has and has not sent: their rings, in the order they were
 * taken. Of each ring they are the first ones from its cursor on, so two numbers
 * say where it stands: how many were given, and how many of these have gone. Of a
 * frame that was cut here the last segment counts. A ring that is stopped lets
 * go of its own.
 */
enum { CUT_AT_ONCE = 8 };

static void flight_add(struct nic *nic, unsigned ring)
{
	nic->flights[(nic->flights_first + nic->flights_count++) % FLIGHTS] = (uint16_t)ring;
	if (ring != NO_RING)
		nic->rings[ring].given++;
}

static void flight_withdraw(struct nic *nic)
{
	unsigned ring = nic->flights[(nic->flights_first + --nic->flights_count) % FLIGHTS];

	if (ring != NO_RING)
		nic->rings[ring].given--;
}

void flights_gone(struct nic *nic, unsigned count)
{
	for (; count && nic->flights_count; count--, nic->flights_count--) {
		unsigned ring = nic->flights[nic->flights_first];

		nic->flights_first = (nic->flights_first + 1) % FLIGHTS;
		if (ring != NO_RING)
			nic->rings[ring].gone++;
	}
}

void flights_forget(struct nic *nic, unsigned ring)
{
	struct ring_run *run = &nic->rings[ring];

	for (unsigned i = 0; run->given && i < nic->flights_count; i++) {
		uint16_t *at = &nic->flights[(nic->flights_first + i) % FLIGHTS];

		if (*at == ring)
			*at = NO_RING;
	}
	nic->stats.tx_abandoned += run->given + run->cut;
	run->given = run->gone = run->cut = 0;
}

/* SILENT of the first are no whole frames of the ring, which may be none. The port may say within
 * that some are gone.
 */
static unsigned give(struct nic *nic, unsigned ring, const struct frame *frames, unsigned count,
		     unsigned silent)
{
	unsigned room = FLIGHTS - nic->flights_count, taken;

	if (!nic->port->ops->defers)
		return nic->port->ops->transmit(nic->port, frames, count);
	if (count > room)
		count = room;
	if (!count)
		return 0;
	for (unsigned i = 0; i < count; i++)
		flight_add(nic, i < silent ? NO_RING : ring);
	taken = nic->port->ops->transmit(nic->port, frames, count);
	for (unsigned i = taken; i < count; i++)
		flight_withdraw(nic);
	return taken;
}

/* The next segments, side by side. */
static unsigned cut_some(struct nic *nic, struct segments *cut, struct frame *frames)
{
	size_t used = 0, length;
	unsigned count = 0;

	while (count < CUT_AT_ONCE &&
	       (length = segments_next(cut, nic->segment + used, sizeof(nic->segment) - used))) {
		frames[count].iovs = 1;
		frames[count].length = (uint32_t)length;
		frames[count].flags = 0;
		frames[count++].iov[0] = (struct iovec){nic->segment + used, length};
		used += length;
	}
	return count;
}

/* What goes: frames of a ring, or none's. CUT: segments of the first that the port has. */
struct going {
	struct nic *nic;
	unsigned ring;
	uint16_t *cut;
};

/* For a port that takes plain frames only; false: it is full, and has CUT segments of it. */
static bool send_segments(const struct going *going, const struct frame *whole)
{
	struct nic *nic = going->nic;
	struct frame frames[CUT_AT_ONCE];
	struct segments cut;
	unsigned count, taken;

	if (!segments_begin(&cut, whole)) {
		nic->stats.tx_malformed++;
		if (going->ring != NO_RING) {
			nic->rings[going->ring].given++;
			nic->rings[going->ring].gone++;
		}
		return true;
	}
	cut.index = *going->cut;
	cut.at += *going->cut * whole->segment_size;
	while (cut.at < whole->length && (count = cut_some(nic, &cut, frames))) {
		taken = give(nic, going->ring, frames, count,
			     cut.at < whole->length ? count : count - 1);
		*going->cut = (uint16_t)(*going->cut + taken);
		if (taken < count)
			return false;
	}
	nic->stats.tx_cut += *going->cut ? *going->cut - 1u : 0;
	*going->cut = 0;
	return true;
}

/* To the port, as it can take them; how many it took. */
static unsigned hand_over(const struct going *going, const struct frame *frames, unsigned count)
{
	struct nic *nic = going->nic;
	unsigned plain = 0;

	if (nic->port->ops->offloads)
		return give(nic, going->ring, frames, count, 0);
	for (unsigned done = 0; done < count; done = plain) {
		if (frames[done].flags & (FRAME_TCP4 | FRAME_TCP6)) {
			if (!send_segments(going, &frames[done]))
				return done;
			plain = done + 1;
			continue;
		}
		for (plain = done; plain < count; plain++) {
			if (frames[plain].flags & (FRAME_TCP4 | FRAME_TCP6))
				break;
		}
		done += give(nic, going->ring, frames + done, plain - done, 0);
		if (done < plain)
			return done;
	}
	return count;
}

unsigned send_others(struct nic *nic, const struct frame *frames, unsigned count, bool looped,
		     uint16_t *cut)
{
	const struct going going = {nic, NO_RING, cut};

	for (unsigned i = 0; looped && i < count; i++)
		loop_back(nic, &frames[i]);
	if (looped)
		nic->stats.tx_looped += count;
	else if (!nic->port || !nic->link)
		nic->stats.tx_unplugged += count;
	else
		return hand_over(&going, frames, count);
	return count;
}

unsigned send_frames(struct nic *nic, unsigned index, unsigned first, unsigned count, bool looped)
{
	struct ring_run *run = &nic->rings[index];
	const struct going going = {nic, index, &run->cut};
	bool stays = looped || !nic->port || !nic->link;
	unsigned taken = count - first;

	if (!taken)
		return 0;
	if (!stays && nic->port->ops->defers)
		return hand_over(&going, nic->frames + first, count - first);
	if (first)
		return 0; /* those before have not gone yet */
	for (unsigned i = 0; looped && i < count; i++)
		loop_back(nic, &nic->frames[i]);
	if (looped)
		nic->stats.tx_looped += taken;
	else if (stays)
		nic->stats.tx_unplugged += taken;
	else
		taken = hand_over(&going, nic->frames, count);
	run->given = run->gone = (uint16_t)taken;
	return taken;
}

/* Frames of one length that are neither cut nor for groups: the next one that is not so. */
static unsigned count_alike(struct nic *nic, unsigned i, unsigned count)
{
	const struct frame *frames = nic->frames;
	uint32_t length = frames[i].length;
	unsigned first = i;

	while (i < count && frames[i].length == length &&
	       !(frames[i].flags & (FRAME_TCP4 | FRAME_TCP6)))
		i++;
	count_size(nic, COUNT_TX_FRAMES, length, i - first);
	count_total(nic, COUNT_TX_FRAMES, i - first, (uint64_t)length * (i - first));
	nic->stats.tx_bytes += (uint64_t)length * (i - first);
	return i;
}

void count_frames(struct nic *nic, unsigned count, bool groups)
{
	for (unsigned i = 0; groups && i < count; i++)
		count_group(nic, COUNT_TX_FRAMES, destination(&nic->frames[i]));
	for (unsigned i = 0, past; i < count; i = past) {
		const struct frame *frame = &nic->frames[i];

		past = i + 1;
		if (frame->flags & (FRAME_TCP4 | FRAME_TCP6)) {
			count_segments(nic, frame);
			nic->stats.tx_bytes += frame->length;
		} else {
			past = count_alike(nic, i, count);
		}
	}
	nic->stats.tx_frames += count;
}

/* How many of the frames at the front are done with. A driver may have changed given slots. */
static unsigned frames_gone(struct nic *nic, struct ring_run *run, unsigned frames)
{
	unsigned gone = run->gone < frames ? run->gone : frames;

	nic->stats.tx_abandoned += run->gone - gone;
	run->given = (uint16_t)(run->given - run->gone);
	run->gone = 0;
	return gone;
}

/* Frames that are built, to whoever gets them: how many slots are done with. */
unsigned frames_hand_on(struct nic *nic, unsigned index, const struct handful *handful)
{
	struct ring_run *run = &nic->rings[index];
	unsigned frames = handful->frames, given = run->given < frames ? run->given : frames;
	unsigned taken, done;

	taken = nic->hook_transmit
			? hooks_transmit(nic, index, frames, handful->looped, handful->groups)
			: send_frames(nic, index, given, frames, handful->looped);
	if (nic->trace)
		trace_frames(nic, handful->looped ? "loop" : "out", nic->frames + given, taken);
	run->waits = given + taken < frames;
	done = frames_gone(nic, run, frames);
	if (!nic->hook_transmit) /* which may have changed them, and has counted */
		count_frames(nic, done, handful->groups);
	if (done == frames)
		return handful->slots;
	return done ? nic->slots_of[done - 1] : 0; /* the rest is made again */
}
