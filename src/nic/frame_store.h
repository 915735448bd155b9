/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

#include <stddef.h>

/*
 * Frames that wait, copied, in the order they came: one ring of bytes, each frame
 * in one piece of it.
 */
struct frame_store {
	uint8_t *bytes;
	uint32_t size, first, end; /* end: where the next one goes */
	uint32_t count;
};

bool frame_store_init(struct frame_store *store, uint32_t size);
void frame_store_free(struct frame_store *store);
void frame_store_clear(struct frame_store *store);
uint32_t frame_store_needs(uint32_t length); /* bytes, for a frame of this length */
uint32_t frame_store_used(const struct frame_store *store);
/* A frame to be filled: its bytes; NULL: no room. OFFLOADS: its length and what is left to do. */
uint8_t *frame_store_add(struct frame_store *store, const struct frame *offloads);
bool frame_store_put(struct frame_store *store, const struct frame *frame);
bool frame_store_first(const struct frame_store *store, struct frame *frame); /* false: empty */
void frame_store_drop(struct frame_store *store);			      /* the first */
