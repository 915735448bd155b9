/* SPDX-License-Identifier: Apache-2.0 */

/* What is sent and received, and how long that took. */
#include "engine.h"

#include <stdlib.h>
#include <time.h>

const uint8_t engine_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static uint64_t now_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t cpu_now(void)
{
	return now_of(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t wall_now(void)
{
	return now_of(CLOCK_MONOTONIC);
}

static void frame_fill(uint8_t *frame, unsigned index, uint32_t length)
{
	uint32_t value = index + 1;

	for (uint32_t i = 14; i < length; i++) {
		value = value * 1664525 + 1013904223;
		frame[i] = (uint8_t)(value >> 24);
	}
	memcpy(frame, engine_mac, 6);
	memcpy(frame + 6, "\x02\x00\x00\x00\x00\x01\x88\xb5", 8);
}

void frames_fill(uint8_t *memory, uint32_t length)
{
	memset(memory + RX_BUFFERS, 0, 512 * RX_STRIDE);
	for (unsigned i = 0; i < FRAMES; i++)
		frame_fill(memory + tx_buffer(i, length), i, length);
}

bool frame_read(const struct drive *drive, struct sink *sink, uint32_t at, uint32_t length)
{
	sink_read(sink, drive->memory + at, drive->length);
	return length == drive->length;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}
