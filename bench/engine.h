/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sink.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * What the three sides share: one layout of guest memory, so that each walks
 * the same descriptors and reads the same frames.
 */
enum {
	MEMORY = 16 << 20,
	RING = 512,
	RUN = 256, /* frames for each write of the tail */
	TX_RING = 1 << 20,
	RX_RING = TX_RING + (64 << 10),
	TX_BUFFERS = 4 << 20,
	RX_BUFFERS = 8 << 20,
	RX_STRIDE = 2048 + 64, /* an odd number of cache lines: no two rings of sets collide */
};

enum { /* offsets in BAR 0 */
       REG_RCTL = 0x100,
       REG_TCTL = 0x400,
       REG_RDBAL = 0x2800,
       REG_RDBAH = 0x2804,
       REG_RDLEN = 0x2808,
       REG_RDH = 0x2810,
       REG_RDT = 0x2818,
       REG_TDBAL = 0x3800,
       REG_TDBAH = 0x3804,
       REG_TDLEN = 0x3808,
       REG_TDH = 0x3810,
       REG_TDT = 0x3818,
};

enum {
	TCTL_EN = 2,
	RCTL_EN = 2,
	RCTL_SECRC = 1 << 26,
	TX_EOP = 1,
	TX_IFCS = 2,
	TX_RS = 8,
	DD = 1,
	EOP = 2,
};

struct tx_slot {
	uint64_t address;
	uint16_t length;
	uint8_t cso, command, status, css;
	uint16_t special;
};

struct rx_slot {
	uint64_t address;
	uint16_t length, checksum;
	uint8_t status, errors;
	uint16_t special;
};

extern const uint8_t engine_mac[6];

static inline uint32_t tx_buffer(unsigned slot, uint32_t length)
{
	return TX_BUFFERS + slot % RUN * ((length + 63) & ~63u);
}

/* Fills both rings and the frames to be sent. */
void layout_fill(uint8_t *memory, uint32_t length);
/* The frames that lie in the receive ring, each of its 512 slots; false: one is not complete. */
bool layout_received(const uint8_t *memory, struct sink *sink);

struct sample {
	double ns;	  /* CPU time a frame */
	struct sink sink; /* what the sink read */
};

/* Each runs RUN * rounds frames of LENGTH bytes; false: it said why. */
struct card;
bool ours_run(const struct card *card, bool receive, uint32_t length, unsigned rounds, bool fcs,
	      struct sample *sample);
bool hand_run(bool receive, uint32_t length, unsigned rounds, struct sample *sample);

struct theirs;
struct theirs *theirs_start(const char *qemu, const char *preload);
bool theirs_run(struct theirs *theirs, bool receive, uint32_t length, unsigned rounds,
		struct sample *sample);
void theirs_stop(struct theirs *theirs);

uint64_t cpu_now(void); /* ns of this process */
