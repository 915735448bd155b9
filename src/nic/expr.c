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

static uint64_t context_bits(struct nic *nic, const struct op *op, const struct scope *scope,
			     uint64_t key)
{
	return key < CARD_CONTEXTS
		       ? slot_bits(nic->rings[scope->ring].context[key], op->shift, op->width)
		       : 0;
}

static uint64_t element(const struct nic *nic, const struct op *op, uint64_t k)
{
	return k < op->count ? nic->state[op->word + k] >> op->shift & op->value : 0;
}

/* What is rare, and takes a while. */
static uint64_t unusual(struct nic *nic, const struct op *op, uint64_t a)
{
	switch (op->code) {
	case OP_CRC:
	case OP_CRCLE:
		return crc(a, op->code == OP_CRCLE);
	case OP_TICKS:
		return a ? (clock_now(nic->bus.clock) - nic->reset_time) / a : 0;
	case OP_RING:
		return a < op->count ? ring_value(nic, op, op->word + (unsigned)a) : 0;
	case OP_PEEK:
		return peek(nic, op, a);
	default:
		return 0;
	}
}

enum expr_form expr_form_of(const struct op *ops, unsigned count)
{
	bool index = count >= 2 && ops[0].code == OP_ENGINE && ops[0].value == VALUE_INDEX &&
		     ops[1].code == OP_ELEMENT;
	bool is = count == 3 && ops[1].code == OP_CONST && ops[2].code == OP_EQ;
	bool is_not = count == 3 && ops[1].code == OP_CONST && ops[2].code == OP_NE;

	if (count == 1 && ops[0].code == OP_ENGINE && ops[0].value == VALUE_INDEX)
		return FORM_INDEX;
	if (index && count < 4)
		return count == 2	       ? FORM_ELEMENT
		       : ops[2].code == OP_NOT ? FORM_NOT_ELEMENT
					       : FORM_CODE;
	if (count == 3 && ops[0].code == OP_ENGINE && ops[0].value == VALUE_NEW &&
	    ops[1].code == OP_CONST && ops[2].code == OP_BITAND)
		return FORM_NEW_AND;
	if (count == 2 && ops[1].code == OP_NOT)
		return ops[0].code == OP_STATE	? FORM_NOT_STATE
		       : ops[0].code == OP_SLOT ? FORM_NOT_SLOT
						: FORM_CODE;
	if (is || is_not) {
		if (ops[0].code == OP_STATE)
			return is ? FORM_STATE_IS : FORM_STATE_IS_NOT;
		if (ops[0].code == OP_SLOT)
			return is ? FORM_SLOT_IS : FORM_SLOT_IS_NOT;
	}
	return FORM_CODE;
}

static uint64_t state_of(const struct nic *nic, const struct op *op)
{
	return nic->state[op->word] >> op->shift & op->value;
}

static uint64_t slot_of(const struct op *op, const struct scope *scope)
{
	return slot_bits(scope->slot, op->shift, op->width);
}

#define UNARY(code, result)                                                                        \
	case code:                                                                                 \
		a = *top;                                                                          \
		*top = (result);                                                                   \
		break
#define BINARY(code, result)                                                                       \
	case code:                                                                                 \
		b = *top--;                                                                        \
		a = *top;                                                                          \
		*top = (result);                                                                   \
		break
#define LEAF(code, result)                                                                         \
	case code:                                                                                 \
		*++top = (result);                                                                 \
		break

/* The loader has checked that the stack neither overflows nor runs dry. */
__attribute__((noinline)) static uint64_t code_run(struct nic *nic, const struct expr *expr,
						   const struct scope *scope)
{
	uint64_t stack[CARD_STACK + 1], *top = stack, a, b;

	stack[0] = 0;
	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		switch (op->code) {
			LEAF(OP_CONST, op->value);
			LEAF(OP_STATE, state_of(nic, op));
			LEAF(OP_SLOT, slot_of(op, scope));
			LEAF(OP_FIRST, slot_bits(scope->first, op->shift, op->width));
			LEAF(OP_ENGINE, engine_value(nic, op, scope));
			LEAF(OP_FREE, ring_free(nic, op->word, op->count));
			UNARY(OP_ELEMENT, element(nic, op, a));
			UNARY(OP_CONTEXT, context_bits(nic, op, scope, a));
			UNARY(OP_NOT, !a);
			UNARY(OP_NEGATE, -a);
			UNARY(OP_INVERT, ~a);
			UNARY(OP_SLICE, shift_right(a, op->shift) & op->value);
			UNARY(OP_SWAP16, __builtin_bswap16((uint16_t)a));
			UNARY(OP_SWAP32, __builtin_bswap32((uint32_t)a));
			BINARY(OP_AND, a && b);
			BINARY(OP_OR, a || b);
			BINARY(OP_BITAND, a & b);
			BINARY(OP_BITOR, a | b);
			BINARY(OP_BITXOR, a ^ b);
			BINARY(OP_ADD, a + b);
			BINARY(OP_SUB, a - b);
			BINARY(OP_MUL, a * b);
			BINARY(OP_SHL, shift_left(a, b));
			BINARY(OP_SHR, shift_right(a, b));
			BINARY(OP_EQ, a == b);
			BINARY(OP_NE, a != b);
			BINARY(OP_LT, a < b);
			BINARY(OP_LE, a <= b);
			BINARY(OP_GT, a > b);
			BINARY(OP_GE, a >= b);
			BINARY(OP_MIN, a < b ? a : b);
			BINARY(OP_MAX, a > b ? a : b);
			BINARY(OP_CONCAT, shift_left(a, op->shift) | b);
		case OP_CHOOSE: /* x, and the results above it */
			top -= op->value;
			*top = top[1 + (*top < op->value ? *top : op->value - 1)];
			break;
		default:
			*top = unusual(nic, op, *top);
		}
	}
	return *top;
}

uint64_t expr_run(struct nic *nic, const struct expr *expr, const struct scope *scope)
{
	const struct op *ops = expr->ops;

	switch (expr->form) {
	case FORM_ELEMENT:
		return element(nic, &ops[1], scope->index);
	case FORM_NOT_ELEMENT:
		return !element(nic, &ops[1], scope->index);
	case FORM_NOT_STATE:
		return !state_of(nic, ops);
	case FORM_STATE_IS:
		return state_of(nic, ops) == ops[1].value;
	case FORM_STATE_IS_NOT:
		return state_of(nic, ops) != ops[1].value;
	case FORM_NOT_SLOT:
		return !slot_of(ops, scope);
	case FORM_SLOT_IS:
		return slot_of(ops, scope) == ops[1].value;
	case FORM_SLOT_IS_NOT:
		return slot_of(ops, scope) != ops[1].value;
	case FORM_NEW_AND:
		return ops[1].value & scope->new;
	case FORM_INDEX:
		return scope->index;
	default:
		return code_run(nic, expr, scope);
	}
}
