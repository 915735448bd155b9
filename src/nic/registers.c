/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One access: bank map -> first candidate -> the one whose `when` holds. An
 * access narrower than the register touches its lanes; a wider one is several,
 * low address first.
 */
#include "nic/hook_calls.h"
#include "nic/state.h"

static uint64_t lanes(unsigned bytes)
{
	return bytes >= 8 ? UINT64_MAX : (1ull << bytes * 8) - 1;
}

static bool reg_takes(const struct reg *reg, unsigned width)
{
	return !reg->widths || reg->widths & width;
}

/* The first that is there now and allows the direction; else one that is there and ignores it. */
static const struct reg *find_shared(struct nic *nic, const struct bank *bank,
				     const uint16_t *chain, bool write, unsigned width)
{
	const struct reg *deaf = NULL;
	struct scope scope = {0};

	for (; *chain; chain++) {
		const struct reg *reg = &bank->regs[*chain - 1];

		if (!reg_takes(reg, width) || !expr_holds(nic, &reg->when, &scope))
			continue;
		if (write ? !reg->takes_nothing : reg->write_only != reg->valid)
			return reg;
		if (!deaf && write)
			deaf = reg;
	}
	return deaf;
}

static const struct reg *find_sole(struct nic *nic, const struct reg *reg, bool write,
				   unsigned width)
{
	struct scope scope = {0};

	return reg_takes(reg, width) && (write || reg->write_only != reg->valid) &&
			       expr_holds(nic, &reg->when, &scope)
		       ? reg
		       : NULL;
}

static const struct reg *find(struct nic *nic, const struct bank *bank, uint32_t offset, bool write,
			      unsigned width, unsigned *element)
{
	const struct reg *reg;
	unsigned at;

	if (offset >= bank->size)
		return NULL;
	at = bank->map[offset / bank->unit];
	if (at & BANK_SHARED)
		reg = find_shared(nic, bank, bank->chains + (at & ~BANK_SHARED), write, width);
	else
		reg = at ? find_sole(nic, &bank->regs[at - 1], write, width) : NULL;
	if (reg)
		*element = reg->count > 1 ? (offset - reg->at) / reg->stride : 0;
	return reg;
}

/* The latch and what is live; a read with effects lets go. */
static uint64_t reg_latched(const struct reg *reg, uint64_t *word, uint64_t value, bool effects)
{
	uint64_t shown = value & (*word | ~reg->latched);

	if (effects)
		*word = (*word & ~reg->latched) | (value & reg->latched);
	return shown;
}

static uint64_t reg_read(struct nic *nic, const struct reg *reg, unsigned k, bool effects)
{
	uint64_t *word = &nic->state[reg->word + k];
	uint64_t value = *word & reg->valid & ~reg->write_only;
	struct scope scope = {.index = k, .old = *word};

	if (effects && nic->raised_count)
		raised_told(nic, reg->word + k, value);
	if (reg->plain)
		return value;
	for (unsigned i = 0; i < reg->shows_count; i++) {
		const struct shows *shows = &reg->shows[i];

		value = (value & ~shows->mask) |
			((expr_eval(nic, &shows->value, &scope) << shows->shift) & shows->mask);
	}
	value = pins_shown(nic, reg->word + k, value);
	if (reg->latched)
		value = reg_latched(reg, word, value, effects && !reg->no_effects_on_read);
	if (reg->module_reads && effects)
		value = hooks_read(nic, reg, k, value);
	if (!effects || reg->no_effects_on_read)
		return value;
	*word &= ~reg->read_clear;
	if (reg->clears_also != 0xffff)
		nic->state[reg->clears_also + k] = 0;
	actions_run(nic, &reg->on_read, &scope);
	if (reg->read_clear)
		nic_changed(nic, reg->word + k);
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
		nic_changed_bits(nic, index, scope.old ^ *word);
	} else {
		if (!expr_holds(nic, &reg->writable, &scope))
			return;
		if (reg->stored.count)
			value = expr_eval(nic, &reg->stored, &scope);
		if (reg->module_writes)
			value = hooks_write(nic, reg, k, (*word & ~mask) | (value & mask), *word);
		*word = (*word & ~(reg->rw & mask)) | (value & reg->rw & mask);
		*word &= ~(value & reg->w1c & mask);
		*word &= ~(~value & reg->w0c & mask);
		*word |= value & reg->w1s & mask;
		nic_changed_bits(nic, index, scope.old ^ *word);
		reg_effects(nic, reg, &scope, mask);
	}
	if (nic->cares[index].pins)
		pins_written(nic, index);
	if (nic->cares[index].windows)
		windows_written(nic, index);
}

static uint64_t part_get(struct nic *nic, const struct reg *reg, unsigned k, unsigned into,
			 unsigned part, bool effects)
{
	if (reg->port)
		return data_port_read(nic, reg->port, part);
	if (reg->through)
		return window_port_read(nic, reg, into, part, effects) & lanes(part);
	return reg_read(nic, reg, k, effects) >> into * 8 & lanes(part);
}

/* Bytes [into, into + part) of a register. */
static uint64_t part_of_reg(struct nic *nic, const struct reg *reg, unsigned k, unsigned into,
			    unsigned part, bool effects)
{
	uint64_t value = part_get(nic, reg, k, into, part, effects);

	if (nic->trace)
		trace_read(nic, reg, k, into, part, value);
	return value;
}

static void part_to_reg(struct nic *nic, const struct reg *reg, unsigned k, unsigned into,
			unsigned part, uint64_t value)
{
	if (nic->trace)
		trace_write(nic, reg, k, into, part, value);
	if (reg->port)
		data_port_write(nic, reg->port, part, value);
	else if (reg->through)
		window_port_write(nic, reg, into, part, value);
	else
		reg_write(nic, reg, k, value << into * 8, lanes(part) << into * 8);
}

static void nobody(struct nic *nic, unsigned bank, uint32_t offset, bool write)
{
	nic->stats.undeclared++;
	if (nic->trace)
		trace_undeclared(nic, bank, offset, write);
}

/*
 * Banks that do not compose take an access as one to the register where it
 * begins: all of it (accept), or only if it is of the register's size (ignore).
 */
static const struct reg *find_whole(struct nic *nic, const struct bank *bank, uint32_t offset,
				    bool write, unsigned width, unsigned *k)
{
	const struct reg *reg = find(nic, bank, offset, write, width, k);

	if (!reg)
		nobody(nic, (unsigned)(bank - nic->card->banks), offset, write);
	if (!reg || offset != reg->at + *k * reg->stride ||
	    (bank->accesses == ACCESSES_IGNORE && width != reg->bytes))
		return NULL;
	return reg;
}

uint64_t bank_read(struct nic *nic, unsigned bank, uint32_t offset, unsigned width, bool effects)
{
	const struct bank *at = &nic->card->banks[bank];
	uint64_t value = 0;
	unsigned k;

	if (at->accesses) {
		const struct reg *reg = find_whole(nic, at, offset, false, width, &k);

		return reg ? part_of_reg(nic, reg, k, 0, reg->bytes, effects) & lanes(width) : 0;
	}
	for (unsigned done = 0; done < width;) {
		const struct reg *reg = find(nic, at, offset + done, false, width, &k);
		unsigned into, part = 1;
		uint64_t got = 0;

		if (reg) {
			into = offset + done - reg->at - k * reg->stride;
			part = reg->bytes - into < width - done ? reg->bytes - into : width - done;
			got = part_of_reg(nic, reg, k, into, part, effects);
		} else if (done == 0) {
			nobody(nic, bank, offset, false);
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

	if (at->accesses) {
		const struct reg *reg = find_whole(nic, at, offset, true, width, &k);

		if (reg)
			part_to_reg(nic, reg, k, 0, reg->bytes, value & lanes(reg->bytes));
		return;
	}
	for (unsigned done = 0; done < width;) {
		const struct reg *reg = find(nic, at, offset + done, true, width, &k);
		unsigned into, part = 1;

		if (reg) {
			into = offset + done - reg->at - k * reg->stride;
			part = reg->bytes - into < width - done ? reg->bytes - into : width - done;
			part_to_reg(nic, reg, k, into, part, value >> done * 8 & lanes(part));
		} else if (done == 0) {
			nobody(nic, bank, offset, true);
		}
		done += part;
	}
}

static const struct bar_part *part_at(struct nic *nic, unsigned bar, uint64_t offset)
{
	struct scope scope = {0};

	for (unsigned i = 0; bar < CARD_REGIONS && i < nic->card->bars[bar].parts_count; i++) {
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
	*index = into - part->index_at < 4;
	return *index || into - part->data_at < 4;
}

/* Registers that lie further apart in the BAR than in their bank: one at a time. */
static bool part_strided(const struct nic *nic, const struct bar_part *part, uint32_t *into,
			 unsigned *width)
{
	uint32_t unit = nic->card->banks[part->bank].unit, rest;

	if (!part->stride)
		return true;
	rest = *into % part->stride;
	*into = *into / part->stride * unit + rest;
	if (rest >= unit)
		return false;
	*width = *width < unit - rest ? *width : unit - rest;
	return true;
}

static uint64_t part_read(struct nic *nic, const struct bar_part *part, uint32_t into,
			  unsigned width)
{
	bool index;

	if (part->memory)
		return memory_read(nic, part->memory - 1u, into, width);
	if (part->index_at == part->data_at)
		return part_strided(nic, part, &into, &width)
			       ? bank_read(nic, part->bank, into, width, true)
			       : 0;
	if (!part_indexed(part, into, &index))
		return 0;
	if (index)
		return nic->state[part->index_word];
	into += (uint32_t)nic->state[part->index_word] - part->data_at;
	return bank_read(nic, part->bank, into, width, true);
}

static void part_write(struct nic *nic, const struct bar_part *part, uint32_t into, unsigned width,
		       uint64_t value)
{
	bool index;

	if (part->memory) {
		memory_write(nic, part->memory - 1u, into, width, value);
	} else if (part->index_at == part->data_at) {
		if (part_strided(nic, part, &into, &width))
			bank_write(nic, part->bank, into, width, value);
	} else if (part_indexed(part, into, &index)) {
		into += (uint32_t)nic->state[part->index_word] - part->data_at;
		if (index) {
			nic->state[part->index_word] = value & 0xffffffff;
			nic_changed(nic, part->index_word);
		} else {
			bank_write(nic, part->bank, into, width, value);
		}
	}
}

uint64_t nic_bar_read(struct nic *nic, unsigned bar, uint64_t offset, unsigned width)
{
	const struct bar_part *part = part_at(nic, bar, offset);
	uint64_t value;

	nic->stats.accesses++;
	if (!part || nic->failed)
		return UINT64_MAX;
	nic->accessing = true;
	value = part_read(nic, part, (uint32_t)(offset - part->at), width);
	nic->accessing = nic->recording = false;
	if ((nic->touched | nic->always) & CARES_INTERRUPTS)
		interrupts_update(nic);
	return value;
}

void nic_bar_write(struct nic *nic, unsigned bar, uint64_t offset, unsigned width, uint64_t value)
{
	const struct bar_part *part = part_at(nic, bar, offset);

	nic->stats.accesses++;
	if (!part || nic->failed)
		return;
	nic->accessing = true;
	part_write(nic, part, (uint32_t)(offset - part->at), width, value);
	nic->accessing = nic->recording = false;
	if ((nic->touched | nic->always) & CARES_INTERRUPTS)
		interrupts_update(nic);
	nic->bus.schedule(nic->bus.context);
}

/* The registers at a place in configuration space, and how many bytes are theirs from there on. */
static const struct config_part *config_part_at(const struct nic *nic, unsigned offset,
						unsigned *width)
{
	for (unsigned i = 0; i < nic->card->config_parts_count; i++) {
		const struct config_part *part = &nic->card->config_parts[i];
		unsigned left = part->at + part->size - offset;

		if (offset < part->at || offset >= part->at + part->size)
			continue;
		*width = *width < left ? *width : left;
		return part;
	}
	*width = 1;
	return NULL;
}

uint32_t nic_config_read(struct nic *nic, unsigned offset, unsigned width, bool effects)
{
	uint32_t value = 0;
	unsigned run;

	nic->accessing = true;
	for (unsigned done = 0; done < width; done += run) {
		const struct config_part *part;
		uint64_t got = 0;

		run = width - done;
		part = config_part_at(nic, offset + done, &run);
		if (part)
			got = bank_read(nic, part->bank, offset + done - part->at, run, effects);
		value |= (uint32_t)got << done * 8;
	}
	nic->accessing = nic->recording = false;
	if (effects && (nic->touched | nic->always) & CARES_INTERRUPTS)
		interrupts_update(nic);
	return value;
}

void nic_config_write(struct nic *nic, unsigned offset, unsigned width, uint32_t value)
{
	unsigned run;

	nic->accessing = true;
	for (unsigned done = 0; done < width; done += run) {
		const struct config_part *part;

		run = width - done;
		part = config_part_at(nic, offset + done, &run);
		if (part)
			bank_write(nic, part->bank, offset + done - part->at, run,
				   value >> done * 8);
	}
	nic->accessing = nic->recording = false;
	if ((nic->touched | nic->always) & CARES_INTERRUPTS)
		interrupts_update(nic);
	nic->bus.schedule(nic->bus.context);
}
