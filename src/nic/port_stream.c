/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A data port: one place in front of a memory, whose registers are the address
 * and how much is left.
 *
 *   access of N bytes:  bytes at address, address + 1, …   to or from the port
 *                       address += max(N, unit), left -= the same, not below 0
 *   address = wrap-at:  goes on at wrap-to
 *   left becomes 0:     do=; further accesses move nothing and read as 0
 *
 * An access narrower than the unit sees the first bytes of it. The registers
 * are the only state, so a guest may point them anywhere at any time.
 */
#include "nic/state.h"

struct walk {
	struct nic *nic;
	const struct data_port *port;
	uint64_t *address, *left;
	uint64_t at, wrap_at, wrap_to;
	unsigned moves;
};

static uint64_t part_of(const struct target *target, const uint64_t *word)
{
	return (*word & target->mask) >> target->shift;
}

static void put(const struct target *target, uint64_t *word, uint64_t value)
{
	*word = (*word & ~target->mask) | (value << target->shift & target->mask);
}

static bool walk_begin(struct walk *walk, struct nic *nic, const struct data_port *port,
		       unsigned width)
{
	struct scope scope = {0};
	uint64_t unit = port->unit.count ? expr_eval(nic, &port->unit, &scope) : 1;

	*walk = (struct walk){
		.nic = nic,
		.port = port,
		.address = target_word(nic, &port->address, &scope),
		.left = target_word(nic, &port->left, &scope),
		.wrap_at =
			port->wrap_at.count ? expr_eval(nic, &port->wrap_at, &scope) : UINT64_MAX,
		.wrap_to = port->wrap_at.count ? expr_eval(nic, &port->wrap_to, &scope) : 0,
		.moves = unit > width && unit <= 8 ? (unsigned)unit : width,
	};
	if (!walk->address || !walk->left || !part_of(&port->left, walk->left))
		return false;
	walk->at = part_of(&port->address, walk->address);
	return true;
}

static void walk_step(struct walk *walk)
{
	if (++walk->at == walk->wrap_at)
		walk->at = walk->wrap_to;
}

static void walk_end(struct walk *walk)
{
	uint64_t left = part_of(&walk->port->left, walk->left);
	struct scope scope = {0};

	put(&walk->port->address, walk->address, walk->at);
	put(&walk->port->left, walk->left, left > walk->moves ? left - walk->moves : 0);
	nic_changed(walk->nic, (unsigned)(walk->address - walk->nic->state));
	nic_changed(walk->nic, (unsigned)(walk->left - walk->nic->state));
	if (left <= walk->moves)
		actions_run(walk->nic, &walk->port->actions, &scope);
}

uint64_t data_port_read(struct nic *nic, const struct data_port *port, unsigned width)
{
	struct walk walk;
	uint64_t value = 0;

	if (!walk_begin(&walk, nic, port, width))
		return 0;
	for (unsigned i = 0; i < walk.moves; i++) {
		if (i < width)
			value |= memory_read(nic, port->memory, walk.at, 1) << i * 8;
		walk_step(&walk);
	}
	walk_end(&walk);
	return value;
}

void data_port_write(struct nic *nic, const struct data_port *port, unsigned width, uint64_t value)
{
	struct walk walk;

	if (!walk_begin(&walk, nic, port, width))
		return;
	for (unsigned i = 0; i < walk.moves; i++) {
		if (i < width)
			memory_write(nic, port->memory, walk.at, 1, value >> i * 8);
		walk_step(&walk);
	}
	walk_end(&walk);
}
