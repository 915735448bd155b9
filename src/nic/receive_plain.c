/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The short way into a receive ring: frames that come whole, in one piece,
 * untagged, for a destination the filter takes, and fit into the next slot.
 * What the description says of them is known beforehand (receive_plan.c). The first
 * frame that is not so takes the long way, which also says why it is dropped.
 */
#include "nic/state.h"

/* Many frames into a ring, one slot each. */
struct filling {
	struct nic *nic;
	const struct ring *ring;
	const struct fill *fill;
	unsigned index;
	uint8_t *slots; /* the ring in guest memory */
	uint32_t cursor, ready, entries;
	uint64_t accepted;	     /* a destination that the filter takes */
	const struct result *result; /* of the frame before */
	uint32_t actions;
	struct dma_window window;
};

static bool filling_begin(struct filling *filling, struct nic *nic)
{
	int index = receive_ring(nic);
	const struct ring_run *run = &nic->rings[index < 0 ? 0 : index];

	if (index < 0 || nic->card->filter.steer.present)
		return false;
	*filling = (struct filling){
		.nic = nic,
		.ring = nic->rings[index].ring,
		.fill = fill_now(nic, (unsigned)index),
		.index = (unsigned)index,
		.slots = dma_pointer(nic->bus.memory, run->base, run->entries * PLAN_SLOT,
				     DMA_READ | DMA_WRITE),
		.cursor = ring_cursor(nic, (unsigned)index),
		.ready = ring_ready(nic, (unsigned)index),
		.entries = run->entries,
		.accepted = UINT64_MAX,
	};
	return filling->fill && filling->slots && filling->ready;
}

/* A frame as it comes, whole and in one piece, that the filter takes. */
static bool filling_takes(struct filling *filling, const struct frame *frame)
{
	const uint8_t *data = frame->iov[0].iov_base;
	struct facts facts = {.length = frame->length};

	if (frame->iovs != 1 || frame->length < 60 || frame->length > filling->fill->max ||
	    frame->length + 4u > filling->fill->size || (frame->flags & ~FRAME_VALID) ||
	    (data[12] << 8 | data[13]) == (int)filling->fill->vlan_type)
		return false;
	memcpy(&facts.destination, data, sizeof(facts.destination));
	facts.destination &= 0xffffffffffff;
	if (facts.destination == filling->accepted)
		return true;
	if (!filter_accepts(filling->nic, &facts))
		return false;
	filling->accepted = facts.destination;
	return true;
}

static void filling_result(struct filling *filling, const struct result *result,
			   const uint8_t *slot, uint8_t *to, uint32_t put)
{
	uint64_t word;

	memcpy(&word, slot + result->word * sizeof(word), sizeof(word));
	word = (word & ~result->mask) | result->value | (put & result->put) << result->shift;
	__atomic_thread_fence(__ATOMIC_RELEASE); /* frame bytes before the slot's */
	if (result->length == sizeof(word))
		memcpy(to + result->first, &word, sizeof(word));
	else
		memcpy(to + result->first, (uint8_t *)&word + result->first % 8, result->length);
	filling->actions |= result->actions;
}

/* Where nothing asks what a frame carries, the result is that of the frame before. */
static bool filling_looks(struct filling *filling, const struct frame *frame)
{
	struct facts facts;

	if (filling->result && !filling->fill->looks)
		return true;
	facts = (struct facts){.length = frame->length, .first = true, .last = true};
	if (filling->fill->looks)
		receive_look(filling->nic, filling->ring, frame, frame->iov[0].iov_base, &facts,
			     frame->flags & FRAME_VALID);
	filling->result = result_of(filling->nic, filling->index, &facts);
	if (!filling->result->plain)
		filling->result = NULL;
	return filling->result;
}

static bool filling_put(struct filling *filling, const struct frame *frame)
{
	struct nic *nic = filling->nic;
	const uint8_t *data = frame->iov[0].iov_base;
	uint8_t *slot = filling->slots + filling->cursor * PLAN_SLOT, *to;
	uint32_t check, put = frame->length + (filling->fill->keeps ? 4 : 0);
	uint8_t copy[PLAN_SLOT];
	uint64_t address;

	memcpy(copy, slot, sizeof(copy));
	__atomic_thread_fence(__ATOMIC_ACQUIRE); /* looked at once: the guest may change it */
	address = plan_field(&filling->fill->address, copy);
	if (filling->ring->uses[0].skip.count &&
	    plan_field(&filling->fill->skip, copy) == filling->fill->skip_value)
		return false;
	to = dma_within(&filling->window, address, put);
	if (!to) {
		dma_window(nic->bus.memory, address, DMA_WRITE, &filling->window);
		to = dma_within(&filling->window, address, put);
	}
	if (!to || !filling_looks(filling, frame))
		return false;
	memcpy(to, data, frame->length);
	if (filling->fill->keeps) {
		check = receive_fcs(data, frame->length);
		memcpy(to + frame->length, &check, sizeof(check));
	}
	filling_result(filling, filling->result, copy, slot, put);
	return true;
}

static void filling_end(struct filling *filling, unsigned frames, uint64_t bytes)
{
	struct nic *nic = filling->nic;
	struct scope scope = ring_scope(nic, filling->index);

	nic->stats.rx_slots.fetched += frames;
	ring_advance(nic, filling->index, frames);
	for (unsigned i = 0; i < filling->ring->completes_count; i++) {
		if (filling->actions >> i & 1)
			actions_run(nic, &filling->ring->completes[i].actions, &scope);
	}
	dma_settle(nic->bus.memory);
	count_total(nic, COUNT_RX_FRAMES, frames, bytes);
	count_total(nic, COUNT_RX_TOTAL_FRAMES, frames, bytes);
	nic->stats.rx_frames += frames;
	nic->stats.rx_bytes += bytes;
	nic->stats.rx_slots.completed += frames;
}

/* Frames from the front that need nothing but a slot each; the rest takes the long way. */
unsigned receive_plain(struct nic *nic, const struct frame *frames, unsigned count)
{
	struct filling filling;
	uint64_t bytes = 0;
	unsigned done;

	if (!filling_begin(&filling, nic))
		return 0;
	for (done = 0; done < count && done < filling.ready; done++) {
		if (!filling_takes(&filling, &frames[done]) ||
		    !filling_put(&filling, &frames[done]))
			break;
		if (++filling.cursor == filling.entries)
			filling.cursor = 0;
		count_size(nic, COUNT_RX_FRAMES, frames[done].length, 1);
		count_group(nic, COUNT_RX_FRAMES, filling.accepted);
		bytes += frames[done].length;
	}
	if (done)
		filling_end(&filling, done, bytes);
	return done;
}
