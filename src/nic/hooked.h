/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/log.h"
#include "base/watch.h"
#include "nic/frame_store.h"
#include "nic/hook_calls.h"
#include "nic/hooks.h"

/* What a NIC with a module has besides, and what the files of the hooks seam say to one another. */

enum {
	HOOK_NEW = 128,		/* frames that a module adds to one batch */
	HOOK_EDITS = 256 << 10, /* bytes of those, and of what it puts into others */
	HOOK_BATCH = 512 << 10, /* bytes of frames that it is shown at once */
	HOOK_QUEUE = 256 << 10, /* bytes that it may send besides */
	HOOK_STATE = 64 << 10,	/* bytes that it may save */
	HOOK_STORE = HOOK_EDITS + HOOK_BATCH + HOOK_QUEUE,
};

enum hook_within { WITHIN_NONE, WITHIN_ACCESS, WITHIN_WORK };

struct hook_batch { /* frames that a hook is being shown */
	struct anynic_frame *shown;
	const struct frame *frames; /* the same, with their bytes; see hook_frame() */
	unsigned count;
	uint64_t own[BATCH / 64];
	bool touched;	    /* the module did more than to look */
	unsigned new_count; /* its own, each behind one of the batch */
	uint16_t new_behind[HOOK_NEW];
	struct anynic_frame news[HOOK_NEW];
	uint8_t *new_bytes[HOOK_NEW];
	uint8_t *room; /* HOOK_EDITS */
	uint32_t used;
};

struct hooked {
	struct hooks *hooks;
	uint8_t within; /* enum hook_within */
	bool failed, starting;
	char why[256];
	struct log_limit limit;
	uint64_t kicked; /* bit per name that waits */
	uint64_t values[CARD_CALLED_MAX];
	struct frame_store out, in; /* that wait for the port, and for the driver */
	uint16_t cut;		    /* segments of the first of OUT that the port has */
	struct hook_batch batch;
	bool receiving; /* the batch goes to the driver */
	struct anynic_frame shown[BATCH];
	struct frame frames[BATCH]; /* received ones that were changed */
};

struct hook_entry {
	struct watched watch;
	uint8_t within;
};

static inline struct hook_entry hook_enter(struct hooked *hooked, enum hook_within within,
					   const char *what)
{
	struct hook_entry entry = {watch_enter(hooked->hooks->name, what), hooked->within};

	hooked->within = (uint8_t)within;
	return entry;
}

static inline void hook_leave(struct hooked *hooked, struct hook_entry entry)
{
	hooked->within = entry.within;
	watch_leave(entry.watch);
}

static inline struct nic *nic_of(struct anynic_nic *nic)
{
	return (struct nic *)nic;
}

/* Handles of registers and fields: where they stand; FIELD 0: the whole register. */
static inline uint32_t place_make(unsigned bank, unsigned reg, unsigned field)
{
	return bank << 20 | reg << 7 | field;
}

static inline unsigned place_bank(uint32_t place)
{
	return place >> 20;
}

static inline unsigned place_reg(uint32_t place)
{
	return place >> 7 & 0x1fff;
}

static inline unsigned place_field(uint32_t place)
{
	return place & 0x7f;
}

int32_t service_result(int error); /* services_memory.c: of guest memory */

/* hook_frames.c: frames that wait; true: some still do */
bool hook_out_drain(struct nic *nic);
bool hook_in_drain(struct nic *nic);

/* hook_batch.c */
uint8_t *hook_batch_room(struct hook_batch *batch, uint32_t length); /* NULL: no more */
struct frame *hook_frame(struct hooked *hooked, unsigned i);	     /* to be changed */
const struct frame *hook_frame_now(const struct hooked *hooked, unsigned i);
int hook_edit(struct hooked *hooked, unsigned i, uint32_t at, uint32_t remove, const void *from,
	      uint32_t length);
void hook_lost(struct nic *nic); /* a frame that is none any more */
/* Frames that come in here, and those that go no further. */
void hook_added(struct nic *nic, bool receiving, unsigned frames);
void hook_removed(struct nic *nic, bool receiving, unsigned frames);
bool hook_out_ready(struct nic *nic, struct frame *frame);
void hook_batch_begin(struct hooked *hooked, const struct frame *frames, unsigned count,
		      bool receiving);
/* As the module left it, ready to go on; false: it is no frame any more. */
bool hook_frame_end(struct nic *nic, struct frame *frame, const struct anynic_frame *shown);
/* Number I of those the module made. */
bool hook_new_frame(struct nic *nic, unsigned i, struct frame *frame);
