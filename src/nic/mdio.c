/* SPDX-License-Identifier: Apache-2.0 */

/*
 * MDIO, clause 22 of 802.3: a clock and one wire for both directions. Both sides
 * look at the wire when the clock rises, and the PHY changes it then.
 *
 *   preamble  ones; one is enough (BMSR tells so)
 *   start     01
 *   opcode    10 read, 01 write; then 5 bits of PHY and 5 of register
 *   read      the wire is let go for a clock, the PHY drives 0, then 16 bits
 *   write     10, then 16 bits
 *
 * A wire that nobody drives is a one. `direction` says whether the driver does;
 * a card without that pin has wires of its own for both ways. Another PHY's
 * frames are counted out in silence.
 */
#include "nic/state.h"

enum { WAITING, READY, STARTED, COMMAND, TURNING, READING, WRITING, SILENT };
enum { COMMAND_BITS = 12, FRAME_REST = 18, OPCODE_WRITE = 1, OPCODE_READ = 2 };

static uint32_t register_at(const struct nic *nic, const struct pins *pins,
			    const struct shifter *shifter)
{
	return (uint32_t)shifter->address * nic->card->banks[pins->to].unit;
}

static void command(struct nic *nic, const struct pins *pins, struct shifter *shifter)
{
	unsigned opcode = shifter->in >> 10 & 3;

	shifter->address = shifter->in & 0x1f;
	shifter->left = FRAME_REST;
	shifter->phase = SILENT;
	if ((shifter->in >> 5 & 0x1f) != pins->chip)
		return;
	if (opcode == OPCODE_WRITE) {
		shifter->phase = WRITING;
	} else if (opcode == OPCODE_READ) {
		shifter->phase = TURNING;
		shifter->out = (uint16_t)bank_read(nic, pins->to, register_at(nic, pins, shifter),
						   2, true);
	}
}

/* The last bits of a frame; then the next one may begin. */
static void count_out(struct nic *nic, const struct pins *pins, struct shifter *shifter)
{
	bool writing = shifter->phase == WRITING;

	if (--shifter->left)
		return;
	shifter->phase = READY; /* before the transfer, which may come back here */
	if (writing)
		bank_write(nic, pins->to, register_at(nic, pins, shifter), 2, shifter->in & 0xffff);
}

static void begin(struct shifter *shifter, bool in)
{
	if (shifter->phase == READY)
		shifter->phase = in ? READY : STARTED;
	else if (shifter->phase == STARTED)
		shifter->phase = in ? COMMAND : WAITING;
	else
		shifter->phase = in ? READY : WAITING;
	shifter->count = 0;
	shifter->in = 0;
}

void mdio_clock(struct nic *nic, const struct pins *pins, struct shifter *shifter, bool in)
{
	shifter->data = true;
	switch (shifter->phase) {
	case WAITING:
	case READY:
	case STARTED:
		begin(shifter, in);
		break;
	case COMMAND:
		shifter->in = shifter->in << 1 | in;
		if (++shifter->count == COMMAND_BITS)
			command(nic, pins, shifter);
		break;
	case TURNING:
		shifter->phase = READING;
		shifter->data = false;
		shifter->left--;
		break;
	case READING:
		shifter->data = shifter->left > 1 ? shifter->out >> (shifter->left - 2) & 1 : true;
		count_out(nic, pins, shifter);
		break;
	default:
		shifter->in = shifter->in << 1 | in;
		count_out(nic, pins, shifter);
	}
}
