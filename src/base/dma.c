/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Ranges are sorted (dma_table.c); lookups remember the last hit. Those of a file
 * share its one mapping (dma_file.c). Ranges without host memory are reached
 * by messages: see dma_message.c.
 */
#include "base/dma_internal.h"

#include <errno.h>
#include <stdlib.h>
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
	free(dma);
}

struct dma_entry *dma_find(struct dma *dma, uint64_t addr)
{
	struct dma_entry *entry = dma->last;

	if (!entry || addr - entry->range.base >= entry->range.size) {
		entry = table_at(dma, table_search(dma, addr));
		if (!entry || addr < entry->range.base)
			return NULL;
		dma->last = entry;
	}
	return entry;
}

static const struct dma_range *dma_range(struct dma *dma, uint64_t addr)
{
	struct dma_entry *entry = dma_find(dma, addr);

	return entry ? &entry->range : NULL;
}

/* 0, or why there cannot be such a range. */
static int dma_check(struct dma *dma, uint64_t base, uint64_t size)
{
	struct dma_entry *next;

	if (size == 0 || base + (size - 1) < base)
		return -EINVAL;
	next = table_at(dma, table_search(dma, base));
	return next && next->range.base <= base + (size - 1) ? -EEXIST : 0;
}

static int dma_insert(struct dma *dma, const struct dma_entry *entry)
{
	dma->generation++;
	return table_insert(dma, table_search(dma, entry->range.base), entry);
}

int dma_map_host(struct dma *dma, uint64_t base, uint64_t size, void *host, unsigned access)
{
	const struct dma_entry entry = {.range = {base, size, host, access}};

	return dma_check(dma, base, size) ?: dma_insert(dma, &entry);
}

int dma_map_fd(struct dma *dma, uint64_t base, uint64_t size, int fd, uint64_t offset,
	       unsigned access)
{
	struct dma_entry entry = {.range = {base, size, NULL, access}, .offset = offset};
	int protection = (access & DMA_WRITE) ? PROT_READ | PROT_WRITE : PROT_READ;
	int result = dma_check(dma, base, size)
			     ?: dma_file_take(dma, fd, offset, size, protection, &entry.file);

	if (result < 0)
		return result;
	if (entry.file->proof <= DMA_PROVEN)
		entry.range.host = entry.file->guard.begin + offset;
	result = dma_insert(dma, &entry);
	if (result < 0)
		dma_file_release(dma, entry.file);
	return result;
}

/* How many ranges there are that lie inside; -EINVAL: one lies half outside. */
static int dma_inside(const struct dma *dma, uint64_t base, uint64_t last)
{
	struct dma_place place = table_search(dma, base);
	struct dma_entry *entry;
	int count = 0;

	for (; (entry = table_at(dma, place)); place = table_next(dma, place)) {
		if (entry->range.base > last)
			break;
		if (entry->range.base < base || last - entry->range.base < entry->range.size - 1)
			return -EINVAL;
		count++;
	}
	return count;
}

int dma_unmap(struct dma *dma, uint64_t base, uint64_t size)
{
	int count;

	if (size == 0 || base + (size - 1) < base)
		return -EINVAL;
	count = dma_inside(dma, base, base + (size - 1));
	for (int i = 0; i < count; i++) {
		struct dma_place place = table_search(dma, base);
		struct dma_file *file = table_at(dma, place)->file;

		table_remove(dma, place);
		if (file)
			dma_file_release(dma, file);
	}
	dma->generation++;
	return count > 0 ? 0 : count < 0 ? count : -ENOENT;
}

void dma_unmap_all(struct dma *dma)
{
	struct dma_place place = {0, 0};
	struct dma_entry *entry;

	for (; (entry = table_at(dma, place)); place = table_next(dma, place)) {
		if (entry->file)
			dma_file_release(dma, entry->file);
	}
	table_free(dma);
	dma->generation++;
	dma_forget(dma);
}

void dma_enable(struct dma *dma, bool bus_master)
{
	dma->enabled = bus_master;
	dma->generation++;
	if (bus_master)
		doubt_ahead(dma);
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
