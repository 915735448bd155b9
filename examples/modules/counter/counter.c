/* SPDX-License-Identifier: Apache-2.0 */

/* Registers that answer: one with the time, one that does not take everything. */
#include <anynic/module.h>

static int32_t microseconds, lock;
static uint64_t began;

static int32_t start(struct anynic_nic *nic)
{
	microseconds = anynic_find(nic, ANYNIC_PLACE, "MICROSECONDS");
	lock = anynic_find(nic, ANYNIC_PLACE, "LOCK");
	return microseconds < 0 || lock < 0 ? ANYNIC_NONE : ANYNIC_OK;
}

static void reset(struct anynic_nic *nic, uint32_t list)
{
	(void)list;
	began = anynic_now(nic);
}

static uint64_t read(struct anynic_nic *nic, uint32_t place, uint32_t index, uint64_t value)
{
	(void)index;
	return place == (uint32_t)microseconds ? (anynic_now(nic) - began) / 1000 : value;
}

static uint64_t write(struct anynic_nic *nic, uint32_t place, uint32_t index, uint64_t value,
		      uint64_t old)
{
	(void)nic;
	(void)index;
	return place == (uint32_t)lock && value && old ? old : value;
}

static int32_t save(struct anynic_nic *nic, void *to, uint32_t room)
{
	uint64_t *since = to;

	if (room < sizeof(*since))
		return ANYNIC_FULL;
	*since = anynic_now(nic) - began;
	return sizeof(*since);
}

static int32_t restore(struct anynic_nic *nic, const void *from, uint32_t length)
{
	const uint64_t *since = from;

	if (length != sizeof(*since))
		return ANYNIC_INVALID;
	began = anynic_now(nic) - *since;
	return ANYNIC_OK;
}

ANYNIC_MODULE(.start = start, .reset = reset, .read = read, .write = write, .save = save,
	      .restore = restore)
