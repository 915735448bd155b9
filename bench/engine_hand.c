/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The yardstick: the same loops as a programmer writes them for this one card,
 * knowing its descriptors: decode, bounds-checked guest memory, result, cursor,
 * the counters of one direction. No context descriptors, no VLAN, no offloads.
 */
#include "engine_e1000.h"

#include <stdio.h>
#include <stdlib.h>

struct hand {
	uint8_t *memory;
	uint64_t size;
	uint64_t base;
	uint32_t entries, head, tail, cause;
	uint64_t frames, bytes, broadcast, multicast, sizes[6];
	struct sink sink;
};

static void *guest(struct hand *hand, uint64_t address, uint64_t length)
{
	if (address > hand->size || length > hand->size - address)
		return NULL;
	return hand->memory + address;
}

static void count(struct hand *hand, const uint8_t *frame, uint32_t length)
{
	uint32_t with_fcs = length + 4;

	hand->frames++;
	hand->bytes += with_fcs;
	if (frame[0] & 1)
		++*(memcmp(frame, "\xff\xff\xff\xff\xff\xff", 6) ? &hand->multicast
								 : &hand->broadcast);
	hand->sizes[with_fcs <= 64     ? 0
		    : with_fcs <= 127  ? 1
		    : with_fcs <= 255  ? 2
		    : with_fcs <= 511  ? 3
		    : with_fcs <= 1023 ? 4
				       : 5]++;
}

__attribute__((noinline)) static void transmit(struct hand *hand)
{
	while (hand->head != hand->tail) {
		struct tx_slot *at = guest(hand, hand->base + hand->head * sizeof(*at), 16), slot;
		uint8_t *data;

		if (!at)
			break;
		slot = *at;
		data = guest(hand, slot.address, slot.length);
		if (data && (slot.command & TX_EOP) && slot.length >= 14) {
			sink_read(&hand->sink, data, slot.length);
			count(hand, data, slot.length);
		}
		if (slot.command & TX_RS) {
			__atomic_store_n(&at->status, slot.status | DD, __ATOMIC_RELEASE);
			hand->cause |= 1;
		}
		if (++hand->head == hand->entries)
			hand->head = 0;
	}
}

__attribute__((noinline)) static void receive(struct hand *hand, const uint8_t *data,
					      uint32_t length)
{
	struct rx_slot *at = guest(hand, hand->base + hand->head * sizeof(*at), 16), slot;
	uint8_t *room;

	if (memcmp(data, engine_mac, 6) || length > 1514 || hand->head == hand->tail || !at)
		return;
	slot = *at;
	room = guest(hand, slot.address, 2048);
	if (room)
		memcpy(room, data, length);
	slot.length = (uint16_t)length;
	slot.checksum = 0;
	slot.errors = 0;
	slot.special = 0;
	at->length = slot.length;
	at->checksum = slot.checksum;
	at->errors = slot.errors;
	at->special = slot.special;
	__atomic_store_n(&at->status, DD | EOP | 4, __ATOMIC_RELEASE);
	count(hand, data, length);
	hand->cause |= 0x80;
	if (++hand->head == hand->entries)
		hand->head = 0;
}

static void run(struct hand *hand, const struct job *job, unsigned rounds)
{
	for (unsigned i = 1; i <= rounds; i++) {
		hand->tail = i * job->run % E1000_RING;
		if (!job->receives)
			transmit(hand);
		for (unsigned k = 0; job->receives && k < job->run; k++)
			receive(hand, hand->memory + tx_buffer(k, job->length), job->length);
	}
}

static void nothing(struct drive *drive, uint32_t reg, unsigned width, uint32_t value)
{
	(void)drive;
	(void)reg;
	(void)width;
	(void)value;
}

bool hand_run(const struct job *job, struct sample *sample)
{
	struct hand hand = {.memory = aligned_alloc(4096, MEMORY),
			    .size = MEMORY,
			    .base = job->receives ? RX_RING : TX_RING,
			    .entries = E1000_RING};
	struct drive drive = {.write = nothing, .memory = hand.memory, .length = job->length};
	bool good = true;
	uint64_t begin;

	memset(hand.memory, 0, MEMORY);
	frames_fill(hand.memory, job->length);
	job->family->program(&drive);
	run(&hand, job, 2);
	hand.sink = (struct sink){0};
	begin = cpu_now();
	run(&hand, job, job->rounds);
	sample->ns = (double)(cpu_now() - begin) / ((double)job->run * job->rounds);
	if (job->receives)
		good = job->family->received(&drive, &hand.sink);
	sample->sink = hand.sink;
	free(hand.memory);
	return good;
}
