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

struct crew *crew_new(const struct crew_config *config, struct error *err);
void crew_free(struct crew *crew); /* when nothing is left on the loops */
/* One more, for somebody who may keep it waiting; NULL: ERR. It stays until the end. */
struct loop *crew_add(struct crew *crew, struct error *err);
unsigned crew_count(const struct crew *crew);
struct loop *crew_loop(const struct crew *crew, unsigned index); /* 0: the caller's */
