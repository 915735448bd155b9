/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/expr.h"

/* Of the frozen description in nic/card.h: interrupts. */

enum { MODERATE_MAX = 4, CAUSES_MAX = 8 };

struct moderate {
	uint16_t word; /* cause this applies to, mask 0: the interrupt as a whole */
	uint64_t mask;
	struct expr when, interval, idle, limit; /* ns; 0: off */
	struct expr frames;			 /* events that wait at most; absent: all */
};

struct cause { /* bits of one place, and those of another that enable or disable them */
	uint16_t word, mask_word;
	uint64_t bits, mask_bits;
	uint8_t shift, mask_shift;
	bool masked, disables;
};

enum on_send { SEND_KEEP, SEND_CLEAR, SEND_MASK };

struct interrupt {
	bool is_vector;			/* a message on each rise, rather than the line */
	bool events;			/* of messages that actions raise: no causes */
	uint8_t on_send;		/* enum on_send */
	uint16_t vector, vectors;	/* how many from there on */
	uint16_t cause_word, mask_word; /* cause_bits 0: only CAUSES */
	uint64_t cause_bits;
	struct cause causes[CAUSES_MAX];
	uint8_t causes_count;
	struct expr enable;
	struct expr number; /* with causes: which of the messages; absent: the first */
	struct moderate moderate[MODERATE_MAX];
	uint8_t moderate_count;
};
