/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/inbox.h"

#include <xdp/xsk.h>

/*
 * An AF_XDP socket on one queue of an interface, with memory of its own:
 *
 *   fill ─► the kernel ─► rx ─► the NIC ─► fill            the first half of the chunks
 *   free ─► tx ─► the kernel ─► completion ─► free         the second half
 *
 * What has arrived is handed to the NIC where it lies, and its chunk goes back when the NIC
 * has taken it.
 */
enum { LANE_CHUNKS = 1024 /* each way */ };

struct lane {
	struct xsk_socket *socket;
	struct xsk_umem *umem;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons rx, completion;
	uint8_t *memory;
	size_t size;
	uint32_t chunk; /* bytes */
	bool zero_copy;
	unsigned flying;	    /* frames that were sent and are not complete */
	uint32_t free[LANE_CHUNKS]; /* chunks for frames to send */
	unsigned free_count;
	uint64_t given[INBOX_FRAMES]; /* chunks of the frames in the inbox */
	unsigned given_count;
	struct inbox inbox; /* its frames lie in MEMORY */
	uint64_t missed;    /* as the kernel counts them */
};

/* 0 or -errno. Zero-copy where the interface can. */
int lane_open(struct lane *lane, const char *name, unsigned queue, uint32_t mtu, bool zero_copy);
void lane_close(struct lane *lane);
int lane_fd(const struct lane *lane);

unsigned lane_send(struct lane *lane, const struct frame *frames, unsigned count);
int lane_kick(struct lane *lane);	   /* the kernel sends; 0 or -errno */
unsigned lane_complete(struct lane *lane); /* how many have gone since the last time */
/* What has arrived into the inbox; how many. */
unsigned lane_receive(struct lane *lane, struct port *port);
void lane_taken(struct lane *lane); /* the inbox is empty: its chunks go back */
uint32_t lane_longest(const struct lane *lane);
uint64_t lane_missed(struct lane *lane); /* frames without room since the last time */
