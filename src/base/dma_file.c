/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files that a client handed over. It sends a new descriptor with every map, of
 * which it makes many and revokes them again, so a file is known by its inode
 * and mapped whole: further ranges of it cost no mapping, and what was touched
 * once stays at hand. The inode cannot be another's while we map it.
 */
#include "base/dma_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { PAGE = 4096 };

static struct dma_file *file_find(struct dma *dma, const struct stat *status, uint64_t end,
				  int protection)
{
	struct dma_file *file = dma->files;

	/* not one that was cut short: the range would see the zeros in its place */
	while (file && (file->device != status->st_dev || file->inode != status->st_ino ||
			file->guard.protection != protection || file->guard.size < end ||
			file->guard.faults))
		file = file->next;
	return file;
}

static int file_map(struct dma_file *file, int fd, const struct stat *status, int protection)
{
	size_t page = (size_t)status->st_blksize;
	void *map =
		mmap(NULL, (size_t)status->st_size, protection, MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	file->guard.begin = map;
	file->guard.size = (size_t)status->st_size;
	file->guard.page = page > PAGE && !(page & (page - 1)) ? page : PAGE;
	file->guard.protection = protection;
	guard_stand(&file->guard);
	return 0;
}

static int file_new(struct dma *dma, int fd, const struct stat *status, int protection,
		    struct dma_file **ret_file)
{
	struct dma_file *file = calloc(1, sizeof(*file));
	int result = file ? file_map(file, fd, status, protection) : -ENOMEM;

	if (result < 0) {
		free(file);
		return result;
	}
	file->device = status->st_dev;
	file->inode = status->st_ino;
	file->next = dma->files;
	dma->files = file;
	doubt_file(dma, file);
	*ret_file = file;
	return 0;
}

int dma_file_take(struct dma *dma, int fd, uint64_t offset, uint64_t size, int protection,
		  struct dma_file **ret_file)
{
	struct stat status;
	int result = 0;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || offset + size < offset ||
	    offset + size > (uint64_t)status.st_size)
		return -EINVAL;
	*ret_file = file_find(dma, &status, offset + size, protection);
	if (!*ret_file)
		result = file_new(dma, fd, &status, protection, ret_file);
	if (result == 0)
		(*ret_file)->users++;
	return result;
}

void dma_file_unmap(struct dma_file *file)
{
	if (!file->guard.begin)
		return;
	guard_drop(&file->guard);
	munmap(file->guard.begin, file->guard.size);
	file->guard.begin = NULL;
}

void dma_file_release(struct dma *dma, struct dma_file *file)
{
	struct dma_file **at = &dma->files;

	if (--file->users)
		return;
	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	dma_file_unmap(file);
	dma->faults += file->guard.faults;
	free(file);
}

uint64_t dma_faults(const struct dma *dma)
{
	uint64_t faults = dma->faults;

	for (const struct dma_file *file = dma->files; file; file = file->next)
		faults += file->guard.faults;
	return faults;
}
