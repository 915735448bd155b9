/* SPDX-License-Identifier: Apache-2.0 */
#include "queues.h"

#include <string.h>

struct bare bare;
uint8_t frame[4096];
unsigned rung;

void open_ring(unsigned what, unsigned which, uint32_t base, uint32_t depth, uint32_t more)
{
	bare_write(&bare, WHICH, which);
	bare_write(&bare, BASE, base);
	bare_write(&bare, DEPTH, depth);
	bare_write(&bare, what == OPEN_DONE ? VECTOR : RESULTS, more);
	if (what == OPEN_DONE)
		bare_write(&bare, HEADS + which * 4, depth);
	bare_write(&bare, ACT, what);
}

void act(unsigned what, unsigned which)
{
	bare_write(&bare, WHICH, which);
	bare_write(&bare, ACT, what);
}

unsigned state(unsigned which)
{
	bare_write(&bare, WHICH, which);
	return bare_read(&bare, STATE);
}

uint64_t faults(void)
{
	return nic_stats(bare.nic)->ring_faults;
}

void begin(bool by_messages)
{
	bare_new(&bare, bare_card_file("tests/unit/queues.xml"), by_messages);
	open_ring(OPEN_DONE, 2, DONE, DONE_SLOTS, 3);
	open_ring(OPEN_DONE, 3, DONE + 0x800, DONE_SLOTS, 4);
	open_ring(OPEN_TX, 1, TX, TX_SLOTS, 2);
	open_ring(OPEN_RX, 2, RX, RX_SLOTS, 3);
	unit_fill(frame, sizeof(frame), 1);
	rung = 0;
	CHECK_EQUAL(faults(), 0);
}

uint32_t *word(uint32_t at)
{
	return (uint32_t *)(void *)(bare.memory + at);
}

/* As a driver does: all of it, then what says that it is there. */
void slot(uint32_t ring, unsigned number, unsigned entries, uint32_t length, unsigned flags)
{
	uint32_t at = ring + number % entries * 16;
	bool phase = number / entries % 2 == 0;

	word(at)[0] = BUFFERS + number % 16 * BUFFER;
	word(at)[1] = length | (0x100 + number) << 16;
	word(at)[3] = flags | (phase ? PHASE : 0);
}

void give(uint32_t length, unsigned flags)
{
	unit_fill(bare.memory + BUFFERS + rung % 16 * BUFFER, length, rung);
	slot(TX, rung++, TX_SLOTS, length, flags);
}

void ring_bell(void)
{
	bare_write(&bare, TX_BELL + 4, rung);
}

uint32_t *result(unsigned ring, unsigned number)
{
	return word(DONE + ring * 0x800 + number % DONE_SLOTS * STRIDE);
}
