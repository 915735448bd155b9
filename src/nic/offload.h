/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

#include <stddef.h>

/* The one offload engine, for NICs and for whoever stands between them and a plain port. */
enum {
	HEADER_MAX = 256, /* bytes of a frame that the engine rewrites */
	FRAME_MAX = 65536 + HEADER_MAX,
};

uint32_t sum_add(uint32_t sum, const void *data, size_t length);
uint16_t sum_fold(uint32_t sum);
uint32_t frame_sum(const struct frame *frame, size_t start, size_t length);
size_t frame_copy(const struct frame *frame, size_t from, void *to, size_t length);
void frame_complete(const struct frame *frame, uint8_t *data); /* DATA: a copy of it, whole */
bool frame_own_header(struct frame *frame, uint8_t *room, size_t length);
struct parsed {
	uint8_t type, l4; /* as VALUE_FRAME_TYPE, VALUE_FRAME_L4 */
	uint16_t l3_at, l4_at;
	uint32_t l4_length;
	bool whole; /* not a fragment, lengths agree with the frame */
};
void frame_parse(const uint8_t *head, size_t held, size_t length, struct parsed *parsed);
size_t frame_tcp_header(const struct frame *frame); /* up to its data; 0: it is none */
uint32_t pseudo_sum(const uint8_t *head, const struct parsed *parsed, uint32_t l4_length);

/* Cuts a frame into TCP segments with complete checksums, built one by one in ROOM. */
struct segments {
	const struct frame *frame;
	uint8_t head[HEADER_MAX];
	struct parsed parsed;
	uint32_t at, index;
};
bool segments_begin(struct segments *cut, const struct frame *frame);
size_t segments_next(struct segments *cut, uint8_t *room, size_t size); /* 0: done */
