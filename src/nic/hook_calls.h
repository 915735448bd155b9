/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/hooks.h"
#include "nic/state.h"

/* Where the engine meets the module of its card, if there is one. */

/* hooks.c: what the module does, where there is one */
void hooks_free(struct nic *nic);
void hooks_reset(struct nic *nic, unsigned reset);
uint64_t hooks_read(struct nic *nic, const struct reg *reg, unsigned k, uint64_t value);
uint64_t hooks_write(struct nic *nic, const struct reg *reg, unsigned k, uint64_t value,
		     uint64_t old);
void hooks_call(struct nic *nic, const struct action *action, const struct scope *scope);
int hooks_command(struct nic *nic, const struct action *action, const struct scope *scope);
void hooks_timer(struct nic *nic, unsigned timer);
bool hooks_work(struct nic *nic); /* true: more is left */

/* hook_carry.c: how many bytes, or an enum anynic_result; what it says */
int32_t hooks_save(struct nic *nic, uint8_t *to, uint32_t room);
int32_t hooks_restore(struct nic *nic, const uint8_t *from, uint32_t length);
int hooks_carry(struct nic *to, struct nic *from);	 /* 0 or -ECANCELED */
void hooks_left(struct nic *to, const struct nic *from); /* what did not go along is counted */
void hooks_moved(struct nic *nic); /* the port that has some of a frame is another one now */
/* Frames that wait either way, and segments of the first that the port has. */
void hooks_waiting(const struct nic *nic, uint64_t *out, uint64_t *in, uint64_t *cut);

/* hook_frames.c: as send_frames() and receive_frames(), through the module */
struct handful;
unsigned hooks_transmit(struct nic *nic, unsigned ring, const struct handful *handful);
unsigned hooks_receive(struct nic *nic, const struct frame *frames, unsigned count);

enum { FRAME_OFFLOADS = FRAME_CHECKSUM | FRAME_TCP4 | FRAME_TCP6 };

/* What a module sees of a frame: the two have the same words for the same things. */
static inline void hook_show(struct anynic_frame *shown, const struct frame *frame)
{
	*shown = (struct anynic_frame){.length = frame->length, .flags = frame->flags};
	if (frame->flags & (FRAME_TCP4 | FRAME_TCP6)) {
		shown->header_length = frame->header_length;
		shown->segment_size = frame->segment_size;
	}
	if (frame->flags & FRAME_CHECKSUM) {
		shown->checksum_start = frame->checksum_start;
		shown->checksum_offset = frame->checksum_offset;
	}
}
