/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Index/data windows: an access to `data` is one to element `index` of the bank,
 * with all that follows from it. Such a bank may hold the data of another one;
 * the depth is bounded here.
 *
 * Command windows: a write that makes `read-when` or `write-when` hold moves one
 * element between the window's data bits and its bank at once; `done` follows,
 * after a time where the chip takes one.
 */
#include "nic/state.h"

static void window_done(struct timer *timer)
{
	struct window_run *run = timer->context;
	struct nic *nic = run->nic;
	struct scope scope = {0};

	actions_run(nic, &nic->card->windows[run - nic->windows].done, &scope);
	interrupts_update(nic);
}

void windows_init(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->windows_count; i++) {
		nic->windows[i].nic = nic;
		timer_init(&nic->windows[i].timer, window_done, &nic->windows[i]);
	}
}

static bool element_offset(struct nic *nic, const struct window *window, uint64_t *offset)
{
	const struct bank *bank = &nic->card->banks[window->to];
	struct scope scope = {0};

	*offset = expr_eval(nic, &window->index, &scope) * bank->unit;
	return expr_holds(nic, &window->chip, &scope) && *offset < bank->size;
}

uint64_t window_read(struct nic *nic, const struct window *window, bool effects)
{
	uint64_t offset, value;

	if (nic->nesting == NESTING_MAX || !element_offset(nic, window, &offset))
		return UINT64_MAX;
	nic->nesting++;
	value = bank_read(nic, window->to, (uint32_t)offset, nic->card->banks[window->to].unit,
			  effects);
	nic->nesting--;
	return value;
}

/* MASK: the bytes that are written, which may be some of an element only. */
void window_write(struct nic *nic, const struct window *window, uint64_t value, uint64_t mask)
{
	unsigned first = (unsigned)__builtin_ctzll(mask) / 8, unit;
	unsigned width = (unsigned)__builtin_popcountll(mask) / 8;
	uint64_t offset;

	if (nic->nesting == NESTING_MAX || !element_offset(nic, window, &offset))
		return;
	unit = nic->card->banks[window->to].unit;
	if (first >= unit)
		return;
	nic->nesting++;
	bank_write(nic, window->to, (uint32_t)offset + first,
		   width < unit - first ? width : unit - first, value >> first * 8);
	nic->nesting--;
}

static void window_transfer(struct nic *nic, const struct window *window, bool write)
{
	const struct bank *bank = &nic->card->banks[window->to];
	const struct target *data = &window->data_target;
	struct scope scope = {0};
	uint64_t offset = expr_eval(nic, &window->index, &scope) * bank->unit, value;
	bool here = expr_holds(nic, &window->chip, &scope) && offset < bank->size;

	if (write) {
		if (here)
			bank_write(nic, window->to, (uint32_t)offset, bank->unit,
				   expr_eval(nic, &window->data, &scope));
		return;
	}
	value = here ? bank_read(nic, window->to, (uint32_t)offset, bank->unit, true) : UINT64_MAX;
	nic->state[data->word] =
		(nic->state[data->word] & ~data->mask) | (value << data->shift & data->mask);
}

void windows_written(struct nic *nic, unsigned word)
{
	for (unsigned i = 0; i < nic->card->windows_count; i++) {
		const struct window *window = &nic->card->windows[i];
		struct scope scope = {0};
		bool read, write;
		uint64_t after;

		if (window->through || word - window->trigger >= window->trigger_count)
			continue;
		read = window->read_when.count && expr_eval(nic, &window->read_when, &scope);
		write = window->write_when.count && expr_eval(nic, &window->write_when, &scope);
		if ((!read && !write) || nic->nesting == NESTING_MAX)
			continue;
		nic->nesting++; /* what it writes may be the trigger of a window, also of this one
				 */
		window_transfer(nic, window, write);
		nic->nesting--;
		after = window->after.count ? expr_eval(nic, &window->after, &scope) : 0;
		if (after)
			timer_arm(nic->bus.clock, &nic->windows[i].timer,
				  clock_now(nic->bus.clock) + after);
		else
			actions_run(nic, &window->done, &scope);
	}
}
