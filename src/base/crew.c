/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

struct worker {
	pthread_t thread;
	struct clock clock;
	struct loop *loop;
	struct crew *crew;
	unsigned index;
	bool started;
	sem_t owns; /* its loop: until then calls would be taken for the caller's own */
};

struct crew {
	struct crew_config config;
	unsigned count;
	struct worker workers[]; /* the first is the caller: only its loop counts */
};

static void to_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((unsigned)cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus); /* as good as it gets */
}

static void *worker_run(void *context)
{
	struct worker *worker = context;
	int cpu = worker->crew->config.cpu;

	loop_own(worker->loop);
	sem_post(&worker->owns);
	if (cpu >= 0)
		to_cpu(cpu + (int)worker->index);
	loop_run(worker->loop);
	return NULL;
}

static int worker_start(struct worker *worker)
{
	int result;

	clock_init(&worker->clock, false);
	worker->loop = loop_new(&worker->clock);
	if (!worker->loop)
		return -ENOMEM;
	loop_busy_poll(worker->loop, worker->crew->config.poll_us);
	sem_init(&worker->owns, 0, 0);
	result = loop_share(worker->loop);
	if (result == 0)
		result = -pthread_create(&worker->thread, NULL, worker_run, worker);
	worker->started = result == 0;
	while (worker->started && sem_wait(&worker->owns) < 0)
		;
	return result;
}

struct crew *crew_new(const struct crew_config *config, struct error *err)
{
	struct crew *crew = calloc(1, sizeof(*crew) + config->workers * sizeof(crew->workers[0]));
	int result = crew ? 0 : -ENOMEM;

	if (crew) {
		crew->config = *config;
		crew->count = 1;
		crew->workers[0].loop = config->own;
		if (config->workers > 1)
			result = loop_share(config->own);
	}
	for (unsigned i = 1; i < config->workers && result == 0; i++) {
		crew->workers[i].crew = crew;
		crew->workers[i].index = i;
		crew->count++;
		result = worker_start(&crew->workers[i]);
	}
	if (result == 0)
		return crew;
	error_set(err, result, "workers: %s", strerror(-result));
	crew_free(crew);
	return NULL;
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	for (unsigned i = 1; i < crew->count; i++) {
		struct worker *worker = &crew->workers[i];

		if (worker->started) {
			loop_hold(worker->loop);
			loop_stop(worker->loop);
			loop_release(worker->loop);
			pthread_join(worker->thread, NULL);
			loop_own(worker->loop);
		}
		if (worker->loop)
			loop_unshare(worker->loop);
		loop_free(worker->loop);
	}
	loop_unshare(crew->config.own);
	free(crew);
}

unsigned crew_count(const struct crew *crew)
{
	return crew->count;
}

struct loop *crew_loop(const struct crew *crew, unsigned index)
{
	return crew->workers[index].loop;
}
