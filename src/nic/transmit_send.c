/* SPDX-License-Identifier: Apache-2.0 */

/* Frames on their way out: to the port, or back inside the card; and their counters. */
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

	if (nic->loop_count == LOOP_FRAMES || length > sizeof(entry->data))
		return;
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

/* For a port that takes plain frames only: segments one by one; false: it is full. */
static bool send_segments(struct nic *nic, const struct frame *whole)
{
	struct segments cut;
	struct frame one = {.iovs = 1};
	size_t length;

	if (!segments_begin(&cut, whole))
		return true;
	while ((length = segments_next(&cut, nic->segment, sizeof(nic->segment)))) {
		one.iov[0] = (struct iovec){nic->segment, length};
		one.length = (uint32_t)length;
		/* the rest of a segmented frame is lost, as on a wire, rather than sent twice */
		if (nic->port->ops->transmit(nic->port, &one, 1) == 0)
			return cut.index > 1;
	}
	return true;
}

static bool cut(const struct frame *frame)
{
	return frame->flags & (FRAME_TCP4 | FRAME_TCP6);
}

/* How many were taken. */
unsigned send_frames(struct nic *nic, const struct frame *frames, unsigned count, bool looped)
{
	unsigned plain = 0;

	for (unsigned i = 0; looped && i < count; i++)
		loop_back(nic, &frames[i]);
	if (!count || looped || !nic->port || !nic->link)
		return count;
	if (nic->port->ops->offloads)
		return nic->port->ops->transmit(nic->port, frames, count);
	for (unsigned done = 0; done < count; done = plain) {
		if (cut(&frames[done])) {
			if (!send_segments(nic, &frames[done]))
				return done;
			plain = done + 1;
			continue;
		}
		for (plain = done; plain < count && !cut(&frames[plain]); plain++)
			;
		done += nic->port->ops->transmit(nic->port, frames + done, plain - done);
		if (done < plain)
			return done;
	}
	return count;
}

/* Frames of one length after another are of one size class: counted together. */
void count_frames(struct nic *nic, unsigned count, bool groups)
{
	uint64_t bytes = 0, segmented = 0, plain = 0;
	unsigned alike = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct frame *frame = &nic->frames[i];

		if (groups)
			count_group(nic, COUNT_TX_FRAMES, destination(frame));
		if (frame->flags & (FRAME_TCP4 | FRAME_TCP6)) {
			count_segments(nic, frame);
			segmented += frame->length;
			continue;
		}
		plain++;
		bytes += frame->length;
		alike++;
		if (i + 1 == count || frame[1].length != frame->length ||
		    (frame[1].flags & (FRAME_TCP4 | FRAME_TCP6))) {
			count_size(nic, COUNT_TX_FRAMES, frame->length, alike);
			alike = 0;
		}
	}
	count_total(nic, COUNT_TX_FRAMES, plain, bytes);
	nic->stats.tx_bytes += bytes + segmented;
	nic->stats.tx_frames += count;
}
