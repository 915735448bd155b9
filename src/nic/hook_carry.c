/* SPDX-License-Identifier: Apache-2.0 */

/* What a module keeps besides registers, on its way into a file or a successor. */
#include "nic/hooked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int32_t hooks_save(struct nic *nic, uint8_t *to, uint32_t room)
{
	struct hooked *hooked = nic->hooked;
	struct hook_entry entry;
	int32_t length;

	if (!hooked || hooked->failed || !hooked->hooks->call.save)
		return 0;
	entry = hook_enter(hooked, WITHIN_ACCESS, "save");
	length = hooked->hooks->call.save(hooked->hooks->self, to, room);
	hook_leave(hooked, entry);
	return length > (int32_t)room ? ANYNIC_INVALID : length;
}

int32_t hooks_restore(struct nic *nic, const uint8_t *from, uint32_t length)
{
	struct hooked *hooked = nic->hooked;
	struct hook_entry entry;
	int32_t result;

	if (!hooked || !length || !hooked->hooks->call.restore)
		return ANYNIC_OK;
	entry = hook_enter(hooked, WITHIN_ACCESS, "restore");
	result = hooked->hooks->call.restore(hooked->hooks->self, from, length);
	hook_leave(hooked, entry);
	return result;
}

static void carry_kicks(struct nic *to, const struct nic *from)
{
	for (unsigned i = 0; i < from->card->called_count; i++) {
		for (unsigned k = 0; k < to->card->called_count; k++) {
			if (!(from->hooked->kicked >> i & 1) ||
			    strcmp(from->card->called[i], to->card->called[k]))
				continue;
			to->hooked->kicked |= 1ull << k;
			to->hooked->values[k] = from->hooked->values[i];
		}
	}
}

static void swap(struct frame_store *a, struct frame_store *b)
{
	struct frame_store kept = *a;

	*a = *b;
	*b = kept;
}

static int carry_state(struct nic *to, struct nic *from)
{
	uint8_t *state = calloc(1, HOOK_STATE);
	int32_t length = state ? hooks_save(from, state, HOOK_STATE) : ANYNIC_FULL;
	int32_t result = length > 0 ? hooks_restore(to, state, (uint32_t)length) : length;

	free(state);
	return result < 0 ? -ECANCELED : 0;
}

/* 0, or -ECANCELED: the new module does not want what the old one had. */
int hooks_carry(struct nic *to, struct nic *from)
{
	int result;

	if (!to->hooked || !from->hooked || from->failed)
		return 0;
	result = carry_state(to, from);
	if (result < 0)
		return result;
	carry_kicks(to, from);
	swap(&to->hooked->out, &from->hooked->out);
	swap(&to->hooked->in, &from->hooked->in);
	to->hooked->cut = from->hooked->cut;
	from->hooked->cut = 0;
	to->module_link_down = from->module_link_down;
	return 0;
}

void hooks_left(struct nic *to, const struct nic *from)
{
	uint64_t out, in, cut;

	hooks_waiting(from, &out, &in, &cut);
	to->stats.tx_removed += out;
	to->stats.rx_removed += in;
	to->stats.tx_abandoned += cut;
}

void hooks_moved(struct nic *nic)
{
	if (!nic->hooked)
		return;
	nic->stats.tx_abandoned += nic->hooked->cut;
	nic->hooked->cut = 0;
}

void hooks_waiting(const struct nic *nic, uint64_t *out, uint64_t *in, uint64_t *cut)
{
	*out = nic->hooked ? nic->hooked->out.count : 0;
	*in = nic->hooked ? nic->hooked->in.count : 0;
	*cut = nic->hooked ? nic->hooked->cut : 0;
}
