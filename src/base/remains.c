/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A place is taken by its count of users, so that a handler never reads half a
 * path. What is found at the path in the end is removed only if it is what was
 * made there: somebody may have taken ours away and made his own.
 */
#include "base/remains.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 2048, PATH_BYTES = 112 }; /* as long as a socket's can be */
enum { FREE, TAKEN, THERE };

static struct remain {
	atomic_int state;
	char path[PATH_BYTES];
	dev_t device;
	ino_t inode;
} files[FILES];

static void remain_fill(struct remain *remain, const char *path)
{
	struct stat file = {0};

	lstat(path, &file);
	strcpy(remain->path, path);
	remain->device = file.st_dev;
	remain->inode = file.st_ino;
}

static void remain_unlink(const struct remain *remain)
{
	struct stat file;

	if (lstat(remain->path, &file) == 0 && file.st_dev == remain->device &&
	    file.st_ino == remain->inode)
		unlink(remain->path);
}

void remains_add(const char *path)
{
	for (unsigned i = 0; i < FILES && strlen(path) < PATH_BYTES; i++) {
		int state = FREE;

		if (!atomic_compare_exchange_strong(&files[i].state, &state, TAKEN))
			continue;
		remain_fill(&files[i], path);
		atomic_store(&files[i].state, THERE);
		return;
	}
}

void remains_remove(const char *path)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (atomic_load(&files[i].state) != THERE || strcmp(files[i].path, path))
			continue;
		remain_unlink(&files[i]);
		atomic_store(&files[i].state, FREE);
		return;
	}
	unlink(path); /* there was no place for it */
}

void remains_remove_all(void)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (atomic_load(&files[i].state) == THERE)
			remain_unlink(&files[i]);
	}
}
