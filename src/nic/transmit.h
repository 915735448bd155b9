/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/planned.h"

struct causes { /* to be raised, of slots that are done with */
	const struct complete *list;
	unsigned count;
	uint32_t bits;
	const uint8_t *slot; /* the last of them */
	uint64_t here;
};

enum { RUNS = 16 };

struct run { /* slots [first, end) of a part, which were built by one plan with this key */
	unsigned first, end;
	uint64_t key[PLAN_KEY];
};

/* A pass over a transmit ring, and what its files say to one another; see transmit.c. */
struct build {
	struct nic *nic;
	const struct ring *ring;
	struct ring_run *run;
	struct scope scope;
	struct frame *frame;	/* under construction */
	const struct use *use;	/* of its first data slot */
	unsigned frames, slots; /* slots: whole frames' and what is between them */
	uint8_t fault;		/* enum slot_reject */
	bool odd;		/* something that it asks for makes no sense; it goes without */
	bool verdicts;		/* of some slot of this part: see nic->verdicts */
	bool again, looped;
	const struct use *command; /* stands at the front */
	bool blocked;		   /* and is not done; or its results have no room */
	struct result_room room;

	unsigned index;	 /* of the ring */
	uint32_t cursor; /* of one that is not walked, before this part */
	struct ring_walk walk;
	uint32_t loaded;      /* slots, of all parts */
	uint32_t part;	      /* and before this one */
	bool open;	      /* commit: within a frame */
	const uint8_t *first; /* and its first data slot */
	uint8_t *from;	      /* the first slot of this part, as loaded */
	const struct plans *plans;
	struct dma_window window, pieces; /* of buffers, and of what describes them */
	struct causes causes;
	struct run runs[RUNS];
	unsigned runs_count;
	bool groups;	   /* some frame may be for a group */
	unsigned first_at; /* slot that begins the frame, */
	uint8_t work;	   /* and what it asks for: enum plan_work */
	bool saved;	   /* contexts, while frames are built */
	uint8_t contexts[sizeof(((struct ring_run *)0)->context)];
};

/* Cursors of the slots of this part; walked rings only. */
static inline const uint64_t *part_at(const struct build *build)
{
	return build->nic->slot_at + build->part;
}

/* Of the slot that is I behind the cursor. */
static inline unsigned slot_index(const struct build *build, unsigned i)
{
	uint32_t at;

	if (build->ring->walked)
		return build->ring->by_address
			       ? 0
			       : (unsigned)slot_number(build->run, part_at(build)[i]);
	at = build->cursor + i;
	return at < build->run->entries ? at : at - build->run->entries;
}

/* What it calls i: of registers the element, else the ring's instance. */
static inline unsigned slot_i(const struct build *build, unsigned i)
{
	return build->ring->next == NEXT_REGISTERS ? slot_index(build, i) : build->run->number;
}

static inline uint64_t slot_here(const struct build *build, unsigned i)
{
	if (build->ring->walked)
		return slot_address(build->nic, build->index, part_at(build)[i]);
	return build->run->base + (uint64_t)slot_index(build, i) * build->ring->slot_size;
}

/* transmit_build.c */
void transmit_build(struct build *build, uint32_t ready); /* frames of READY slots */
void transmit_context(struct build *build, const struct use *use, const uint8_t *slot);

/* transmit_commit.c: of the first SLOTS slots */
void transmit_commit(struct build *build, unsigned slots);
void transmit_advance(struct build *build, unsigned slots);

/* transmit_slots.c: enum slot_reject of a slot of this part, or that of a frame's, [FROM, END) */
enum { SLOT_FAULT = 0x80 }; /* besides: its frame comes to nothing, or not to what it asks for */
uint8_t *slot_verdict(struct build *build, unsigned slot);
void slots_reject(struct build *build, unsigned from, unsigned end, enum slot_reject why);
void slots_count(struct build *build, unsigned slots); /* the first ones are done with */

/* transmit_plain.c: how far they come */
unsigned plain_build(struct build *build, unsigned i, unsigned ready);
unsigned plain_commit(struct build *build, unsigned i, unsigned end, uint64_t addr);
void causes_flush(struct build *build);

/* transmit_offload.c: what is asked of the frame under construction */
void frame_pad(struct build *build);
bool frame_segments(struct build *build); /* true: it is cut, or cannot be */
void frame_checksums(struct build *build);
void frame_vlan(struct build *build);

enum pass { PASS_OVER, PASS_AGAIN, PASS_LOOK }; /* nothing to do now, more, or perhaps more */

/* register_ring.c */
enum pass registers_pass(struct nic *nic, unsigned ring, uint32_t ready, uint32_t *done);

/* transmit_send.c */
struct handful { /* frames that are built, and of how many slots */
	unsigned frames, slots;
	bool looped, groups;
};
unsigned frames_hand_on(struct nic *nic, unsigned ring, const struct handful *handful);
/* Frames [FIRST, COUNT) of ring INDEX: how many more were taken; see ring_run.gone for the rest. */
unsigned send_frames(struct nic *nic, unsigned index, unsigned first, unsigned count, bool looped);
