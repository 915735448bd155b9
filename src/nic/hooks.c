/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The module of a NIC: when its hooks are called. Within an access they change the
 * card's own state only; what needs guest memory or the network is kicked or
 * recorded, and done from the loop:
 *
 *   access   call NAME ── call()        kick NAME ── bit ──┐   command NAME ── recorded
 *   loop                                                   `── kick()           `── command()
 *
 * A kick that waits for guest memory, or for the port, keeps its bit and is called
 * again with the next work. A module that fails is not called again; its card
 * answers all ones, takes nothing, and does nothing.
 */
#include "nic/hooked.h"

#include "nic/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RESET_POWER };

/* ---- a NIC begins and ends ---- */

static bool hooked_allocate(struct nic *nic)
{
	struct hooked *hooked = nic->hooked = calloc(1, sizeof(*hooked));

	if (!hooked)
		return false;
	hooked->batch.shown = hooked->shown;
	hooked->batch.room = malloc(HOOK_EDITS);
	return hooked->batch.room && frame_store_init(&hooked->out, HOOK_STORE) &&
	       frame_store_init(&hooked->in, HOOK_STORE);
}

static void hooked_free(struct nic *nic)
{
	if (!nic->hooked)
		return;
	frame_store_free(&nic->hooked->out);
	frame_store_free(&nic->hooked->in);
	free(nic->hooked->batch.room);
	free(nic->hooked);
	nic->hooked = NULL;
	nic->hook_shown = NULL;
	nic->hook_receive = false;
}

static int32_t start(struct hooked *hooked)
{
	struct hook_entry entry = hook_enter(hooked, WITHIN_ACCESS, "start");
	int32_t result = ANYNIC_OK;

	if (hooked->hooks->call.start)
		result = hooked->hooks->call.start(hooked->hooks->self);
	hook_leave(hooked, entry);
	return hooked->failed ? ANYNIC_INVALID : result;
}

int nic_hooks(struct nic *nic, struct hooks *hooks)
{
	const struct anynic_module *call = &hooks->call;
	int32_t result;

	hooks->nic = nic;
	if (!hooks->self)
		hooks->self = (struct anynic_nic *)nic;
	if (!hooked_allocate(nic)) {
		hooked_free(nic);
		hooks->close(hooks);
		return -ENOMEM;
	}
	nic->hooked->hooks = hooks;
	nic->hook_shown = call->transmit ? nic->hooked->shown : NULL;
	nic->hook_receive = call->receive;
	result = start(nic->hooked);
	if (result < 0)
		return result;
	hooks_reset(nic, RESET_POWER);
	return 0;
}

void hooks_free(struct nic *nic)
{
	struct hooked *hooked = nic->hooked;

	if (!hooked)
		return;
	if (hooked->hooks->call.stop && !hooked->failed) {
		struct hook_entry entry = hook_enter(hooked, WITHIN_ACCESS, "stop");

		hooked->hooks->call.stop(hooked->hooks->self);
		hook_leave(hooked, entry);
	}
	hooked->hooks->close(hooked->hooks);
	hooked_free(nic);
}

const char *nic_failed(const struct nic *nic)
{
	return nic->failed ? nic->hooked->why : NULL;
}

/* ---- within an access ---- */

void hooks_reset(struct nic *nic, unsigned reset)
{
	struct hooked *hooked = nic->hooked;
	struct hook_entry entry;

	if (nic->card->resets[reset].rings) {
		hooked->kicked = 0;
		hooks_moved(nic);
		hook_removed(nic, false, hooked->out.count);
		hook_removed(nic, true, hooked->in.count);
		frame_store_clear(&hooked->out);
		frame_store_clear(&hooked->in);
	}
	if (!hooked->hooks->call.reset || hooked->failed)
		return;
	entry = hook_enter(hooked, WITHIN_ACCESS, "reset");
	hooked->hooks->call.reset(hooked->hooks->self, reset);
	hook_leave(hooked, entry);
}

/* As anynic_find() gives it. */
static uint32_t place_of(const struct nic *nic, const struct reg *reg)
{
	const struct card *card = nic->card;
	unsigned bank = 0;

	while (reg < card->banks[bank].regs ||
	       reg >= card->banks[bank].regs + card->banks[bank].regs_count)
		bank++;
	return place_make(bank, (unsigned)(reg - card->banks[bank].regs), 0);
}

uint64_t hooks_read(struct nic *nic, const struct reg *reg, unsigned k, uint64_t value)
{
	struct hooked *hooked = nic->hooked;
	struct hook_entry entry;

	if (!hooked || hooked->failed || !hooked->hooks->call.read)
		return value;
	entry = hook_enter(hooked, WITHIN_ACCESS, "read");
	value = hooked->hooks->call.read(hooked->hooks->self, place_of(nic, reg), k, value);
	hook_leave(hooked, entry);
	return value & reg->valid;
}

uint64_t hooks_write(struct nic *nic, const struct reg *reg, unsigned k, uint64_t value,
		     uint64_t old)
{
	struct hooked *hooked = nic->hooked;
	struct hook_entry entry;

	if (!hooked || hooked->failed || !hooked->hooks->call.write)
		return value;
	entry = hook_enter(hooked, WITHIN_ACCESS, "write");
	value = hooked->hooks->call.write(hooked->hooks->self, place_of(nic, reg), k, value, old);
	hook_leave(hooked, entry);
	return value;
}

static void kick(struct nic *nic, unsigned called, uint64_t value)
{
	nic->hooked->kicked |= 1ull << called;
	nic->hooked->values[called] = value;
	nic->bus.schedule(nic->bus.context);
}

static uint64_t value_of(struct nic *nic, const struct action *action, const struct scope *scope)
{
	return action->value.count ? expr_eval(nic, &action->value, scope) : 0;
}

void hooks_call(struct nic *nic, const struct action *action, const struct scope *scope)
{
	struct hooked *hooked = nic->hooked;
	uint64_t value = value_of(nic, action, scope);
	struct hook_entry entry;

	if (!hooked || hooked->failed)
		return;
	if (action->verb == VERB_KICK) {
		kick(nic, action->operand, value);
		return;
	}
	if (!hooked->hooks->call.call)
		return;
	entry = hook_enter(hooked, WITHIN_ACCESS, "call");
	hooked->hooks->call.call(hooked->hooks->self, action->operand, scope->index, value);
	hook_leave(hooked, entry);
}

/* ---- from the loop ---- */

static int answer(int32_t result)
{
	return result >= 0 ? 0 : result == ANYNIC_AGAIN ? -EAGAIN : -EIO;
}

int hooks_command(struct nic *nic, const struct action *action, const struct scope *scope)
{
	struct hooked *hooked = nic->hooked;
	const struct ring_run *run = scope->slot ? &nic->rings[scope->ring] : NULL;
	struct hook_entry entry;
	int32_t result;

	if (!hooked || hooked->failed || !hooked->hooks->call.command)
		return -EIO;
	entry = hook_enter(hooked, WITHIN_WORK, "command");
	result = hooked->hooks->call.command(
		hooked->hooks->self, action->operand, value_of(nic, action, scope),
		run ? (uint32_t)(run->ring - nic->card->rings) : 0, run ? run->number : 0,
		scope->slot, run ? run->ring->slot_size : 0);
	hook_leave(hooked, entry);
	return answer(result);
}

/* True: it wants to be called again at once. */
static bool kick_run(struct nic *nic, unsigned called)
{
	struct hooked *hooked = nic->hooked;
	struct hook_entry entry = hook_enter(hooked, WITHIN_WORK, "kick");
	int32_t result;

	hooked->kicked &= ~(1ull << called);
	result = hooked->hooks->call.kick(hooked->hooks->self, called, hooked->values[called]);
	hook_leave(hooked, entry);
	if (result == ANYNIC_MORE || result == ANYNIC_AGAIN)
		hooked->kicked |= 1ull << called;
	else if (result < 0)
		count_faults(nic, 1);
	if (result != ANYNIC_AGAIN)
		dma_settle(nic->bus.memory);
	return result == ANYNIC_MORE;
}

bool hooks_work(struct nic *nic)
{
	struct hooked *hooked = nic->hooked;
	bool more = false;

	if (hooked->failed)
		return false;
	if (hooked->out.count)
		hook_out_drain(nic);
	for (uint64_t left = hooked->hooks->call.kick ? hooked->kicked : 0; left; left &= left - 1)
		more |= kick_run(nic, (unsigned)__builtin_ctzll(left));
	if (hooked->in.count)
		hook_in_drain(nic);
	return more;
}

void hooks_timer(struct nic *nic, unsigned timer)
{
	struct hooked *hooked = nic->hooked;
	struct hook_entry entry;

	if (!hooked || hooked->failed || !hooked->hooks->call.timer)
		return;
	entry = hook_enter(hooked, WITHIN_WORK, "timer");
	hooked->hooks->call.timer(hooked->hooks->self, timer);
	hook_leave(hooked, entry);
	nic->bus.schedule(nic->bus.context);
}

/* ---- what a module asks for, of all this ---- */

int32_t service_kick(struct anynic_nic *self, int32_t called, uint64_t value)
{
	struct nic *nic = nic_of(self);

	if (called < 0 || called >= nic->card->called_count)
		return ANYNIC_INVALID;
	kick(nic, (unsigned)called, value);
	return ANYNIC_OK;
}

/* Texts may come from anybody: a line of what can be printed. */
static void printable(char *to, size_t room, const char *text)
{
	size_t i = 0;

	for (; text[i] && i + 1 < room; i++)
		to[i] = text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
	to[i] = 0;
}

int32_t service_log(struct anynic_nic *self, uint32_t level, const char *text)
{
	struct hooked *hooked = nic_of(self)->hooked;
	char line[200];

	(void)level;
	printable(line, sizeof(line), text);
	log_guest_do(&hooked->limit, "%s: %s", hooked->hooks->name, line);
	return ANYNIC_OK;
}

int32_t service_fail(struct anynic_nic *self, const char *why)
{
	struct nic *nic = nic_of(self);
	struct hooked *hooked = nic->hooked;

	if (hooked->failed)
		return ANYNIC_OK;
	printable(hooked->why, sizeof(hooked->why), why);
	hooked->failed = nic->failed = true;
	log_warn("%s: stopped: %s", hooked->hooks->name, hooked->why);
	return ANYNIC_OK;
}
