/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Expressions taken apart: what is left of one when registers stand is mostly a
 * field of the slot, turned round and moved, or a number of the frame's.
 *
 *   4096 - size                     BASE + link              (frame.length << 16) | 0x300
 *   field, sign, add                field, add                length, shift, set
 *
 * The postfix code is run over such values instead of numbers. What does not come
 * out as one value of that form is unknown, and is evaluated each time.
 */
#include "nic/planned.h"

static struct plan_value constant(uint64_t number)
{
	return (struct plan_value){.kind = PLAN_CONSTANT, .mask = UINT64_MAX, .set = number};
}

static struct plan_value unknown(void)
{
	return (struct plan_value){.kind = PLAN_UNKNOWN};
}

static bool is_constant(const struct plan_value *value)
{
	return value->kind == PLAN_CONSTANT;
}

/* ±x + add: nothing was cut off, moved or set. */
static bool is_sum(const struct plan_value *value)
{
	return value->kind > PLAN_CONSTANT && value->mask == UINT64_MAX && !value->shift &&
	       !value->set;
}

/* A field and nothing else. */
static bool is_field(const struct plan_value *value)
{
	return value->kind == PLAN_FIELD && is_sum(value) && !value->sign && !value->add &&
	       !value->here;
}

bool plan_field_of(struct plan_field *field, unsigned bit, unsigned width)
{
	if (bit % 8 + width > 64)
		return false;
	*field = (struct plan_field){(uint8_t)(bit / 8), bit % 8, UINT64_MAX >> (64 - width)};
	return true;
}

static struct plan_value field_value(const struct op *op)
{
	struct plan_value value = {.kind = PLAN_FIELD, .mask = UINT64_MAX};

	if (!plan_field_of(&value.low, op->shift, op->width))
		value.kind = PLAN_UNKNOWN;
	return value;
}

static struct plan_value engine(struct nic *nic, const struct op *op, const struct scope *scope)
{
	const struct expr one = {op, 1, false, FORM_CODE};
	struct plan_value value = {.kind = PLAN_UNKNOWN, .mask = UINT64_MAX};

	if (op->value == VALUE_HERE) {
		value.kind = PLAN_FIELD; /* of no bits */
		value.here = true;
	} else if (op->value == VALUE_FRAME_LENGTH || op->value == VALUE_FRAME_PUT) {
		value.kind = PLAN_LENGTH;
	} else if (op->value == VALUE_FRAME_NEXT) {
		value.kind = PLAN_NEXT;
	} else if (op->value == VALUE_MAC ||
		   (scope->facts && op->value > VALUE_FRAME_PUT && op->value < VALUE_FRAME_NEXT)) {
		return constant(expr_eval(nic, &one, scope));
	}
	return value;
}

static struct plan_value leaf(struct nic *nic, const struct op *op, const struct scope *scope)
{
	const struct expr one = {op, 1, false, FORM_CODE};

	switch (op->code) {
	case OP_CONST:
	case OP_STATE:
		return constant(expr_eval(nic, &one, scope));
	case OP_SLOT:
		return scope->slot ? constant(expr_eval(nic, &one, scope)) : field_value(op);
	case OP_ENGINE:
		return engine(nic, op, scope);
	default:
		return unknown();
	}
}

/* Of numbers only: as the code itself would have it. */
static struct plan_value fold(struct nic *nic, const struct op *op, const struct plan_value *a,
			      const struct plan_value *b)
{
	const struct op ops[] = {{.code = OP_CONST, .value = a->set},
				 {.code = OP_CONST, .value = b ? b->set : 0},
				 *op};
	const struct op one[] = {ops[0], ops[2]};
	const struct expr expr = {b ? ops : one, b ? 3 : 2, false, FORM_CODE};
	struct scope scope = {0};

	return constant(expr_run(nic, &expr, &scope));
}

static struct plan_value negated(struct plan_value value)
{
	if (!is_sum(&value) || value.here)
		return unknown();
	value.sign = ~value.sign;
	value.add = -value.add;
	return value;
}

static struct plan_value added(struct plan_value a, const struct plan_value *b)
{
	if (is_sum(&a) && is_constant(b)) {
		a.add += b->set;
		return a;
	}
	if (is_sum(&a) && is_sum(b) && b->here && !b->low.mask && !a.here) { /* + here */
		a.here = true;
		a.add += b->add;
		return a;
	}
	return unknown();
}

static struct plan_value moved(struct plan_value value, uint64_t by)
{
	if (by > 63 || value.shift + by > 63)
		return unknown();
	value.shift = (uint8_t)(value.shift + by);
	value.set <<= by;
	return value;
}

/* A | B, where no bit is in both: of the second nothing but a field may be left. */
static struct plan_value joined(struct plan_value a, struct plan_value b)
{
	if (is_constant(&b) && a.kind > PLAN_CONSTANT) {
		a.set |= b.set;
		return a;
	}
	if (is_constant(&a) && b.kind > PLAN_CONSTANT)
		return joined(b, a);
	if (is_field(&a) && !b.set && b.shift) { /* the higher one is the one that was moved */
		uint8_t by = b.shift;

		b.shift = 0;
		if (!is_field(&b) || a.split || b.split)
			return unknown();
		a.split = true;
		a.high = b.low;
		a.high_shift = by;
		return a;
	}
	return unknown();
}

static struct plan_value cut(struct plan_value value, uint64_t mask)
{
	if (!is_sum(&value))
		return unknown();
	value.mask = mask;
	return value;
}

static struct plan_value slice(struct plan_value value, const struct op *op)
{
	if (!is_field(&value) || value.split || value.low.shift + op->shift > 63)
		return unknown();
	value.low.mask = value.low.mask >> op->shift & op->value;
	value.low.shift = (uint8_t)(value.low.shift + op->shift);
	return value;
}

static struct plan_value two(struct nic *nic, const struct op *op, const struct plan_value *a,
			     const struct plan_value *b)
{
	if (is_constant(a) && is_constant(b))
		return fold(nic, op, a, b);
	switch (op->code) {
	case OP_ADD:
		return is_constant(a) ? added(*b, a) : added(*a, b);
	case OP_SUB:
		if (is_constant(a))
			return added(negated(*b), a);
		return is_constant(b) ? added(*a, &(struct plan_value){.kind = PLAN_CONSTANT,
								       .set = -b->set})
				      : unknown();
	case OP_SHL:
		return is_constant(b) && a->kind ? moved(*a, b->set) : unknown();
	case OP_BITOR:
		return b->shift || is_constant(b) ? joined(*a, *b) : joined(*b, *a);
	case OP_BITAND:
		return is_constant(b)	? cut(*a, b->set)
		       : is_constant(a) ? cut(*b, a->set)
					: unknown();
	default:
		return unknown();
	}
}

static struct plan_value concat(struct nic *nic, const struct op *op, const struct plan_value *high,
				const struct plan_value *low)
{
	if (is_constant(high) && is_constant(low))
		return fold(nic, op, high, low);
	if (is_constant(high))
		return high->set ? joined(*low, constant(high->set << op->shift)) : *low;
	return high->kind ? joined(*low, moved(*high, op->shift)) : unknown();
}

/* With scope->slot, its bits are constants; without, they are fields. */
void plan_value_make(struct nic *nic, const struct expr *expr, const struct scope *scope,
		     struct plan_value *value)
{
	struct plan_value stack[CARD_STACK + 1] = {0};
	unsigned top = 0;

	for (const struct op *op = expr->ops, *end = op + expr->count; op < end; op++) {
		if (op->code >= OP_TICKS) { /* it asks the world */
			*value = unknown();
			return;
		}
		if (op->code < OP_NOT && op->code != OP_ELEMENT && op->code != OP_CONTEXT) {
			stack[++top] = leaf(nic, op, scope);
		} else if (op->code == OP_CONCAT) {
			top--;
			stack[top] = concat(nic, op, &stack[top], &stack[top + 1]);
		} else if (op->code == OP_CHOOSE) {
			unsigned n = (unsigned)op->value;
			uint64_t x = stack[top - n].set;
			bool known = is_constant(&stack[top - n]);

			top -= n;
			stack[top] = known ? stack[top + 1 + (x < n ? x : n - 1)] : unknown();
		} else if ((op->code >= OP_AND && op->code <= OP_GE) || op->code == OP_MIN ||
			   op->code == OP_MAX) {
			top--;
			stack[top] = two(nic, op, &stack[top], &stack[top + 1]);
		} else if (op->code == OP_SLICE && !is_constant(&stack[top])) {
			stack[top] = slice(stack[top], op);
		} else if (op->code == OP_NEGATE && !is_constant(&stack[top])) {
			stack[top] = negated(stack[top]);
		} else if (is_constant(&stack[top]) && op->code >= OP_NOT) {
			stack[top] = fold(nic, op, &stack[top], NULL);
		} else {
			stack[top] = unknown();
		}
	}
	*value = top ? stack[top] : constant(0);
	value->bare = is_constant(value) || (is_sum(value) && !value->sign && !value->add &&
					     !value->here && !value->split);
}
