/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One access: bank map -> first candidate -> the one whose `when` holds. An
 * access narrower than the register touches its lanes; a wider one is several,
 * low address first.
 */
#include "nic/state.h"

static uint64_t lanes(unsigned bytes)
{
	return bytes >= 8 ? UINT64_MAX : (1ull << bytes * 8) - 1;
}

static const struct reg *find(struct nic *nic, const struct bank *bank, uint32_t offset, bool write,
			      unsigned *element)
{
	struct scope scope = {0};
	unsigned at;

	if (offset >= bank->size)
		return NULL;
	at = bank->map[offset / bank->unit];
	for (; at && at <= bank->regs_count; at++) {
		const struct reg *reg = &bank->regs[at - 1];
		uint32_t into = offset - reg->at;

		*element = reg->count > 1 ? into / reg->stride : 0;
		if (offset < reg->at || *element >= reg->count ||
		    into - *element * reg->stride >= reg->bytes)
			return NULL;
		if ((write || reg->write_only != reg->valid) && expr_holds(nic, &reg->when, &scope))
			return reg;
	}
	return NULL;
}

static uint64_t reg_read(struct nic *nic, const struct reg *reg, unsigned k, bool effects)
{
	uint64_t *word = &nic->state[reg->word + k];
	uint64_t value = *word & reg->valid & ~reg->write_only;
	struct scope scope = {.index = k, .old = *word};

	if (reg->plain)
		return value;
	for (unsigned i = 0; i < reg->shows_count; i++) {
		const struct shows *shows = &reg->shows[i];

		value = (value & ~shows->mask) |
			((expr_eval(nic, &shows->value, &scope) << shows->shift) & shows->mask);
	}
	value = pins_shown(nic, reg->word + k, value);
	if (!effects || reg->no_effects_on_read)
		return value;
	*word &= ~reg->read_clear;
	if (reg->clears_also != 0xffff)
		nic->state[reg->clears_also + k] = 0;
	actions_run(nic, &reg->on_read, &scope);
	nic->dirty |= reg->read_clear != 0;
	return value;
}

static void reg_effects(struct nic *nic, const struct reg *reg, struct scope *scope, uint64_t mask)
{
	for (unsigned i = 0; i < reg->effects_count; i++) {
		const struct effect *effect = &reg->effects[i];
		uint64_t field = (scope->new & effect->mask) >> effect->shift;

		if (!(effect->mask & mask))
			continue;
		if (effect->has_value	       ? field != effect->value
		    : effect->on == ON_NONZERO ? field == 0
		    : effect->on == ON_CHANGE  ? !((scope->new ^ scope->old) & effect->mask)
					       : false)
			continue;
		actions_run(nic, &effect->actions, scope);
	}
}

static void reg_write(struct nic *nic, const struct reg *reg, unsigned k, uint64_t value,
		      uint64_t mask)
{
	unsigned index = reg->word + k;
	uint64_t *word = &nic->state[index];
	struct scope scope = {.index = k, .new = value, .old = *word};

	if (reg->plain) {
		*word = (*word & ~(reg->rw & mask)) | (value & reg->rw & mask);
	} else {
		if (!expr_holds(nic, &reg->writable, &scope))
			return;
		if (reg->stored.count)
			value = expr_eval(nic, &reg->stored, &scope);
		*word = (*word & ~(reg->rw & mask)) | (value & reg->rw & mask);
		*word &= ~(value & reg->w1c & mask);
		*word &= ~(~value & reg->w0c & mask);
		*word |= value & reg->w1s & mask;
		reg_effects(nic, reg, &scope, mask);
	}
	nic->dirty = true;
	pins_written(nic, index);
	windows_written(nic, index);
}

uint64_t bank_read(struct nic *nic, unsigned bank, uint32_t offset, unsigned width, bool effects)
{
	const struct bank *at = &nic->card->banks[bank];
	uint64_t value = 0;
	unsigned k;

	for (unsigned done = 0; done < width;) {
		const struct reg *reg = find(nic, at, offset + done, false, &k);
		unsigned into, part = 1;
		uint64_t got = 0;

		if (reg) {
			into = offset + done - reg->at - k * reg->stride;
			part = reg->bytes - into < width - done ? reg->bytes - into : width - done;
			got = reg_read(nic, reg, k, effects) >> into * 8 & lanes(part);
		} else {
			nic->stats.undeclared += done == 0;
		}
		value |= got << done * 8;
		done += part;
	}
	return value;
}

void bank_write(struct nic *nic, unsigned bank, uint32_t offset, unsigned width, uint64_t value)
{
	const struct bank *at = &nic->card->banks[bank];
	unsigned k;

	for (unsigned done = 0; done < width;) {
		const struct reg *reg = find(nic, at, offset + done, true, &k);
		unsigned into, part = 1;

		if (reg) {
			into = offset + done - reg->at - k * reg->stride;
			part = reg->bytes - into < width - done ? reg->bytes - into : width - done;
			reg_write(nic, reg, k, (value >> done * 8 & lanes(part)) << into * 8,
				  lanes(part) << into * 8);
		} else {
			nic->stats.undeclared += done == 0;
		}
		done += part;
	}
}

static const struct bar_part *part_at(struct nic *nic, unsigned bar, uint64_t offset)
{
	struct scope scope = {0};

	for (unsigned i = 0; bar < 6 && i < nic->card->bars[bar].parts_count; i++) {
		const struct bar_part *part = &nic->card->bars[bar].parts[i];

		if (offset >= part->at && offset - part->at < part->size &&
		    expr_holds(nic, &part->when, &scope))
			return part;
	}
	return NULL;
}

/* Where an access to an index/data pair goes: the index word, or bank[index]. */
static bool part_indexed(const struct bar_part *part, uint32_t into, bool *index)
{
	if (part->index_at == part->data_at)
		return false;
	*index = into - part->index_at < 4;
	return *index || into - part->data_at < 4;
}

uint64_t nic_bar_read(struct nic *nic, unsigned bar, uint64_t offset, unsigned width)
{
	const struct bar_part *part = part_at(nic, bar, offset);
	uint64_t value = 0;
	uint32_t into;
	bool index;

	nic->stats.accesses++;
	if (!part)
		return UINT64_MAX;
	into = (uint32_t)(offset - part->at);
	nic->accessing = true;
	if (part->index_at == part->data_at)
		value = bank_read(nic, part->bank, into, width, true);
	else if (part_indexed(part, into, &index))
		value = index ? nic->state[part->index_word]
			      : bank_read(nic, part->bank,
					  (uint32_t)nic->state[part->index_word] +
						  (into - part->data_at),
					  width, true);
	nic->accessing = nic->recording = false;
	if (nic->dirty)
		interrupts_update(nic);
	return value;
}

void nic_bar_write(struct nic *nic, unsigned bar, uint64_t offset, unsigned width, uint64_t value)
{
	const struct bar_part *part = part_at(nic, bar, offset);
	uint32_t into;
	bool index;

	nic->stats.accesses++;
	if (!part)
		return;
	into = (uint32_t)(offset - part->at);
	nic->accessing = true;
	if (part->index_at == part->data_at) {
		bank_write(nic, part->bank, into, width, value);
	} else if (part_indexed(part, into, &index)) {
		if (index)
			nic->state[part->index_word] = value & 0xffffffff;
		else
			bank_write(nic, part->bank,
				   (uint32_t)nic->state[part->index_word] + (into - part->data_at),
				   width, value);
	}
	nic->accessing = nic->recording = false;
	if (nic->dirty)
		interrupts_update(nic);
	nic->bus.schedule(nic->bus.context);
}
