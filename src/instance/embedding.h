/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "anynic/anynic.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/loop.h"

/* Behind anynic.h. */
struct host;

struct anynic {
	struct clock clock;
	struct loop *loop;
	struct host *host;
	char *cards; /* or NULL */
	struct anynic_device *devices;
	struct anynic_wire *wires;
};

/* What of OPTIONS the caller knows of; the rest is zero. false: it is no version of ours. */
bool embedding_options(void *to, size_t room, const void *options);
int embedding_error(struct anynic_error *error, const struct error *err);

/* The wires go with the networks. */
void embedding_wires_free(struct anynic *nics);
