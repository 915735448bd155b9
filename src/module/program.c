/* SPDX-License-Identifier: Apache-2.0 */

/* A program that is waited for, as long as it takes no more than a minute. */
#include "module/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 60000 }; /* ms */

extern char **environ;

int64_t program_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int start(const char *folder, const char *const *arguments, int out, pid_t *child)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, pipe;
	int result;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addchdir_np(&files, folder);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &pipe);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	result =
		posix_spawnp(child, arguments[0], &files, &attributes, (char **)arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return -result;
}

/* What it says, up to its end; false: it takes too long. */
static bool listen_to(int fd, char *said, size_t size)
{
	int64_t until = program_now() + PATIENCE, left;
	size_t length = 0;
	char more[512];

	said[0] = 0;
	while ((left = until - program_now()) > 0) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (poll(&wait, 1, (int)left) <= 0)
			continue;
		got = read(fd, more, sizeof(more));
		if (got <= 0)
			return got == 0;
		for (ssize_t i = 0; i < got && length + 1 < size; i++)
			said[length++] = more[i];
		said[length] = 0;
	}
	return false;
}

int program_run(const char *folder, const char *const *arguments, char *said, size_t size)
{
	int ends[2], result, status = 0;
	pid_t child;
	bool ended;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	result = start(folder, arguments, ends[1], &child);
	close(ends[1]);
	if (result < 0) {
		close(ends[0]);
		return result;
	}
	ended = listen_to(ends[0], said, size);
	close(ends[0]);
	if (!ended)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!ended)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
