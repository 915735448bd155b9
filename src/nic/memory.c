/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory on the card: packet buffers, address PROMs. Bytes, reached through a
 * data port, a part of a BAR, or by rings whose frames lie there.
 *
 *   0          rom                size
 *   |  fixed   |   read, write    |   beyond: ones, and nothing is stored
 *
 * What it holds at first is filled in when the card is made, after its EEPROM
 * is known; resets leave it alone. No offset is trusted: all of them are the
 * guest's.
 */
#include "nic/state.h"

#include <stdlib.h>
#include <string.h>

static void fill(struct nic *nic, const struct memory_fill *fill, uint8_t *to)
{
	struct scope scope = {0};
	uint64_t value = expr_eval(nic, &fill->from, &scope);

	to += fill->at;
	for (unsigned i = 0; i < fill->bytes; i++) {
		memset(to, (int)(value >> i * 8 & 0xff), fill->repeat);
		to += fill->repeat;
	}
}

bool memories_init(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->memories_count; i++) {
		nic->memories[i] = calloc(1, nic->card->memories[i].size);
		if (!nic->memories[i])
			return false;
	}
	return true;
}

void memories_fill(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->memories_count; i++) {
		const struct memory *memory = &nic->card->memories[i];

		for (unsigned k = 0; k < memory->fills_count; k++)
			fill(nic, &memory->fills[k], nic->memories[i]);
	}
}

void memories_free(struct nic *nic)
{
	for (unsigned i = 0; nic->memories && i < nic->card->memories_count; i++)
		free(nic->memories[i]);
	free(nic->memories);
}

uint8_t *memory_at(const struct nic *nic, unsigned memory, uint64_t offset, uint64_t length)
{
	uint32_t size = nic->card->memories[memory].size;

	return offset <= size && length <= size - offset ? nic->memories[memory] + offset : NULL;
}

uint8_t *memory_room(const struct nic *nic, unsigned memory, uint64_t offset, uint64_t length)
{
	return offset >= nic->card->memories[memory].rom ? memory_at(nic, memory, offset, length)
							 : NULL;
}

uint64_t memory_read(const struct nic *nic, unsigned memory, uint64_t offset, unsigned width)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < width; i++) {
		const uint8_t *at = memory_at(nic, memory, offset + i, 1);

		value |= (uint64_t)(at ? *at : 0xff) << i * 8;
	}
	return value;
}

void memory_write(struct nic *nic, unsigned memory, uint64_t offset, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++) {
		uint8_t *at = memory_room(nic, memory, offset + i, 1);

		if (at)
			*at = (uint8_t)(value >> i * 8);
	}
}
