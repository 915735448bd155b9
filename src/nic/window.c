/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Ways to a bank that no BAR maps.
 *
 * Command windows: a write that makes `read-when` or `write-when` hold moves one
 * element between the window's data bits and its bank at once; `done` follows,
 * after a time where the chip takes one.
 *
 * Index and data: the data register holds nothing, an access to it is one to the
 * element that the index names, with all that follows from it; then `done`.
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

static uint64_t window_offset(struct nic *nic, const struct window *window)
{
	const struct bank *bank = &nic->card->banks[window->to];
	struct scope scope = {0};
	uint64_t offset = expr_eval(nic, &window->index, &scope);

	offset *= window->unit ? window->unit : bank->unit;
	return expr_holds(nic, &window->chip, &scope) && offset < bank->size ? offset : UINT64_MAX;
}

static void window_transfer(struct nic *nic, const struct window *window, bool write)
{
	const struct bank *bank = &nic->card->banks[window->to];
	const struct target *data = &window->data_target;
	struct scope scope = {0};
	uint64_t offset = window_offset(nic, window), value;

	if (write) {
		if (offset != UINT64_MAX)
			bank_write(nic, window->to, (uint32_t)offset, bank->unit,
				   expr_eval(nic, &window->data, &scope));
		return;
	}
	value = offset != UINT64_MAX
			? bank_read(nic, window->to, (uint32_t)offset, bank->unit, true)
			: UINT64_MAX;
	nic->state[data->word] =
		(nic->state[data->word] & ~data->mask) | (value << data->shift & data->mask);
	nic_changed(nic, data->word);
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

/* Lanes of an access that the element has; 0: none, or windows led in a circle. */
static unsigned port_width(const struct nic *nic, const struct window *window, unsigned lane,
			   unsigned width)
{
	unsigned bytes = window->data_bits / 8u, unit = nic->card->banks[window->to].unit;

	if (!window->unit && bytes > unit)
		bytes = unit;
	if (lane >= bytes || nic->nesting == NESTING_MAX)
		return 0;
	return width < bytes - lane ? width : bytes - lane;
}

uint64_t window_port_read(struct nic *nic, const struct reg *reg, unsigned lane, unsigned width,
			  bool effects)
{
	const struct window *window = &nic->card->windows[reg->through - 1];
	uint64_t offset = window_offset(nic, window), value = 0;
	struct scope scope = {0};

	width = port_width(nic, window, lane, width);
	if (!width || offset == UINT64_MAX)
		return offset == UINT64_MAX ? UINT64_MAX : 0;
	nic->nesting++;
	value = bank_read(nic, window->to, (uint32_t)offset + lane, width, effects);
	nic->nesting--;
	if (effects)
		actions_run(nic, &window->done, &scope);
	return value;
}

void window_port_write(struct nic *nic, const struct reg *reg, unsigned lane, unsigned width,
		       uint64_t value)
{
	const struct window *window = &nic->card->windows[reg->through - 1];
	uint64_t offset = window_offset(nic, window);
	struct scope scope = {0};

	width = port_width(nic, window, lane, width);
	if (!width || offset == UINT64_MAX)
		return;
	nic->nesting++;
	bank_write(nic, window->to, (uint32_t)offset + lane, width, value);
	nic->nesting--;
	actions_run(nic, &window->done, &scope);
}
