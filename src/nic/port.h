/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * The port seam: the host's network as the generic NIC sees it. Frames move in
 * batches and carry what is left to do for them, in the terms of virtio's
 * vnet header: a checksum to fill in, a segment size to cut to.
 *
 *   NIC to port    transmit, resume, filter             port_ops
 *   port to NIC    receive, sent, writable, link, health   port_peer
 *
 * The memory of frames belongs to whoever hands them over, and is his again when
 * the call returns: what must wait is copied, so nothing is held past an UNMAP.
 * A port may say later that a frame has gone (defers): the guest's driver is not
 * told before, and its ring fills when the host's NIC does not keep up. A port
 * that takes fewer frames than it is given has the rest wait in the guest's ring.
 */
enum { FRAME_IOVS = 64, PORT_ADDRESSES = 40, PORT_VLANS = 4096 };

enum frame_flags {
	FRAME_CHECKSUM = 1, /* fill in: sum from checksum_start, put at + checksum_offset */
	FRAME_VALID = 2,    /* checksums were verified by the sender's side */
	FRAME_TCP4 = 4,	    /* cut into TCP segments of segment_size payload bytes */
	FRAME_TCP6 = 8,
};

struct frame {
	uint32_t length; /* sum of the iovecs; no FCS */
	uint16_t flags;
	uint16_t iovs;
	uint16_t header_length; /* segmentation: Ethernet to end of TCP header */
	uint16_t segment_size;
	uint16_t checksum_start, checksum_offset;
	struct iovec iov[FRAME_IOVS]; /* last: a small frame is one cache line */
};

/* What a NIC's own filter takes, or more where that cannot be said. All zero: nothing. */
struct port_filter {
	bool all; /* that are not for groups */
	bool all_groups, broadcast;
	bool all_vlans; /* else of tagged frames those of VLANS */
	uint16_t count;
	uint64_t addresses[PORT_ADDRESSES]; /* and groups; first byte in bits 7:0 */
	uint64_t vlans[PORT_VLANS / 64];
};

/* What a driver knows of its host's NIC: totals since it was opened. */
struct port_health {
	uint32_t mbps;			  /* 0: not known */
	uint64_t rx_errors, rx_missed;	  /* bad on the wire; good, but without room */
	uint64_t tx_errors, tx_discarded; /* after the driver had taken them */
};

static inline bool vlans_have(const uint64_t vlans[PORT_VLANS / 64], unsigned vlan)
{
	return vlans[vlan / 64] >> vlan % 64 & 1;
}

static inline void vlans_add(uint64_t vlans[PORT_VLANS / 64], unsigned vlan)
{
	vlans[vlan / 64] |= 1ull << vlan % 64;
}

struct port;

struct port_ops {
	/* Takes frames from the front of the batch; how many. */
	unsigned (*transmit)(struct port *port, const struct frame *frames, unsigned count);
	/* The NIC can take frames again after nic_receive() took less than it was given. */
	void (*resume)(struct port *port);
	/* The NIC takes something else than before; or NULL: the port hands over all it gets. */
	void (*filter)(struct port *port, const struct port_filter *filter);
	/* or NULL: what is known now of the host's NIC is told */
	void (*examine)(struct port *port);
	void (*close)(struct port *port);
	/* true: takes FRAME_CHECKSUM and FRAME_TCP* whole; else the engine does the work first */
	bool offloads;
	/* true: frames that were taken have gone when the peer's sent() says so, in order */
	bool defers;
};

/* How a port reaches the NIC it serves; set by whoever joins the two. Each may be NULL. */
struct port_peer {
	void *context;
	/* How many of the frames were taken (delivered, or dropped by the card's own rules). */
	unsigned (*receive)(void *context, const struct frame *frames, unsigned count);
	void (*link)(void *context, bool up);
	void (*writable)(void *context); /* transmit took less than given, and can take again */
	void (*sent)(void *context, unsigned count);
	void (*health)(void *context, const struct port_health *health);
};

enum port_drop {
	DROP_NOBODY,	/* nobody is connected; the interface is gone, or down */
	DROP_NO_ROOM,	/* a queue on the way was full */
	DROP_TOO_LONG,	/* for the medium or the peer */
	DROP_MALFORMED, /* no frame can be made of it */
	DROP_REFUSED,	/* by the host's kernel or the peer */
	DROP_FOREIGN,	/* for nobody on this side */
	DROP_NOWHERE,	/* a switch: for nobody at another port */
	DROP_SPOOFED,	/* a switch: from an address that is not the sender's own */
	DROP_VLAN,	/* a switch: in a VLAN that the port is not in */
	DROP_ISOLATED,	/* a switch: from an isolated port to another */
	PORT_DROPS
};

/* offered = frames + dropped for every reason + what still waits */
struct port_way {
	uint64_t offered, frames, bytes, waits;
	uint64_t dropped[PORT_DROPS];
};

struct port_stats {
	struct port_way tx, rx;
	uint64_t stalls;     /* times the host's queue was full */
	uint64_t uncaptured; /* of a capture around a port */
};

struct port {
	const struct port_ops *ops;
	void *context;
	struct port_peer peer;
	struct port_stats stats;
	struct port_health health; /* as told last */
	bool down;		   /* no carrier */
};

extern const char *const port_drop_names[PORT_DROPS];

/* For drivers: tell the peer, where there is one and it is news. */
void port_link(struct port *port, bool up);
void port_health(struct port *port, const struct port_health *health);
unsigned port_receive(struct port *port, const struct frame *frames, unsigned count);
void port_writable(struct port *port);
void port_sent(struct port *port, unsigned count);

uint64_t port_dropped(const struct port_way *way);
int64_t port_missing(const struct port_way *way); /* 0, or something has not been counted */

bool port_filter_takes_address(const struct port_filter *filter, uint64_t to);
bool port_filter_takes_vlan(const struct port_filter *filter, unsigned vlan);
/* A frame by its first 18 bytes, or as many as there are. */
bool port_filter_takes(const struct port_filter *filter, const uint8_t *head, uint32_t length);

/* A frame that was offered and taken. */
static inline void port_count(struct port_way *way, uint32_t bytes)
{
	way->offered++;
	way->frames++;
	way->bytes += bytes;
}

static inline void port_drop(struct port_way *way, enum port_drop why, unsigned frames)
{
	way->offered += frames;
	way->dropped[why] += frames;
}
