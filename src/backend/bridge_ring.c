/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/bridge_ring.h"

#include "nic/offload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* What a frame is besides its bytes; LENGTH 0: nothing up to the end of the memory. */
struct mark {
	uint32_t length;
	uint16_t flags, header_length, segment_size, checksum_start, checksum_offset, reserved;
};

enum { ALIGN = 16 };

static uint32_t space_of(uint32_t length)
{
	return ((uint32_t)sizeof(struct mark) + length + ALIGN - 1) & ~(uint32_t)(ALIGN - 1);
}

int bridge_ring_init(struct bridge_ring *ring)
{
	ring->memory = mmap(NULL, BRIDGE_RING, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ring->memory == MAP_FAILED)
		ring->memory = NULL;
	atomic_init(&ring->hungry, true);
	return ring->memory ? 0 : -ENOMEM;
}

void bridge_ring_free(struct bridge_ring *ring)
{
	if (ring->memory)
		munmap(ring->memory, BRIDGE_RING);
}

/* Where SPACE bytes go, or 0 and *AT untouched: the ring is full. */
static bool reserve(struct bridge_ring *ring, uint32_t *tail, uint32_t space)
{
	uint32_t head = atomic_load(&ring->head); /* after stuck was said */
	uint32_t to_end = BRIDGE_RING - *tail % BRIDGE_RING;
	uint32_t skip = space > to_end ? to_end : 0;

	if (space > BRIDGE_RING / 2 || *tail - head + skip + space > BRIDGE_RING)
		return false;
	if (skip) {
		memset(ring->memory + *tail % BRIDGE_RING, 0, sizeof(struct mark));
		*tail += skip;
	}
	return true;
}

static bool put_one(struct bridge_ring *ring, uint32_t *tail, const struct frame *frame)
{
	struct mark mark = {frame->length,
			    frame->flags,
			    frame->header_length,
			    frame->segment_size,
			    frame->checksum_start,
			    frame->checksum_offset,
			    0};
	uint8_t *at;

	if (!frame->length)
		return true; /* no frame at all */
	if (!reserve(ring, tail, space_of(frame->length)))
		return false;
	at = ring->memory + *tail % BRIDGE_RING;
	memcpy(at, &mark, sizeof(mark));
	frame_copy(frame, 0, at + sizeof(mark), frame->length);
	*tail += space_of(frame->length);
	return true;
}

static unsigned put(struct bridge_ring *ring, const struct frame *frames, unsigned count)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	unsigned done = 0;

	while (done < count && put_one(ring, &tail, &frames[done]))
		done++;
	atomic_store(&ring->tail, tail); /* before hungry is looked at */
	return done;
}

unsigned bridge_ring_put(struct bridge_ring *ring, const struct frame *frames, unsigned count)
{
	unsigned done = put(ring, frames, count);

	if (done == count)
		return done;
	atomic_store(&ring->stuck, true);
	return done + put(ring, frames + done, count - done); /* room may have come meanwhile */
}

bool bridge_ring_wakes_reader(struct bridge_ring *ring)
{
	return atomic_load(&ring->hungry) && atomic_exchange(&ring->hungry, false);
}

static unsigned look(struct bridge_ring *ring, struct frame *frames)
{
	uint32_t at = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t tail = atomic_load(&ring->tail); /* after hungry was said */
	unsigned count = 0;

	while (at != tail && count < BRIDGE_BATCH) {
		uint8_t *memory = ring->memory + at % BRIDGE_RING;
		struct frame *frame = &frames[count];
		struct mark mark;

		memcpy(&mark, memory, sizeof(mark));
		if (!mark.length) {
			at += BRIDGE_RING - at % BRIDGE_RING;
			continue;
		}
		frame->iovs = 1; /* one by one: the iovecs behind are a kilobyte */
		frame->length = mark.length;
		frame->flags = mark.flags;
		frame->header_length = mark.header_length;
		frame->segment_size = mark.segment_size;
		frame->checksum_start = mark.checksum_start;
		frame->checksum_offset = mark.checksum_offset;
		frame->iov[0] = (struct iovec){memory + sizeof(mark), mark.length};
		at += space_of(mark.length);
		count++;
	}
	return count;
}

unsigned bridge_ring_look(struct bridge_ring *ring, struct frame frames[static BRIDGE_BATCH])
{
	unsigned count = look(ring, frames);

	if (count)
		return count;
	atomic_store(&ring->hungry, true);
	return look(ring, frames);
}

void bridge_ring_take(struct bridge_ring *ring, unsigned count)
{
	uint32_t at = atomic_load_explicit(&ring->head, memory_order_relaxed);

	while (count) {
		struct mark mark;

		memcpy(&mark, ring->memory + at % BRIDGE_RING, sizeof(mark));
		at += mark.length ? space_of(mark.length) : BRIDGE_RING - at % BRIDGE_RING;
		count -= mark.length != 0;
	}
	atomic_store(&ring->head, at); /* before stuck is looked at */
}

bool bridge_ring_wakes_writer(struct bridge_ring *ring)
{
	return atomic_load(&ring->stuck) && atomic_exchange(&ring->stuck, false);
}
