/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A sink that reads every byte of every frame: what it sums is what it was given. */
struct sink {
	uint64_t frames, bytes, sum;
};

static inline uint64_t sum_tail(const uint8_t *data, size_t length)
{
	uint64_t sum = 0;

	while (length--)
		sum += *data++;
	return sum;
}

#ifdef __SSE2__
static inline uint64_t sum_bytes(const uint8_t *data, size_t length)
{
	const __m128i zero = _mm_setzero_si128();
	__m128i a = zero, b = zero;
	uint64_t halves[2];

	for (; length >= 32; data += 32, length -= 32) {
		a = _mm_add_epi64(
			a,
			_mm_sad_epu8(_mm_loadu_si128((const __m128i *)(const void *)data), zero));
		b = _mm_add_epi64(
			b, _mm_sad_epu8(_mm_loadu_si128((const __m128i *)(const void *)(data + 16)),
					zero));
	}
	_mm_storeu_si128((__m128i *)(void *)halves, _mm_add_epi64(a, b));
	return halves[0] + halves[1] + sum_tail(data, length);
}
#else
static inline uint64_t sum_bytes(const uint8_t *data, size_t length)
{
	return sum_tail(data, length);
}
#endif

static inline void sink_read(struct sink *sink, const void *data, size_t length)
{
	sink->frames++;
	sink->bytes += length;
	sink->sum += sum_bytes(data, length);
}
