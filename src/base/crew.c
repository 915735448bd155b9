/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"

#include "base/loop_internal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct worker {
	pthread_t thread;
	struct clock clock;
	struct loop *loop;
	struct crew *crew;
	unsigned index;
	bool started;
	sem_t owns; /* its loop: until then calls would be taken for the caller's own */
};

enum { ALL_MAX = CREW_MAX + 512, SHARED_NICE = -10 };

struct crew {
	struct crew_config config;
	unsigned spread; /* the first so many are for whoever comes */
	unsigned count;
	struct worker *workers[ALL_MAX]; /* the first is the caller: only its loop counts */
};

int crew_share_cpu(int cpu)
{
	struct sched_param none = {0};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((unsigned)cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0 ||
	    sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none) < 0)
		return -errno;
	setpriority(PRIO_PROCESS, 0, SHARED_NICE);
	return 0;
}

static void *worker_run(void *context)
{
	struct worker *worker = context;
	int cpu = worker->crew->config.cpu;

	loop_own(worker->loop);
	sem_post(&worker->owns);
	if (cpu >= 0)
		crew_share_cpu(cpu + (int)worker->index); /* as good as it gets */
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

static int worker_new(struct crew *crew, struct worker **made)
{
	struct worker *worker = crew->count < ALL_MAX ? calloc(1, sizeof(*worker)) : NULL;
	int result = 0;

	if (!worker)
		return -ENOMEM;
	worker->crew = crew;
	worker->index = crew->count;
	crew->workers[crew->count++] = worker;
	if (worker->index == 0)
		worker->loop = crew->config.own;
	else if (!crew->config.own->shared)
		result = loop_share(crew->config.own);
	if (worker->index && result == 0)
		result = worker_start(worker);
	*made = worker;
	return result;
}

struct loop *crew_add(struct crew *crew, struct error *err)
{
	struct worker *worker;
	int result = worker_new(crew, &worker);

	if (result == 0)
		return worker->loop;
	error_set(err, result, "one more thread: %s", strerror(-result));
	return NULL;
}

struct crew *crew_new(const struct crew_config *config, struct error *err)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	struct worker *worker;
	int result = crew ? 0 : -ENOMEM;

	if (crew)
		crew->config = *config;
	while (result == 0 && crew->count < config->workers)
		result = worker_new(crew, &worker);
	if (result == 0) {
		crew->spread = crew->count;
		return crew;
	}
	error_set(err, result, "workers: %s", strerror(-result));
	crew_free(crew);
	return NULL;
}

static void worker_free(struct worker *worker)
{
	if (worker->started) {
		loop_hold(worker->loop);
		loop_stop(worker->loop);
		loop_release(worker->loop);
		pthread_join(worker->thread, NULL);
		loop_own(worker->loop);
	}
	if (worker->index && worker->loop)
		loop_unshare(worker->loop);
	if (worker->index)
		loop_free(worker->loop);
	free(worker);
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	for (unsigned i = 0; i < crew->count; i++)
		worker_free(crew->workers[i]);
	loop_unshare(crew->config.own);
	free(crew);
}

unsigned crew_count(const struct crew *crew)
{
	return crew->spread;
}

struct loop *crew_loop(const struct crew *crew, unsigned index)
{
	return crew->workers[index]->loop;
}
