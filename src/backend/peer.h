/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/loop.h"
#include "nic/port.h"

/*
 * Another process at the end of a socket, for drivers that have one there.
 *
 *   away ──dial()──► there: loop watches the descriptor, the link is up
 *    ▲                 │ peer_lost(): it is closed, the link is down
 *    └──again, later───┘
 *
 * Nobody there is no error once a driver is open: it tries again as often as was asked
 * for. What a driver waits for is in FIRST, LAST, BLOCKED.
 */
struct peer {
	struct port *port;
	struct loop *loop;
	struct loop_fd fd; /* -1: away */
	struct timer retry;
	uint64_t again; /* ns; 0: it is not tried again */
	/* A connected descriptor, or -errno: -EAGAIN, it will be accepted later. */
	int (*dial)(struct peer *peer);
	void (*lost)(struct peer *peer); /* or NULL: forget what was under way */
	const char *name;		 /* for people */
	bool held, blocked;		 /* does not read; waits until it can write */
	int why;			 /* it is away */
};

void peer_init(struct peer *peer, struct port *port, struct loop *loop, const char *name);
void peer_dial(struct peer *peer);
void peer_found(struct peer *peer, int fd);
void peer_lost(struct peer *peer, int why);
void peer_events(struct peer *peer); /* after HELD or BLOCKED changed */
void peer_free(struct peer *peer);

static inline bool peer_there(const struct peer *peer)
{
	return peer->fd.fd >= 0;
}
