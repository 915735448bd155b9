/* SPDX-License-Identifier: Apache-2.0 */
#include "module/wire.h"

#include <string.h>

void wire_begin(struct wire *wire, enum wire_kind kind, unsigned number)
{
	const struct wire_head head = {(uint16_t)kind, (uint16_t)number, 0};

	memcpy(wire->bytes, &head, sizeof(head));
	wire->length = sizeof(head);
	wire->at = sizeof(head);
	wire->bad = 0;
}

void wire_put_bytes(struct wire *wire, const void *from, size_t length)
{
	if (length > sizeof(wire->bytes) - wire->length) {
		wire->bad = 1;
		return;
	}
	if (length)
		memcpy(wire->bytes + wire->length, from, length);
	wire->length += length;
}

void wire_put(struct wire *wire, uint64_t number)
{
	wire_put_bytes(wire, &number, sizeof(number));
}

void *wire_get_bytes(struct wire *wire, size_t length)
{
	void *at = wire->bytes + wire->at;

	if (length > wire->length - wire->at) {
		wire->bad = 1;
		return NULL;
	}
	wire->at += length;
	return at;
}

uint64_t wire_get(struct wire *wire)
{
	const void *at = wire_get_bytes(wire, sizeof(uint64_t));
	uint64_t number = 0;

	if (at)
		memcpy(&number, at, sizeof(number));
	return number;
}
