/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/dma.h"

enum { DMA_RANGES_MAX = 65536 };

struct dma_entry {
	struct dma_range range;
	void *map; /* what munmap takes back; NULL: not ours */
	uint64_t mapped;
};

/* One piece of guest memory on its way by message. */
struct dma_piece {
	struct dma_piece *next;
	uint64_t addr;
	size_t length;
	uint32_t token; /* of the first message; pieces take one token per message */
	unsigned messages, sent, answered;
	bool failed, flushed;
	uint8_t data[];
};

struct dma {
	struct dma_entry *ranges;
	unsigned count, room, last;
	uint64_t generation;
	bool enabled;
	struct dma_transport transport;
	void (*wake)(void *context);
	void *wake_context;
	uint32_t next_token;
	struct dma_piece *reads;		 /* fetched or being fetched */
	struct dma_piece *writes, **writes_last; /* in order */
	size_t held;				 /* bytes in both lists */
};

const struct dma_range *dma_find(struct dma *dma, uint64_t addr);
int dma_message_view(struct dma *dma, uint64_t addr, size_t length, unsigned access, void **host);
void dma_forget(struct dma *dma);
