/* SPDX-License-Identifier: Apache-2.0 */

/*
 *   jobs_add ─► waiting ─► thread: run ─post─► loop: thread has ended, done, the next
 *
 * The thread and the jobs share one piece of memory, which the last of them frees:
 * jobs_free() need not wait for a job that may take a minute.
 */
#include "base/job.h"

#include "base/loop_internal.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

struct running {
	pthread_mutex_t lock;
	struct jobs *jobs; /* NULL: they have gone */
	struct job *job;
	struct loop_post post;
};

struct jobs {
	struct loop *loop;
	struct job *first, **last;
	struct running *running;
};

static void start(struct jobs *jobs);

static void running_free(struct running *running)
{
	pthread_mutex_destroy(&running->lock);
	free(running);
}

static void ended(struct loop_post *post)
{
	struct running *running = (struct running *)((char *)post - offsetof(struct running, post));
	struct job *job = running->job;
	struct jobs *jobs;

	pthread_mutex_lock(&running->lock); /* the thread is done with it */
	jobs = running->jobs;
	pthread_mutex_unlock(&running->lock);
	running_free(running);
	if (!jobs) /* they went after it was posted */
		return;
	jobs->running = NULL;
	job->done(job);
	start(jobs);
}

static void *thread_run(void *context)
{
	struct running *running = context;
	bool wanted;

	running->job->run(running->job);
	pthread_mutex_lock(&running->lock);
	wanted = running->jobs;
	if (wanted)
		loop_post(running->jobs->loop, &running->post);
	pthread_mutex_unlock(&running->lock);
	if (!wanted)
		running_free(running);
	return NULL;
}

/* Without a thread it is run here: late is better than never. */
static bool thread_start(struct jobs *jobs, struct running *running)
{
	pthread_attr_t attributes;
	pthread_t thread;
	bool started;

	if (!jobs->loop->shared && loop_share(jobs->loop) < 0)
		return false;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	started = pthread_create(&thread, &attributes, thread_run, running) == 0;
	pthread_attr_destroy(&attributes);
	return started;
}

static void start(struct jobs *jobs)
{
	struct job *job = jobs->first;
	struct running *running;

	if (!job || jobs->running)
		return;
	jobs->first = job->next;
	if (!jobs->first)
		jobs->last = &jobs->first;
	running = calloc(1, sizeof(*running));
	if (running) {
		*running = (struct running){.jobs = jobs, .job = job, .post = {.run = ended}};
		pthread_mutex_init(&running->lock, NULL);
		jobs->running = running;
		if (thread_start(jobs, running))
			return;
		jobs->running = NULL;
		running_free(running);
	}
	job->run(job);
	job->done(job);
	start(jobs);
}

struct jobs *jobs_new(struct loop *loop)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (!jobs)
		return NULL;
	jobs->loop = loop;
	jobs->last = &jobs->first;
	return jobs;
}

void jobs_free(struct jobs *jobs)
{
	struct job *job;

	if (!jobs)
		return;
	if (jobs->running) {
		pthread_mutex_lock(&jobs->running->lock);
		jobs->running->jobs = NULL;
		pthread_mutex_unlock(&jobs->running->lock);
	}
	while ((job = jobs->first)) {
		jobs->first = job->next;
		job->done(job);
	}
	free(jobs);
}

void jobs_add(struct jobs *jobs, struct job *job)
{
	job->next = NULL;
	*jobs->last = job;
	jobs->last = &job->next;
	start(jobs);
}
