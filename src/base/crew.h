/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"

/*
 * Loops of several threads: the caller's own, which he runs himself, and others
 * with a thread each. Signals are to be blocked before.
 */
struct crew;

struct crew_config {
	struct loop *own;
	unsigned workers; /* loops in all, from 1 */
	int cpu; /* of the caller's thread; the others are on those behind it. -1: anywhere */
	unsigned poll_us;
};

enum { CREW_MAX = 64 };

/*
 * The calling thread on a CPU that it shares with a virtual one: as a batch task
 * it does not interrupt that one at each posted write, but sees several at once
 * when it waits. Its weight is for the VM's own threads, where we may have it:
 * beside a light server the one that takes in an answer loses the CPU to the one
 * it wakes, which then finds a lock held, and both are switched to once more.
 * Processes and threads that it makes do not inherit the weight. 0 or -errno.
 */
int crew_share_cpu(int cpu);

struct crew *crew_new(const struct crew_config *config, struct error *err);
void crew_free(struct crew *crew); /* when nothing is left on the loops */
/* One more, for somebody who may keep it waiting; NULL: ERR. It stays until the end. */
struct loop *crew_add(struct crew *crew, struct error *err);
unsigned crew_count(const struct crew *crew);
struct loop *crew_loop(const struct crew *crew, unsigned index); /* 0: the caller's */
