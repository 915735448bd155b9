/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Guest memory by messages. A read view starts a fetch and says -EAGAIN; when
 * the last reply is in, wake() runs the pass again and finds the copy. A write
 * view is a buffer; dma_flush() sends the buffers in order.
 *
 *   read:   none -> fetching -> here -> forgotten by dma_settle()
 *   write:  filled -> sent by dma_flush() -> acknowledged, freed
 *
 * Every message is at most DMA_CHUNK bytes: larger ones overrun the client's
 * socket buffer, which it does not survive.
 */
#include "base/dma_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DMA_CHUNK = 16384, DMA_HELD_MAX = 8 << 20 };

void dma_transport(struct dma *dma, const struct dma_transport *transport)
{
	dma->transport = transport ? *transport : (struct dma_transport){0};
	dma->doubts = dma->told = dma->asked_ahead = dma->answered = false;
	dma_forget(dma);
}

void dma_on_wake(struct dma *dma, void (*wake)(void *context), void *context)
{
	dma->wake = wake;
	dma->wake_context = context;
}

static unsigned chunks(size_t length)
{
	return (unsigned)((length + DMA_CHUNK - 1) / DMA_CHUNK);
}

static struct dma_piece *piece_new(struct dma *dma, uint64_t addr, size_t length)
{
	struct dma_piece *piece;

	if (length > DMA_HELD_MAX - dma->held || dma->held > DMA_HELD_MAX)
		return NULL;
	piece = calloc(1, sizeof(*piece) + length);
	if (!piece)
		return NULL;
	piece->addr = addr;
	piece->length = length;
	piece->messages = chunks(length);
	piece->token = dma->next_token;
	dma->next_token += piece->messages;
	dma->held += length;
	return piece;
}

static void list_free(struct dma *dma, struct dma_piece **list)
{
	while (*list) {
		struct dma_piece *piece = *list;

		*list = piece->next;
		dma->held -= piece->length;
		free(piece);
	}
}

void dma_forget(struct dma *dma)
{
	list_free(dma, &dma->reads);
	list_free(dma, &dma->writes);
	dma->writes_last = NULL;
}

static size_t chunk_length(const struct dma_piece *piece, unsigned k)
{
	size_t left = piece->length - (size_t)k * DMA_CHUNK;

	return left < DMA_CHUNK ? left : DMA_CHUNK;
}

/* Sends what of a piece is not sent yet; false: the transport is full. */
static bool piece_send(struct dma *dma, struct dma_piece *piece, bool write)
{
	const struct dma_transport *to = &dma->transport;

	if (write && !piece->sent)
		doubt_sending(dma, piece);
	while (piece->sent < piece->messages) {
		size_t at = (size_t)piece->sent * DMA_CHUNK,
		       length = chunk_length(piece, piece->sent);
		uint32_t token = piece->token + piece->sent;
		int result = write ? to->write(to->context, token, piece->addr + at,
					       piece->data + at, length)
				   : to->read(to->context, token, piece->addr + at, length);

		if (result == -EBUSY)
			return false;
		piece->sent++;
		if (result < 0) {
			piece->failed = true;
			piece->answered++; /* there will be no other answer */
		}
	}
	return true;
}

static void send_waiting(struct dma *dma)
{
	for (struct dma_piece *piece = dma->writes; piece && piece->flushed; piece = piece->next)
		if (!piece_send(dma, piece, true))
			return;
	for (struct dma_piece *piece = dma->reads; piece; piece = piece->next)
		if (!piece_send(dma, piece, false))
			return;
}

/* Frees the writes that are answered; wakes when that were the last. */
static void writes_reap(struct dma *dma)
{
	struct dma_piece **at = &dma->writes;

	while (*at) {
		struct dma_piece *piece = *at;

		if (piece->answered < piece->messages) {
			at = &piece->next;
			continue;
		}
		doubt_written(dma, piece);
		*at = piece->next;
		dma->held -= piece->length;
		free(piece);
	}
	dma->writes_last = at;
}

static int fetch(struct dma *dma, uint64_t addr, size_t length)
{
	struct dma_piece *piece;

	if (!dma->transport.read)
		return -EFAULT;
	piece = piece_new(dma, addr, length);
	if (!piece)
		return -EFAULT;
	piece->next = dma->reads;
	dma->reads = piece;
	piece_send(dma, piece, false);
	return piece->failed ? -EFAULT : -EAGAIN;
}

void message_ahead(struct dma *dma, uint64_t addr, size_t length)
{
	if (fetch(dma, addr, length) == -EAGAIN)
		dma->reads->ahead = true;
}

int dma_message_view(struct dma *dma, uint64_t addr, size_t length, unsigned access, void **host)
{
	struct dma_piece *piece;

	if (dma->looking)
		return -EAGAIN;
	if (access == DMA_WRITE) {
		piece = dma->transport.write ? piece_new(dma, addr, length) : NULL;
		if (!piece)
			return -EFAULT;
		if (!dma->writes)
			dma->writes_last = &dma->writes;
		*dma->writes_last = piece;
		dma->writes_last = &piece->next;
		*host = piece->data;
		return 0;
	}
	for (piece = dma->reads; piece; piece = piece->next) {
		if (addr >= piece->addr && addr - piece->addr < piece->length &&
		    length <= piece->length - (addr - piece->addr)) {
			*host = piece->data + (addr - piece->addr);
			return piece->failed			   ? -EFAULT
			       : piece->answered < piece->messages ? -EAGAIN
								   : 0;
		}
	}
	return fetch(dma, addr, length);
}

void dma_look(struct dma *dma, bool looking)
{
	dma->looking = looking;
}

void dma_settle(struct dma *dma)
{
	struct dma_piece **at = &dma->reads;

	while (*at) {
		struct dma_piece *piece = *at;

		if (piece->answered < piece->messages && !piece->failed) {
			at = &piece->next;
			continue;
		}
		*at = piece->next;
		dma->held -= piece->length;
		free(piece);
	}
}

void dma_cancel(struct dma *dma)
{
	list_free(dma, &dma->reads); /* late answers find nothing */
}

int dma_flush(struct dma *dma)
{
	for (struct dma_piece *piece = dma->writes; piece; piece = piece->next)
		piece->flushed = true;
	send_waiting(dma);
	writes_reap(dma);
	return dma->writes ? 1 : 0;
}

bool dma_busy(const struct dma *dma)
{
	return dma->writes != NULL;
}

unsigned dma_waiting(const struct dma *dma)
{
	unsigned waiting = 0;

	for (const struct dma_piece *piece = dma->reads; piece; piece = piece->next)
		waiting += piece->answered < piece->messages;
	for (const struct dma_piece *piece = dma->writes; piece; piece = piece->next)
		waiting++;
	return waiting;
}

static struct dma_piece **piece_of(struct dma_piece **at, uint32_t token)
{
	while (*at && token - (*at)->token >= (*at)->sent)
		at = &(*at)->next;
	return at;
}

/* True when that was the last answer for its piece, which may have to be asked for again. */
static bool read_answered(struct dma *dma, uint32_t token, const void *data, size_t length,
			  int error)
{
	struct dma_piece **at = piece_of(&dma->reads, token), *piece = *at;
	unsigned k;

	dma->answered |= !error; /* though it may be late */
	if (!piece)
		return false;
	k = token - piece->token;
	if (error || length != chunk_length(piece, k))
		piece->failed = true;
	else
		memcpy(piece->data + (size_t)k * DMA_CHUNK, data, length);
	if (++piece->answered < piece->messages)
		return false;
	if (!doubt_read(dma, piece) || piece->ahead) {
		*at = piece->next;
		dma->held -= piece->length;
		free(piece);
	}
	return true;
}

void dma_read_done(struct dma *dma, uint32_t token, const void *data, size_t length, int error)
{
	bool complete = read_answered(dma, token, data, length, error);

	send_waiting(dma);
	if (complete && dma->wake)
		dma->wake(dma->wake_context);
}

void dma_write_done(struct dma *dma, uint32_t token, int error)
{
	struct dma_piece *piece = *piece_of(&dma->writes, token);

	if (piece) { /* said no to its own guest's address: nothing to undo */
		piece->failed |= error != 0;
		piece->answered++;
	}
	send_waiting(dma);
	if (!piece)
		return;
	writes_reap(dma);
	if (!dma->writes && dma->wake)
		dma->wake(dma->wake_context);
}
