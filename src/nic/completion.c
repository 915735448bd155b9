/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Completion rings: the engine writes, the driver reads.
 *
 *   source slot done -> record: constants, fields of the slot, of the frame
 *                       -> next slot of the completion ring, phase bit last
 *   once a batch     -> its vector is raised, its actions run
 *
 * Room is what ready= says, or without end: then old records are written over,
 * as on cards whose driver never has more outstanding than there are slots. A
 * source ring asks for room before it takes a frame, so that nothing is half
 * done. A record for a ring that is closed, that is wider than the ring's slots,
 * or for which there is no guest memory is lost, and counted.
 */
#include "nic/state.h"

#include <errno.h>
#include <string.h>

static struct ring_run *ring_of(struct nic *nic, const struct produced *produced,
				const struct scope *scope)
{
	uint64_t which = produced->which.count ? expr_eval(nic, &produced->which, scope) : 0;
	struct ring_run *run;

	if (which >= produced->count)
		return NULL;
	run = &nic->rings[produced->ring + which];
	return run->open && run->state != RING_STOPPED && run->entries ? run : NULL;
}

static uint32_t room_of(struct nic *nic, const struct ring_run *run)
{
	const struct ring *ring = run->ring;
	struct scope scope = ring_scope(nic, ring->first + run->number);
	uint64_t ahead;

	if (!ring->until.count)
		return UINT32_MAX;
	ahead = (expr_eval(nic, &ring->until, &scope) - run->total) & ring->until_mask;
	return ahead <= run->entries ? (uint32_t)ahead : 0;
}

/* What is lost anyway always has room. */
static void room_less(struct nic *nic, const struct complete *list, unsigned count,
		      const struct scope *scope, struct result_room *room)
{
	for (unsigned i = 0; i < count; i++) {
		bool frames = list[i].at_first || list[i].at_last;
		uint32_t *limit = frames ? &room->frames : &room->slots;
		const struct ring_run *run;
		uint32_t found;

		if (!list[i].produced)
			continue;
		run = ring_of(nic, list[i].produced, scope);
		found = run ? room_of(nic, run) / count : UINT32_MAX;
		*limit = found < *limit ? found : *limit;
	}
}

struct result_room result_room(struct nic *nic, unsigned index)
{
	const struct ring *ring = nic->rings[index].ring;
	struct result_room room = {UINT32_MAX, UINT32_MAX};
	struct scope scope = ring_scope(nic, index);

	if (!ring->produces)
		return room;
	room_less(nic, ring->completes, ring->completes_count, &scope, &room);
	for (unsigned i = 0; i < ring->uses_count; i++)
		room_less(nic, ring->uses[i].completes, ring->uses[i].completes_count, &scope,
			  &room);
	return room;
}

static bool put(struct nic *nic, uint64_t addr, const uint8_t *from, size_t length)
{
	struct iovec iov[2];
	int count = length ? dma_write_view(nic->bus.memory, addr, length, iov, 2) : 0;

	for (int i = 0; i < count; i++) {
		if (iov[i].iov_len == 4 && !((uintptr_t)iov[i].iov_base & 3)) {
			uint32_t word;

			memcpy(&word, from, sizeof(word));
			__atomic_store_n((uint32_t *)iov[i].iov_base, word, __ATOMIC_RELEASE);
		} else {
			memcpy(iov[i].iov_base, from, iov[i].iov_len);
		}
		from += iov[i].iov_len;
	}
	return count >= 0;
}

/* All but the word with the phase bit, then that. */
static bool record_put(struct nic *nic, const struct ring *ring, uint64_t addr,
		       const uint8_t *record, unsigned size)
{
	unsigned at = size, past = size;
	bool good;

	if (ring->phased && ring->phase_bit / 8u < size) {
		at = ring->phase_bit / 32u * 4;
		past = at + 4 < size ? at + 4 : size;
	}

	__atomic_thread_fence(__ATOMIC_RELEASE); /* frame bytes before what tells of them */
	good = put(nic, addr, record, at) && put(nic, addr + past, record + past, size - past);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return good && put(nic, addr + at, record + at, past - at);
}

/* RECORD gets its phase. 0 or -errno; then it is lost. */
static int record_add(struct nic *nic, struct ring_run *run, uint8_t *record, unsigned size)
{
	const struct ring *ring = run->ring;
	bool good;

	if (ring->phased && ring->phase_bit / 8u < size)
		slot_set(record, ring->phase_bit, 1, run->position < run->entries);
	good = record_put(nic, ring, run->base + slot_number(run, run->position) * run->stride,
			  record, size);
	nic->stats.ring_faults += !good;
	run->position = run->position + 1 < ring_laps(run) ? run->position + 1 : 0;
	run->total++;
	run->told = nic->told = true;
	return good ? 0 : -EFAULT;
}

void produce(struct nic *nic, const struct produced *produced, const struct scope *scope)
{
	struct ring_run *run = ring_of(nic, produced, scope);
	uint8_t record[SLOT_MAX + 8];

	if (!run || produced->size > run->stride || !room_of(nic, run)) {
		nic->stats.ring_faults++;
		return;
	}
	memcpy(record, produced->image, produced->size);
	for (unsigned i = 0; i < produced->writes_count; i++) {
		const struct write_field *write = &produced->writes[i];

		slot_set(record, write->bit, write->width, expr_eval(nic, &write->value, scope));
	}
	record_add(nic, run, record, produced->size);
}

int nic_ring_produce(struct nic *nic, unsigned index, unsigned number, const void *from,
		     size_t length)
{
	const struct ring *ring = &nic->card->rings[index];
	uint8_t record[SLOT_MAX + 8];
	struct ring_run *run;

	if (index >= nic->card->rings_count || ring->direction != RING_COMPLETION ||
	    number >= ring->count || length > SLOT_MAX)
		return -EINVAL;
	run = &nic->rings[ring->first + number];
	if (!run->open || run->state == RING_STOPPED || !run->entries || length > run->stride)
		return -EINVAL;
	if (!room_of(nic, run))
		return -ENOSPC;
	memcpy(record, from, length);
	return record_add(nic, run, record, (unsigned)length);
}

/* Of what has been put in since the last time. */
void completions_tell(struct nic *nic)
{
	nic->told = false;
	for (unsigned k = 0; k < nic->live_count; k++) {
		struct ring_run *run = &nic->rings[nic->live[k]];
		struct scope scope = ring_scope(nic, nic->live[k]);

		if (!run->told)
			continue;
		run->told = false;
		if (run->ring->vector.count)
			vector_raise(nic, expr_eval(nic, &run->ring->vector, &scope),
				     run->ring->after.count
					     ? expr_eval(nic, &run->ring->after, &scope)
					     : 0);
		for (unsigned i = 0; i < run->ring->completes_count; i++)
			actions_run(nic, &run->ring->completes[i].actions, &scope);
	}
}
