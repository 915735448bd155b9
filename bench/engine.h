/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sink.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * What the sides share: one layout of guest memory, so that each walks the same
 * descriptors and reads the same frames; and a driver for each family of cards,
 * which fills it and rings the doorbells, on whichever side it drives.
 */
enum {
	MEMORY = 16 << 20,
	FRAMES = 256,	   /* different ones; runs divide it */
	SEND_RING = 512,   /* of the e1000 that sends to a receiver; see engine_theirs.c */
	SEND_AT = 1 << 18, /* and where it lies */
	TX_RING = 1 << 20, /* descriptors */
	RX_RING = TX_RING + (64 << 10),
	BLOCK = RX_RING + (64 << 10), /* what else a card is told by memory */
	TX_BUFFERS = 4 << 20,
	RX_BUFFERS = 8 << 20,
	RX_STRIDE = 2048 + 64, /* an odd number of cache lines: no two rings of sets collide */
};

/* One side's registers, and what its driver remembers. */
struct drive {
	void (*write)(struct drive *drive, uint32_t reg, unsigned width, uint32_t value);
	uint32_t (*read)(struct drive *drive, uint32_t reg, unsigned width);
	void *context;
	uint8_t *memory;
	uint32_t length;    /* of a frame */
	uint64_t sent, got; /* slots before this run */
	uint32_t position;  /* in a stream */
	bool fcs;	    /* where the driver can choose: received frames keep it */
};

struct family {
	const char *name;  /* of the card, and of the ratios */
	const char *model; /* QEMU's device */
	uint8_t bar;
	bool io, hand;
	/* frames for each doorbell, and for each time that room is made; [1]: long ones */
	uint16_t sends[2], takes[2];
	uint16_t tx_slots, rx_slots;
	void (*program)(struct drive *drive);
	void (*send)(struct drive *drive, unsigned count); /* the next COUNT */
	void (*idle)(struct drive *drive, unsigned count); /* the same writes, without work */
	void (*room)(struct drive *drive, unsigned count); /* for the next COUNT */
	bool (*received)(struct drive *drive, struct sink *sink); /* what lies there now */
};

extern const struct family family_e1000, family_i82559, family_ne2000, family_pcnet, family_rtl8139,
	family_rtl8139cp, family_tulip;
extern const uint8_t engine_mac[6];

static inline uint32_t tx_buffer(uint64_t frame, uint32_t length)
{
	return TX_BUFFERS + (uint32_t)(frame % FRAMES) * ((length + 63) & ~63u);
}

static inline uint32_t rx_buffer(uint64_t slot)
{
	return RX_BUFFERS + (uint32_t)slot * RX_STRIDE;
}

static inline void store32(struct drive *drive, uint32_t at, uint32_t value)
{
	memcpy(drive->memory + at, &value, sizeof(value));
}

static inline uint32_t load32(const struct drive *drive, uint32_t at)
{
	uint32_t value;

	memcpy(&value, drive->memory + at, sizeof(value));
	return value;
}

struct write {
	uint16_t reg;
	uint8_t width;
	uint32_t value;
};

static inline void writes(struct drive *drive, const struct write *list, unsigned count)
{
	for (; count--; list++)
		drive->write(drive, list->reg, list->width, list->value);
}

/* The frames to be sent, and a clean receive area. */
void frames_fill(uint8_t *memory, uint32_t length);
/* A received frame at AT, without its FCS; false: it is not of the right length. */
bool frame_read(const struct drive *drive, struct sink *sink, uint32_t at, uint32_t length);

struct sample {
	double ns;	  /* CPU time a frame; where a job waits, the clock's */
	struct sink sink; /* what the sink read */
};

struct job {
	const struct family *family;
	bool receives, fcs;
	uint32_t length;
	unsigned run, rounds; /* frames at a time, how often */
	bool waits;	      /* for another process, whose time counts too */
};

/* Each runs a job; false: it said why. */
struct card;
bool ours_run(const struct card *card, const struct job *job, struct sample *sample);
bool hand_run(const struct job *job, struct sample *sample);

struct theirs;
struct theirs *theirs_start(const struct family *family, const char *qemu, const char *preload);
bool theirs_run(struct theirs *theirs, const struct job *job, struct sample *sample);
void theirs_stop(struct theirs *theirs);

uint64_t cpu_now(void); /* ns of this process */
uint64_t wall_now(void);
double median(double *values, unsigned count);
