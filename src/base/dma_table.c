/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Ranges in the order of their addresses, in blocks: a client with a virtual
 * IOMMU adds and removes one of tens of thousands at a time, so neither may
 * move them all. No block is empty, and two neighbours hold more than half a
 * block, so memory follows the number of ranges.
 */
#include "base/dma_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct dma_block {
	unsigned count;
	struct dma_entry entries[DMA_BLOCK];
};

static uint64_t last_of(const struct dma_entry *entry)
{
	return entry->range.base + (entry->range.size - 1);
}

static unsigned block_search(const struct dma *dma, uint64_t addr)
{
	unsigned low = 0, high = dma->blocks_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct dma_block *block = dma->blocks[middle];

		if (last_of(&block->entries[block->count - 1]) < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct dma_place table_search(const struct dma *dma, uint64_t addr)
{
	struct dma_place place = {block_search(dma, addr), 0};
	unsigned low = 0, high;

	if (place.block == dma->blocks_count)
		return place;
	high = dma->blocks[place.block]->count;
	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (last_of(&dma->blocks[place.block]->entries[middle]) < addr)
			low = middle + 1;
		else
			high = middle;
	}
	place.slot = low;
	return place;
}

struct dma_entry *table_at(const struct dma *dma, struct dma_place place)
{
	return place.block < dma->blocks_count ? &dma->blocks[place.block]->entries[place.slot]
					       : NULL;
}

struct dma_place table_next(const struct dma *dma, struct dma_place place)
{
	if (++place.slot == dma->blocks[place.block]->count)
		place = (struct dma_place){place.block + 1, 0};
	return place;
}

/* ---- blocks ---- */

static int block_add(struct dma *dma, unsigned at)
{
	struct dma_block *block, **grown;

	if (dma->blocks_count == dma->blocks_room) {
		unsigned room = dma->blocks_room ? dma->blocks_room * 2 : 4;

		grown = realloc(dma->blocks, room * sizeof(struct dma_block *));
		if (!grown)
			return -ENOMEM;
		dma->blocks = grown;
		dma->blocks_room = room;
	}
	block = malloc(sizeof(*block));
	if (!block)
		return -ENOMEM;
	block->count = 0;
	memmove(&dma->blocks[at + 1], &dma->blocks[at],
		(dma->blocks_count - at) * sizeof(struct dma_block *));
	dma->blocks[at] = block;
	dma->blocks_count++;
	return 0;
}

static void block_drop(struct dma *dma, unsigned at)
{
	free(dma->blocks[at]);
	dma->blocks_count--;
	memmove(&dma->blocks[at], &dma->blocks[at + 1],
		(dma->blocks_count - at) * sizeof(struct dma_block *));
}

/* Entries [from, end) of a block go behind those of another. */
static void block_move(struct dma_block *block, unsigned from, struct dma_block *to)
{
	memcpy(&to->entries[to->count], &block->entries[from],
	       (block->count - from) * sizeof(*block->entries));
	to->count += block->count - from;
	block->count = from;
}

/* Makes room at a place, which may be another then. */
static int block_room(struct dma *dma, struct dma_place *place)
{
	struct dma_block *block;
	int result;

	/* behind all others: where a block is full it stays so, since maps come in order */
	if (place->block == dma->blocks_count) {
		unsigned before = place->block - 1;

		if (place->block && dma->blocks[before]->count < DMA_BLOCK) {
			*place = (struct dma_place){before, dma->blocks[before]->count};
			return 0;
		}
		return block_add(dma, place->block);
	}
	block = dma->blocks[place->block];
	if (block->count < DMA_BLOCK)
		return 0;
	result = block_add(dma, place->block + 1);
	if (result < 0)
		return result;
	block_move(block, DMA_BLOCK / 2, dma->blocks[place->block + 1]);
	if (place->slot > DMA_BLOCK / 2)
		*place = (struct dma_place){place->block + 1, place->slot - DMA_BLOCK / 2};
	return 0;
}

static void block_merge(struct dma *dma, unsigned at)
{
	struct dma_block **blocks = dma->blocks;

	if (at + 1 >= dma->blocks_count ||
	    blocks[at]->count + blocks[at + 1]->count > DMA_BLOCK / 2)
		return;
	block_move(blocks[at + 1], 0, blocks[at]);
	block_drop(dma, at + 1);
}

/* ---- entries ---- */

int table_insert(struct dma *dma, struct dma_place place, const struct dma_entry *entry)
{
	struct dma_block *block;
	int result;

	if (dma->count == DMA_RANGES_MAX)
		return -ENOSPC;
	result = block_room(dma, &place);
	if (result < 0)
		return result;
	block = dma->blocks[place.block];
	memmove(&block->entries[place.slot + 1], &block->entries[place.slot],
		(block->count - place.slot) * sizeof(*entry));
	block->entries[place.slot] = *entry;
	block->count++;
	dma->count++;
	dma->last = NULL;
	return 0;
}

void table_remove(struct dma *dma, struct dma_place place)
{
	struct dma_block *block = dma->blocks[place.block];

	block->count--;
	memmove(&block->entries[place.slot], &block->entries[place.slot + 1],
		(block->count - place.slot) * sizeof(*block->entries));
	dma->count--;
	dma->last = NULL;
	if (block->count == 0)
		block_drop(dma, place.block);
	else
		block_merge(dma, place.block);
	if (place.block)
		block_merge(dma, place.block - 1);
}

void table_free(struct dma *dma)
{
	while (dma->blocks_count)
		free(dma->blocks[--dma->blocks_count]);
	free(dma->blocks);
	dma->blocks = NULL;
	dma->blocks_room = dma->count = 0;
	dma->last = NULL;
}
