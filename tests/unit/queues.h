/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bare.h"

#include "nic/nic.h"

/* The card of queues.xml and what its driver does. */
enum {
	WHICH = 0x00, /* the instance that the next ones are about */
	BASE = 0x04,
	DEPTH = 0x08,
	RESULTS = 0x0c,
	VECTOR = 0x10,
	ACT = 0x14, /* as below */
	STATE = 0x18,
	FREE = 0x1c,
	DELAY = 0x24,
	OFF = 0x28,   /* messages are disabled */
	COUNT = 0x2c, /* total of what done rings told */
	TX_BELL = 0x30,
	RX_BELL = 0x40,
	ARM = 0x50,
	INDEX = 0x60,
	PEEK = 0x64,
	HEADS = 0x70, /* how many results may have been put in */
	TABLE = 0xc0,
};
enum {
	OPEN_TX = 1,
	CLOSE_TX = 2,
	OPEN_RX = 4,
	CLOSE_RX = 8,
	OPEN_DONE = 16,
	CLOSE_DONE = 32,
	EVENT = 64
};
enum { LAST = 1, PHASE = 2, ASKS = 4 }; /* word 3 of a slot */
enum { TX = 0x1000, RX = 0x2000, DONE = 0x3000, BUFFERS = 0x10000, BUFFER = 0x1000 };
enum { TX_SLOTS = 4, RX_SLOTS = 8, DONE_SLOTS = 8, STRIDE = 32 };

/*
 * Transmit ring 1 has its results in completion ring 2, by vector 3; receive ring
 * 2 in completion ring 3, by vector 4.
 */
extern struct bare bare;
extern uint8_t frame[4096];
extern unsigned rung; /* slots that transmit ring 1 was given */

void begin(bool by_messages);
void open_ring(unsigned what, unsigned which, uint32_t base, uint32_t depth, uint32_t more);
void act(unsigned what, unsigned which);
unsigned state(unsigned which); /* of the three rings of this number, two bits each */
uint64_t faults(void);
uint32_t *word(uint32_t at);
void slot(uint32_t ring, unsigned number, unsigned entries, uint32_t length, unsigned flags);
void give(uint32_t length, unsigned flags); /* into transmit ring 1; then: */
void ring_bell(void);
uint32_t *result(unsigned ring, unsigned number); /* ring: of transmit 0, of receive 1 */
