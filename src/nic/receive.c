/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One frame from the network: filter, room, copy, results. Room is counted
 * before anything is written; a frame that finds too little is dropped as the
 * card says, or held by the port where it came in a burst cut from one segment.
 */
#include "nic/hook_calls.h"
#include "nic/state.h"

#include <endian.h>
#include <errno.h>
#include <libdeflate.h>
#include <string.h>

enum { RECEIVE_SLOTS = 64, RECEIVE_BUFFERS = 2 * RECEIVE_SLOTS };

enum delivery { TAKEN, HELD };

struct room { /* slots, and their buffers one after the other */
	struct ring_walk walk;
	uint64_t at[RECEIVE_SLOTS + 1]; /* cursors, and the next; see walk.c */
	uint64_t addr[RECEIVE_SLOTS];
	uint8_t slots[RECEIVE_SLOTS][SLOT_MAX + 8];
	const struct use *uses[RECEIVE_SLOTS];
	unsigned past[RECEIVE_SLOTS]; /* its buffers end before this one */
	uint64_t buffer[RECEIVE_BUFFERS];
	uint32_t size[RECEIVE_BUFFERS];
	unsigned count, buffers;
	uint64_t held;
};

int receive_ring(const struct nic *nic)
{
	for (unsigned k = 0; k < nic->live_count; k++) {
		const struct ring_run *run = &nic->rings[nic->live[k]];

		if (run->ring->direction == RING_RECEIVE && run->state != RING_STOPPED)
			return nic->live[k];
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

static void buffer_add(void *context, uint64_t addr, uint32_t length)
{
	struct room *room = context;

	if (room->buffers == RECEIVE_BUFFERS || !length)
		return;
	room->buffer[room->buffers] = addr;
	room->size[room->buffers++] = length;
	room->held += length;
}

static int buffers_find(struct nic *nic, const struct ring *ring, struct room *room,
			const struct scope *scope)
{
	const struct use *use = ring_use(nic, ring, scope);

	room->uses[room->count] = use;
	if (!use || (use->skip.count && expr_eval(nic, &use->skip, scope)))
		return 0;
	buffer_add(room, expr_eval(nic, &use->address, scope),
		   (uint32_t)expr_eval(nic, &use->length, scope));
	return use->pieces_count ? pieces_each(nic, use, scope, buffer_add, room) : 0;
}

/* One slot more: 1, 0: none is ready, or what guest memory said. */
static int slot_find(struct nic *nic, unsigned index, uint32_t ready, struct room *room)
{
	const struct ring *ring = nic->rings[index].ring;
	const struct ring_run *run = &nic->rings[index];
	unsigned k = room->count;
	int got;

	if (ring->walked) {
		got = ring_walk_slot(&room->walk, room->slots[k], &room->at[k]);
		room->addr[k] = slot_address(nic, index, room->at[k]);
		return got;
	}
	if (k == ready)
		return 0;
	room->addr[k] = run->base +
			(uint64_t)((ring_cursor(nic, index) + k) % run->entries) * ring->slot_size;
	got = slot_load(nic, room->addr[k], room->slots[k], ring->slot_size);
	return got < 0 ? got : 1;
}

/* Slots for LENGTH bytes. 0, -ENOBUFS, or what guest memory said. */
static int room_find(struct nic *nic, unsigned index, uint32_t length, struct room *room)
{
	const struct ring *ring = nic->rings[index].ring;
	uint32_t ready = ring->walked ? 0 : ring_ready(nic, index);
	int got = ring->walked ? ring_walk_begin(&room->walk, nic, index) : 0;

	room->count = room->buffers = 0;
	for (room->held = 0; got >= 0 && room->held < length; room->count++) {
		struct scope scope = ring_scope(nic, index);

		scope.slot = room->slots[room->count];
		if (room->count == RECEIVE_SLOTS)
			return -ENOBUFS;
		got = slot_find(nic, index, ready, room);
		if (got == 0)
			return -ENOBUFS;
		if (got < 0)
			break;
		scope.here = room->addr[room->count];
		got = buffers_find(nic, ring, room, &scope);
		room->past[room->count] = room->buffers;
	}
	room->at[room->count] = room->walk.at;
	return got < 0 ? got : 0;
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

/* The frame from DONE on into the buffers of slot K; how many bytes. */
static uint32_t slot_fill(struct nic *nic, const struct room *room, unsigned k,
			  const struct frame *frame, uint32_t done)
{
	enum slot_reject why = SLOT_TAKEN;
	uint32_t from = done;

	for (unsigned i = k ? room->past[k - 1] : 0; i < room->past[k]; i++) {
		uint32_t left = frame->length - done;
		uint32_t length = left < room->size[i] ? left : room->size[i];

		if (length && !put(nic, room->buffer[i], frame, done, length)) {
			nic->counts[COUNT_RX_NO_ROOM]++; /* not memory: lost on the way */
			why = SLOT_MEMORY;
		}
		done += length;
	}
	if (why)
		nic->stats.rx_slots.rejected[why]++;
	else
		nic->stats.rx_slots.completed++;
	return done - from;
}

/* The cursor first, which results may speak of; what ends a walk follows its slot. */
static void slot_done(struct nic *nic, unsigned index, struct room *room, unsigned k,
		      struct scope *scope, unsigned place)
{
	const struct ring *ring = nic->rings[index].ring;
	bool last = k + 1 == room->count, ends = ring->walked && last && room->walk.ended;

	nic->rings[index].total++;
	nic->stats.rx_slots.fetched++;
	if (!ring->walked)
		ring_advance(nic, index, 1);
	else if (!ends)
		ring_walk_done(&room->walk, room->at[k], room->at[k + 1], last, room->slots[k]);
	ring_complete(nic, ring, room->uses[k], scope, room->addr[k], room->slots[k], place);
	if (ends)
		ring_walk_done(&room->walk, room->at[k], room->at[k + 1], true, room->slots[k]);
}

static void room_fill(struct nic *nic, unsigned index, struct room *room, const struct frame *frame,
		      struct facts *facts)
{
	uint32_t done = 0;

	if (nic->rings[index].state == RING_STARVED)
		nic->rings[index].state = RING_RUNNING;
	for (unsigned k = 0; k < room->count; k++) {
		struct scope scope = ring_scope(nic, index);

		scope.facts = facts;
		scope.slot = room->slots[k];
		facts->put = slot_fill(nic, room, k, frame, done);
		facts->first = done == 0;
		done += facts->put;
		facts->last = done == frame->length && facts->put;
		slot_done(nic, index, room, k, &scope,
			  (facts->first ? SLOT_FIRST : 0) | (facts->last ? SLOT_LAST : 0));
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

	if (ring->sum_from.count) {
		uint64_t from = expr_eval(nic, &ring->sum_from, &scope);

		from = from < frame->length ? from : frame->length;
		facts->sum = be16toh(sum_fold(sum_add(0, data + from, frame->length - from)));
	}
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

/*
 * Nobody tells us when a driver gives slots back that say themselves whose they
 * are: as long as a frame waits, we look, less and less often. Where running dry
 * stops the ring, the driver starts it again as soon as it hears of that: what is left
 * of a burst waits for it, but not for ever.
 */
enum { LOOK_FIRST = 100000, LOOK_LAST = 10000000 }; /* ns */

static void look_again(struct nic *nic, unsigned ring)
{
	if (ring_room(nic, ring))
		return;
	ring_dry(nic, ring); /* the driver may have missed the last frame */
	nic->held_dry = nic->rings[ring].state == RING_STOPPED;
	interrupts_update(nic);
}

static void look_fired(struct timer *timer)
{
	struct nic *nic = timer->context;
	unsigned ring = nic->held_ring;
	bool stopped = nic->rings[ring].state == RING_STOPPED;

	nic->bus.schedule(nic->bus.context);
	nic->held_dry &= stopped && nic->look_after < LOOK_LAST;
	if (!nic->held || (stopped && !nic->held_dry) || !nic->rings[ring].ring->walked)
		return;
	if (!stopped)
		look_again(nic, ring);
	if (nic->look_after < LOOK_LAST)
		nic->look_after *= 2;
	timer_arm(nic->bus.clock, timer, clock_now(nic->bus.clock) + nic->look_after);
}

static void look_later(struct nic *nic)
{
	nic->look_after = LOOK_FIRST;
	timer_arm(nic->bus.clock, &nic->look, clock_now(nic->bus.clock) + nic->look_after);
}

void receive_init(struct nic *nic)
{
	timer_init(&nic->look, look_fired, nic);
}

static enum delivery no_room(struct nic *nic, unsigned index, bool hold)
{
	const struct ring *ring = nic->rings[index].ring;
	struct scope scope = ring_scope(nic, index);

	if (hold) {
		nic->held = true;
		nic->held_ring = (uint16_t)index;
		if (ring->next == NEXT_STREAM)
			streams_wait(nic);
		else if (ring->walked)
			look_later(nic);
		return HELD;
	}
	nic->counts[COUNT_RX_NO_ROOM]++;
	nic->stats.rx_no_room++;
	if (ring->walked)
		ring_dry(nic, index);
	else
		actions_run(nic, &ring->empty, &scope);
	return TAKEN;
}

static enum delivery not_put(struct nic *nic, unsigned index, int why, bool hold)
{
	if (why != -EAGAIN)
		return no_room(nic, index,
			       why == -ENOBUFS && (hold || nic->rings[index].ring->empty_holds));
	nic->held = nic->held_fetch = true;
	nic->held_ring = (uint16_t)index;
	return HELD;
}

static enum delivery drop(struct nic *nic, enum counted why, uint64_t *stat)
{
	nic->counts[why]++;
	++*stat;
	return TAKEN;
}

static bool results_fit(struct nic *nic, unsigned index, const struct room *room)
{
	struct result_room fits = result_room(nic, index);

	return fits.slots >= room->count && fits.frames;
}

/* DATA is a whole frame of at least 60 bytes, checksums complete. */
static enum delivery deliver(struct nic *nic, const uint8_t *data, uint32_t length, bool known,
			     bool hold)
{
	struct frame frame = {.iovs = 1, .length = length};
	struct facts facts = {0};
	struct scope scope = {.facts = &facts};
	bool steers = nic->card->filter.steer.present;
	int index = steers ? steer(nic, data, length, &facts) : receive_ring(nic), found;
	const struct ring *ring;
	struct room room;
	uint64_t max = 1514;
	uint32_t check;
	bool keeps;

	if (index < 0)
		return drop(nic, COUNT_RX_STOPPED, &nic->stats.rx_stopped);
	ring = nic->rings[index].ring;
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
	if (!found && ring->produces && !results_fit(nic, (unsigned)index, &room))
		found = -ENOBUFS;
	if (found < 0)
		return not_put(nic, (unsigned)index, found, hold);
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
		return not_put(nic, (unsigned)index, found, hold);
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

	if (!segments_begin(&cut, frame)) {
		nic->stats.rx_malformed++;
		return TAKEN;
	}
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
	nic->stats.rx_cut += cut.index ? cut.index - 1 : 0;
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
		return drop(nic, COUNT_RX_TOO_SHORT,
			    length < 14 ? &nic->stats.rx_too_short : &nic->stats.rx_too_long);
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

unsigned receive_frames(struct nic *nic, const struct frame *frames, unsigned count)
{
	unsigned taken = 0;

	while (taken < count) {
		taken += receive_plain(nic, frames + taken, count - taken);
		if (taken == count || receive_one(nic, &frames[taken]) != TAKEN)
			break;
		taken++;
	}
	return taken;
}

unsigned nic_receive(struct nic *nic, const struct frame *frames, unsigned count)
{
	unsigned taken;

	if (nic->failed) {
		nic->stats.rx_stopped += count;
		return count;
	}
	if (nic->stands) {
		nic->held = nic->held_fetch = true;
		return 0;
	}
	rings_update(nic);
	nic->held = nic->held_fetch = nic->held_dry = false;
	if (!nic->link) {
		nic->stats.rx_unplugged += count;
		return count;
	}
	taken = nic->hook_receive ? hooks_receive(nic, frames, count)
				  : receive_frames(nic, frames, count);
	if (nic->trace)
		trace_frames(nic, "in", frames, taken);
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
		nic->stats.rx_looped++;
		nic->loop_head = (nic->loop_head + 1) % LOOP_FRAMES;
		nic->loop_count--;
	}
	return nic->loop_count != 0;
}
