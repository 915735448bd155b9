/* SPDX-License-Identifier: Apache-2.0 */
#include "base/socket.h"

#include "base/remains.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64 };

/* A socket nobody has is left from a process that died: it is replaced. */
static int replace_stale(const struct sockaddr_un *at, int type, struct error *err)
{
	int probe, refused;
	struct stat file;

	/* connecting to an ordinary file is refused too, and that one is not ours to remove */
	if (lstat(at->sun_path, &file) < 0 || !S_ISSOCK(file.st_mode))
		return error_set(err, -EEXIST, "%s: exists and is not a socket", at->sun_path);
	probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return error_set(err, -errno, "socket: %s", strerror(errno));
	refused = connect(probe, (const struct sockaddr *)at, sizeof(*at)) < 0 ? errno : 0;
	close(probe);
	if (refused != ECONNREFUSED)
		return error_set(err, -EADDRINUSE, "%s: another process serves this socket",
				 at->sun_path);
	unlink(at->sun_path);
	return 0;
}

static int bind_at(const char *path, int type, struct error *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct stat file;
	int fd, result;

	if (!*path) /* would be a name of the kernel's choice */
		return error_set(err, -ENOENT, "the path of a socket is empty");
	if (strlen(path) >= sizeof(at.sun_path))
		return error_set(err, -ENAMETOOLONG,
				 "%s: longer than the %zu bytes of a socket path", path,
				 sizeof(at.sun_path) - 1);
	strcpy(at.sun_path, path);
	if (lstat(path, &file) == 0) {
		result = replace_stale(&at, type, err);
		if (result < 0)
			return result;
	}
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, -errno, "socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
		result = error_set(err, -errno, "%s: %s", path, strerror(errno));
		close(fd);
		return result;
	}
	remains_add(path);
	return fd;
}

void unix_remove(const char *path)
{
	remains_remove(path);
}

bool unix_listens(int fd)
{
	int listens = 0, domain = 0;
	socklen_t length = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX;
}

int unix_listen(const char *path, struct error *err)
{
	return bind_at(path, SOCK_STREAM, err);
}

int unix_bind(const char *path, struct error *err)
{
	return bind_at(path, SOCK_DGRAM, err);
}

int unix_dial(int fd, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	strcpy(at.sun_path, path);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return 0;
	return errno == EAGAIN ? -EBUSY : -errno;
}

int unix_connect(const char *path, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), result;

	if (fd < 0)
		return -errno;
	result = unix_dial(fd, path);
	if (result == 0)
		return fd;
	close(fd);
	return result;
}
