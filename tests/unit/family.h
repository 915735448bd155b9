/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "foe.h"

/*
 * How the driver of a family of cards sets up two rings, and what their slots
 * look like: enough to say to each of them what once broke some other model.
 */
enum { FAMILY_TX = 1 << 20, FAMILY_RX = (1 << 20) + (256 << 10), FAMILY_SLOTS = 300 };

struct family_slot {
	uint32_t address, length, next;
	bool first, last, end; /* end: of the ring */
};

struct family {
	const char *cards; /* each between blanks */
	unsigned stride;   /* from slot to slot */
	/* of slots that are in a circle none ends it, as on the real card; but this one does */
	void (*close)(uint8_t *slot);
	/* everything that comes is taken; LOOP: what is sent comes back */
	void (*start)(struct foe *foe, uint32_t tx, uint32_t rx, bool loop);
	void (*tx)(uint8_t *slot, const struct family_slot *is);
	void (*rx)(uint8_t *slot, const struct family_slot *is);
	void (*kick)(struct foe *foe); /* there is something to send, and room */
};

extern const struct family families[];
extern const unsigned families_count;

/* NULL: none has it. */
const struct family *family_of(const struct card *card);

static inline void put16(uint8_t *at, uint32_t value)
{
	memcpy(at, &(uint16_t){(uint16_t)value}, 2);
}

static inline void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, 4);
}
