/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/layer.h"
#include "base/error.h"
#include "base/loop.h"

/* Limits of what a NIC sends and gets in a second; 0: none. */
struct rate_limits {
	uint64_t tx_bits, tx_frames, rx_bits, rx_frames;
};

/*
 * A layer that holds a NIC to them. Nothing is lost here: what comes too early
 * waits in the guest's ring, or where the host's side keeps what the NIC does not
 * take.
 */
struct layer *rate_open(struct port *inner, const struct rate_limits *limits, struct loop *loop,
			struct error *err);
void rate_set(struct layer *layer, const struct rate_limits *limits);
bool rate_unlimited(const struct rate_limits *limits);
