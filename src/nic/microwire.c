/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Microwire, as 93C46 to 93C86 speak it (three wires and a select):
 *
 *   select low             idle, the shifter is empty
 *   rising clock, DI=1     start bit; then 2 bits of opcode and the address
 *   READ   (10)            DO shows 0, then 16 data bits; goes on with the next word
 *   WRITE  (01)            16 data bits follow; stored when write is enabled
 *   ERASE  (11)            the word becomes ones
 *   EWEN   (00 11...)      enables writing, EWDS (00 00...) disables it
 *   WRAL   (00 01...)      16 data bits follow, stored everywhere; ERAL (00 10...)
 *
 * DO shows the 0 with the last address bit; a part with `dummy` clocks shows it
 * that many clocks longer. `lsb`: data goes low bit first, both ways.
 */
#include "nic/state.h"

enum { IDLE, COMMAND, READING, WRITING };
enum { OPCODE_EXTRA, OPCODE_WRITE, OPCODE_READ, OPCODE_ERASE };
enum { EXTRA_DISABLE, EXTRA_WRITE_ALL, EXTRA_ERASE_ALL, EXTRA_ENABLE };
enum { EVERYWHERE = UINT16_MAX };

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

	for (unsigned i = 0; shifter->enabled && i < bank->size / 2; i++) {
		if (shifter->address == i || shifter->address == EVERYWHERE)
			nic->state[bank->regs[0].word + i] = value;
	}
}

/* What opcode 00 means is said by the upper two bits of the address. */
static unsigned extra(struct nic *nic, const struct pins *pins, struct shifter *shifter)
{
	unsigned which = shifter->address >> (pins->address_bits - 2);

	if (which == EXTRA_ENABLE || which == EXTRA_DISABLE) {
		shifter->enabled = which == EXTRA_ENABLE;
		return IDLE;
	}
	shifter->address = EVERYWHERE;
	if (which == EXTRA_WRITE_ALL)
		return WRITING;
	store(nic, pins, shifter, 0xffff);
	return IDLE;
}

static void command(struct nic *nic, const struct pins *pins, struct shifter *shifter)
{
	shifter->address = (uint16_t)(shifter->in & ((1u << pins->address_bits) - 1));
	shifter->count = 0;
	shifter->in = 0;
	shifter->data = true;	/* ready */
	switch (shifter->out) { /* the opcode, kept here while the address came in */
	case OPCODE_READ:
		shifter->phase = READING;
		shifter->out = word_at(nic, pins, shifter->address);
		shifter->left = (uint8_t)(16 + pins->dummy);
		shifter->data = false;
		break;
	case OPCODE_WRITE:
		shifter->phase = WRITING;
		break;
	case OPCODE_ERASE:
		store(nic, pins, shifter, 0xffff);
		shifter->phase = IDLE;
		break;
	default:
		shifter->phase = (uint8_t)extra(nic, pins, shifter);
	}
}

static void read_bit(struct nic *nic, const struct pins *pins, struct shifter *shifter)
{
	if (shifter->left == 0) { /* a read goes on with the next word */
		shifter->out = word_at(nic, pins, ++shifter->address);
		shifter->left = 16;
	}
	shifter->left--;
	if (shifter->left < 16)
		shifter->data =
			shifter->out >> (pins->lsb ? 15 - shifter->left : shifter->left) & 1;
}

static void write_bit(struct nic *nic, const struct pins *pins, struct shifter *shifter, bool in)
{
	shifter->in |= (uint32_t)in << (pins->lsb ? shifter->count : 15 - shifter->count);
	if (++shifter->count < 16)
		return;
	store(nic, pins, shifter, (uint16_t)shifter->in);
	shifter->phase = IDLE;
	shifter->data = true;
}

void microwire_clock(struct nic *nic, const struct pins *pins, struct shifter *shifter, bool in)
{
	switch (shifter->phase) {
	case IDLE:
		shifter->phase = in ? COMMAND : IDLE;
		shifter->count = 0;
		shifter->in = 0;
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
		read_bit(nic, pins, shifter);
		break;
	default:
		write_bit(nic, pins, shifter, in);
	}
}

void microwire_deselect(struct shifter *shifter)
{
	shifter->phase = IDLE;
	shifter->data = true;
}
