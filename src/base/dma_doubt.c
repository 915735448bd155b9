/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is a file the guest's memory? A VMM hands over the descriptor of memory that
 * it maps privately too (QEMU's share=off): what its guest writes is then not
 * in the file, nor does the guest see what we write there.
 *
 *   taken --the client can be asked--> doubted --> proven, or refuted
 *                                        | ^
 *                                  silence v | an answer
 *                                       silent
 *
 * While a file is in doubt its memory is reached by messages, which are right
 * in either case, and each is compared with what is mapped. Memory that was
 * prepared in the file reads the same either way, so it takes a write that
 * shows up in the mapping to prove it. What differs may just be changing: it is
 * asked for again, and not used until it agrees, or differs in the same way
 * several times, which refutes. A write refutes where the mapping is as it was
 * before: a driver that waits for it may have written there again by now.
 *
 * QEMU before 11.1 leaves out the first four bytes; that shows what is mapped too.
 *
 * So that none of this hurries, one read is asked for ahead, when the driver
 * switches bus mastering on: a client that has answered is waited for.
 */
#include "base/dma_internal.h"
#include "base/log.h"

#include <string.h>

enum { AGREE = 4, LAST = 3, DIFFER = 64, MISS = 3, ERRORS = 3, SKIPPED = 4, AHEAD = 16 };

static void settle(struct dma_file *file, enum dma_proof proof)
{
	file->proof = proof;
	file->agreed = file->written = file->missed = file->errors = 0;
	file->differed = file->lasted = 0;
	if (proof == DMA_REFUTED)
		dma_file_unmap(file);
}

/* Ranges follow what was decided of their files. */
static void follow(struct dma *dma)
{
	struct dma_place place = {0, 0};
	struct dma_entry *entry;

	for (; (entry = table_at(dma, place)); place = table_next(dma, place)) {
		if (entry->file)
			entry->range.host = entry->file->proof <= DMA_PROVEN
						    ? entry->file->guard.begin + entry->offset
						    : NULL;
	}
	dma->generation++;
}

/* Every mapping of a file, since read-only ranges have one of their own. */
static void decide(struct dma *dma, const struct dma_file *like, enum dma_proof proof)
{
	for (struct dma_file *file = dma->files; file; file = file->next) {
		if (file->device == like->device && file->inode == like->inode)
			settle(file, proof);
	}
	follow(dma);
	if (proof == DMA_REFUTED && !dma->told) {
		dma->told = true;
		log_warn("the guest's memory is not shared (share=on?): it is reached by messages, "
			 "which is slow");
	}
}

static void decide_all(struct dma *dma, enum dma_proof from, enum dma_proof proof)
{
	bool any = false;

	for (struct dma_file *file = dma->files; file; file = file->next) {
		if (file->proof != from)
			continue;
		settle(file, proof);
		any = true;
	}
	if (any)
		follow(dma);
}

void doubt_file(struct dma *dma, struct dma_file *file)
{
	const struct dma_file *known = file->next;

	while (known && (known->device != file->device || known->inode != file->inode))
		known = known->next;
	file->proof = known ? known->proof : dma->doubts ? DMA_DOUBTED : DMA_TAKEN;
	if (file->proof == DMA_REFUTED)
		dma_file_unmap(file);
}

void dma_doubt(struct dma *dma)
{
	dma->doubts = true;
	decide_all(dma, DMA_TAKEN, DMA_DOUBTED);
}

bool dma_doubting(const struct dma *dma)
{
	const struct dma_file *file = dma->files;

	while (file && file->proof != DMA_DOUBTED)
		file = file->next;
	return file && !dma->answered;
}

void doubt_ahead(struct dma *dma)
{
	struct dma_place place = {0, 0};
	struct dma_entry *entry;

	if (!dma_doubting(dma) || dma->asked_ahead)
		return;
	while ((entry = table_at(dma, place)) &&
	       (!entry->file || entry->file->proof != DMA_DOUBTED || entry->range.size < AHEAD ||
		!(entry->range.access & DMA_READ)))
		place = table_next(dma, place);
	if (!entry)
		return;
	dma->asked_ahead = true;
	message_ahead(dma, entry->range.base, AHEAD);
}

/* The file in doubt that a piece lies in, and where in it; NULL: none. */
static struct dma_file *doubted(struct dma *dma, const struct dma_piece *piece, uint8_t **ret_at)
{
	struct dma_entry *entry = dma_find(dma, piece->addr);
	uint64_t offset;

	if (!entry || !entry->file || entry->file->proof != DMA_DOUBTED)
		return NULL;
	offset = piece->addr - entry->range.base;
	if (piece->length > entry->range.size - offset)
		return NULL;
	*ret_at = entry->file->guard.begin + entry->offset + offset;
	return entry->file;
}

static void agree(struct dma *dma, struct dma_file *file)
{
	file->agreed++;
	file->differed = file->lasted = file->missed = file->errors = 0;
	if (file->agreed >= AGREE && file->written)
		decide(dma, file, DMA_PROVEN);
}

static bool all_zero(const uint8_t *data, size_t length)
{
	return length == 0 || (!data[0] && !memcmp(data, data + 1, length - 1));
}

static uint64_t digest(const uint8_t *data, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325u ^ length;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ data[i]) * 0x100000001b3u;
	return hash;
}

static void differ(struct dma *dma, struct dma_file *file, const struct dma_piece *piece)
{
	uint64_t by = digest(piece->data, piece->length);

	if (file->differed_at == piece->addr && file->differed_by == by)
		file->lasted++;
	else
		file->lasted = 1;
	file->differed_at = piece->addr;
	file->differed_by = by;
	file->agreed = 0;
	if (++file->differed >= DIFFER || file->lasted >= LAST)
		decide(dma, file, DMA_REFUTED);
}

static bool is_skipped(const struct dma_piece *piece, const uint8_t *at)
{
	size_t length = piece->length - SKIPPED;

	return piece->length > 2 * SKIPPED && !all_zero(at + SKIPPED, length) &&
	       !memcmp(piece->data, at + SKIPPED, length);
}

bool doubt_read(struct dma *dma, struct dma_piece *piece)
{
	struct dma_file *file;
	uint8_t *at;

	file = doubted(dma, piece, &at);
	if (!file)
		return true;
	if (piece->failed) {
		if (!dma->enabled || dma->answered) /* it refuses this, not all */
			return true;
		if (++file->errors == ERRORS)
			decide(dma, file, DMA_PROVEN);
		return false;
	}
	if (!memcmp(piece->data, at, piece->length)) {
		if (!all_zero(at, piece->length))
			agree(dma, file);
		return true;
	}
	if (is_skipped(piece, at)) {
		log_warn("the VMM answers DMA messages wrongly, as QEMU before 11.1 does");
		decide(dma, file, DMA_PROVEN);
	} else {
		differ(dma, file, piece);
	}
	return file->proof == DMA_REFUTED;
}

void doubt_sending(struct dma *dma, struct dma_piece *piece)
{
	uint8_t *at;

	piece->news = doubted(dma, piece, &at) && memcmp(piece->data, at, piece->length);
	if (piece->news)
		piece->before = digest(at, piece->length);
}

void doubt_written(struct dma *dma, struct dma_piece *piece)
{
	struct dma_file *file;
	uint8_t *at;

	file = doubted(dma, piece, &at);
	if (!file)
		return;
	if (piece->failed) { /* the mapping may be all there is; if it is not the guest's, no harm
			      */
		memcpy(at, piece->data, piece->length);
	} else if (piece->news && !memcmp(piece->data, at, piece->length)) {
		file->written++;
		agree(dma, file);
	} else if (piece->news && digest(at, piece->length) == piece->before &&
		   ++file->missed == MISS) {
		decide(dma, file, DMA_REFUTED);
	}
}

void dma_silence(struct dma *dma)
{
	decide_all(dma, DMA_DOUBTED, DMA_SILENT);
	/* what it was to write for us: it lies in our hands now */
	for (struct dma_piece *piece = dma->writes; piece; piece = piece->next) {
		void *to = dma_pointer(dma, piece->addr, piece->length, DMA_WRITE);

		if (to)
			memcpy(to, piece->data, piece->length);
	}
	dma_forget(dma);
	if (dma->wake)
		dma->wake(dma->wake_context);
}

void dma_answer(struct dma *dma)
{
	decide_all(dma, DMA_SILENT, DMA_DOUBTED);
}
