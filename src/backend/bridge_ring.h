/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

#include <stdatomic.h>

/*
 * Frames from one thread to another: one writes, one reads, nobody locks.
 *
 *   - SIZE is a power of two; head and tail count bytes and wrap as integers.
 *   - A frame lies in one piece, behind a header; where the end of the memory is
 *     too near, a header without frame fills it.
 *   - Whoever finds nothing (or no room) says so (hungry, stuck), looks once more,
 *     and sleeps; the other takes that back and wakes him. So nobody is woken
 *     who is awake.
 */
enum { BRIDGE_RING = 1 << 18, BRIDGE_BATCH = 32 };

struct bridge_ring {
	uint8_t *memory;
	_Alignas(64) _Atomic uint32_t tail; /* the writer's */
	_Atomic bool stuck;
	_Alignas(64) _Atomic uint32_t head; /* the reader's */
	_Atomic bool hungry;
};

int bridge_ring_init(struct bridge_ring *ring);
void bridge_ring_free(struct bridge_ring *ring);

/* How many of the frames there was room for. */
unsigned bridge_ring_put(struct bridge_ring *ring, const struct frame *frames, unsigned count);
bool bridge_ring_wakes_reader(struct bridge_ring *ring); /* after a put: wake him */

/* The next frames, where they lie; they stay until they are taken. */
unsigned bridge_ring_look(struct bridge_ring *ring, struct frame frames[static BRIDGE_BATCH]);
void bridge_ring_take(struct bridge_ring *ring, unsigned count);
bool bridge_ring_wakes_writer(struct bridge_ring *ring); /* after a take: wake him */
