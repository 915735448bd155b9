/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Microwire, as 93C46 and 93C56 speak it (three wires and a select):
 *
 *   select low            idle, the shifter is empty
 *   rising clock, DI=1    start bit; then 2 bits of opcode and the address
 *   READ   (10)           DO shows 0, then 16 data bits, high bit first
 *   WRITE  (01)           16 data bits follow; stored when write is enabled
 *   EWEN   (00 11...)     enables writing, EWDS (00 00...) disables it
 */
#include "nic/state.h"

enum { IDLE, COMMAND, READING, WRITING };
enum { OPCODE_EXTRA, OPCODE_WRITE, OPCODE_READ, OPCODE_ERASE };

static uint16_t word_at(const struct nic *nic, const struct pins *pins, unsigned address)
{
	const struct bank *bank = &nic->card->banks[pins->to];

	return address < bank->size / 2 ? (uint16_t)nic->state[bank->regs[0].word + address]
					: 0xffff;
}

static void store(struct nic *nic, const struct pins *pins, const struct shifter *shifter,
		  uint16_t value)
{
	const struct bank *bank = &nic->card->banks[pins->to];

	if (shifter->enabled && shifter->address < bank->size / 2)
		nic->state[bank->regs[0].word + shifter->address] = value;
}

static void command(struct nic *nic, const struct pins *pins, struct shifter *shifter)
{
	unsigned address = shifter->in & ((1u << pins->address_bits) - 1);

	shifter->address = (uint16_t)address;
	shifter->count = 0;
	shifter->in = 0;
	switch (shifter->out) { /* the opcode, kept here while the address came in */
	case OPCODE_READ:
		shifter->phase = READING;
		shifter->out = word_at(nic, pins, address);
		shifter->left = 16;
		shifter->data = false;
		return;
	case OPCODE_WRITE:
		shifter->phase = WRITING;
		return;
	case OPCODE_ERASE:
		store(nic, pins, shifter, 0xffff);
		break;
	default:
		if (address >> (pins->address_bits - 2) == 3)
			shifter->enabled = true;
		else if (address >> (pins->address_bits - 2) == 0)
			shifter->enabled = false;
	}
	shifter->phase = IDLE;
	shifter->data = true; /* ready */
}

static void clock_in(struct nic *nic, const struct pins *pins, struct shifter *shifter, bool in)
{
	switch (shifter->phase) {
	case IDLE:
		if (in) {
			shifter->phase = COMMAND;
			shifter->count = 0;
			shifter->in = 0;
		}
		break;
	case COMMAND:
		shifter->in = shifter->in << 1 | in;
		shifter->count++;
		if (shifter->count == 2)
			shifter->out = shifter->in & 3;
		if (shifter->count == 2 + pins->address_bits)
			command(nic, pins, shifter);
		break;
	case READING:
		if (shifter->left == 0) { /* a read goes on with the next word */
			shifter->out = word_at(nic, pins, ++shifter->address);
			shifter->left = 16;
		}
		shifter->left--;
		shifter->data = shifter->out >> shifter->left & 1;
		break;
	default:
		shifter->in = shifter->in << 1 | in;
		if (++shifter->count == 16) {
			store(nic, pins, shifter, (uint16_t)shifter->in);
			shifter->phase = IDLE;
			shifter->data = true;
		}
	}
}

void pins_written(struct nic *nic, unsigned word)
{
	for (unsigned i = 0; i < nic->card->pins_count; i++) {
		const struct pins *pins = &nic->card->pins[i];
		struct shifter *shifter = &nic->shifters[i];
		struct scope scope = {0};
		uint64_t value;
		bool clock;

		if (pins->word != word || !expr_holds(nic, &pins->when, &scope))
			continue;
		value = nic->state[word];
		clock = value >> pins->clock & 1;
		if (!(value >> pins->select & 1)) {
			shifter->phase = IDLE;
			shifter->data = true;
		} else if (clock && !shifter->clock) {
			clock_in(nic, pins, shifter, value >> pins->in & 1);
		}
		shifter->clock = clock;
	}
}

uint64_t pins_shown(const struct nic *nic, unsigned word, uint64_t value)
{
	for (unsigned i = 0; i < nic->card->pins_count; i++) {
		const struct pins *pins = &nic->card->pins[i];

		if (pins->word == word)
			value = (value & ~(1ull << pins->out)) |
				((uint64_t)nic->shifters[i].data << pins->out);
	}
	return value;
}
