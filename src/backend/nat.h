/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/clock.h"
#include "nic/port.h"

/*
 * One address for all: a host's NIC that passes frames of its own address only, as
 * wireless stations and cloud hosts do. See nat.c.
 */
enum { NAT_ENTRIES = 256, NAT_BYTES = 1600 };

struct nat_entry {
	uint8_t ip[16]; /* IPv4: the last 4, behind zeros */
	uint64_t mac;	/* of a guest; 0: free */
	uint64_t used;
};

struct nat {
	uint8_t host[6]; /* the address that passes */
	uint64_t sole;	 /* of the only guest so far; 0: none, or several */
	bool several;
	uint64_t clock; /* counts uses */
	unsigned last;	/* entry that was found last */
	struct nat_entry entries[NAT_ENTRIES];
};

void nat_init(struct nat *nat, const uint8_t host[static 6]);
/* FRAME from a guest as it goes out; ROOM holds what is changed of it. */
void nat_out(struct nat *nat, const struct frame *frame, struct frame *to,
	     uint8_t room[static NAT_BYTES]);
/* A frame that arrived, in one piece, is changed where it lies; false: it is for no guest. */
bool nat_in(struct nat *nat, const struct frame *frame);
