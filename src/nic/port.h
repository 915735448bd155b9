/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * The port seam: the host's network as the generic NIC sees it. Frames move in
 * batches and carry what is left to do for them, in the terms of virtio's
 * vnet header: a checksum to fill in, a segment size to cut to.
 */
enum { FRAME_IOVS = 64 };

enum frame_flags {
	FRAME_CHECKSUM = 1, /* fill in: sum from checksum_start, put at + checksum_offset */
	FRAME_VALID = 2,    /* checksums were verified by the sender's side */
	FRAME_TCP4 = 4,	    /* cut into TCP segments of segment_size payload bytes */
	FRAME_TCP6 = 8,
};

struct frame {
	unsigned iovs;
	uint32_t length; /* sum of the iovecs; no FCS */
	uint16_t flags;
	uint16_t header_length; /* segmentation: Ethernet to end of TCP header */
	uint16_t segment_size;
	uint16_t checksum_start, checksum_offset;
	struct iovec iov[FRAME_IOVS]; /* last: a small frame is one cache line */
};

struct port;

struct port_ops {
	/* Takes frames from the front of the batch; how many. Their memory is done with on return.
	 */
	unsigned (*transmit)(struct port *port, const struct frame *frames, unsigned count);
	/* The NIC can take frames again after nic_receive() took less than it was given. */
	void (*resume)(struct port *port);
	void (*close)(struct port *port);
	/* true: takes FRAME_CHECKSUM and FRAME_TCP* whole; else the engine does the work first */
	bool offloads;
};

/* How a port reaches the NIC it serves; set by whoever joins the two. */
struct port_peer {
	void *context;
	/* How many of the frames were taken (delivered, or dropped by the card's own rules). */
	unsigned (*receive)(void *context, const struct frame *frames, unsigned count);
	void (*link)(void *context, bool up);
	void (*writable)(void *context); /* transmit took less than given, and can take again */
};

struct port {
	const struct port_ops *ops;
	void *context;
	struct port_peer peer;
	struct {
		uint64_t tx_frames, tx_bytes, rx_frames, rx_bytes, rx_dropped, tx_dropped,
			uncaptured;
	} stats;
};
