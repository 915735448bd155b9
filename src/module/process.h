/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "module/loader.h"
#include "module/wire.h"

#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_MS = 50 }; /* for one call, once it has started */

struct process {
	struct hooks hooks;
	pid_t pid;
	int link; /* -1: it was stopped */
	bool begun;
	struct wire *in, *out;
};

/* process.c: OUT holds the CALL; true: IN holds its RETURN. False: it was stopped. */
bool process_call(struct process *process, unsigned hook, const struct wire_context *context);
const char *process_send(struct process *process, struct wire *wire);
const char *process_receive(struct process *process, struct wire *wire, int64_t deadline);
struct wire_head process_head(const struct wire *wire);
void process_stop(struct process *process, const char *why); /* for good: it is a NIC's */
void process_end(struct process *process);

/* process_hooks.c: of an instance that is not a NIC's yet; and the hooks that are calls of those in
 * SET, a bit each. */
int32_t process_configure(struct hooks *hooks, struct anynic_draft *draft);
void process_hooks(struct process *process, uint64_t set);
