/* SPDX-License-Identifier: Apache-2.0 */

/* What a module may ask of memory: the guest's, the card's, and records in them. */
#include "nic/hooked.h"
#include "nic/service.h"

#include <errno.h>
#include <string.h>

enum { VIEWS = 32, COPY_MAX = 1 << 20 };

int32_t service_result(int error)
{
	return error >= 0	   ? ANYNIC_OK
	       : error == -EAGAIN  ? ANYNIC_AGAIN
	       : error == -ENOBUFS ? ANYNIC_FULL
				   : ANYNIC_FAULT;
}

static int32_t may(const struct nic *nic, uint32_t length)
{
	if (nic->hooked->within != WITHIN_WORK)
		return ANYNIC_LATER;
	return length <= COPY_MAX ? ANYNIC_OK : ANYNIC_INVALID;
}

int32_t service_read(struct anynic_nic *self, uint64_t address, void *to, uint32_t length)
{
	struct nic *nic = nic_of(self);
	int32_t result = may(nic, length);
	struct iovec iov[VIEWS];
	uint8_t *at = to;
	int got;

	if (result < 0 || !length)
		return result;
	got = dma_read_view(nic->bus.memory, address, length, iov, VIEWS);
	for (int i = 0; i < got; i++) {
		memcpy(at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	return service_result(got);
}

int32_t service_write(struct anynic_nic *self, uint64_t address, const void *from, uint32_t length)
{
	struct nic *nic = nic_of(self);
	int32_t result = may(nic, length);
	struct iovec iov[VIEWS];
	const uint8_t *at = from;
	int got;

	if (result < 0 || !length)
		return result;
	got = dma_write_view(nic->bus.memory, address, length, iov, VIEWS);
	for (int i = 0; i < got; i++) {
		memcpy(iov[i].iov_base, at, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	return service_result(got);
}

int32_t service_card_read(struct anynic_nic *self, int32_t memory, uint32_t at, void *to,
			  uint32_t length)
{
	struct nic *nic = nic_of(self);
	const uint8_t *from = NULL;

	if (memory >= 0 && memory < nic->card->memories_count)
		from = memory_at(nic, (unsigned)memory, at, length);
	if (from && length)
		memcpy(to, from, length);
	return from ? ANYNIC_OK : ANYNIC_INVALID;
}

int32_t service_card_write(struct anynic_nic *self, int32_t memory, uint32_t at, const void *from,
			   uint32_t length)
{
	struct nic *nic = nic_of(self);
	uint8_t *to = NULL;

	if (memory >= 0 && memory < nic->card->memories_count)
		to = memory_at(nic, (unsigned)memory, at, length);
	if (to && length)
		memcpy(to, from, length);
	return to ? ANYNIC_OK : ANYNIC_INVALID;
}

/* ---- records ---- */

static int32_t with_record(struct nic *nic, int32_t record, uint64_t address,
			   int (*what)(struct nic *nic, const struct record *record, uint64_t addr,
				       struct scope *scope))
{
	struct scope scope = {0};
	int32_t result = may(nic, 0);

	if (record < 0 || record >= nic->card->layouts_count)
		return ANYNIC_INVALID;
	if (result < 0)
		return result;
	return service_result(what(nic, &nic->card->records[record], address, &scope));
}

int32_t service_load(struct anynic_nic *self, int32_t record, uint64_t address)
{
	return with_record(nic_of(self), record, address, record_load);
}

int32_t service_store(struct anynic_nic *self, int32_t record, uint64_t address)
{
	return with_record(nic_of(self), record, address, record_store);
}

static const struct slot_field *field_at(const struct nic *nic, int32_t handle)
{
	unsigned layout = (uint32_t)handle >> 16, field = (uint32_t)handle & 0xffff;

	return handle >= 0 && layout < nic->card->layouts_count &&
			       field < nic->card->layouts[layout].count
		       ? &nic->card->layouts[layout].fields[field]
		       : NULL;
}

/* The bytes of a field, in a buffer of their own that may be read by whole loads. */
static unsigned field_bytes(const struct slot_field *field, unsigned *bit)
{
	*bit = field->low % 8;
	return (*bit + field->width + 7u) / 8;
}

uint64_t service_field(struct anynic_nic *self, int32_t handle, const void *record, uint32_t length)
{
	const struct slot_field *field = field_at(nic_of(self), handle);
	uint8_t bytes[24] = {0};
	unsigned bit, count;

	if (!field)
		return 0;
	count = field_bytes(field, &bit);
	for (unsigned i = 0; i < count && field->low / 8 + i < length; i++)
		bytes[i] = ((const uint8_t *)record)[field->low / 8 + i];
	return slot_bits(bytes, bit, field->width);
}

int32_t service_field_set(struct anynic_nic *self, int32_t handle, void *record, uint32_t length,
			  uint64_t value)
{
	const struct slot_field *field = field_at(nic_of(self), handle);
	uint8_t bytes[24] = {0}, *at;
	unsigned bit, count;

	if (!field)
		return ANYNIC_INVALID;
	count = field_bytes(field, &bit);
	if (field->low / 8 + count > length)
		return ANYNIC_INVALID;
	at = (uint8_t *)record + field->low / 8;
	memcpy(bytes, at, count);
	slot_set(bytes, bit, field->width, value);
	memcpy(at, bytes, count);
	return ANYNIC_OK;
}
