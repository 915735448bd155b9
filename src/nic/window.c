/* SPDX-License-Identifier: Apache-2.0 */

/*
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

		if (word - window->trigger >= window->trigger_count)
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
