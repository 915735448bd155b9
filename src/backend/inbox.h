/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

/*
 * Frames that a driver has read from the host, in its own memory, until the NIC
 * takes them. While it is held, the driver reads no more: what comes waits where the
 * host keeps it, and is lost there when that is full.
 */
enum { INBOX_FRAMES = 32, INBOX_BYTES = 65536 + 512 };

struct inbox {
	unsigned first, count; /* frames [first, count) wait */
	bool held;
	bool giving, asked; /* within the NIC; which said meanwhile that it has room */
	struct frame frames[INBOX_FRAMES];
	uint8_t (*buffers)[INBOX_BYTES];
};

bool inbox_init(struct inbox *inbox); /* false: no memory */
void inbox_free(struct inbox *inbox);
/* The next frame, LENGTH bytes from DATA within its buffer on; its flags are clear. */
struct frame *inbox_put(struct inbox *inbox, struct port *port, uint8_t *data, uint32_t length);
/* What waits goes to the NIC; false: it is held. */
bool inbox_give(struct inbox *inbox, struct port *port);
/* Of the frames from FIRST on, those for which KEEP does not hold are lost. */
void inbox_sift(struct inbox *inbox, struct port *port, unsigned first,
		bool (*keep)(void *context, const struct frame *frame), void *context,
		enum port_drop why);
/* What waits is lost. */
void inbox_drop(struct inbox *inbox, struct port *port, enum port_drop why);

static inline bool inbox_full(const struct inbox *inbox)
{
	return inbox->count == INBOX_FRAMES;
}

static inline uint8_t *inbox_buffer(const struct inbox *inbox)
{
	return inbox->buffers[inbox->count];
}
