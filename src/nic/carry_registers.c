/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Registers and memories by their names. A field that is as it was after
 * power-on takes what the new description says of it; anything else is the
 * driver's, or the engine's, and goes to the field of its name and width. Bits
 * without a name stay where they are.
 */
#include "nic/carry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Looked for from where the last one was found: most stand in the same order. */
static const struct bank *bank_find(const struct card *card, const char *name)
{
	for (unsigned i = 0; i < card->banks_count; i++) {
		if (!strcmp(card->banks[i].name, name))
			return &card->banks[i];
	}
	return NULL;
}

static const struct reg *reg_find(const struct bank *bank, const char *name, unsigned *from)
{
	for (unsigned i = 0; bank && i < bank->regs_count; i++) {
		unsigned at = (*from + i) % bank->regs_count;

		if (!strcmp(bank->regs[at].name, name)) {
			*from = at + 1;
			return &bank->regs[at];
		}
	}
	return NULL;
}

static const struct field *field_find(const struct reg *reg, const struct field *like)
{
	for (unsigned i = 0; i < reg->fields_count; i++) {
		if (reg->fields[i].width == like->width && !strcmp(reg->fields[i].name, like->name))
			return &reg->fields[i];
	}
	return NULL;
}

static uint64_t field_mask(const struct field *field)
{
	return UINT64_MAX >> (64 - field->width) << field->shift;
}

/* Bits that fields have; those that both registers have, where they are in TO. */
static uint64_t fields_mask(const struct reg *reg)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < reg->fields_count; i++)
		mask |= field_mask(&reg->fields[i]);
	return mask;
}

static uint64_t shared_mask(const struct reg *to, const struct reg *from)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < to->fields_count; i++) {
		if (field_find(from, &to->fields[i]))
			mask |= field_mask(&to->fields[i]);
	}
	return mask;
}

static int no_place(struct carry *carry, const struct bank *bank, const struct reg *reg,
		    const struct field *field, uint64_t value)
{
	return error_set(carry->why, -ECANCELED,
			 "%s.%s%s%s holds 0x%" PRIx64 " and has no place in the new description",
			 bank->name, reg->name, field ? "." : "", field ? field->name : "", value);
}

struct pair { /* one register in both descriptions, and an element of it */
	const struct bank *bank;
	const struct reg *from, *to;
	uint64_t old, was;
	uint64_t *new;
};

/* Of bits without a name all or none are the driver's. */
static int carry_rest(struct carry *carry, const struct pair *pair)
{
	uint64_t rest = ~fields_mask(pair->from) & pair->from->valid;
	uint64_t place = rest & ~shared_mask(pair->to, pair->from) & pair->to->valid;

	if (!((pair->old ^ pair->was) & rest))
		return 0;
	if ((pair->old ^ pair->was) & rest & ~place)
		return no_place(carry, pair->bank, pair->from, NULL, pair->old);
	*pair->new = (*pair->new & ~place) | (pair->old & place);
	return 0;
}

static int carry_field(struct carry *carry, const struct pair *pair, const struct field *field)
{
	uint64_t mask = field_mask(field), value = (pair->old & mask) >> field->shift;
	const struct field *named = field_find(pair->to, field), *place = named ?: field;

	if (!((pair->old ^ pair->was) & mask))
		return 0;
	/* without its name it may still be where it was, unless that is another one now */
	if (!named && (mask & fields_mask(pair->to) || mask & ~pair->to->valid))
		return no_place(carry, pair->bank, pair->from, field, value);
	*pair->new = (*pair->new & ~field_mask(place)) | value << place->shift;
	return 0;
}

static int carry_element(struct carry *carry, const struct pair *pair)
{
	int result = carry_rest(carry, pair);

	for (unsigned i = 0; result == 0 && i < pair->from->fields_count; i++)
		result = carry_field(carry, pair, &pair->from->fields[i]);
	return result;
}

/* SEEN: words that a register of this description, or an alias of it, took along. */
static int carry_register(struct carry *carry, struct pair *pair, uint8_t *seen)
{
	int result = 0;

	for (unsigned k = 0; result == 0 && k < pair->from->count && k < pair->to->count; k++) {
		unsigned word = pair->from->word + k;

		if (seen[word]++)
			continue;
		pair->old = carry->from->state[word];
		pair->was = carry->fresh->state[word];
		pair->new = &carry->to->state[pair->to->word + k];
		if (pair->old != pair->was)
			result = carry_element(carry, pair);
	}
	return result;
}

static int carry_bank(struct carry *carry, const struct bank *bank, uint8_t *seen)
{
	const struct bank *other = bank_find(carry->to->card, bank->name);
	unsigned from = 0;
	int result = 0;

	for (unsigned i = 0; result == 0 && i < bank->regs_count; i++) {
		struct pair pair = {.bank = bank, .from = &bank->regs[i]};

		pair.to = reg_find(other, pair.from->name, &from);
		if (pair.to && pair.to->bytes == pair.from->bytes)
			result = carry_register(carry, &pair, seen);
	}
	return result;
}

/* What no register took along holds nothing of its own. */
static int check_left(struct carry *carry, const struct bank *bank, const uint8_t *seen)
{
	for (unsigned i = 0; i < bank->regs_count; i++) {
		const struct reg *reg = &bank->regs[i];

		for (unsigned k = 0; k < reg->count; k++) {
			uint64_t value = carry->from->state[reg->word + k];

			if (!seen[reg->word + k] && value != carry->fresh->state[reg->word + k])
				return no_place(carry, bank, reg, NULL, value);
		}
	}
	return 0;
}

int carry_registers(struct carry *carry)
{
	const struct card *card = carry->from->card;
	uint8_t *seen = calloc(card->words + 1u, 1);
	int result = seen ? 0 : error_set(carry->why, -ENOMEM, "no memory");

	for (unsigned i = 0; result == 0 && i < card->banks_count; i++)
		result = carry_bank(carry, &card->banks[i], seen);
	for (unsigned i = 0; result == 0 && i < card->banks_count; i++)
		result = check_left(carry, &card->banks[i], seen);
	free(seen);
	return result;
}

/* ---- memories ---- */

static int memory_find(const struct card *card, const struct memory *like)
{
	for (unsigned i = 0; i < card->memories_count; i++) {
		if (card->memories[i].size == like->size &&
		    !strcmp(card->memories[i].name, like->name))
			return (int)i;
	}
	return -1;
}

int carry_memories(struct carry *carry)
{
	const struct card *card = carry->from->card;

	for (unsigned i = 0; i < card->memories_count; i++) {
		const struct memory *memory = &card->memories[i];
		const uint8_t *old = carry->from->memories[i], *was = carry->fresh->memories[i];
		int place = memory_find(carry->to->card, memory);

		if (!memcmp(old, was, memory->size))
			continue;
		if (place < 0)
			return error_set(carry->why, -ECANCELED,
					 "memory %s is in use, and the new description has none "
					 "of its size",
					 memory->name);
		for (uint32_t k = carry->to->card->memories[place].rom; k < memory->size; k++) {
			if (old[k] != was[k])
				carry->to->memories[place][k] = old[k];
		}
	}
	return 0;
}
