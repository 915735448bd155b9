/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Ranges lie in a sorted array; lookups remember the last hit. Those of a file
 * share its one mapping: see dma_file.c. Ranges without host memory are reached
 * by messages: see dma_message.c.
 */
#include "base/dma_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct dma *dma_new(void)
{
	struct dma *dma = calloc(1, sizeof(*dma));

	if (dma)
		dma->generation = 1;
	return dma;
}

void dma_free(struct dma *dma)
{
	if (!dma)
		return;
	dma_unmap_all(dma);
	free(dma->ranges);
	free(dma);
}

/* Index of the first range that ends behind addr. */
static unsigned dma_search(const struct dma *dma, uint64_t addr)
{
	unsigned low = 0, high = dma->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct dma_range *range = &dma->ranges[middle].range;

		if (range->base + (range->size - 1) < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct dma_entry *dma_find(struct dma *dma, uint64_t addr)
{
	unsigned at = dma->last;

	if (at >= dma->count || addr - dma->ranges[at].range.base >= dma->ranges[at].range.size) {
		at = dma_search(dma, addr);
		if (at >= dma->count || addr < dma->ranges[at].range.base)
			return NULL;
		dma->last = at;
	}
	return &dma->ranges[at];
}

static const struct dma_range *dma_range(struct dma *dma, uint64_t addr)
{
	struct dma_entry *entry = dma_find(dma, addr);

	return entry ? &entry->range : NULL;
}

/* Where a new range goes, or -errno. */
static int dma_place(struct dma *dma, uint64_t base, uint64_t size)
{
	unsigned at;

	if (size == 0 || base + (size - 1) < base)
		return -EINVAL;
	at = dma_search(dma, base);
	if (at < dma->count && dma->ranges[at].range.base <= base + (size - 1))
		return -EEXIST;
	if (dma->count == dma->room) {
		unsigned room = dma->room ? dma->room * 2 : 16;
		struct dma_entry *grown;

		if (room > DMA_RANGES_MAX)
			return -ENOSPC;
		grown = realloc(dma->ranges, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		dma->ranges = grown;
		dma->room = room;
	}
	return (int)at;
}

static void dma_insert(struct dma *dma, unsigned at, const struct dma_entry *entry)
{
	memmove(&dma->ranges[at + 1], &dma->ranges[at], (dma->count - at) * sizeof(*entry));
	dma->ranges[at] = *entry;
	dma->count++;
	dma->generation++;
}

int dma_map_host(struct dma *dma, uint64_t base, uint64_t size, void *host, unsigned access)
{
	struct dma_entry entry = {.range = {base, size, host, access}};
	int at = dma_place(dma, base, size);

	if (at < 0)
		return at;
	dma_insert(dma, (unsigned)at, &entry);
	return 0;
}

int dma_map_fd(struct dma *dma, uint64_t base, uint64_t size, int fd, uint64_t offset,
	       unsigned access)
{
	struct dma_entry entry = {.range = {base, size, NULL, access}, .offset = offset};
	int protection = (access & DMA_WRITE) ? PROT_READ | PROT_WRITE : PROT_READ;
	int at = dma_place(dma, base, size);
	int result;

	if (at < 0)
		return at;
	result = dma_file_take(dma, fd, offset, size, protection, &entry.file);
	if (result < 0)
		return result;
	if (entry.file->proof <= DMA_PROVEN)
		entry.range.host = entry.file->guard.begin + offset;
	dma_insert(dma, (unsigned)at, &entry);
	return 0;
}

static void dma_revoke(struct dma *dma, struct dma_entry *entry)
{
	if (entry->file)
		dma_file_release(dma, entry->file);
}

int dma_unmap(struct dma *dma, uint64_t base, uint64_t size)
{
	unsigned kept = 0, before = dma->count;

	if (size == 0 || base + (size - 1) < base)
		return -EINVAL;
	for (unsigned i = 0; i < before; i++) {
		struct dma_entry *entry = &dma->ranges[i];

		if (entry->range.base >= base && entry->range.base - base < size &&
		    entry->range.size <= size - (entry->range.base - base))
			dma_revoke(dma, entry);
		else
			dma->ranges[kept++] = *entry;
	}
	dma->count = kept;
	dma->last = 0;
	dma->generation++;
	return kept == before ? -ENOENT : 0;
}

void dma_unmap_all(struct dma *dma)
{
	for (unsigned i = 0; i < dma->count; i++)
		dma_revoke(dma, &dma->ranges[i]);
	dma->count = 0;
	dma->generation++;
	dma_forget(dma);
}

void dma_enable(struct dma *dma, bool bus_master)
{
	dma->enabled = bus_master;
	dma->generation++;
}

uint64_t dma_generation(const struct dma *dma)
{
	return dma->generation;
}

void *dma_pointer(struct dma *dma, uint64_t addr, size_t length, unsigned access)
{
	const struct dma_range *range = dma->enabled ? dma_range(dma, addr) : NULL;

	if (!range || !range->host || (range->access & access) != access ||
	    length > range->size - (addr - range->base))
		return NULL;
	return range->host + (addr - range->base);
}

void dma_window(struct dma *dma, uint64_t addr, unsigned access, struct dma_window *window)
{
	const struct dma_range *range = dma->enabled ? dma_range(dma, addr) : NULL;

	*window = (struct dma_window){0};
	if (range && range->host && (range->access & access) == access)
		*window = (struct dma_window){range->base, range->size, range->host};
}

static int dma_view(struct dma *dma, uint64_t addr, size_t length, struct iovec *iov, unsigned max,
		    unsigned access)
{
	unsigned count = 0;

	if (!dma->enabled)
		return -EFAULT;
	while (length) {
		const struct dma_range *range = dma_range(dma, addr);
		uint64_t offset, part;
		void *host;

		if (!range || (range->access & access) != access || count == max)
			return -EFAULT;
		offset = addr - range->base;
		part = range->size - offset < length ? range->size - offset : length;
		if (range->host) {
			host = range->host + offset;
		} else {
			int result = dma_message_view(dma, addr, part, access, &host);

			if (result < 0)
				return result;
		}
		iov[count++] = (struct iovec){host, part};
		addr += part;
		length -= part;
	}
	return (int)count;
}

int dma_read_view(struct dma *dma, uint64_t addr, size_t length, struct iovec *iov, unsigned max)
{
	return dma_view(dma, addr, length, iov, max, DMA_READ);
}

int dma_write_view(struct dma *dma, uint64_t addr, size_t length, struct iovec *iov, unsigned max)
{
	return dma_view(dma, addr, length, iov, max, DMA_WRITE);
}
