/* SPDX-License-Identifier: Apache-2.0 */

/* A place is taken by its count of users, so that a handler never reads half a path. */
#include "base/remains.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 2048, PATH_BYTES = 112 }; /* as long as a socket's can be */
enum { FREE, TAKEN, THERE };

static struct {
	atomic_int state;
	char path[PATH_BYTES];
} files[FILES];

void remains_add(const char *path)
{
	for (unsigned i = 0; i < FILES && strlen(path) < PATH_BYTES; i++) {
		int state = FREE;

		if (!atomic_compare_exchange_strong(&files[i].state, &state, TAKEN))
			continue;
		strcpy(files[i].path, path);
		atomic_store(&files[i].state, THERE);
		return;
	}
}

void remains_remove(const char *path)
{
	unlink(path);
	for (unsigned i = 0; i < FILES; i++) {
		if (atomic_load(&files[i].state) != THERE || strcmp(files[i].path, path))
			continue;
		atomic_store(&files[i].state, FREE);
		return;
	}
}

void remains_remove_all(void)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (atomic_load(&files[i].state) == THERE)
			unlink(files[i].path);
	}
}
