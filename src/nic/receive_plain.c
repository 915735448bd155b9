/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The short way into a receive ring: frames that come whole, in one piece,
 * untagged, for a destination the filter takes, and fit into the first buffer of
 * the next slot, whose plan says where that is and what its result takes. The first
 * frame that is not so takes the long way, which also says why it is dropped.
 *
 * The cursor moves, and causes are raised, once for all of them.
 */
#include "nic/planned.h"

/* Many frames into a ring, one slot each. */
struct filling {
	struct nic *nic;
	const struct ring *ring;
	const struct plans *plans;
	struct fill fill;
	unsigned index;
	struct ring_walk walk;		 /* walked rings; */
	uint64_t last, next;		 /* cursors, of the last slot done and behind it */
	struct stream_run stream;	 /* streams; */
	uint32_t cursor, ready, entries; /* others */
	struct dma_window slots, frames;
	uint8_t copy[SLOT_MAX + 8]; /* of this slot, */
	uint64_t here;		    /* which lies there, */
	uint8_t *to;		    /* for us here; NULL: it does not */
	struct plan *plan;
	struct plan_look look;
	uint64_t destination;		  /* of the frame before, */
	uint8_t match;			  /* and what the filter said of it */
	const struct plan_result *result; /* of PLAN for such a frame; NULL: not known yet */
	struct facts facts;		  /* of the last one */
	const struct complete *list;	  /* whose causes these are */
	unsigned count;
	uint32_t causes;
	uint64_t bytes; /* of frames that are done */
};

static const struct fill *fill_now(struct nic *nic, unsigned index)
{
	struct fill *fill = &plans_of(nic, index)->fill;
	const struct ring *ring = nic->rings[index].ring;
	struct scope scope = {0};

	if (fill->known)
		return fill;
	fill->known = true;
	fill->max = 1514;
	if (nic->card->filter.max.count)
		fill->max = expr_eval(nic, &nic->card->filter.max, &scope);
	fill->vlan_type = ring->vlan_type.count ? expr_eval(nic, &ring->vlan_type, &scope) : 0x8100;
	fill->keeps = ring->fcs_present && expr_holds(nic, &ring->fcs_when, &scope);
	fill->looks = plans_of(nic, index)->asks_type ||
		      (ring->check_ip.count && expr_eval(nic, &ring->check_ip, &scope)) ||
		      (ring->check_l4.count && expr_eval(nic, &ring->check_l4, &scope));
	return fill;
}

static void slot_plan(struct filling *filling, struct plan *plan)
{
	if (plan != filling->plan)
		filling->result = NULL;
	filling->plan = plan;
	filling->look = plan_look(filling->plans, plan);
}

static bool filling_begin(struct filling *filling, struct nic *nic)
{
	int index = receive_ring(nic);

	if (index < 0 || nic->card->filter.steer.present)
		return false;
	filling->plans = plans_of(nic, (unsigned)index);
	if (!filling->plans->usable || !filling->plans->results || filling->plans->moderated)
		return false;
	plans_check(nic, (unsigned)index);
	filling->nic = nic;
	filling->index = (unsigned)index;
	filling->ring = nic->rings[index].ring;
	filling->fill = *fill_now(nic, (unsigned)index);
	filling->slots.size = filling->frames.size = 0;
	filling->destination = UINT64_MAX;
	filling->plan = NULL;
	filling->result = NULL;
	filling->list = NULL;
	filling->causes = 0;
	filling->bytes = 0;
	if (filling->ring->walked)
		return ring_walk_begin(&filling->walk, nic, (unsigned)index) == 0;
	if (filling->ring->next == NEXT_STREAM) {
		memset(filling->copy, 0, sizeof(filling->copy)); /* a header begins as zeros */
		slot_plan(filling, plan_of(nic, (unsigned)index, filling->copy));
		stream_begin(nic, (unsigned)index, &filling->stream);
		return true;
	}
	filling->cursor = ring_cursor(nic, (unsigned)index);
	filling->ready = ring_ready(nic, (unsigned)index);
	filling->entries = nic->rings[index].entries;
	return filling->ready != 0;
}

static bool filling_accepts(struct filling *filling, uint64_t destination)
{
	struct facts facts = {.destination = destination};

	if (!filter_takes(filling->nic, &facts))
		return false;
	filling->destination = destination;
	filling->match = facts.match;
	filling->result = NULL;
	return true;
}

/* A frame as it comes, whole and in one piece, that the filter takes. */
static bool filling_takes(struct filling *filling, const struct frame *frame)
{
	const uint8_t *data = frame->iov[0].iov_base;
	uint64_t destination;

	if (frame->iovs != 1 || frame->length < 60 || frame->length > filling->fill.max ||
	    (frame->flags & ~FRAME_VALID) ||
	    (data[12] << 8 | data[13]) == (int)filling->fill.vlan_type)
		return false;
	memcpy(&destination, data, sizeof(destination));
	destination &= 0xffffffffffff;
	return destination == filling->destination || filling_accepts(filling, destination);
}

static bool slot_find(struct filling *filling, unsigned size)
{
	filling->to = dma_within(&filling->slots, filling->here, size);
	if (filling->to)
		return true;
	dma_window(filling->nic->bus.memory, filling->here, DMA_READ | DMA_WRITE, &filling->slots);
	filling->to = dma_within(&filling->slots, filling->here, size);
	return filling->to;
}

static bool next_in_array(struct filling *filling)
{
	unsigned size = filling->ring->slot_size;

	filling->here = filling->nic->rings[filling->index].base + (uint64_t)filling->cursor * size;
	if (!filling->ready || !slot_find(filling, size))
		return false;
	slot_copy(filling->copy, filling->to, size);
	__atomic_thread_fence(__ATOMIC_ACQUIRE); /* looked at once: the guest may change it */
	if (!filling->plan || !plan_keeps(&filling->look, filling->copy))
		slot_plan(filling, plan_of(filling->nic, filling->index, filling->copy));
	return true;
}

static bool next_of_walk(struct filling *filling)
{
	uint64_t at;

	if (ring_walk_slot(&filling->walk, filling->copy, &at) <= 0 || !filling->walk.plan)
		return false;
	filling->walk.lap = false; /* each frame is a walk of its own */
	filling->last = at;
	filling->here = slot_address(filling->nic, filling->index, at);
	slot_plan(filling, filling->walk.plan);
	return slot_find(filling, filling->ring->slot_size);
}

/* Where the frame goes: the first buffer, if it holds all of it. */
static uint8_t *filling_buffer(struct filling *filling, uint32_t put)
{
	const struct plan *plan = filling->plan;
	uint64_t address;
	uint8_t *to;

	if (!plan->room || put > (uint32_t)plan_value(&plan->length, filling->copy, filling->here))
		return NULL;
	address = plan_value(&plan->address, filling->copy, filling->here);
	to = dma_within(&filling->frames, address, put);
	if (to)
		return to;
	dma_window(filling->nic->bus.memory, address, DMA_WRITE, &filling->frames);
	return dma_within(&filling->frames, address, put);
}

/* Causes so far, where those of another frame would come out differently. */
static void causes_tell(struct filling *filling)
{
	struct scope scope = ring_scope(filling->nic, filling->index);

	scope.facts = &filling->facts;
	result_actions(filling->nic, filling->list, filling->count, filling->causes, &scope);
	filling->causes = 0;
}

static bool filling_result(struct filling *filling, const struct frame *frame)
{
	const struct plan_result *before = filling->result;
	struct facts facts = {.destination = filling->destination,
			      .length = frame->length,
			      .match = filling->match,
			      .first = true,
			      .last = true};
	uint32_t key;

	if (filling->fill.looks)
		receive_look(filling->nic, filling->ring, frame, frame->iov[0].iov_base, &facts,
			     frame->flags & FRAME_VALID);
	key = (facts_key(&facts) & filling->plans->asks_facts) << 2 | SLOT_FIRST | SLOT_LAST;
	filling->result = plan_result(filling->nic, filling->index, filling->plan, key,
				      filling->copy, &facts);
	if (!filling->result->plain ||
	    (filling->causes && filling->result->list != filling->list)) {
		filling->result = NULL;
		return false;
	}
	if (filling->causes && filling->plans->assigns && filling->result != before)
		return false; /* what those before did is done first */
	filling->facts = facts;
	filling->list = filling->result->list;
	filling->count = filling->result->count;
	filling->causes |= filling->result->actions;
	return true;
}

static void frame_put(const struct filling *filling, const struct frame *frame, uint8_t *to)
{
	const uint8_t *data = frame->iov[0].iov_base;
	uint32_t check;

	memcpy(to, data, frame->length);
	if (!filling->fill.keeps)
		return;
	check = receive_fcs(data, frame->length);
	memcpy(to + frame->length, &check, sizeof(check));
}

static bool result_known(struct filling *filling, const struct frame *frame)
{
	return (filling->result && !filling->fill.looks) || filling_result(filling, frame);
}

static bool slot_put(struct filling *filling, const struct frame *frame, uint32_t put)
{
	uint8_t *to;

	if (!(filling->ring->walked ? next_of_walk(filling) : next_in_array(filling)))
		return false;
	to = filling_buffer(filling, put);
	if (!to || !result_known(filling, frame))
		return false;
	frame_put(filling, frame, to);
	result_store(filling->result, filling->copy, filling->to, put, 0);
	if (filling->ring->walked) {
		filling->next = filling->walk.at;
		return true;
	}
	filling->ready--;
	if (++filling->cursor == filling->entries)
		filling->cursor = 0;
	return true;
}

static bool stream_put(struct filling *filling, const struct frame *frame, uint32_t put)
{
	const struct ring *ring = filling->ring;
	uint8_t *to =
		stream_place(filling->nic, filling->index, &filling->stream, put, &filling->frames);

	if (!to || !result_known(filling, frame))
		return false;
	frame_put(filling, frame, to + ring->slot_size);
	stream_step(filling->nic, filling->index, &filling->stream, put);
	result_store(filling->result, filling->copy, to, put,
		     filling->stream.at / ring->stream.unit);
	return true;
}

static bool filling_put(struct filling *filling, const struct frame *frame)
{
	uint32_t put = frame->length + (filling->fill.keeps ? 4 : 0);

	return filling->ring->next == NEXT_STREAM ? stream_put(filling, frame, put)
						  : slot_put(filling, frame, put);
}

static void filling_count(struct filling *filling, const struct frame *frame)
{
	count_size(filling->nic, COUNT_RX_FRAMES, frame->length, 1);
	count_group(filling->nic, COUNT_RX_FRAMES, filling->destination);
	filling->bytes += frame->length;
}

/*
 * More frames like the one before, into slots like the one before, where nothing
 * has to be asked of either and the result is one store: how many. What is
 * looked at lies apart from what is written.
 */
static unsigned filling_run(struct filling *filling, const struct frame *frames, unsigned count)
{
	const struct plan_look look = filling->look;
	const struct plan_field at = filling->plan->address.low;
	const struct plan_store store = filling->result->stores[0];
	const uint64_t room = filling->plan->length.set, destination = filling->destination;
	const struct dma_window slots = filling->slots, window = filling->frames;
	const uint64_t max = filling->fill.max < room ? filling->fill.max : room;
	const uint16_t type = __builtin_bswap16((uint16_t)filling->fill.vlan_type);
	uint64_t base = filling->nic->rings[filling->index].base, copy[3] = {0};
	unsigned done;

	for (done = 0; done < count && done < filling->ready; done++) {
		const struct frame *frame = &frames[done];
		const uint8_t *data = frame->iov[0].iov_base;
		uint32_t length = frame->length;
		uint8_t *slot = dma_within(&slots, base + filling->cursor * 16ull, 16), *to;
		uint64_t head, word;
		uint16_t next;

		memcpy(&head, data, sizeof(head));
		memcpy(&next, data + 12, sizeof(next));
		if (frame->iovs != 1 || length < 60 || length > max ||
		    (frame->flags & ~FRAME_VALID) || next == type ||
		    (head & 0xffffffffffff) != destination || !slot)
			break;
		slot_copy((uint8_t *)copy, slot, 16);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		to = dma_within(&window, plan_field(&at, (uint8_t *)copy), length);
		if (!to || !plan_keeps(&look, (uint8_t *)copy))
			break;
		memcpy(to, data, length);
		memcpy(&word, (uint8_t *)copy + store.at, sizeof(word));
		word = (word & store.keep) | store.set;
		if (store.moves)
			word |= plan_moved(&store.move[0], length, 0);
		__atomic_thread_fence(__ATOMIC_RELEASE); /* frame bytes before the slot's */
		plan_bytes_store(slot + store.at, word, store.length);
		filling_count(filling, frame);
		if (++filling->cursor == filling->entries)
			filling->cursor = 0;
	}
	filling->ready -= done;
	return done;
}

static bool filling_runs(const struct filling *filling)
{
	const struct plan *plan = filling->plan;

	return filling->ring->next == NEXT_ARRAY && !filling->ring->walked &&
	       filling->ring->slot_size == 16 && !filling->fill.looks && !filling->fill.keeps &&
	       filling->result && filling->result->stores_count == 1 &&
	       filling->result->stores[0].moves < 2 && plan->address.bare &&
	       plan->length.kind == PLAN_CONSTANT;
}

static void filling_end(struct filling *filling, unsigned frames)
{
	uint64_t bytes = filling->bytes;
	struct nic *nic = filling->nic;
	struct ring_run *run = &nic->rings[filling->index];

	if (run->state == RING_STARVED)
		run->state = RING_RUNNING;
	if (filling->ring->next != NEXT_STREAM) {
		run->total += frames;
		nic->stats.rx_slots.fetched += frames;
		nic->stats.rx_slots.completed += frames;
	}
	if (filling->ring->walked)
		ring_walk_done(&filling->walk, filling->last, filling->next, false, NULL);
	else if (filling->ring->next == NEXT_STREAM)
		stream_end(nic, filling->index, &filling->stream);
	else
		ring_advance(nic, filling->index, frames);
	causes_tell(filling);
	dma_settle(nic->bus.memory);
	count_total(nic, COUNT_RX_FRAMES, frames, bytes);
	count_total(nic, COUNT_RX_TOTAL_FRAMES, frames, bytes);
	nic->stats.rx_frames += frames;
	nic->stats.rx_bytes += bytes;
}

/* Frames from the front that need nothing but a slot each; the rest takes the long way. */
unsigned receive_plain(struct nic *nic, const struct frame *frames, unsigned count)
{
	struct filling filling;
	unsigned done = 0;

	if (!filling_begin(&filling, nic))
		return 0;
	while (done < count && filling_takes(&filling, &frames[done]) &&
	       filling_put(&filling, &frames[done])) {
		filling_count(&filling, &frames[done]);
		done++;
		if (filling_runs(&filling))
			done += filling_run(&filling, frames + done, count - done);
	}
	if (done)
		filling_end(&filling, done);
	return done;
}
