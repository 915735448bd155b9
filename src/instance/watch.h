/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"

/*
 * Tells when files get other contents, or are replaced by others of their name.
 * Their folders are watched, and where a path leads to the file by a link, that
 * of the file too.
 */
struct watch;

struct watch *watch_new(struct loop *loop, void (*changed)(void *context, const char *path),
			void *context, struct error *err);
void watch_free(struct watch *watch);

/* The files to look at: those named from begin to end, and no others. */
void watch_begin(struct watch *watch);
void watch_file(struct watch *watch, const char *path);
void watch_end(struct watch *watch);
