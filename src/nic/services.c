/* SPDX-License-Identifier: Apache-2.0 */

/* What a module may ask of registers, interrupts, timers and the link. */
#include "nic/hooked.h"
#include "nic/service.h"

#include <string.h>

struct place {
	const struct reg *reg;
	const struct bank *bank;
	uint64_t mask;
	unsigned shift;
};

static bool place_at(const struct nic *nic, int32_t handle, uint32_t index, struct place *place)
{
	unsigned bank = place_bank((uint32_t)handle), reg = place_reg((uint32_t)handle),
		 field = place_field((uint32_t)handle);

	if (handle < 0 || bank >= nic->card->banks_count ||
	    reg >= nic->card->banks[bank].regs_count)
		return false;
	place->bank = &nic->card->banks[bank];
	place->reg = &place->bank->regs[reg];
	place->mask = place->reg->valid;
	place->shift = 0;
	if (index >= place->reg->count || place->reg->port || field > place->reg->fields_count)
		return false;
	if (field) {
		const struct field *at = &place->reg->fields[field - 1];

		place->shift = at->shift;
		place->mask &= UINT64_MAX >> (64 - at->width) << at->shift;
	}
	return true;
}

/* ---- names ---- */

static bool same(const char *name, const char *text, size_t length)
{
	return name && strlen(name) == length && !memcmp(name, text, length);
}

static int32_t find_place(const struct card *card, const char *name)
{
	size_t length = strcspn(name, ".");

	for (unsigned i = 0; i < card->banks_count; i++) {
		for (unsigned k = 0; k < card->banks[i].regs_count; k++) {
			const struct reg *reg = &card->banks[i].regs[k];

			if (!same(reg->name, name, length))
				continue;
			if (!name[length])
				return (int32_t)place_make(i, k, 0);
			for (unsigned n = 0; n < reg->fields_count; n++) {
				if (!strcmp(reg->fields[n].name, name + length + 1))
					return (int32_t)place_make(i, k, n + 1);
			}
		}
	}
	return ANYNIC_NONE;
}

static int32_t find_field(const struct card *card, const char *name)
{
	size_t length = strcspn(name, ".");

	for (unsigned i = 0; i < card->layouts_count; i++) {
		const struct slot_names *layout = &card->layouts[i];

		if (!same(layout->name, name, length) || !name[length])
			continue;
		for (unsigned k = 0; k < layout->count; k++) {
			if (!strcmp(layout->fields[k].name, name + length + 1))
				return (int32_t)(i << 16 | k);
		}
	}
	return ANYNIC_NONE;
}

/* Of an array of structures that begin with their name. */
static int32_t find_named(const void *list, unsigned count, size_t size, const char *name)
{
	for (unsigned i = 0; i < count; i++) {
		const char *const *at = (const void *)((const uint8_t *)list + i * size);

		if (*at && !strcmp(*at, name))
			return (int32_t)i;
	}
	return ANYNIC_NONE;
}

int32_t service_find(struct anynic_nic *self, uint32_t kind, const char *name)
{
	const struct card *card = nic_of(self)->card;

	switch (kind) {
	case ANYNIC_PLACE:
		return find_place(card, name);
	case ANYNIC_CALLED:
		return find_named(card->called, card->called_count, sizeof(*card->called), name);
	case ANYNIC_RING:
		return find_named(card->rings, card->rings_count, sizeof(*card->rings), name);
	case ANYNIC_RECORD:
		return find_named(card->layouts, card->layouts_count, sizeof(*card->layouts), name);
	case ANYNIC_FIELD:
		return find_field(card, name);
	case ANYNIC_TIMER:
		return find_named(card->timers, card->timers_count, sizeof(*card->timers), name);
	case ANYNIC_RESET:
		return find_named(card->resets, card->resets_count, sizeof(*card->resets), name);
	case ANYNIC_MEMORY:
		return find_named(card->memories, card->memories_count, sizeof(*card->memories),
				  name);
	default:
		return ANYNIC_INVALID;
	}
}

/* ---- registers, interrupts ---- */

uint64_t service_get(struct anynic_nic *self, int32_t handle, uint32_t index)
{
	struct nic *nic = nic_of(self);
	struct place place;

	return place_at(nic, handle, index, &place)
		       ? (nic->state[place.reg->word + index] & place.mask) >> place.shift
		       : 0;
}

int32_t service_set(struct anynic_nic *self, int32_t handle, uint32_t index, uint64_t value)
{
	struct nic *nic = nic_of(self);
	struct place place;
	uint64_t *word;

	if (!place_at(nic, handle, index, &place))
		return ANYNIC_INVALID;
	word = &nic->state[place.reg->word + index];
	*word = (*word & ~place.mask) | (value << place.shift & place.mask);
	nic_changed(nic, place.reg->word + index);
	return ANYNIC_OK;
}

int32_t service_raise(struct anynic_nic *self, int32_t handle, uint32_t index, uint64_t bits)
{
	struct nic *nic = nic_of(self);
	struct scope scope = {0};
	struct place place;
	unsigned word;

	if (!place_at(nic, handle, index, &place))
		return ANYNIC_INVALID;
	bits = bits << place.shift & place.mask;
	word = place.reg->word + index;
	if (interrupts_delay(nic, word, bits, &scope))
		return ANYNIC_OK;
	nic->state[word] |= bits;
	nic_changed(nic, word);
	return ANYNIC_OK;
}

int32_t service_offset(struct anynic_nic *self, int32_t handle, uint32_t index)
{
	struct place place;

	return place_at(nic_of(self), handle, index, &place)
		       ? (int32_t)(place.reg->at + index * place.reg->stride)
		       : ANYNIC_INVALID;
}

static unsigned vectors(const struct card *card)
{
	unsigned most = 0;

	for (unsigned i = 0; i < card->capabilities_count; i++) {
		if (card->capabilities[i].vectors > most)
			most = card->capabilities[i].vectors;
	}
	return most;
}

int32_t service_message(struct anynic_nic *self, uint32_t vector)
{
	struct nic *nic = nic_of(self);

	if (vector >= vectors(nic->card))
		return ANYNIC_INVALID;
	if (nic->trace)
		trace_message(nic, vector);
	nic->stats.interrupts++;
	nic->bus.message(nic->bus.context, vector);
	return ANYNIC_OK;
}

/* ---- timers, link ---- */

int32_t service_timer_arm(struct anynic_nic *self, int32_t timer, uint64_t after)
{
	struct nic *nic = nic_of(self);
	struct scope scope = {0};
	uint64_t now = clock_now(nic->bus.clock);

	if (timer < 0 || timer >= nic->card->timers_count)
		return ANYNIC_INVALID;
	if (!after)
		after = expr_eval(nic, &nic->card->timers[timer].period, &scope);
	if (after > UINT64_MAX / 2)
		return ANYNIC_INVALID;
	timer_arm(nic->bus.clock, &nic->timers[timer],
		  now + (after > PERIOD_MIN ? after : PERIOD_MIN));
	return ANYNIC_OK;
}

int32_t service_timer_cancel(struct anynic_nic *self, int32_t timer)
{
	struct nic *nic = nic_of(self);

	if (timer < 0 || timer >= nic->card->timers_count)
		return ANYNIC_INVALID;
	timer_cancel(nic->bus.clock, &nic->timers[timer]);
	return ANYNIC_OK;
}

uint64_t service_now(struct anynic_nic *self)
{
	return clock_now(nic_of(self)->bus.clock);
}

int32_t service_link(struct anynic_nic *self)
{
	return phy_up(nic_of(self));
}

int32_t service_link_set(struct anynic_nic *self, uint32_t up)
{
	struct nic *nic = nic_of(self);

	nic->module_link_down = !up;
	nic_link_update(nic);
	return ANYNIC_OK;
}

uint64_t service_mac(struct anynic_nic *self)
{
	uint64_t mac = 0;

	memcpy(&mac, nic_of(self)->mac, 6);
	return mac;
}
