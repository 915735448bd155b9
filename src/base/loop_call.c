/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Calls between the loops of several threads. A loop that is shared has a list
 * of what others want done on it, and an eventfd that says so; what was put
 * there first is done first. Only the thread that makes and ends the others ever
 * waits for one, so that no two wait for each other.
 */
#include "base/loop_internal.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop_shared {
	pthread_mutex_t lock;
	pthread_t owner;
	struct loop_post *first, **last;
	struct loop_fd woken;
	/* held: the owner waits in a post of ours */
	unsigned held;
	struct loop_post pause;
	sem_t paused, resumed;
};

static struct loop_post *take_all(struct loop_shared *shared)
{
	struct loop_post *first;

	pthread_mutex_lock(&shared->lock);
	first = shared->first;
	shared->first = NULL;
	shared->last = &shared->first;
	pthread_mutex_unlock(&shared->lock);
	return first;
}

/* A post may be gone as soon as it has run. */
static void run_posts(struct loop_shared *shared)
{
	struct loop_post *post = take_all(shared);

	while (post) {
		struct loop_post *next = post->next;

		post->run(post);
		post = next;
	}
}

static void woken(struct loop_fd *fd, uint32_t events)
{
	eventfd_t count;

	(void)events;
	eventfd_read(fd->fd, &count);
	run_posts(fd->context);
}

static void stand_still(struct loop_post *post)
{
	struct loop_shared *shared =
		(struct loop_shared *)((char *)post - offsetof(struct loop_shared, pause));

	sem_post(&shared->paused);
	while (sem_wait(&shared->resumed) < 0)
		;
}

int loop_share(struct loop *loop)
{
	struct loop_shared *shared = calloc(1, sizeof(*shared));
	int result;

	if (!shared)
		return -ENOMEM;
	pthread_mutex_init(&shared->lock, NULL);
	sem_init(&shared->paused, 0, 0);
	sem_init(&shared->resumed, 0, 0);
	shared->pause.run = stand_still;
	shared->owner = pthread_self();
	shared->last = &shared->first;
	shared->woken = (struct loop_fd){.ready = woken, .context = shared};
	shared->woken.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	result = shared->woken.fd < 0 ? -errno : loop_add(loop, &shared->woken, EPOLLIN);
	loop->shared = shared;
	if (result < 0)
		loop_unshare(loop);
	return result;
}

void loop_unshare(struct loop *loop)
{
	struct loop_shared *shared = loop->shared;

	if (!shared)
		return;
	run_posts(shared);
	loop_remove(loop, &shared->woken);
	if (shared->woken.fd >= 0)
		close(shared->woken.fd);
	pthread_mutex_destroy(&shared->lock);
	sem_destroy(&shared->paused);
	sem_destroy(&shared->resumed);
	free(shared);
	loop->shared = NULL;
}

void loop_own(struct loop *loop)
{
	loop->shared->owner = pthread_self();
}

static bool is_ours(const struct loop *loop)
{
	return !loop->shared || pthread_equal(loop->shared->owner, pthread_self());
}

static void put(struct loop_shared *shared, struct loop_post *post)
{
	post->next = NULL;
	pthread_mutex_lock(&shared->lock);
	*shared->last = post;
	shared->last = &post->next;
	pthread_mutex_unlock(&shared->lock);
	eventfd_write(shared->woken.fd, 1);
}

void loop_post(struct loop *loop, struct loop_post *post)
{
	if (loop->shared)
		put(loop->shared, post);
	else
		post->run(post);
}

void loop_hold(struct loop *loop)
{
	struct loop_shared *shared = loop->shared;

	if (!shared)
		return;
	if (is_ours(loop)) {
		run_posts(shared);
		return;
	}
	if (shared->held++)
		return;
	put(shared, &shared->pause);
	while (sem_wait(&shared->paused) < 0)
		;
}

void loop_release(struct loop *loop)
{
	struct loop_shared *shared = loop->shared;

	if (!shared || is_ours(loop) || --shared->held)
		return;
	sem_post(&shared->resumed);
}
