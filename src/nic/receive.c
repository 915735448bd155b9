/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One frame from the network: filter, room, copy, results. Room is counted
 * before anything is written; a frame that finds too little is dropped as the
 * card says, or held by the port where it came in a burst cut from one segment.
 */
#include "nic/state.h"

#include <endian.h>
#include <errno.h>
#include <libdeflate.h>
#include <string.h>

enum { RECEIVE_SLOTS = 64 };

enum delivery { TAKEN, HELD };

struct room {
	uint64_t addr[RECEIVE_SLOTS];
	uint8_t slots[RECEIVE_SLOTS][SLOT_MAX + 8];
	uint64_t buffer[RECEIVE_SLOTS];
	uint32_t size[RECEIVE_SLOTS];
	unsigned count;
};

int receive_ring(const struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->rings_count; i++) {
		if (nic->card->rings[i].direction == RING_RECEIVE &&
		    nic->rings[i].state != RING_STOPPED)
			return (int)i;
	}
	return -1;
}

/* In memory order, as it goes behind the frame on the wire. */
uint32_t receive_fcs(const uint8_t *data, size_t length)
{
	return htole32(libdeflate_crc32(0, data, length));
}

static int slot_load(struct nic *nic, uint64_t addr, uint8_t *slot, unsigned size)
{
	struct iovec iov[2];
	int got = dma_read_view(nic->bus.memory, addr, size, iov, 2);

	for (int i = 0; i < got; i++) {
		memcpy(slot, iov[i].iov_base, iov[i].iov_len);
		slot += iov[i].iov_len;
	}
	return got < 0 ? got : 0;
}

/* Slots for LENGTH bytes. 0, -ENOBUFS, or what guest memory said. */
static int room_find(struct nic *nic, unsigned index, uint32_t length, struct room *room)
{
	const struct ring *ring = &nic->card->rings[index];
	const struct ring_run *run = &nic->rings[index];
	uint32_t cursor = ring_cursor(nic, index), ready = ring_ready(nic, index);
	uint64_t held = 0;

	for (room->count = 0; held < length; room->count++) {
		struct scope scope = {.slot = room->slots[room->count]};
		const struct use *use;
		unsigned k = room->count;
		int got;

		if (k == ready || k == RECEIVE_SLOTS)
			return -ENOBUFS;
		room->addr[k] =
			run->base + (uint64_t)((cursor + k) % run->entries) * ring->slot_size;
		got = slot_load(nic, room->addr[k], room->slots[k], ring->slot_size);
		if (got < 0)
			return got;
		use = ring_use(nic, ring, &scope);
		room->size[k] = 0;
		if (!use || (use->skip.count && expr_eval(nic, &use->skip, &scope)))
			continue;
		room->buffer[k] = expr_eval(nic, &use->address, &scope);
		room->size[k] = (uint32_t)expr_eval(nic, &use->length, &scope);
		held += room->size[k];
	}
	return 0;
}

static bool put(struct nic *nic, uint64_t addr, const struct frame *frame, uint32_t from,
		uint32_t length)
{
	struct iovec iov[8];
	int count = dma_write_view(nic->bus.memory, addr, length, iov, 8);

	if (count < 0)
		return false;
	for (int i = 0; i < count; i++) {
		frame_copy(frame, from, iov[i].iov_base, iov[i].iov_len);
		from += (uint32_t)iov[i].iov_len;
	}
	return true;
}

static void room_fill(struct nic *nic, unsigned index, struct room *room, const struct frame *frame,
		      struct facts *facts)
{
	const struct ring *ring = &nic->card->rings[index];
	uint32_t done = 0;

	for (unsigned k = 0; k < room->count; k++) {
		uint32_t left = frame->length - done;
		struct scope scope = {
			.facts = facts, .slot = room->slots[k], .ring = (uint8_t)index};
		const struct use *use = ring_use(nic, ring, &scope);

		facts->put = left < room->size[k] ? left : room->size[k];
		facts->first = done == 0;
		if (facts->put && !put(nic, room->buffer[k], frame, done, facts->put))
			nic->counts[COUNT_RX_NO_ROOM]++; /* not memory: lost on the way */
		done += facts->put;
		facts->last = done == frame->length && facts->put;
		ring_advance(nic, index, 1);
		ring_complete(nic, ring, use, &scope, room->addr[k], room->slots[k], facts->last);
	}
}

void receive_look(struct nic *nic, const struct ring *ring, const struct frame *frame,
		  const uint8_t *data, struct facts *facts, bool known)
{
	struct scope scope = {0};
	struct parsed parsed;
	bool ip = ring->check_ip.count && expr_eval(nic, &ring->check_ip, &scope);
	bool l4 = ring->check_l4.count && expr_eval(nic, &ring->check_l4, &scope);
	const uint8_t *transport;

	frame_parse(data, frame->length, frame->length, &parsed);
	facts->type = parsed.type;
	facts->l4 = parsed.whole ? parsed.l4 : 0;
	if (ip && parsed.type == 1) {
		facts->checked_ip = true;
		facts->ok_ip = sum_fold(sum_add(0, data + parsed.l3_at,
						parsed.l4_at - parsed.l3_at)) == 0xffff;
	}
	if (!l4 || !facts->l4 || parsed.l4_length < 8)
		return;
	transport = data + parsed.l4_at;
	if (parsed.l4 == 2 && !transport[6] && !transport[7])
		return; /* UDP without a checksum */
	facts->checked_l4 = true;
	facts->ok_l4 = known || sum_fold(sum_add(pseudo_sum(data, &parsed, parsed.l4_length),
						 transport, parsed.l4_length)) == 0xffff;
}

static void strip(struct nic *nic, const struct ring *ring, struct frame *frame,
		  const uint8_t *data, struct facts *facts)
{
	struct scope scope = {0};
	uint64_t type = ring->vlan_type.count ? expr_eval(nic, &ring->vlan_type, &scope) : 0x8100;

	if (frame->length < 18 || (data[12] << 8 | data[13]) != (int)type)
		return;
	facts->vlan = true;
	facts->tci = (uint16_t)(data[14] << 8 | data[15]);
	if (!ring->vlan_present || !expr_holds(nic, &ring->vlan_when, &scope))
		return;
	frame->iov[0] = (struct iovec){(void *)data, 12};
	frame->iov[1] = (struct iovec){(void *)(data + 16), frame->length - 16};
	frame->iovs = 2;
	frame->length -= 4;
}

static enum delivery no_room(struct nic *nic, const struct ring *ring, bool hold)
{
	struct scope scope = {0};

	if (hold) {
		nic->held = true;
		return HELD;
	}
	nic->counts[COUNT_RX_NO_ROOM]++;
	nic->stats.rx_no_room++;
	actions_run(nic, &ring->empty, &scope);
	return TAKEN;
}

static enum delivery not_put(struct nic *nic, const struct ring *ring, int why, bool hold)
{
	if (why != -EAGAIN)
		return no_room(nic, ring, why == -ENOBUFS && (hold || ring->empty_holds));
	nic->held = true;
	return HELD;
}

static enum delivery drop(struct nic *nic, enum counted why, uint64_t *stat)
{
	nic->counts[why]++;
	++*stat;
	return TAKEN;
}

/* DATA is a whole frame of at least 60 bytes, checksums complete. */
static enum delivery deliver(struct nic *nic, const uint8_t *data, uint32_t length, bool known,
			     bool hold)
{
	struct frame frame = {.iovs = 1, .length = length};
	struct facts facts = {0};
	struct scope scope = {.facts = &facts};
	int index = receive_ring(nic), found;
	const struct ring *ring;
	struct room room;
	uint64_t max = 1514;
	uint32_t check;
	bool keeps;

	if (index < 0)
		return drop(nic, COUNT_RX_STOPPED, &nic->stats.rx_stopped);
	ring = &nic->card->rings[index];
	frame.iov[0] = (struct iovec){(void *)data, length};
	memcpy(&facts.destination, data, 6);
	facts.length = length;
	strip(nic, ring, &frame, data, &facts);
	count_total(nic, COUNT_RX_TOTAL_FRAMES, 1, length);
	if (nic->card->filter.max.count)
		max = expr_eval(nic, &nic->card->filter.max, &scope);
	if (length > max)
		return drop(nic, COUNT_RX_TOO_LONG, &nic->stats.rx_too_long);
	if (!filter_accepts(nic, &facts))
		return drop(nic, COUNT_RX_FILTERED, &nic->stats.rx_filtered);
	keeps = ring->fcs_present && expr_holds(nic, &ring->fcs_when, &scope);
	if (ring->next == NEXT_STREAM)
		found = stream_find(nic, (unsigned)index, frame.length + (keeps ? 4 : 0));
	else
		found = room_find(nic, (unsigned)index, frame.length + (keeps ? 4 : 0), &room);
	if (found < 0)
		return not_put(nic, ring, found, hold);
	receive_look(nic, ring, &(struct frame){.length = length}, data, &facts, known);
	if (keeps) {
		check = receive_fcs(data, length);
		frame.iov[frame.iovs++] = (struct iovec){&check, 4};
		frame.length += 4;
	}
	facts.length = frame.length;
	if (ring->next == NEXT_STREAM)
		found = stream_fill(nic, (unsigned)index, &frame, &facts);
	else
		room_fill(nic, (unsigned)index, &room, &frame, &facts);
	if (found < 0)
		return not_put(nic, ring, found, hold);
	dma_settle(nic->bus.memory);
	count_total(nic, COUNT_RX_FRAMES, 1, length);
	count_size(nic, COUNT_RX_FRAMES, length, 1);
	count_group(nic, COUNT_RX_FRAMES, facts.destination);
	nic->stats.rx_frames++;
	nic->stats.rx_bytes += length;
	return TAKEN;
}

/* Segments of one large frame; those that were delivered are not delivered again. */
static enum delivery deliver_segments(struct nic *nic, const struct frame *frame)
{
	struct segments cut;
	size_t length;

	if (!segments_begin(&cut, frame))
		return TAKEN;
	while (nic->held_segments &&
	       (length = segments_next(&cut, nic->segment, sizeof(nic->segment))))
		nic->held_segments--;
	while ((length = segments_next(&cut, nic->segment, sizeof(nic->segment)))) {
		if (length < 60) {
			memset(nic->segment + length, 0, 60 - length);
			length = 60;
		}
		if (deliver(nic, nic->segment, (uint32_t)length, true, true) == HELD) {
			nic->held_segments = cut.index - 1;
			return HELD;
		}
	}
	return TAKEN;
}

static enum delivery receive_one(struct nic *nic, const struct frame *frame)
{
	const uint8_t *data = frame->iov[0].iov_base;
	uint32_t length = frame->length;
	bool known = frame->flags & (FRAME_VALID | FRAME_CHECKSUM);

	if (frame->flags & (FRAME_TCP4 | FRAME_TCP6))
		return deliver_segments(nic, frame);
	if (length > FRAME_MAX || length < 14)
		return drop(nic, COUNT_RX_TOO_SHORT, &nic->stats.rx_too_long);
	if (frame->iovs != 1 || length < 60 || (frame->flags & FRAME_CHECKSUM)) {
		frame_copy(frame, 0, nic->linear, length);
		frame_complete(frame, nic->linear);
		if (length < 60) {
			memset(nic->linear + length, 0, 60 - length);
			length = 60;
		}
		data = nic->linear;
	}
	return deliver(nic, data, length, known, false);
}

unsigned nic_receive(struct nic *nic, const struct frame *frames, unsigned count)
{
	unsigned taken = 0;

	if (nic->dirty)
		rings_update(nic);
	nic->held = false;
	while (taken < count) {
		taken += receive_plain(nic, frames + taken, count - taken);
		if (taken == count || receive_one(nic, &frames[taken]) != TAKEN)
			break;
		taken++;
	}
	if (dma_flush(nic->bus.memory))
		nic->bus.schedule(nic->bus.context);
	counters_post(nic);
	interrupts_update(nic);
	return taken;
}

bool receive_loop(struct nic *nic)
{
	for (unsigned i = 0; i < LOOP_FRAMES && nic->loop_count; i++) {
		const struct loop_frame *entry = &nic->loop[nic->loop_head];

		if (deliver(nic, entry->data, entry->length, false, false) == HELD)
			return false;
		nic->loop_head = (nic->loop_head + 1) % LOOP_FRAMES;
		nic->loop_count--;
	}
	return nic->loop_count != 0;
}
