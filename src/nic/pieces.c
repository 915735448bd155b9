/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory of a slot besides its first buffer: further buffers that the slot
 * itself describes, and arrays of descriptions elsewhere.
 *
 *   slot: address, length, ... at --> { address, length } { address, length }...
 *
 * How many there are and where is what a guest says: COUNT is cut to what a
 * frame can be made of, and each is read from guest memory by itself.
 */
#include "nic/state.h"

#include <string.h>

static int array_each(struct nic *nic, const struct piece *piece, const struct scope *scope,
		      void (*take)(void *context, uint64_t addr, uint32_t length), void *context)
{
	uint64_t at = expr_eval(nic, &piece->at, scope);
	uint64_t count = expr_eval(nic, &piece->count, scope);
	uint8_t one[SLOT_MAX + 8] = {0};
	struct scope inner = *scope;

	inner.slot = one;
	for (uint64_t i = 0; i < count && i < FRAME_IOVS; i++) {
		struct iovec iov[2];
		uint8_t *to = one;
		int got = dma_read_view(nic->bus.memory, at + i * piece->size, piece->size, iov, 2);

		if (got < 0)
			return got;
		for (int k = 0; k < got; k++) {
			memcpy(to, iov[k].iov_base, iov[k].iov_len);
			to += iov[k].iov_len;
		}
		take(context, expr_eval(nic, &piece->address, &inner),
		     (uint32_t)expr_eval(nic, &piece->length, &inner));
		if (piece->last.count && expr_eval(nic, &piece->last, &inner))
			break;
	}
	return 0;
}

int pieces_each(struct nic *nic, const struct use *use, const struct scope *scope,
		void (*take)(void *context, uint64_t addr, uint32_t length), void *context)
{
	int result = 0;

	for (unsigned i = 0; i < use->pieces_count && result == 0; i++) {
		const struct piece *piece = &use->pieces[i];

		if (!expr_holds(nic, &piece->when, scope))
			continue;
		if (piece->array)
			result = array_each(nic, piece, scope, take, context);
		else
			take(context, expr_eval(nic, &piece->address, scope),
			     (uint32_t)expr_eval(nic, &piece->length, scope));
	}
	return result;
}
