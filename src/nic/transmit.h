/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/state.h"

/* A pass over a transmit ring, and what its files say to one another; see transmit.c. */
struct build {
	struct nic *nic;
	const struct ring *ring;
	struct ring_run *run;
	struct scope scope;
	struct frame *frame;	/* under construction */
	const struct use *use;	/* of its first data slot */
	unsigned frames, slots; /* slots: whole frames' and what is between them */
	unsigned frame_at;	/* its first slot */
	uint8_t fault;		/* enum slot_reject */
	bool odd;		/* something that it asks for makes no sense; it goes without */
	bool again, looped;
	const struct use *command; /* stands at the front */
	bool blocked;		   /* and is not done; or its results have no room */
	struct result_room room;

	unsigned index; /* of the ring */
	struct ring_walk walk;
	uint32_t loaded;      /* slots, of all parts */
	bool open;	      /* commit: within a frame */
	const uint8_t *first; /* and its first data slot */
	uint8_t *from;	      /* the first slot of this part, as loaded */
	const struct plans *plans;
	struct plain plain;
	bool saved; /* contexts, while frames are built */
	uint8_t contexts[sizeof(((struct ring_run *)0)->context)];
};

/* transmit_offload.c: what is asked of the frame under construction */
void frame_pad(struct build *build);
bool frame_segments(struct build *build); /* true: it is cut, or cannot be */
void frame_checksums(struct build *build);
void frame_vlan(struct build *build);

/* transmit_send.c */
/* Frames [FIRST, COUNT) of ring INDEX: how many more were taken; see ring_run.gone for the rest. */
unsigned send_frames(struct nic *nic, unsigned index, unsigned first, unsigned count, bool looped);
void count_frames(struct nic *nic, unsigned count, bool groups);
void count_faults(struct nic *nic, unsigned faults);
