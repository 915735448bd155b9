/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine.h"
#include "nic/state.h"

/*
 * A machine with one card, whose driver means harm. Every access, and every
 * turn of the loop, has to be over in time; what is sent has to make sense,
 * whatever it says.
 *
 * The driver knows the card's description as we do: which registers a ring
 * follows from, what the fields of its slots are. So whatever is described is
 * attacked, without a line for it here.
 */
struct foe {
	struct machine machine;
	struct port port;
	struct port_ops ops;
	struct instance *instance;
	struct nic *nic;
	const struct card *card;
	uint8_t *memory;
	uint64_t bars[6];
	uint64_t *valid; /* bits that each state word may have; see foe_check() */
	unsigned room;	 /* frames that the port takes */
	unsigned temper; /* of 16 values, so many are traps; the others make sense, so that things
			    go on */
	uint64_t sent, sum;
};

enum { FOE_DEVICE = 3, FOE_BUFFERS = 4 << 20 };

void foe_new(struct foe *foe, const struct card *card, bool offloads);
void foe_free(struct foe *foe);

/* Each of cards/, one after the other. */
void foe_each(void (*attack)(const struct card *card));
/* How much of a thing to do: more where there is time for it ($ANYNIC_HOSTILE), less where it is
 * slow. */
unsigned foe_times(unsigned usual);

uint64_t foe_read(struct foe *foe, unsigned bar, uint64_t offset, unsigned width);
void foe_write(struct foe *foe, unsigned bar, uint64_t offset, unsigned width, uint64_t value);
void foe_turn(struct foe *foe);	  /* what is left to do gets one turn */
void foe_settle(struct foe *foe); /* some turns */
void foe_offer(struct foe *foe, uint32_t length);
void foe_reset(struct foe *foe); /* of the function, and its BARs are there again */

/* A place that DMA should not go, or should, and a number that is too small, too large, or right.
 */
uint64_t foe_address(struct foe *foe);
uint64_t foe_number(void);

/* Of what is set up for a while: a trap, or not. */
bool foe_evil(const struct foe *foe);

/* Any ring, whose registers get any values with which it runs, over slots full of traps. */
void foe_ring(struct foe *foe, unsigned ring);
void foe_slots(struct foe *foe, unsigned ring);
void foe_filter(struct foe *foe); /* takes all frames, where it can */

/* After a reset: as FRESH is, which has had one. */
void foe_like_new(const struct foe *foe, const struct foe *fresh);

/* Nothing else has happened: no bit that does not exist is set. */
void foe_check(struct foe *foe);
