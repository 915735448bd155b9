/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/switch.h"

#include <stddef.h>

enum {
	SWITCH_ENDS = 512,
	SWITCH_SETS = 256, /* of addresses */
	SWITCH_WAYS = 4,
	SWITCH_OWN = 128, /* addresses that one NIC's port may have */
};

/* ---- switch_table.c: which address is behind which port ---- */

struct switch_address {
	uint64_t mac, seen; /* first byte in bits 7:0; 0: free */
	uint16_t end;
};

struct switch_table {
	uint64_t seed;
	uint16_t owned[SWITCH_ENDS];
	struct switch_address sets[SWITCH_SETS][SWITCH_WAYS];
};

void table_init(struct switch_table *table);
/* LIMIT: addresses that END may have; beyond them it loses its own. */
void table_learn(struct switch_table *table, uint64_t mac, unsigned end, unsigned limit,
		 uint64_t now);
int table_find(const struct switch_table *table, uint64_t mac, uint64_t now); /* -1: unknown */
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

bool queue_put(struct switch_queue *queue, const struct frame *frame); /* false: it is full */
void queue_take(struct switch_queue *queue);			       /* drops the first */
bool queue_roomy(const struct switch_queue *queue);		       /* half of it is free */

/* ---- switch.c ---- */

struct switch_end {
	struct port port; /* what a NIC has, or */
	struct port *uplink;
	struct switch_net *net;
	unsigned index;
	uint64_t said, said_at; /* source address of the frame before */
	struct switch_queue queue;
	bool blocked;		  /* took less than it was given */
	struct loop_work drain;	  /* gives what is in the queue */
	struct switch_end *waits; /* as a sender: for this one's queue */
	struct timer patience;	  /* its senders wait until then */
	uint64_t hold_left;	  /* ns that senders may still have to wait */
	uint64_t hold_at;	  /* when that was so */
	bool holding;
	struct port_filter filter; /* of the NIC */
};

struct switch_net {
	struct loop *loop;
	struct switch_end *ends[SWITCH_ENDS];
	unsigned count;		   /* one more than the highest in use */
	bool busy;		   /* within a port: what comes now is a reaction and waits */
	struct switch_stats stats; /* waits, ports and addresses: as they are looked at */
	struct switch_table table;
	uint8_t room[65536]; /* a frame in the making, for an uplink that takes plain ones */
};

/* switch_give.c: how many of the frames an end took */
unsigned switch_give(struct switch_end *end, const struct frame *frames, unsigned count);

/* switch_filter.c: what the uplink is to hand over */
void switch_filter_changed(struct switch_net *net);

/* switch_hold.c: whether a sender waits for TO; who waited, may go on */
bool switch_hold(struct switch_end *to, struct switch_end *from, uint64_t now);
void switch_release(struct switch_end *to, uint64_t now);
void switch_hold_init(struct switch_end *end, uint64_t now);
