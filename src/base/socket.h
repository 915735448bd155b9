/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/*
 * A non-blocking Unix stream socket that listens at PATH. A stale socket is
 * replaced; a served one, or a file that is no socket, is an error. The
 * descriptor, or -errno.
 */
int unix_listen(const char *path, struct error *err);

/* Is it one of those, made by somebody else? */
bool unix_listens(int fd);
/* A non-blocking socket of TYPE to the one at PATH, or -errno. */
int unix_connect(const char *path, int type);

/* Connects FD to the socket at PATH; 0 or -errno, -EBUSY where it takes no more now. */
int unix_dial(int fd, const char *path);

/* A datagram socket at PATH, under the same rules as one that listens. */
int unix_bind(const char *path, struct error *err);

/* One that was made by these. What a signal leaves no time for is removed then too. */
void unix_remove(const char *path);
