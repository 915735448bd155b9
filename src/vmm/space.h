/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Virtual space: an access to an address goes to whoever claimed it. A space is
 * memory or I/O; a VM has one of each.
 *
 * Where claims overlap, the one made first has the address, and the next one
 * gets it when that is dropped. A claim that moves is made anew: it is then the
 * last. Claims may be made, moved and dropped at any time, also from within an
 * access. What nobody claimed reads as all-ones and swallows writes.
 */
struct space_owner {
	void *context;
	/* WHICH: the claim's number; width 1, 2, 4 or 8, inside the claim, aligned or not */
	uint64_t (*read)(void *context, unsigned which, uint64_t offset, unsigned width);
	void (*write)(void *context, unsigned which, uint64_t offset, unsigned width,
		      uint64_t value);
};

/* Lives in its owner; zeroed is not claimed. */
struct space_claim {
	struct space *space; /* NULL: nothing is claimed */
	struct space_claim *next;
	const struct space_owner *owner;
	unsigned which;
	uint64_t base, size;
};

struct space {
	struct space_claim *first; /* in the order they were made */
};

/* SIZE bytes from BASE, up to the end of the space at most; claimed already: moves. */
void space_claim(struct space *space, struct space_claim *claim, const struct space_owner *owner,
		 unsigned which, uint64_t base, uint64_t size);
void space_drop(struct space_claim *claim);

/*
 * Width 1 to 8, anywhere. An access that touches several owners is cut at their
 * borders, and what an owner gets of 3, 5, 6 or 7 bytes into powers of two, low
 * addresses first.
 */
uint64_t space_read(struct space *space, uint64_t addr, unsigned width);
void space_write(struct space *space, uint64_t addr, unsigned width, uint64_t value);
