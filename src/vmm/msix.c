/* SPDX-License-Identifier: Apache-2.0 */

/*
 * PCI Local Bus Specification 3.0, 6.8.2: a table of 16 bytes a vector (address,
 * data, and a word whose bit 0 masks it), and an array with a bit a vector.
 *
 *   fire -- masked --> pending --unmasked--> message
 *        \- else ----> message
 *
 * The driver may write any dword of the table at any time; pending bits are
 * read-only.
 */
#include "vmm/msix.h"

#include <stdlib.h>
#include <string.h>

enum {
	ID_MSIX = 0x11,
	CONTROL = 2,
	TABLE = 4,
	PENDING = 8,
	CONTROL_ENABLE = 0x8000,
	CONTROL_MASK = 0x4000,
	ENTRY = 16,
	ENTRY_DATA = 8,
	ENTRY_MASK = 12,
};

struct msix {
	const struct pci_function *pci;
	struct msix_sink sink;
	unsigned at, vectors, bar;
	uint32_t table, pending; /* offsets in the BAR */
	uint32_t table_size, pending_size;
	uint8_t *bytes; /* the table, then the pending bits */
};

static uint32_t word_at(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

void msix_reset(struct msix *msix)
{
	if (!msix)
		return;
	memset(msix->bytes, 0, msix->table_size + msix->pending_size);
	for (unsigned i = 0; i < msix->vectors; i++)
		msix->bytes[i * ENTRY + ENTRY_MASK] = 1;
}

struct msix *msix_new(const struct pci_function *pci, const struct msix_sink *sink)
{
	unsigned at = pci_capability(pci, ID_MSIX);
	struct msix *msix = at ? calloc(1, sizeof(*msix)) : NULL;

	if (!msix)
		return NULL;
	msix->pci = pci;
	msix->sink = *sink;
	msix->at = at;
	msix->vectors = pci->msix_vectors;
	msix->bar = pci->config[at + TABLE] & 7;
	msix->table = word_at(pci->config + at + TABLE) & ~7u;
	msix->pending = word_at(pci->config + at + PENDING) & ~7u;
	msix->table_size = msix->vectors * ENTRY;
	msix->pending_size = (msix->vectors + 63) / 64 * 8;
	msix->bytes = malloc(msix->table_size + msix->pending_size);
	if (!msix->bytes) {
		free(msix);
		return NULL;
	}
	msix_reset(msix);
	return msix;
}

void msix_free(struct msix *msix)
{
	if (!msix)
		return;
	free(msix->bytes);
	free(msix);
}

static unsigned control(const struct msix *msix)
{
	return msix->pci->config[msix->at + CONTROL] |
	       (unsigned)msix->pci->config[msix->at + CONTROL + 1] << 8;
}

bool msix_on(const struct msix *msix)
{
	return msix && (control(msix) & CONTROL_ENABLE);
}

static bool masked(const struct msix *msix, unsigned vector)
{
	return (control(msix) & CONTROL_MASK) || (msix->bytes[vector * ENTRY + ENTRY_MASK] & 1);
}

static void set_pending(struct msix *msix, unsigned vector, bool pending)
{
	uint8_t *byte = &msix->bytes[msix->table_size + vector / 8], bit = 1u << vector % 8;

	*byte = (uint8_t)(pending ? *byte | bit : *byte & ~bit);
}

static bool is_pending(const struct msix *msix, unsigned vector)
{
	return msix->bytes[msix->table_size + vector / 8] >> vector % 8 & 1;
}

void msix_fire(struct msix *msix, unsigned vector)
{
	const uint8_t *entry = msix->bytes + vector * ENTRY;

	if (vector >= msix->vectors || !msix_on(msix))
		return;
	if (masked(msix, vector)) {
		set_pending(msix, vector, true);
		return;
	}
	msix->sink.message(msix->sink.context, word_at(entry) | (uint64_t)word_at(entry + 4) << 32,
			   word_at(entry + ENTRY_DATA));
}

static void look(struct msix *msix, unsigned vector)
{
	if (!is_pending(msix, vector) || masked(msix, vector) || !msix_on(msix))
		return;
	set_pending(msix, vector, false);
	msix_fire(msix, vector);
}

void msix_unmasked(struct msix *msix)
{
	for (unsigned i = 0; msix && i < msix->vectors; i++)
		look(msix, i);
}

/* The bytes that an access is to; NULL: they are not ours, or not all. */
static uint8_t *bytes_of(const struct msix *msix, unsigned bar, uint64_t offset, unsigned width)
{
	if (!msix || bar != msix->bar || width > 8)
		return NULL;
	if (offset - msix->table < msix->table_size &&
	    width <= msix->table_size - (offset - msix->table))
		return msix->bytes + (offset - msix->table);
	if (offset - msix->pending < msix->pending_size &&
	    width <= msix->pending_size - (offset - msix->pending))
		return msix->bytes + msix->table_size + (offset - msix->pending);
	return NULL;
}

bool msix_read(const struct msix *msix, unsigned bar, uint64_t offset, unsigned width,
	       uint64_t *value)
{
	const uint8_t *bytes = bytes_of(msix, bar, offset, width);

	if (!bytes)
		return false;
	*value = 0;
	memcpy(value, bytes, width);
	return true;
}

bool msix_write(struct msix *msix, unsigned bar, uint64_t offset, unsigned width, uint64_t value)
{
	uint8_t *bytes = bytes_of(msix, bar, offset, width);
	unsigned first;

	if (!bytes)
		return false;
	if (bytes >= msix->bytes + msix->table_size)
		return true; /* pending bits are ours */
	memcpy(bytes, &value, width);
	first = (unsigned)(bytes - msix->bytes) / ENTRY;
	look(msix, first);
	if (first + 1 < msix->vectors)
		look(msix, first + 1); /* an access may lie across two */
	return true;
}
