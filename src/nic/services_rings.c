/* SPDX-License-Identifier: Apache-2.0 */

/* What a module may ask of rings. */
#include "nic/hooked.h"
#include "nic/service.h"

/* No ring of today's descriptions has instances. */
int32_t service_ring_open(struct anynic_nic *self, int32_t ring, uint64_t base, uint32_t depth,
			  int32_t completion, int32_t vector)
{
	(void)self, (void)ring, (void)base, (void)depth, (void)completion, (void)vector;
	return ANYNIC_NONE;
}

int32_t service_ring_close(struct anynic_nic *self, int32_t ring, uint32_t index)
{
	(void)self, (void)ring, (void)index;
	return ANYNIC_NONE;
}

int32_t service_produce(struct anynic_nic *self, int32_t ring, uint32_t index, const void *entry,
			uint32_t length)
{
	(void)self, (void)ring, (void)index, (void)entry, (void)length;
	return ANYNIC_NONE;
}

int32_t service_ring_wake(struct anynic_nic *self, int32_t ring, uint32_t index)
{
	struct nic *nic = nic_of(self);

	if (ring < 0 || ring >= nic->card->rings_count || index >= nic->card->rings[ring].count)
		return ANYNIC_INVALID;
	ring_wake(nic, nic->card->rings[ring].first + index);
	return ANYNIC_OK;
}
