/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../unit/machine.h"

#include <stdio.h>

/*
 * The life of a card with its driver, written down: a VM inside this process, a clock
 * turned by hand, a network that keeps what is sent. Whatever can be seen from outside
 * goes into the log when it happens: what is read, guest memory that has changed, frames,
 * interrupts. Two that behave alike write the same, byte for byte.
 */
enum { LIFE_MEMORY = 1 << 20 }; /* guest memory that is looked at; the driver's */

struct life {
	struct machine machine;
	struct test_port port;
	struct instance *instance;
	struct card *card;
	uint64_t bar;
	uint8_t *memory, *shadow;
	uint64_t fired[64];
	FILE *log;
};

/* The card is described by PATH. Plugged in, found, with messages enabled. */
void life_begin(struct life *life, const char *path, bool offloads, FILE *log);
void life_end(struct life *life);
/* The description is read again and put in the place of the one there is. */
void life_reload(struct life *life, const char *path);

/* What happens next, for the log. */
void life_note(struct life *life, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Each is followed by all that comes of it. */
uint32_t life_read(struct life *life, unsigned at);
void life_write(struct life *life, unsigned at, uint32_t value);
void life_turn(struct life *life, uint64_t ns);
void life_link(struct life *life, bool up);
void life_offer(struct life *life, const uint8_t *frame, uint32_t length);
