/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A record in guest memory that an action reads or writes.
 *
 *   load    bytes of the record, then of its lists, are copied in; only when
 *           all of them are here do fields go to registers, low ones first, then
 *           the elements of each list in their order
 *   store   a copy is built from the values and written as a whole; what no
 *           field speaks of is 0
 *
 *   0      size                                RECORD_BYTES
 *   |------|            at       at + n * size |
 *   | fixed fields ...  | list: n <= max       |
 *
 * The guest chooses the address and, through counts, how long a list is: max=
 * bounds it, and the reader has checked that every list ends within the copy.
 * Bytes of a list that were not copied in this time are zeros.
 */
#include "nic/state.h"

#include <errno.h>
#include <string.h>

enum { VIEWS = 8 };

static int fetch(struct nic *nic, uint64_t addr, unsigned at, unsigned length)
{
	uint8_t *to = nic->record + at;
	struct iovec iov[VIEWS];
	int got;

	if (!length)
		return 0;
	got = dma_read_view(nic->bus.memory, addr + at, length, iov, VIEWS);
	for (int i = 0; i < got; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	return got < 0 ? got : 0;
}

/* Words of the card's order to words of ours, or back. */
static void swap(struct nic *nic, const struct record *record, unsigned at, unsigned length)
{
	struct scope scope = {0};
	unsigned unit = record->unit;

	if (!record->order.count || !expr_eval(nic, &record->order, &scope))
		return;
	for (; length >= unit; at += unit, length -= unit) {
		for (unsigned i = 0; i < unit / 2; i++) {
			uint8_t byte = nic->record[at + i];

			nic->record[at + i] = nic->record[at + unit - 1 - i];
			nic->record[at + unit - 1 - i] = byte;
		}
	}
}

static unsigned list_count(struct nic *nic, const struct record_list *list,
			   const struct scope *scope)
{
	uint64_t count = list->count.count ? expr_eval(nic, &list->count, scope) : list->max;

	if (list->in_bytes)
		count /= list->size;
	return count < list->max ? (unsigned)count : list->max;
}

static int record_fetch(struct nic *nic, const struct record *record, uint64_t addr,
			const struct scope *scope)
{
	int result;

	memset(nic->record, 0, sizeof(nic->record));
	result = fetch(nic, addr, 0, record->size);
	if (result < 0)
		return result;
	swap(nic, record, 0, record->size);
	for (unsigned i = 0; i < record->lists_count; i++) {
		const struct record_list *list = &record->lists[i];
		unsigned length = list_count(nic, list, scope) * list->size;

		if (list->at + length <= record->size)
			continue; /* it lies within what is here already */
		result = fetch(nic, addr, list->at, length);
		if (result < 0)
			return result;
		swap(nic, record, list->at, length);
	}
	return 0;
}

static void fields_load(struct nic *nic, const struct record_field *fields, unsigned count,
			const struct scope *scope)
{
	for (unsigned i = 0; i < count; i++) {
		const struct record_field *field = &fields[i];

		if (!field->loads)
			continue;
		target_put(nic, &field->to, scope,
			   field->value.count ? expr_eval(nic, &field->value, scope)
					      : slot_bits(scope->slot + field->bit / 8,
							  field->bit % 8, field->width));
	}
}

int record_load(struct nic *nic, const struct record *record, uint64_t addr, struct scope *scope)
{
	struct scope inner = *scope;
	int result;

	inner.slot = nic->record;
	result = record_fetch(nic, record, addr, &inner);
	if (result < 0)
		return result;
	fields_load(nic, record->fields, record->fields_count, &inner);
	for (unsigned i = 0; i < record->lists_count; i++) {
		const struct record_list *list = &record->lists[i];
		unsigned count;

		inner.slot = nic->record;
		count = list_count(nic, list, &inner);
		for (inner.index = 0; inner.index < count; inner.index++) {
			inner.slot = nic->record + list->at + inner.index * list->size;
			fields_load(nic, list->fields, list->fields_count, &inner);
			actions_run(nic, &list->actions, &inner);
		}
	}
	return 0;
}

static void fields_store(struct nic *nic, const struct record_field *fields, unsigned count,
			 uint8_t *to, const struct scope *scope)
{
	for (unsigned i = 0; i < count; i++) {
		if (fields[i].stores)
			slot_set(to, fields[i].bit, fields[i].width,
				 expr_eval(nic, &fields[i].value, scope));
	}
}

static void record_build(struct nic *nic, const struct record *record, const struct scope *scope)
{
	memset(nic->record, 0, sizeof(nic->record));
	fields_store(nic, record->fields, record->fields_count, nic->record, scope);
	for (unsigned i = 0; i < record->lists_count; i++) {
		const struct record_list *list = &record->lists[i];
		unsigned count = list_count(nic, list, scope);
		struct scope inner = *scope;

		for (inner.index = 0; inner.index < count; inner.index++)
			fields_store(nic, list->fields, list->fields_count,
				     nic->record + list->at + inner.index * list->size, &inner);
	}
	swap(nic, record, 0, record->size);
}

/* Only the fixed part: lists that are stored lie within it, which the reader has checked. */
int record_store(struct nic *nic, const struct record *record, uint64_t addr, struct scope *scope)
{
	struct iovec iov[VIEWS];
	const uint8_t *from = nic->record;
	int got = dma_write_view(nic->bus.memory, addr, record->size, iov, VIEWS);

	if (got < 0)
		return got;
	counters_post(nic); /* the card may be asked for them */
	record_build(nic, record, scope);
	for (int i = 0; i < got; i++) {
		memcpy(iov[i].iov_base, from, iov[i].iov_len);
		from += iov[i].iov_len;
	}
	return 0;
}
