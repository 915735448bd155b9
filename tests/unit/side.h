/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/loop.h"
#include "nic/port.h"
#include "unit.h"

/*
 * A NIC's side of a driver's port, on a clock turned by hand: keeps lengths and sums of
 * what it gets. One at a time.
 */
enum { SIDE_GOT = 4096, SIDE_LONGEST = 65536 };

extern struct side {
	struct clock clock;
	struct loop *loop;
	struct port *port;
	unsigned count, room, writable, links;
	bool up;
	uint32_t length[SIDE_GOT], sum[SIDE_GOT];
	char folder[64], near[96], far[96]; /* places for sockets and files */
} side;

void side_begin(void);
void side_open(const char *format, ...) __attribute__((format(printf, 1, 2)));
void side_turn(void); /* all that is waiting */
void side_end(void);  /* and whether everything adds up, and nothing is left */
/* COUNT frames of LENGTH bytes, as unit_fill(…, LENGTH) makes them; how many were taken. */
unsigned side_send(unsigned count, uint32_t length);
uint32_t sum_of(const uint8_t *data, size_t length);
