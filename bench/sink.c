/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#ifdef __SSE2__
#include <emmintrin.h>

static __m128i sum16(__m128i sum, const uint8_t *data)
{
	return _mm_add_epi64(sum, _mm_sad_epu8(_mm_loadu_si128((const __m128i *)(const void *)data),
					       _mm_setzero_si128()));
}

/* Aligned: where the linker puts it must not be what is measured. */
__attribute__((aligned(64))) uint64_t sink_sum(const uint8_t *data, size_t length)
{
	__m128i a = _mm_setzero_si128(), b = a, c = a, d = a;
	uint64_t halves[2], sum;

	for (; length >= 64; data += 64, length -= 64) {
		a = sum16(a, data);
		b = sum16(b, data + 16);
		c = sum16(c, data + 32);
		d = sum16(d, data + 48);
	}
	for (; length >= 16; data += 16, length -= 16)
		a = sum16(a, data);
	_mm_storeu_si128((__m128i *)(void *)halves,
			 _mm_add_epi64(_mm_add_epi64(a, b), _mm_add_epi64(c, d)));
	for (sum = halves[0] + halves[1]; length; length--)
		sum += *data++;
	return sum;
}
#else
uint64_t sink_sum(const uint8_t *data, size_t length)
{
	uint64_t sum = 0;

	while (length--)
		sum += *data++;
	return sum;
}
#endif
