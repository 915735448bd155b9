/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

/*
 * What a packet socket has asked its interface to receive: addresses, groups, all
 * groups, everything. The kernel takes it back with the socket.
 */
struct members {
	uint64_t addresses[PORT_ADDRESSES];
	unsigned count;
	bool all, all_groups;
};

/* As FILTER wants it; MINE is the interface's. What the interface refuses is done without. */
void members_set(struct members *members, int fd, int index, const struct port_filter *filter,
		 const uint8_t mine[static 6]);
