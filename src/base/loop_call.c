/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Calls between the loops of several threads. A loop that is shared has a list
 * of what others want done on it, and an eventfd that says so; what was put
 * there first is done first. Whoever waits holds nothing that the other loop
 * needs: only the thread that makes and ends the others ever waits.
 */
#include "base/loop_internal.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop_shared {
	pthread_mutex_t lock;
	pthread_t owner;
	struct loop_post *first, **last;
	struct loop_fd woken;
};

struct waiting_call {
	struct loop_post post;
	void (*run)(void *context);
	void *context;
	sem_t done;
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

int loop_share(struct loop *loop)
{
	struct loop_shared *shared = calloc(1, sizeof(*shared));
	int result;

	if (!shared)
		return -ENOMEM;
	pthread_mutex_init(&shared->lock, NULL);
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

static void run_waiting(struct loop_post *post)
{
	struct waiting_call *call = (struct waiting_call *)post;

	call->run(call->context);
	sem_post(&call->done);
}

void loop_call(struct loop *loop, void (*run)(void *context), void *context)
{
	struct waiting_call call = {{.run = run_waiting}, run, context, {{0}}};

	if (is_ours(loop)) {
		if (loop->shared)
			run_posts(loop->shared);
		run(context);
		return;
	}
	sem_init(&call.done, 0, 0);
	put(loop->shared, &call.post);
	while (sem_wait(&call.done) < 0)
		;
	sem_destroy(&call.done);
}
