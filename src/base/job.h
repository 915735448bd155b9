/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/loop.h"

/*
 * What takes longer than a loop may stand still, on a thread of its own: one job at
 * a time, in the order they came. What a job touches is its own until it is done.
 */
struct jobs;

struct job {
	void (*run)(struct job *self);	/* there */
	void (*done)(struct job *self); /* on the loop's thread; may free itself */
	struct job *next;
};

struct jobs *jobs_new(struct loop *loop); /* NULL: no memory */
/* Those that have not begun are done with unrun; the one that has is left to itself. */
void jobs_free(struct jobs *jobs);
void jobs_add(struct jobs *jobs, struct job *job);
