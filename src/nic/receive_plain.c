/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The short way into a receive ring: frames that come whole, in one piece,
 * untagged, for a destination the filter takes, and fit into the first buffer of
 * the next slot, whose plan says where that is and what its result takes. The first
 * frame that is not so takes the long way, which also says why it is dropped.
 *
 * The cursor moves, and causes are raised, once for all of them.
 */
#include "nic/state.h"

/* Many frames into a ring, one slot each. */
struct filling {
	struct nic *nic;
	const struct ring *ring;
	struct plans *plans;
	struct fill fill;
	unsigned index;
	struct ring_walk walk;		 /* walked rings; */
	uint64_t last, next;		 /* cursors, of the last slot done and behind it */
	uint32_t cursor, ready, entries; /* others */
	struct dma_window slots, frames;
	struct slot { /* for this frame */
		uint8_t copy[SLOT_MAX + 8];
		uint64_t here;
		uint8_t *to;
		struct plan *plan;
	} slot;
	const struct complete *list; /* whose causes these are */
	unsigned count;
	uint32_t causes;
};

static const struct fill *fill_now(struct nic *nic, unsigned index)
{
	struct fill *fill = &nic->plans[index].fill;
	const struct ring *ring = &nic->card->rings[index];
	struct scope scope = {0};

	if (fill->known)
		return fill;
	fill->known = true;
	fill->max = 1514;
	if (nic->card->filter.max.count)
		fill->max = expr_eval(nic, &nic->card->filter.max, &scope);
	fill->vlan_type = ring->vlan_type.count ? expr_eval(nic, &ring->vlan_type, &scope) : 0x8100;
	fill->keeps = ring->fcs_present && expr_holds(nic, &ring->fcs_when, &scope);
	fill->looks = nic->plans[index].asks_type ||
		      (ring->check_ip.count && expr_eval(nic, &ring->check_ip, &scope)) ||
		      (ring->check_l4.count && expr_eval(nic, &ring->check_l4, &scope));
	return fill;
}

static bool filling_begin(struct filling *filling, struct nic *nic)
{
	int index = receive_ring(nic);

	if (index < 0 || !nic->plans[index].usable || nic->plans[index].moderated)
		return false;
	plans_check(nic, (unsigned)index);
	filling->nic = nic;
	filling->index = (unsigned)index;
	filling->ring = &nic->card->rings[index];
	filling->plans = &nic->plans[index];
	filling->fill = *fill_now(nic, (unsigned)index);
	filling->slots.size = filling->frames.size = 0;
	filling->list = NULL;
	filling->causes = 0;
	if (filling->ring->walked)
		return ring_walk_begin(&filling->walk, nic, (unsigned)index) == 0;
	filling->cursor = ring_cursor(nic, (unsigned)index);
	filling->ready = ring_ready(nic, (unsigned)index);
	filling->entries = nic->rings[index].entries;
	return filling->ready != 0;
}

/* A frame as it comes, whole and in one piece, that the filter takes. */
static bool filling_takes(const struct filling *filling, const struct frame *frame,
			  struct facts *facts)
{
	const uint8_t *data = frame->iov[0].iov_base;

	if (frame->iovs != 1 || frame->length < 60 || frame->length > filling->fill.max ||
	    (frame->flags & ~FRAME_VALID) ||
	    (data[12] << 8 | data[13]) == (int)filling->fill.vlan_type)
		return false;
	*facts = (struct facts){.length = frame->length};
	memcpy(&facts->destination, data, sizeof(facts->destination));
	facts->destination &= 0xffffffffffff;
	return filter_takes(filling->nic, facts);
}

static bool next_in_array(struct filling *filling)
{
	struct slot *slot = &filling->slot;
	unsigned size = filling->ring->slot_size;

	if (!filling->ready)
		return false;
	slot->here = filling->nic->rings[filling->index].base + (uint64_t)filling->cursor * size;
	slot->to = dma_within(&filling->slots, slot->here, size);
	if (!slot->to)
		return true;
	memcpy(slot->copy, slot->to, size);
	__atomic_thread_fence(__ATOMIC_ACQUIRE); /* looked at once: the guest may change it */
	slot->plan = plan_of(filling->nic, filling->index, slot->copy);
	return true;
}

static bool next_of_walk(struct filling *filling)
{
	struct slot *slot = &filling->slot;
	uint64_t at;

	if (ring_walk_slot(&filling->walk, slot->copy, &at) <= 0)
		return false;
	slot->here = slot_address(filling->nic, filling->index, at);
	slot->to = dma_within(&filling->slots, slot->here, filling->ring->slot_size);
	filling->walk.lap = false; /* each frame is a walk of its own */
	filling->last = at;
	slot->plan = (struct plan *)filling->walk.plan;
	return true;
}

/* The slot of this frame: in memory that is ours to write, and with a plan. */
static bool filling_slot(struct filling *filling)
{
	struct slot *slot = &filling->slot;
	unsigned size = filling->ring->slot_size;

	slot->plan = NULL;
	if (!(filling->ring->walked ? next_of_walk(filling) : next_in_array(filling)))
		return false;
	if (!slot->to) {
		dma_window(filling->nic->bus.memory, slot->here, DMA_READ | DMA_WRITE,
			   &filling->slots);
		slot->to = dma_within(&filling->slots, slot->here, size);
		if (slot->to && !filling->ring->walked)
			return next_in_array(filling) && slot->plan;
	}
	return slot->to && slot->plan;
}

/* Where the frame goes: the first buffer, if it holds all of it. */
static uint8_t *filling_buffer(struct filling *filling, uint32_t put)
{
	const struct slot *slot = &filling->slot;
	const struct plan *plan = slot->plan;
	uint64_t address;
	uint8_t *to;

	if (!plan->usable || plan->ends || plan->skips || !plan->use || plan->use->as != USE_ROOM ||
	    !plan->address.kind || !plan->length.kind || plan->use->memory ||
	    (plan->use->pieces_count && !plan->pieces_known) ||
	    put > (uint32_t)plan_value(&plan->length, slot->copy, slot->here))
		return NULL;
	address = plan_value(&plan->address, slot->copy, slot->here);
	to = dma_within(&filling->frames, address, put);
	if (to)
		return to;
	dma_window(filling->nic->bus.memory, address, DMA_WRITE, &filling->frames);
	return dma_within(&filling->frames, address, put);
}

static const struct plan_result *filling_result(struct filling *filling, const struct frame *frame,
						struct facts *facts, uint32_t put)
{
	const struct plan_result *result;
	uint32_t key;

	facts->first = facts->last = true;
	if (filling->fill.looks)
		receive_look(filling->nic, filling->ring, frame, frame->iov[0].iov_base, facts,
			     frame->flags & FRAME_VALID);
	facts->length = facts->put = put;
	key = (facts_key(facts) & filling->plans->asks_facts) << 2 | SLOT_FIRST | SLOT_LAST;
	result = plan_result(filling->nic, filling->index, filling->slot.plan, key,
			     filling->slot.copy, facts);
	return result->plain && (!filling->causes || result->list == filling->list) ? result : NULL;
}

static bool filling_put(struct filling *filling, const struct frame *frame, struct facts *facts)
{
	uint32_t check, put = frame->length + (filling->fill.keeps ? 4 : 0);
	const uint8_t *data = frame->iov[0].iov_base;
	const struct plan_result *result;
	uint8_t *to;

	if (!filling_slot(filling))
		return false;
	to = filling_buffer(filling, put);
	result = to ? filling_result(filling, frame, facts, put) : NULL;
	if (!result)
		return false;
	memcpy(to, data, frame->length);
	if (filling->fill.keeps) {
		check = receive_fcs(data, frame->length);
		memcpy(to + frame->length, &check, sizeof(check));
	}
	result_store(result, filling->slot.copy, filling->slot.to, put, 0);
	filling->list = result->list;
	filling->count = result->count;
	filling->causes |= result->actions;
	return true;
}

static void filling_next(struct filling *filling)
{
	if (filling->ring->walked) {
		filling->next = filling->walk.at;
		return;
	}
	filling->ready--;
	if (++filling->cursor == filling->entries)
		filling->cursor = 0;
}

static void filling_end(struct filling *filling, unsigned frames, uint64_t bytes)
{
	struct nic *nic = filling->nic;
	struct ring_run *run = &nic->rings[filling->index];
	struct scope scope = {.ring = (uint8_t)filling->index};

	if (run->state == RING_STARVED)
		run->state = RING_RUNNING;
	if (filling->ring->walked)
		ring_walk_done(&filling->walk, filling->last, filling->next, false, NULL);
	else
		ring_advance(nic, filling->index, frames);
	result_actions(nic, filling->list, filling->count, filling->causes, &scope);
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
	uint64_t bytes = 0;
	unsigned done;

	if (!filling_begin(&filling, nic))
		return 0;
	for (done = 0; done < count; done++) {
		struct facts facts;

		if (!filling_takes(&filling, &frames[done], &facts) ||
		    !filling_put(&filling, &frames[done], &facts))
			break;
		filling_next(&filling);
		count_size(nic, COUNT_RX_FRAMES, frames[done].length, 1);
		count_group(nic, COUNT_RX_FRAMES, facts.destination);
		bytes += frames[done].length;
	}
	if (done)
		filling_end(&filling, done, bytes);
	return done;
}
