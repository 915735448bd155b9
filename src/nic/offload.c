/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The one offload engine: internet checksums over scattered frames, headers,
 * and TCP segmentation. Sums are kept in memory order (as loaded), so they are
 * stored without swapping; odd pieces are shifted into place.
 */
#include "nic/offload.h"

#include <string.h>

uint32_t sum_add(uint32_t sum, const void *data, size_t length)
{
	const uint8_t *at = data;
	uint64_t wide = sum;

	for (; length >= 4; at += 4, length -= 4) {
		uint32_t word;

		memcpy(&word, at, sizeof(word));
		wide += word;
	}
	if (length >= 2) {
		uint16_t half;

		memcpy(&half, at, sizeof(half));
		wide += half;
		at += 2;
	}
	if (length & 1)
		wide += *at;
	wide = (wide & 0xffffffff) + (wide >> 32);
	wide = (wide & 0xffffffff) + (wide >> 32);
	return (uint32_t)wide;
}

uint16_t sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

uint32_t frame_sum(const struct frame *frame, size_t start, size_t length)
{
	uint64_t sum = 0;
	bool odd = false;

	for (unsigned i = 0; i < frame->iovs && length; i++) {
		size_t held = frame->iov[i].iov_len, part;
		uint16_t folded;

		if (start >= held) {
			start -= held;
			continue;
		}
		part = held - start < length ? held - start : length;
		folded = sum_fold(sum_add(0, (uint8_t *)frame->iov[i].iov_base + start, part));
		sum += odd ? (uint16_t)(folded << 8 | folded >> 8) : folded;
		odd ^= part & 1;
		length -= part;
		start = 0;
	}
	return sum_fold((uint32_t)sum);
}

size_t frame_copy(const struct frame *frame, size_t from, void *to, size_t length)
{
	size_t done = 0;

	for (unsigned i = 0; i < frame->iovs && done < length; i++) {
		size_t held = frame->iov[i].iov_len, part;

		if (from >= held) {
			from -= held;
			continue;
		}
		part = held - from < length - done ? held - from : length - done;
		memcpy((uint8_t *)to + done, (uint8_t *)frame->iov[i].iov_base + from, part);
		done += part;
		from = 0;
	}
	return done;
}

/* Replaces the first LENGTH bytes by a copy in ROOM; false: no iovec is left for it. */
bool frame_own_header(struct frame *frame, uint8_t *room, size_t length)
{
	unsigned gone = 0;

	if (length > frame->length)
		length = frame->length;
	if (frame->iovs && frame->iov[0].iov_base == room && frame->iov[0].iov_len >= length)
		return true;
	frame_copy(frame, 0, room, length);
	for (size_t left = length; gone < frame->iovs && left;) {
		struct iovec *iov = &frame->iov[gone];

		if (iov->iov_len > left) {
			iov->iov_base = (uint8_t *)iov->iov_base + left;
			iov->iov_len -= left;
			break;
		}
		left -= iov->iov_len;
		gone++;
	}
	if (gone == 0 && frame->iovs == FRAME_IOVS)
		return false;
	memmove(&frame->iov[1], &frame->iov[gone], (frame->iovs - gone) * sizeof(struct iovec));
	frame->iov[0] = (struct iovec){room, length};
	frame->iovs = frame->iovs - gone + 1;
	return true;
}

void frame_complete(const struct frame *frame, uint8_t *data)
{
	uint32_t at = frame->checksum_start, put = at + frame->checksum_offset;
	uint16_t sum;

	if (!(frame->flags & FRAME_CHECKSUM) || at >= frame->length || put + 2 > frame->length)
		return;
	sum = (uint16_t)~sum_fold(sum_add(0, data + at, frame->length - at));
	if (sum == 0)
		sum = 0xffff;
	memcpy(data + put, &sum, 2);
}

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint8_t l4_code(uint8_t protocol)
{
	return protocol == 6 ? 1 : protocol == 17 ? 2 : 0;
}

void frame_parse(const uint8_t *head, size_t held, size_t length, struct parsed *parsed)
{
	size_t at = 14, l3_length;

	*parsed = (struct parsed){0};
	if (held >= 18 && (be16(head + 12) == 0x8100 || be16(head + 12) == 0x88a8))
		at = 18;
	parsed->l3_at = (uint16_t)at;
	if (held >= at + 20 && be16(head + at - 2) == 0x0800 && head[at] >> 4 == 4) {
		unsigned ihl = (head[at] & 15) * 4u;

		l3_length = be16(head + at + 2);
		if (ihl < 20 || l3_length < ihl || at + l3_length > length)
			return;
		parsed->type = 1;
		parsed->l4_at = (uint16_t)(at + ihl);
		parsed->l4_length = (uint32_t)(l3_length - ihl);
		parsed->whole = !(be16(head + at + 6) & 0x3fff);
		parsed->l4 = l4_code(head[at + 9]);
	} else if (held >= at + 40 && be16(head + at - 2) == 0x86dd && head[at] >> 4 == 6) {
		l3_length = be16(head + at + 4);
		if (at + 40 + l3_length > length)
			return;
		parsed->type = 2;
		parsed->l4_at = (uint16_t)(at + 40);
		parsed->l4_length = (uint32_t)l3_length;
		parsed->whole = true;
		parsed->l4 = l4_code(head[at + 6]);
	}
}

uint32_t pseudo_sum(const uint8_t *head, const struct parsed *parsed, uint32_t l4_length)
{
	uint8_t tail[8] = {(uint8_t)(l4_length >> 24),
			   (uint8_t)(l4_length >> 16),
			   (uint8_t)(l4_length >> 8),
			   (uint8_t)l4_length,
			   0,
			   0,
			   0,
			   parsed->l4 == 1 ? 6 : 17};
	unsigned at = parsed->type == 1 ? 12 : 8, bytes = parsed->type == 1 ? 8 : 32;

	return sum_add(sum_add(0, head + parsed->l3_at + at, bytes), tail, sizeof(tail));
}

/* Headers of a frame to be cut; their lengths may have been left to us, as Linux does. */
static void cut_parse(uint8_t *head, size_t held, struct parsed *parsed)
{
	uint16_t l3;

	frame_parse(head, held, FRAME_MAX + 65536, parsed);
	l3 = parsed->l3_at;
	if (parsed->type || held < l3 + 20u || head[l3] >> 4 != 4)
		return;
	put16(head + l3 + 2, 0xffff);
	frame_parse(head, held, FRAME_MAX + 65536, parsed);
}

size_t frame_tcp_header(const struct frame *frame)
{
	uint8_t head[HEADER_MAX];
	size_t held = frame_copy(frame, 0, head, sizeof(head));
	struct parsed parsed;

	cut_parse(head, held, &parsed);
	if (parsed.l4 != 1 || parsed.l4_at + 13u > held)
		return 0;
	return parsed.l4_at + (head[parsed.l4_at + 12] >> 4) * 4u;
}

bool segments_begin(struct segments *cut, const struct frame *frame)
{
	size_t held = frame_copy(frame, 0, cut->head, sizeof(cut->head));

	cut->frame = frame;
	cut->at = frame->header_length;
	cut->index = 0;
	cut_parse(cut->head, held, &cut->parsed);
	return cut->parsed.type && frame->segment_size && frame->header_length <= held &&
	       frame->header_length >= cut->parsed.l4_at + 20u &&
	       frame->header_length < frame->length;
}

static void segment_header(const struct segments *cut, uint8_t *head, size_t payload, bool last)
{
	const struct parsed *parsed = &cut->parsed;
	uint8_t *ip = head + parsed->l3_at, *tcp = head + parsed->l4_at;
	uint32_t l4_length = (uint32_t)(cut->frame->header_length - parsed->l4_at + payload);
	uint32_t sequence = (uint32_t)be16(tcp + 4) << 16 | be16(tcp + 6);
	uint16_t sum;

	sequence += cut->at - cut->frame->header_length;
	put16(tcp + 4, (uint16_t)(sequence >> 16));
	put16(tcp + 6, (uint16_t)sequence);
	if (!last)
		tcp[13] &= (uint8_t)~0x09; /* FIN and PSH belong to the end */
	if (parsed->type == 1) {
		put16(ip + 2, (uint16_t)(parsed->l4_at - parsed->l3_at + l4_length));
		put16(ip + 4, (uint16_t)(be16(ip + 4) + cut->index));
		memset(ip + 10, 0, 2);
		sum = (uint16_t)~sum_fold(sum_add(0, ip, parsed->l4_at - parsed->l3_at));
		memcpy(ip + 10, &sum, 2);
	} else {
		put16(ip + 4, (uint16_t)l4_length);
	}
	memset(tcp + 16, 0, 2);
	sum = (uint16_t)~sum_fold(sum_add(pseudo_sum(head, parsed, l4_length), tcp, l4_length));
	memcpy(tcp + 16, &sum, 2);
}

size_t segments_next(struct segments *cut, uint8_t *room, size_t size)
{
	size_t head = cut->frame->header_length, left = cut->frame->length - cut->at;
	size_t payload = left < cut->frame->segment_size ? left : cut->frame->segment_size;

	if (!payload || head + payload > size)
		return 0;
	memcpy(room, cut->head, head);
	frame_copy(cut->frame, cut->at, room + head, payload);
	segment_header(cut, room, payload, payload == left);
	cut->at += (uint32_t)payload;
	cut->index++;
	return head + payload;
}
