/* SPDX-License-Identifier: Apache-2.0 */

/* What a module may ask of rings. */
#include "nic/hooked.h"
#include "nic/service.h"

#include <errno.h>

static int32_t result_of(int error)
{
	return error >= 0	  ? error
	       : error == -EINVAL ? ANYNIC_INVALID
	       : error == -ENOSPC ? ANYNIC_FULL
				  : service_result(error);
}

int32_t service_ring_open(struct anynic_nic *self, int32_t ring, uint64_t base, uint32_t depth,
			  int32_t completion, int32_t vector)
{
	struct ring_opening with = {base, depth, completion, vector};

	return result_of(nic_ring_open(nic_of(self), (uint32_t)ring, &with));
}

int32_t service_ring_close(struct anynic_nic *self, int32_t ring, uint32_t index)
{
	return result_of(nic_ring_close(nic_of(self), (uint32_t)ring, index));
}

int32_t service_ring_wake(struct anynic_nic *self, int32_t ring, uint32_t index)
{
	return result_of(nic_ring_wake(nic_of(self), (uint32_t)ring, index));
}

int32_t service_produce(struct anynic_nic *self, int32_t ring, uint32_t index, const void *entry,
			uint32_t length)
{
	struct nic *nic = nic_of(self);

	if (nic->hooked->within != WITHIN_WORK)
		return ANYNIC_LATER;
	return result_of(nic_ring_produce(nic, (uint32_t)ring, index, entry, length));
}
