/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/switch.h"

#include <stddef.h>

enum {
	SWITCH_ENDS = 512,
	SWITCH_SETS = 1024, /* of addresses */
	SWITCH_WAYS = 4,
	SWITCH_OWN = 128, /* addresses that one NIC's port may have */
	SWITCH_SURE = 8,  /* and that nobody else takes from it */
	SWITCH_RUN = 32,  /* frames that are looked at before the first is handed on */
};

/* ---- switch_table.c: which address is behind which port ---- */

/* A key: VLAN in the bits 59:48, below an address, its first byte in bits 7:0; 0: free */
struct switch_address {
	uint64_t key;
	uint32_t seen; /* in units of SWITCH_TICK */
	uint16_t end;
};

struct switch_table {
	uint64_t seed;
	uint16_t owned[SWITCH_ENDS];
	struct switch_address sets[SWITCH_SETS][SWITCH_WAYS];
};

void table_init(struct switch_table *table);
/* LIMIT: addresses that END may have; beyond them it loses its own. */
void table_learn(struct switch_table *table, uint64_t key, unsigned end, unsigned limit,
		 uint64_t now);
int table_find(const struct switch_table *table, uint64_t key, uint64_t now); /* -1: unknown */
void table_forget(struct switch_table *table, unsigned end);
unsigned table_count(const struct switch_table *table);

/* ---- switch_queue.c: frames that must wait, copied ---- */

struct switch_waiting {
	struct switch_waiting *next;
	struct frame frame; /* one iovec used */
};

struct switch_queue {
	struct switch_waiting *first, *last;
	unsigned frames;
	size_t bytes;
};

struct switch_waiting *queue_copy(const struct frame *frame); /* to be freed; NULL: no memory */
bool queue_put(struct switch_queue *queue, const struct frame *frame); /* false: it is full */
void queue_take(struct switch_queue *queue);			       /* drops the first */
bool queue_roomy(const struct switch_queue *queue);		       /* half of it is free */

/* ---- switch.c ---- */

struct switch_end {
	struct port port; /* what a NIC has, or */
	struct port *uplink;
	struct switch_net *net;
	unsigned index;
	bool blocked; /* took less than it was given */
	bool holding;
	bool told;     /* FILTER: what the NIC takes */
	bool policy;   /* its frames are not passed as they come */
	uint64_t said; /* source of the frame before */
	uint64_t said_at;
	struct switch_queue queue;
	struct loop_work drain;	  /* gives what is in the queue */
	struct switch_end *waits; /* as a sender: for this one's queue */
	struct timer patience;	  /* its senders wait until then */
	uint64_t hold_left;	  /* ns that senders may still have to wait */
	uint64_t hold_at;	  /* when that was so */
	struct switch_port to_be;
	struct port_filter filter; /* of the NIC */
};

/* Frames with another tag than they came with, and no bytes of a header that may change. */
struct switch_edits {
	struct frame frames[SWITCH_RUN];
	uint8_t heads[SWITCH_RUN][16];
	struct switch_waiting *copies[SWITCH_RUN];
};

struct switch_net {
	struct loop *loop;
	struct switch_end *ends[SWITCH_ENDS];
	unsigned count;		   /* one more than the highest in use */
	unsigned policies;	   /* ends that have one: 0 is the short way */
	bool busy;		   /* within a port: what comes now is a reaction and waits */
	struct switch_stats stats; /* waits, ports and addresses: as they are looked at */
	struct switch_table table;
	struct switch_edits edits;
	uint8_t room[65536]; /* a frame in the making, for an uplink that takes plain ones */
};

/* It has rules of VLANs. */
static inline bool switch_port_tags(const struct switch_port *port)
{
	return port->native || port->trunk;
}

static inline uint64_t switch_now(const struct switch_net *net)
{
	return clock_now(loop_clock(net->loop));
}

/* ---- switch_vlan.c ---- */

/* The beginning of a frame, read once: the sender may write to it at any time. */
struct switch_head {
	uint8_t bytes[18];
	bool tagged;
	uint16_t vlan; /* that it is in */
};

bool head_read(struct switch_head *head, const struct frame *frame); /* false: it is none */
uint64_t head_address(const struct switch_head *head, unsigned at);
/* Its VLAN, where that may come in at END. */
bool vlan_enters(const struct switch_end *end, struct switch_head *head);
bool vlan_leaves(const struct switch_end *end, unsigned vlan);
bool vlan_tagged(const struct switch_end *end, unsigned vlan);
/* FRAME as it leaves at END, its head in ROOM; false: it has too many pieces. */
bool vlan_edit(const struct switch_end *end, const struct switch_head *head,
	       const struct frame *frame, struct frame *edited, uint8_t room[static 16]);

/* ---- switch_in.c ---- */
unsigned switch_forward(struct switch_end *from, const struct frame *frames, unsigned count);

/* ---- switch_out.c ---- */
/* How many frames need FROM's care no longer: given, waiting, or lost. FROM NULL: all. */
unsigned switch_deliver(struct switch_end *to, struct switch_end *from, const struct frame *frames,
			const struct switch_head *heads, unsigned count, uint64_t now);
bool switch_drain(struct loop_work *work);
void switch_unblock(struct switch_end *end);

/* switch_give.c: how many of the frames an end took */
unsigned switch_give(struct switch_end *end, const struct frame *frames, unsigned count);

/* switch_filter.c: what the uplinks are to hand over; what a NIC takes of what goes to many */
void switch_filter_changed(struct switch_net *net);
bool switch_filter_takes(const struct switch_end *end, const struct switch_head *head);

/* switch_hold.c: whether a sender waits for TO; who waited, may go on */
bool switch_hold(struct switch_end *to, struct switch_end *from, uint64_t now);
void switch_release(struct switch_end *to, uint64_t now);
void switch_hold_init(struct switch_end *end, uint64_t now);
