/* SPDX-License-Identifier: Apache-2.0 */
#include "nic/state.h"

#include <string.h>

/* Unaligned and wider than one load, or of no slot. */
uint64_t slot_bits_wide(const uint8_t *slot, unsigned bit, unsigned width)
{
	if (!slot)
		return 0;
	return slot_bits(slot, bit + 32, width - 32) << 32 | slot_bits(slot, bit, 32);
}

void slot_set(uint8_t *slot, unsigned bit, unsigned width, uint64_t value)
{
	for (unsigned done = 0; done < width;) {
		unsigned shift = (bit + done) & 7, part = 8 - shift;
		uint8_t mask;

		if (part > width - done)
			part = width - done;
		mask = (uint8_t)(((1u << part) - 1) << shift);
		slot[(bit + done) / 8] = (uint8_t)((slot[(bit + done) / 8] & ~mask) |
						   ((value >> done << shift) & mask));
		done += part;
	}
}

static uint32_t crc(uint64_t address, bool little)
{
	uint32_t crc = ~0u;

	for (unsigned i = 0; i < 48; i++) {
		uint32_t bit = address >> i & 1;

		if (little)
			crc = (crc >> 1) ^ (((crc ^ bit) & 1) ? 0xedb88320u : 0);
		else
			crc = (crc << 1) ^ (((crc >> 31) ^ bit) ? 0x04c11db7u : 0);
	}
	return crc;
}

static uint64_t mac_value(const struct nic *nic)
{
	uint64_t value = 0;

	memcpy(&value, nic->mac, sizeof(nic->mac));
	return value;
}

static uint64_t frame_value(const struct facts *facts, unsigned which, unsigned shift)
{
	static const struct facts none;

	if (!facts)
		facts = &none;
	switch (which) {
	case VALUE_FRAME_LENGTH:
		return facts->length;
	case VALUE_FRAME_PUT:
		return facts->put;
	case VALUE_FRAME_FIRST:
		return facts->first;
	case VALUE_FRAME_LAST:
		return facts->last;
	case VALUE_FRAME_DESTINATION:
		return facts->destination;
	case VALUE_FRAME_BROADCAST:
		return facts->destination == 0xffffffffffffull;
	case VALUE_FRAME_MULTICAST:
		return facts->destination & 1;
	case VALUE_FRAME_TCI:
		return facts->tci;
	case VALUE_FRAME_VLAN:
		return facts->vlan;
	case VALUE_FRAME_TYPE:
		return facts->type;
	case VALUE_FRAME_L4:
		return facts->l4;
	case VALUE_FRAME_CHECKED_IP:
		return facts->checked_ip;
	case VALUE_FRAME_OK_IP:
		return facts->ok_ip;
	case VALUE_FRAME_CHECKED_L4:
		return facts->checked_l4;
	case VALUE_FRAME_OK_L4:
		return facts->ok_l4;
	case VALUE_FRAME_MATCH:
		return facts->match >> shift & 1;
	case VALUE_FRAME_NEXT:
		return facts->next;
	case VALUE_FRAME_HASH:
		return facts->hash;
	case VALUE_FRAME_SUM:
		return facts->sum;
	default:
		return 0;
	}
}

static uint64_t ring_value(struct nic *nic, const struct op *op, unsigned ring)
{
	switch (op->value) {
	case VALUE_RING_STATE:
		return nic->rings[ring].state;
	case VALUE_RING_READY:
		return ring_ready(nic, ring);
	case VALUE_RING_ENTRIES:
		return nic->rings[ring].entries;
	default:
		return ring_cursor(nic, ring);
	}
}

/* A register that shows what it reads here comes to an end. */
static uint64_t peek(struct nic *nic, const struct op *op, uint64_t offset)
{
	uint64_t value = 0;

	if (op->shift)
		return memory_read(nic, op->word, offset, 4);
	if (nic->nesting == NESTING_MAX || offset >= nic->card->banks[op->word].size)
		return 0;
	nic->nesting++;
	value = bank_read(nic, op->word, (uint32_t)offset, op->width / 8, false);
	nic->nesting--;
	return value;
}

static uint64_t engine_value(struct nic *nic, const struct op *op, const struct scope *scope)
{
	switch (op->value) {
	case VALUE_NEW:
		return scope->new;
	case VALUE_OLD:
		return scope->old;
	case VALUE_INDEX:
		return scope->index;
	case VALUE_HERE:
		return scope->here;
	case VALUE_MAC:
		return mac_value(nic);
	case VALUE_LINK_UP:
		return phy_up(nic);
	case VALUE_LINK_SPEED:
		return nic->health.mbps ? nic->health.mbps : UINT32_MAX;
	case VALUE_RING_STATE:
	case VALUE_RING_READY:
	case VALUE_RING_ENTRIES:
	case VALUE_RING_INDEX:
		return ring_value(nic, op, op->word);
	default:
		return frame_value(scope->facts, (unsigned)op->value, op->shift);
	}
}

static uint64_t shift_left(uint64_t value, uint64_t by)
{
	return by < 64 ? value << by : 0;
}

static uint64_t shift_right(uint64_t value, uint64_t by)
{
	return by < 64 ? value >> by : 0;
}

static uint64_t binary(unsigned code, uint64_t a, uint64_t b)
{
	switch (code) {
	case OP_AND:
		return a && b;
	case OP_OR:
		return a || b;
	case OP_BITAND:
		return a & b;
	case OP_BITOR:
		return a | b;
	case OP_BITXOR:
		return a ^ b;
	case OP_ADD:
		return a + b;
	case OP_SUB:
		return a - b;
	case OP_MUL:
		return a * b;
	case OP_SHL:
		return shift_left(a, b);
	case OP_SHR:
		return shift_right(a, b);
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	case OP_MIN:
		return a < b ? a : b;
	default:
		return a > b ? a : b; /* OP_MAX */
	}
}

static uint64_t unary(struct nic *nic, const struct op *op, uint64_t a)
{
	switch (op->code) {
	case OP_NOT:
		return !a;
	case OP_NEGATE:
		return -a;
	case OP_INVERT:
		return ~a;
	case OP_SLICE:
		return shift_right(a, op->shift) & op->value;
	case OP_SWAP16:
		return __builtin_bswap16((uint16_t)a);
	case OP_SWAP32:
		return __builtin_bswap32((uint32_t)a);
	case OP_CRC:
	case OP_CRCLE:
		return crc(a, op->code == OP_CRCLE);
	case OP_TICKS:
		return a ? (clock_now(nic->bus.clock) - nic->reset_time) / a : 0;
	case OP_RING:
		return a < op->count ? ring_value(nic, op, op->word + (unsigned)a) : 0;
	case OP_PEEK:
		return peek(nic, op, a);
	case OP_ELEMENT:
		return a < op->count ? nic->state[op->word + a] >> op->shift & op->value : 0;
	default:
		return 0;
	}
}

static uint64_t context_bits(struct nic *nic, const struct op *op, const struct scope *scope,
			     uint64_t key)
{
	return key < CARD_CONTEXTS
		       ? slot_bits(nic->rings[scope->ring].context[key], op->shift, op->width)
		       : 0;
}

/* The loader has checked that the stack neither overflows nor runs dry. */
uint64_t expr_run(struct nic *nic, const struct expr *expr, const struct scope *scope)
{
	uint64_t stack[CARD_STACK + 1];
	unsigned top = 0;

	stack[0] = 0;
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		switch (op->code) {
		case OP_CONST:
			stack[++top] = op->value;
			break;
		case OP_STATE:
			stack[++top] = nic->state[op->word] >> op->shift & op->value;
			break;
		case OP_SLOT:
			stack[++top] = slot_bits(scope->slot, op->shift, op->width);
			break;
		case OP_FIRST:
			stack[++top] = slot_bits(scope->first, op->shift, op->width);
			break;
		case OP_ENGINE:
			stack[++top] = engine_value(nic, op, scope);
			break;
		case OP_FREE:
			stack[++top] = ring_free(nic, op->word, op->count);
			break;
		case OP_CONTEXT:
			stack[top] = context_bits(nic, op, scope, stack[top]);
			break;
		case OP_CONCAT:
			top--;
			stack[top] = shift_left(stack[top], op->shift) | stack[top + 1];
			break;
		case OP_CHOOSE: {
			unsigned n = (unsigned)op->value;
			uint64_t x = stack[top - n];

			top -= n;
			stack[top] = stack[top + 1 + (x < n ? x : n - 1)];
			break;
		}
		default:
			if (op->code >= OP_AND && op->code <= OP_GE) {
				top--;
				stack[top] = binary(op->code, stack[top], stack[top + 1]);
			} else if (op->code == OP_MIN || op->code == OP_MAX) {
				top--;
				stack[top] = binary(op->code, stack[top], stack[top + 1]);
			} else {
				stack[top] = unary(nic, op, stack[top]);
			}
		}
	}
	return stack[top];
}
