/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/bus.h"
#include "nic/card.h"
#include "nic/port.h"

#include <stddef.h>

/*
 * One generic NIC. Register accesses change its own state at once; work on
 * guest memory or the network is recorded, and done by nic_work().
 */
struct nic;

/* Why a slot that was fetched comes to nothing. */
enum slot_reject {
	SLOT_TAKEN,
	SLOT_UNKNOWN, /* no use of the ring fits it */
	SLOT_STRAY,   /* between frames, and begins none */
	SLOT_MEMORY,  /* it, or memory of its frame, is not there */
	SLOT_LONG,    /* its frame is too long, or in too many pieces */
	SLOT_SHORT,   /* its frame has no header */
	SLOT_ASKS,    /* what is asked for its frame makes no sense */
	SLOT_ENDLESS, /* its frame has no end */
	SLOT_REJECTS
};

struct nic_slots { /* fetched = completed + rejected for every reason */
	uint64_t fetched, completed, rejected[SLOT_REJECTS];
};

extern const char *const slot_reject_names[SLOT_REJECTS]; /* look.c */

/*
 * What was counted; how it adds up, and with what the port counts, is in look.c.
 */
struct nic_stats {
	uint64_t accesses, undeclared, tx_frames, tx_bytes, rx_frames, rx_bytes;
	uint64_t rx_filtered, rx_no_room, rx_stopped, rx_too_long, rx_too_short, rx_malformed,
		rx_unplugged, tx_faults, interrupts, ring_faults;
	/* of tx_frames: back inside the card, or without a link; and more frames by cutting */
	uint64_t tx_looped, tx_unplugged, tx_malformed, tx_cut, rx_cut, rx_looped;
	uint64_t tx_abandoned; /* the port had them when their ring was stopped */
	uint64_t tx_added, tx_removed, rx_added, rx_removed; /* by a module */
	uint64_t loop_put, loop_lost; /* single frames on their way back: all; without room */
	struct nic_slots tx_slots, rx_slots;
};

struct nic *nic_new(const struct card *card, const uint8_t mac[static 6], const struct bus *bus);
void nic_free(struct nic *nic);
void nic_attach(struct nic *nic, struct port *port); /* sets the port's peer; NULL detaches */

/* A line for what happens from now on; the trace is not the NIC's. Once, before anything runs. */
struct trace;
void nic_trace(struct nic *nic, struct trace *trace);
void nic_trace_end(struct nic *nic);

uint64_t nic_bar_read(struct nic *nic, unsigned bar, uint64_t offset, unsigned width);
void nic_bar_write(struct nic *nic, unsigned bar, uint64_t offset, unsigned width, uint64_t value);
/* Registers in configuration space; WIDTH 1 to 4. */
uint32_t nic_config_read(struct nic *nic, unsigned offset, unsigned width, bool effects);
void nic_config_write(struct nic *nic, unsigned offset, unsigned width, uint32_t value);
void nic_reset(struct nic *nic);
bool nic_work(struct nic *nic); /* one budget of recorded work; true: more is left */
/* What the guest has sent is about to be read; and has been dealt with to the last. See raised.c */
void nic_looking(struct nic *nic);
void nic_looked(struct nic *nic);

/* Frames from the network: how many were taken; fewer than COUNT: resume() follows. */
unsigned nic_receive(struct nic *nic, const struct frame *frames, unsigned count);
void nic_link(struct nic *nic, bool up); /* by the operator; the port says what it knows */
const struct nic_stats *nic_stats(const struct nic *nic);

/*
 * Instances of a counted ring, by the place of its description in card->rings.
 * What one is opened with goes where base=, end=, the first <complete to=>
 * and vector= look it up, each an element [i] of a register. -1: not given.
 */
struct ring_opening {
	uint64_t base;
	uint32_t depth;
	int completion, vector;
};
/* The instance, the first that was closed; -ENOSPC, or -EINVAL: it makes no sense. */
int nic_ring_open(struct nic *nic, unsigned ring, const struct ring_opening *with);
int nic_ring_close(struct nic *nic, unsigned ring, unsigned number); /* 0 or -EINVAL */
int nic_ring_wake(struct nic *nic, unsigned ring, unsigned number);
/* A record into a completion ring, which sets its phase. -EINVAL, -ENOSPC, -EFAULT. */
int nic_ring_produce(struct nic *nic, unsigned ring, unsigned number, const void *record,
		     size_t length);

/*
 * Nothing is done to guest memory or the network: frames wait with the port, work
 * is recorded, the card's timers are late. Until it goes on, or is loaded.
 */
void nic_stand(struct nic *nic);
void nic_go_on(struct nic *nic); /* if it stands */

/* Before another port is attached: what the one before had has gone. */
void nic_moved(struct nic *nic);

/* look.c: for people */
struct ring_look {
	const char *name, *state, *way; /* tx, rx, done */
	unsigned number;		/* of several of one name, where it is counted */
	bool counted, open;
	uint32_t entries, ready; /* entries 0: not known */
};
bool nic_look_ring(struct nic *nic, unsigned index, struct ring_look *look); /* false: no more */
void nic_look_filter(struct nic *nic, struct port_filter *filter);

/* What is missing on one side of each sum of look.c: 0, or something is not counted. */
struct nic_sums {
	int64_t tx, rx, loop, tx_slots, rx_slots;
};
void nic_sums(const struct nic *nic, const struct port_way *tx, const struct port_way *rx,
	      struct nic_sums *sums);
