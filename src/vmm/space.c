/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/space.h"

#include <stddef.h>

void space_drop(struct space_claim *claim)
{
	if (!claim->space)
		return;
	for (struct space_claim **at = &claim->space->first; *at; at = &(*at)->next) {
		if (*at == claim) {
			*at = claim->next;
			break;
		}
	}
	claim->space = NULL;
}

void space_claim(struct space *space, struct space_claim *claim, const struct space_owner *owner,
		 unsigned which, uint64_t base, uint64_t size)
{
	struct space_claim **last = &space->first;

	space_drop(claim);
	if (size && base + (size - 1) < base)
		size = -base; /* to the end */
	*claim = (struct space_claim){space, NULL, owner, which, base, size};
	while (*last)
		last = &(*last)->next;
	*last = claim;
}

static unsigned power_of_two(unsigned width)
{
	return width >= 8 ? 8 : width >= 4 ? 4 : width >= 2 ? 2 : 1;
}

/*
 * Who has ADDR, and how many of WIDTH bytes from there on are his: an earlier
 * claim that begins behind ADDR ends his part. Nobody: how far nobody goes.
 */
static const struct space_claim *find(const struct space *space, uint64_t addr, unsigned width,
				      unsigned *part)
{
	*part = width;
	for (const struct space_claim *at = space->first; at; at = at->next) {
		uint64_t into = addr - at->base;

		if (into < at->size) {
			if (*part > at->size - into)
				*part = (unsigned)(at->size - into);
			*part = power_of_two(*part);
			return at;
		}
		if (at->size && at->base > addr && at->base - addr < *part)
			*part = (unsigned)(at->base - addr);
	}
	return NULL;
}

uint64_t space_read(struct space *space, uint64_t addr, unsigned width)
{
	uint64_t value = 0;
	unsigned part;

	for (unsigned done = 0; done < width; done += part) {
		const struct space_claim *at = find(space, addr + done, width - done, &part);
		uint64_t got = UINT64_MAX;

		if (at)
			got = at->owner->read(at->owner->context, at->which, addr + done - at->base,
					      part);
		if (part < 8)
			got &= (1ull << part * 8) - 1;
		value |= got << done * 8;
	}
	return value;
}

void space_write(struct space *space, uint64_t addr, unsigned width, uint64_t value)
{
	unsigned part;

	for (unsigned done = 0; done < width; done += part) {
		const struct space_claim *at = find(space, addr + done, width - done, &part);
		uint64_t piece = value >> done * 8;

		if (part < 8)
			piece &= (1ull << part * 8) - 1;
		if (at)
			at->owner->write(at->owner->context, at->which, addr + done - at->base,
					 part, piece);
	}
}
