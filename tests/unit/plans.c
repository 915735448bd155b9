/* SPDX-License-Identifier: Apache-2.0 */

/* Expressions that are taken apart say what they said. */
#include "bare.h"
#include "unit.h"

#include "nic/planned.h"

#include <string.h>

enum { OPS = 12, PROGRAMS = 40000, SLOTS = 8 };

static const char small[] =
	"<card name='small' title='small'><pci vendor='1' device='2' class='0x020000'/><bar "
	"index='0' space='memory' size='4K' bank='r'/>"
	"<bank name='r'><register name='A' at='0'/></bank></card>";

static struct op operand(void)
{
	switch (unit_random() % 5) {
	case 0:
		return (struct op){.code = OP_CONST, .value = unit_random() % 70};
	case 1:
		return (struct op){.code = OP_CONST,
				   .value = (uint64_t)unit_random() << 32 | unit_random()};
	case 2:
		return (struct op){.code = OP_ENGINE, .value = VALUE_HERE};
	default:
		return (struct op){.code = OP_SLOT,
				   .shift = (uint8_t)(unit_random() % 64),
				   .width = (uint8_t)(1 + unit_random() % 64)};
	}
}

static struct op unary(void)
{
	static const uint8_t codes[] = {OP_NEGATE, OP_SLICE, OP_NOT, OP_INVERT, OP_SWAP16};
	struct op op = {.code = codes[unit_random() % 3 ? unit_random() % 2 : unit_random() % 5]};

	op.shift = (uint8_t)(unit_random() % 20);
	op.value = UINT64_MAX >> unit_random() % 64;
	return op;
}

static struct op binary(void)
{
	static const uint8_t codes[] = {OP_ADD,	   OP_SUB, OP_SHL, OP_BITOR, OP_BITAND,
					OP_CONCAT, OP_MUL, OP_EQ,  OP_MIN};
	struct op op = {.code = codes[unit_random() % 4 ? unit_random() % 6 : unit_random() % 9]};

	op.shift = (uint8_t)(unit_random() % 64);
	return op;
}

/* A number, worked on, and further ones joined to it. */
static struct expr program(struct op *ops)
{
	uint16_t count = 0;

	ops[count++] = operand();
	while (count < OPS - 3 && unit_random() % 4) {
		if (unit_random() % 3 == 0) {
			ops[count++] = unary();
			continue;
		}
		ops[count++] = operand();
		if (unit_random() % 4 == 0)
			ops[count++] = unary();
		ops[count++] = binary();
	}
	return (struct expr){ops, count, false, FORM_CODE};
}

static void values_are_those_of_the_code(void)
{
	static struct bare bare;
	unsigned known = 0, moving = 0;

	bare_new(&bare, bare_card(small), false);
	for (unsigned i = 0; i < PROGRAMS; i++) {
		struct op ops[OPS];
		const struct expr expr = program(ops);
		const struct scope none = {0};
		struct plan_value value;

		plan_value_make(bare.nic, &expr, &none, &value);
		known += value.kind != PLAN_UNKNOWN;
		moving += value.kind == PLAN_FIELD && !value.bare;
		for (unsigned k = 0; value.kind != PLAN_UNKNOWN && k < SLOTS; k++) {
			uint8_t slot[SLOT_MAX + 8];
			struct scope scope = {.slot = slot, .here = unit_random()};

			unit_fill(slot, sizeof(slot), unit_random());
			CHECK_EQUAL(plan_value(&value, slot, scope.here),
				    expr_eval(bare.nic, &expr, &scope));
		}
	}
	CHECK(known > PROGRAMS / 4 && moving > PROGRAMS / 10); /* it is not that nothing is known */
	bare_free(&bare);
}

static void numbers_of_a_frame_move(void)
{
	static struct bare bare;
	const struct op ops[] = {{.code = OP_ENGINE, .value = VALUE_FRAME_LENGTH},
				 {.code = OP_CONST, .value = 16},
				 {.code = OP_SHL},
				 {.code = OP_ENGINE, .value = VALUE_FRAME_FIRST},
				 {.code = OP_CONST, .value = 9},
				 {.code = OP_SHL},
				 {.code = OP_BITOR}};
	const struct expr expr = {ops, 7, false, FORM_CODE};
	struct facts facts = {.first = true};
	struct scope scope = {.facts = &facts};
	struct plan_value value;

	bare_new(&bare, bare_card(small), false);
	plan_value_make(bare.nic, &expr, &scope, &value);
	CHECK_EQUAL(value.kind, PLAN_LENGTH);
	for (facts.length = 60; facts.length < 1600; facts.length += 7)
		CHECK_EQUAL(plan_number(&value, facts.length, 0),
			    expr_eval(bare.nic, &expr, &scope));
	bare_free(&bare);
}

/* A slot costs one of a stock: which slots are ready changes with every slot that is done. */
static const char credits[] =
	"<card name='odd' title='Odd'>"
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
	"<bar index='0' space='memory' size='4K' bank='r'/>"
	"<bank name='r'><register name='LEFT' at='0'/></bank>"
	"<record name='d' size='16'><field name='OWN' bits='31'/><field name='a' "
	"bits='127:64'/></record>"
	"<ring name='rx' for='receive' next='array' base='0x1000' end='entries 8' "
	"ready='OWN == 1 and LEFT != 0'>"
	"<use record='d' as='room'><buffer address='a' length='2048'/></use>"
	"<complete write='OWN = 0' do='LEFT = LEFT - 1'/></ring>"
	"<receive rings='rx'><accept class='all'/></receive></card>";

static void what_slots_change_is_asked_anew(void)
{
	static const uint8_t data[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static struct bare bare;
	struct frame frames[5];
	unsigned free = 0;

	bare_new(&bare, bare_card(credits), false);
	bare_write(&bare, 0, 3);
	for (unsigned i = 0; i < 8; i++) {
		bare.memory[0x1000 + 16 * i + 3] = 0x80;
		bare.memory[0x1000 + 16 * i + 9] = 0x20;
	}
	for (unsigned i = 0; i < 5; i++)
		frames[i] = (struct frame){
			.iov = {{(void *)data, sizeof(data)}}, .iovs = 1, .length = sizeof(data)};
	nic_receive(bare.nic, frames, 5);
	for (unsigned i = 0; i < 5; i++)
		port_count(&bare.port.port.stats.rx, sizeof(data));
	bare_settle(&bare);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 0, 4), 0);
	for (unsigned i = 0; i < 8; i++)
		free += bare.memory[0x1000 + 16 * i + 3] >> 7;
	CHECK_EQUAL(free, 5);
	bare_free(&bare);
}

UNIT_FILE(plans, {"values_are_those_of_the_code", values_are_those_of_the_code},
	  {"numbers_of_a_frame_move", numbers_of_a_frame_move},
	  {"what_slots_change_is_asked_anew", what_slots_change_is_asked_anew});
