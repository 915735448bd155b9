/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What any card can be told, from its description: every register, in every
 * width, with what may hurt; every ring, anywhere, over anything. The card may
 * stop. It answers in time, it is as new after a reset, and nothing else happens.
 */
#include "foe.h"

/* ---- registers ---- */

static void touch(struct foe *foe, unsigned bar, uint64_t offset)
{
	static const uint64_t patterns[] = {
		0,	UINT64_MAX, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa, 1, 2, 4, 8,
		0x8000, 0x80000000, 0xffff0000,		0x0101010101010101};

	for (unsigned width = 1; width <= 8; width *= 2) {
		foe_read(foe, bar, offset, width);
		for (unsigned i = 0; i < foe_times(5); i++) {
			unsigned what = unit_random() % 16;

			foe_write(foe, bar, offset, width,
				  what < 12    ? patterns[what]
				  : what == 12 ? foe_number()
					       : foe_address(foe));
		}
		foe_read(foe, bar, offset, width);
	}
}

static void touch_register(struct foe *foe, unsigned bar, const struct bar_part *part,
			   const struct bank *bank, const struct reg *reg)
{
	unsigned places[] = {0, 1, reg->count / 2u, reg->count - 1u, reg->count};

	for (unsigned i = 0; i < 5; i++) {
		uint64_t at = reg->at + (uint64_t)places[i] * reg->stride;

		if ((i && places[i] == places[i - 1]) || at >= part->size)
			continue;
		if (part->stride) /* registers stand further apart */
			at = at / bank->unit * part->stride;
		for (unsigned k = 0; k < reg->bytes; k++)
			touch(foe, bar, part->at + at + k);
	}
}

/* By a pair of registers: the index is anything. */
static void touch_behind(struct foe *foe, unsigned bar, const struct bar_part *part,
			 const struct bank *bank)
{
	for (unsigned i = 0; i < foe_times(300); i++) {
		uint64_t at = unit_random() % 4 ? unit_random() % (bank->size + 64) : foe_number();

		foe_write(foe, bar, part->index_at, 4, at);
		foe_read(foe, bar, part->data_at, 1u << unit_random() % 4);
		foe_write(foe, bar, part->data_at, 1u << unit_random() % 4, foe_number());
	}
}

static void touch_all(struct foe *foe)
{
	for (unsigned bar = 0; bar < 6; bar++) {
		const struct bar *at = &foe->card->bars[bar];

		for (unsigned i = 0; i < at->parts_count; i++) {
			const struct bar_part *part = &at->parts[i];
			const struct bank *bank = &foe->card->banks[part->bank];

			if (part->memory)
				continue;
			if (part->index_at != part->data_at)
				touch_behind(foe, bar, part, bank);
			for (unsigned k = 0; k < bank->regs_count; k++)
				touch_register(foe, bar, part, bank, &bank->regs[k]);
		}
		for (uint64_t offset = 0; at->size && offset < 4; offset++)
			touch(foe, bar, at->size - 1 - offset);
	}
}

static void attack_registers(const struct card *card)
{
	struct foe foe;

	foe_new(&foe, card, false);
	touch_all(&foe);
	foe_check(&foe);
	for (unsigned i = 0; i < card->instances; i++)
		foe_ring(&foe, i);
	touch_all(&foe);
	foe_settle(&foe);
	foe_check(&foe);
	foe_free(&foe);
}

static void test_registers(void)
{
	foe_each(attack_registers);
}

/* ---- rings ---- */

static uint64_t any_offset(const struct foe *foe, unsigned bar)
{
	const struct bar *at = &foe->card->bars[bar];
	const struct bar_part *part = &at->parts[unit_random() % at->parts_count];
	const struct bank *bank = &foe->card->banks[part->bank];
	const struct reg *reg;

	if (part->memory || part->index_at != part->data_at || !bank->regs_count ||
	    unit_random() % 4 == 0)
		return unit_random() % at->size;
	reg = &bank->regs[unit_random() % bank->regs_count];
	return part->at + reg->at + unit_random() % reg->count * reg->stride;
}

static void any_access(struct foe *foe)
{
	unsigned bar = unit_random() % 6;
	uint64_t offset;

	if (!foe->bars[bar] || !foe->card->bars[bar].parts_count)
		return;
	offset = any_offset(foe, bar);
	if (unit_random() % 3 == 0)
		foe_read(foe, bar, offset, 1u << unit_random() % 4);
	else
		foe_write(foe, bar, offset, 1u << unit_random() % 4,
			  unit_random() & 1 ? foe_number() : foe_address(foe));
}

static void any_event(struct foe *foe, unsigned ring)
{
	static const uint32_t lengths[] = {14, 59, 60, 64, 1514, 1518, 9000, 16384, 65535};

	switch (unit_random() % 16) {
	case 0:
		foe_slots(foe, ring);
		ring_wake(foe->nic, ring);
		break;
	case 1:
		clock_turn(&foe->machine.clock, unit_random() % 100000000);
		break;
	case 2:
		nic_link(foe->nic, unit_random() & 1);
		break;
	case 3:
		foe->room = unit_random() % 64;
		break;
	case 4:
		foe->room = 1000;
		port_writable(&foe->port);
		break;
	case 5:
	case 6:
	case 7:
		foe_offer(foe, lengths[unit_random() % 9]);
		break;
	case 8:
		foe_turn(foe);
		break;
	default:
		any_access(foe);
	}
}

static void attack_rings(const struct card *card)
{
	struct foe foe;

	foe_new(&foe, card, unit_random() & 1);
	for (unsigned i = 0; i < foe_times(300) && card->instances; i++) {
		unsigned ring = unit_random() % card->instances;

		static const unsigned tempers[] = {0, 1, 2, 6, 14};

		foe.temper = tempers[i % 5];
		if (i % 8 == 0)
			foe_reset(&foe);
		foe_ring(&foe, ring);
		foe_filter(&foe);
		for (unsigned k = 0; k < 30; k++)
			any_event(&foe, ring);
		foe_settle(&foe);
		foe_check(&foe);
	}
	foe_free(&foe);
}

static void test_rings(void)
{
	foe_each(attack_rings);
}

/* ---- a reset makes it new ---- */

static void attack_resets(const struct card *card)
{
	struct foe foe, fresh;

	foe_new(&foe, card, false);
	foe_new(&fresh, card, false);
	foe_reset(&fresh);
	for (unsigned i = 0; i < foe_times(60) && card->instances; i++) {
		unsigned ring = unit_random() % card->instances;

		foe_ring(&foe, ring);
		for (unsigned k = unit_random() % 50; k; k--)
			any_event(&foe, ring);
		nic_link(foe.nic, true);
		foe_reset(&foe);
		foe_like_new(&foe, &fresh);
	}
	foe_free(&foe);
	foe_free(&fresh);
}

static void test_resets(void)
{
	foe_each(attack_resets);
}

UNIT_FILE(foes, {"registers", test_registers}, {"rings", test_rings}, {"resets", test_resets});
