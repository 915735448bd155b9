/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The work a slot asks for on its frame: checksums, segments, tag, padding. What
 * the port can do is left to it; the rest happens in a copy of the header, since
 * the frame itself is the guest's.
 */
#include "nic/transmit.h"

#include <string.h>

/* Sums [start, end] of the frame and puts the result; what the header copy cannot hold stays. */
static void checksum_now(struct build *build, uint64_t start, uint64_t put, uint64_t end)
{
	struct frame *frame = build->frame;
	uint8_t *room = build->nic->headers[build->frames];
	uint64_t past = end && end < frame->length ? end + 1 : frame->length;
	uint16_t sum;

	if (start >= past || put + 2 > frame->length || put + 2 > HEADER_MAX - 4 ||
	    !frame_own_header(frame, room, put + 2 < 128 ? 128 : put + 2)) {
		build->odd = true;
		return;
	}
	sum = (uint16_t)~frame_sum(frame, start, past - start);
	if (sum == 0)
		sum = 0xffff; /* the same number, and not UDP's "none" */
	memcpy(room + put, &sum, sizeof(sum));
}

static void checksum_range(struct build *build, const struct checksum *checksum)
{
	struct nic *nic = build->nic;
	struct frame *frame = build->frame;
	uint64_t start = expr_eval(nic, &checksum->start, &build->scope);
	uint64_t put = expr_eval(nic, &checksum->put, &build->scope);
	uint64_t end = checksum->end.count ? expr_eval(nic, &checksum->end, &build->scope) : 0;

	if (checksum->given && end == 0 && nic->port->ops->offloads && put >= start &&
	    start < frame->length && put + 2 <= frame->length && start < 0x4000) {
		frame->flags |= FRAME_CHECKSUM;
		frame->checksum_start = (uint16_t)start;
		frame->checksum_offset = (uint16_t)(put - start);
	} else {
		checksum_now(build, start, put, end);
	}
}

/* Where the headers say: the field is cleared first, or takes the pseudo-header's sum. */
static void checksum_found(struct build *build, enum checksum_of of)
{
	struct frame *frame = build->frame;
	uint8_t *head = build->nic->headers[build->frames];
	struct parsed parsed = {0};
	uint16_t sum = 0, put;

	if (frame_own_header(frame, head, 128))
		frame_parse(head, frame->iov[0].iov_len, frame->length, &parsed);
	put = (uint16_t)(of == CHECKSUM_IP ? parsed.l3_at + 10
					   : parsed.l4_at + (parsed.l4 == 1 ? 16 : 6));
	if (!parsed.type || (of == CHECKSUM_IP && parsed.type == 2) ||
	    (of == CHECKSUM_L4 && (!parsed.l4 || !parsed.whole)) ||
	    put + 2u > frame->iov[0].iov_len) {
		build->odd = true;
		return;
	}
	if (of == CHECKSUM_L4)
		sum = sum_fold(pseudo_sum(head, &parsed, parsed.l4_length));
	memcpy(head + put, &sum, sizeof(sum));
	if (of == CHECKSUM_IP) {
		checksum_now(build, parsed.l3_at, put, parsed.l4_at - 1u);
	} else if (build->nic->port->ops->offloads &&
		   parsed.l4_at + parsed.l4_length == frame->length) {
		frame->flags |= FRAME_CHECKSUM;
		frame->checksum_start = parsed.l4_at;
		frame->checksum_offset = (uint16_t)(put - parsed.l4_at);
	} else {
		checksum_now(build, parsed.l4_at, put, parsed.l4_at + parsed.l4_length - 1u);
	}
}

void frame_checksums(struct build *build)
{
	for (unsigned i = 0; i < build->use->checksums_count; i++) {
		const struct checksum *checksum = &build->use->checksums[i];

		if (!expr_holds(build->nic, &checksum->when, &build->scope))
			continue;
		if (checksum->of == CHECKSUM_RANGE)
			checksum_range(build, checksum);
		else
			checksum_found(build, checksum->of);
	}
}

/* The host's stack wants lengths and checksum of the whole, which the driver left open. */
static void segment_prepare(struct frame *frame, uint8_t *head, const struct parsed *parsed)
{
	uint8_t *ip = head + parsed->l3_at;
	uint32_t l3_length = frame->length - parsed->l3_at;
	uint32_t l4_length = frame->length - parsed->l4_at;
	uint16_t sum;

	if (parsed->type == 1) {
		ip[2] = (uint8_t)(l3_length >> 8);
		ip[3] = (uint8_t)l3_length;
		memset(ip + 10, 0, 2);
		sum = (uint16_t)~sum_fold(sum_add(0, ip, parsed->l4_at - parsed->l3_at));
		memcpy(ip + 10, &sum, 2);
	} else {
		ip[4] = (uint8_t)((l3_length - 40) >> 8);
		ip[5] = (uint8_t)(l3_length - 40);
	}
	sum = sum_fold(pseudo_sum(head, parsed, l4_length));
	memcpy(head + parsed->l4_at + 16, &sum, 2);
	frame->flags = (parsed->type == 1 ? FRAME_TCP4 : FRAME_TCP6) | FRAME_CHECKSUM;
	frame->checksum_start = parsed->l4_at;
	frame->checksum_offset = 16;
}

bool frame_segments(struct build *build)
{
	const struct segment *segment = &build->use->segment;
	struct frame *frame = build->frame;
	uint8_t *head = build->nic->headers[build->frames];
	uint64_t mss, header;
	struct segments cut;

	if (!build->use->segment_present || !expr_holds(build->nic, &segment->when, &build->scope))
		return false;
	mss = expr_eval(build->nic, &segment->mss, &build->scope);
	header = segment->header.count ? expr_eval(build->nic, &segment->header, &build->scope)
				       : frame_tcp_header(frame);
	frame->header_length = (uint16_t)header;
	frame->segment_size = (uint16_t)mss;
	if (mss == 0 || mss > 0x3fff || header > HEADER_MAX - 4 ||
	    !frame_own_header(frame, head, header) || !segments_begin(&cut, frame)) {
		build->fault = SLOT_ASKS;
		return true;
	}
	if (frame->length - header <= mss)
		frame->segment_size = (uint16_t)(frame->length - header);
	segment_prepare(frame, head, &cut.parsed);
	return true;
}

void frame_vlan(struct build *build)
{
	const struct ring *ring = build->ring;
	struct frame *frame = build->frame;
	uint8_t *head = build->nic->headers[build->frames];
	uint64_t tci, type;

	if (!ring->vlan_present || !expr_holds(build->nic, &ring->vlan_when, &build->scope) ||
	    frame->length < 14)
		return;
	tci = expr_eval(build->nic, &ring->vlan_tci, &build->scope);
	type = ring->vlan_type.count ? expr_eval(build->nic, &ring->vlan_type, &build->scope)
				     : 0x8100;
	if (!frame_own_header(frame, head, 14) || frame->iov[0].iov_len + 4 > HEADER_MAX) {
		build->fault = SLOT_ASKS;
		return;
	}
	memmove(head + 16, head + 12, frame->iov[0].iov_len - 12);
	head[12] = (uint8_t)(type >> 8);
	head[13] = (uint8_t)type;
	head[14] = (uint8_t)(tci >> 8);
	head[15] = (uint8_t)tci;
	frame->iov[0].iov_len += 4;
	frame->length += 4;
	frame->checksum_start += 4;
	frame->header_length += 4;
}

void frame_pad(struct build *build)
{
	static uint8_t zeros[64];
	const struct ring *ring = build->ring;
	struct frame *frame = build->frame;
	uint64_t to;

	if (!ring->pad_to.count || !expr_holds(build->nic, &ring->pad_when, &build->scope))
		return;
	to = expr_eval(build->nic, &ring->pad_to, &build->scope);
	if (to > sizeof(zeros))
		to = sizeof(zeros);
	if (frame->length >= to)
		return;
	frame->iov[frame->iovs++] = (struct iovec){zeros, to - frame->length};
	frame->length = (uint32_t)to;
}
