/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A sink that reads every byte of every frame: what it sums is what it was
 * given. One function for all sides, so that all pay the same for reading.
 */
struct sink {
	uint64_t frames, bytes, sum;
};

uint64_t sink_sum(const uint8_t *data, size_t length);

static inline void sink_read(struct sink *sink, const void *data, size_t length)
{
	sink->frames++;
	sink->bytes += length;
	sink->sum += sink_sum(data, length);
}
