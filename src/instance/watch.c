/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/watch.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 4096 };

struct watched {
	char *path; /* as it was named */
	char *name; /* in the folder */
	int folder; /* of inotify */
	bool kept;
};

struct watch {
	struct loop *loop;
	struct loop_fd fd;
	void (*changed)(void *context, const char *path);
	void *context;
	struct watched files[FILES_MAX];
	unsigned count;
};

/* A file that was just made is not written yet; a link is. */
static bool tells(const struct watched *file, const struct inotify_event *event)
{
	struct stat found;

	if (file->folder != event->wd || !event->len || strcmp(file->name, event->name))
		return false;
	return !(event->mask & IN_CREATE) ||
	       (lstat(file->path, &found) == 0 && S_ISLNK(found.st_mode));
}

static void watch_ready(struct loop_fd *fd, uint32_t events)
{
	struct watch *watch = fd->context;
	_Alignas(struct inotify_event) char data[4096];
	ssize_t got = read(fd->fd, data, sizeof(data));

	(void)events;
	for (ssize_t at = 0; at < got;) {
		const struct inotify_event *event = (const void *)(data + at);

		for (unsigned i = 0; i < watch->count; i++) {
			if (tells(&watch->files[i], event))
				watch->changed(watch->context, watch->files[i].path);
		}
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

struct watch *watch_new(struct loop *loop, void (*changed)(void *context, const char *path),
			void *context, struct error *err)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	watch->loop = loop;
	watch->changed = changed;
	watch->context = context;
	watch->fd = (struct loop_fd){.ready = watch_ready, .context = watch};
	watch->fd.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd.fd < 0 || loop_add(loop, &watch->fd, EPOLLIN) < 0) {
		error_set(err, -errno, "watching files: %s", strerror(errno));
		watch_free(watch);
		return NULL;
	}
	return watch;
}

static void file_free(struct watched *file)
{
	free(file->path);
	free(file->name);
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	loop_remove(watch->loop, &watch->fd);
	if (watch->fd.fd >= 0)
		close(watch->fd.fd);
	for (unsigned i = 0; i < watch->count; i++)
		file_free(&watch->files[i]);
	free(watch);
}

/* AT: where the file lies, which is not what it is called if a link leads there. */
static void watch_at(struct watch *watch, const char *path, const char *at)
{
	char folder[PATH_MAX], name[PATH_MAX];
	struct watched file;

	if (strlen(at) >= PATH_MAX || watch->count == FILES_MAX)
		return;
	file.folder = inotify_add_watch(watch->fd.fd, dirname(strcpy(folder, at)),
					IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE);
	strcpy(name, basename(strcpy(name, at)));
	for (unsigned i = 0; i < watch->count; i++) {
		if (watch->files[i].folder == file.folder && !strcmp(watch->files[i].path, path) &&
		    !strcmp(watch->files[i].name, name)) {
			watch->files[i].kept = true;
			return;
		}
	}
	file = (struct watched){strdup(path), strdup(name), file.folder, true};
	if (file.folder >= 0 && file.path && file.name)
		watch->files[watch->count++] = file;
	else
		file_free(&file);
}

void watch_begin(struct watch *watch)
{
	for (unsigned i = 0; i < watch->count; i++)
		watch->files[i].kept = false;
}

void watch_file(struct watch *watch, const char *path)
{
	char *whole = realpath(path, NULL);

	watch_at(watch, path, path);
	if (whole)
		watch_at(watch, path, whole);
	free(whole);
}

static bool folder_wanted(const struct watch *watch, int folder)
{
	for (unsigned i = 0; i < watch->count; i++) {
		if (watch->files[i].folder == folder)
			return true;
	}
	return false;
}

void watch_end(struct watch *watch)
{
	for (unsigned i = 0; i < watch->count;) {
		struct watched gone = watch->files[i];

		if (gone.kept) {
			i++;
			continue;
		}
		watch->files[i] = watch->files[--watch->count];
		file_free(&gone);
		if (!folder_wanted(watch, gone.folder))
			inotify_rm_watch(watch->fd.fd, gone.folder);
	}
}
