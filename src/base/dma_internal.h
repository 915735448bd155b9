/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/dma.h"
#include "base/guard.h"

#include <sys/types.h>

enum { DMA_RANGES_MAX = 65536, DMA_BLOCK = 128 };

enum dma_proof {
	DMA_TAKEN,   /* used as mapped: the client cannot be asked */
	DMA_SILENT,  /* used as mapped: it was asked and does not answer */
	DMA_PROVEN,  /* used as mapped */
	DMA_DOUBTED, /* reached by messages, compared with what is mapped */
	DMA_REFUTED, /* reached by messages */
};

/* A file of the client's, mapped whole and once, for all ranges that lie in it. */
struct dma_file {
	struct dma_file *next;
	dev_t device;
	ino_t inode;
	unsigned users;
	struct guard guard; /* where it is mapped, and how; begin NULL: no longer */
	enum dma_proof proof;
	/* in a row, while it is in doubt: see dma_doubt.c */
	unsigned agreed, written, missed, differed, lasted, errors;
	uint64_t differed_at, differed_by;
};

struct dma_entry {
	struct dma_range range;
	struct dma_file *file; /* NULL: not ours */
	uint64_t offset;
};

/* One piece of guest memory on its way by message. */
struct dma_piece {
	struct dma_piece *next;
	uint64_t addr;
	size_t length;
	uint32_t token; /* of the first message; pieces take one token per message */
	unsigned messages, sent, answered;
	bool failed, flushed;
	bool ahead;	 /* asked for only to see an answer */
	bool news;	 /* not yet what is mapped there: the file is in doubt */
	uint64_t before; /* then: what is mapped there, as a digest */
	uint8_t data[];
};

struct dma {
	struct dma_block **blocks; /* of ranges: see dma_table.c */
	unsigned blocks_count, blocks_room, count;
	struct dma_entry *last; /* that was found; NULL: none, or they have moved */
	struct dma_file *files;
	uint64_t faults; /* of files that are gone */
	uint64_t generation;
	bool enabled, looking;
	bool doubts; /* files are doubted: the client can be asked */
	bool told;   /* that memory is not shared */
	bool asked_ahead, answered;
	struct dma_transport transport;
	void (*wake)(void *context);
	void *wake_context;
	uint32_t next_token;
	struct dma_piece *reads;		 /* fetched or being fetched */
	struct dma_piece *writes, **writes_last; /* in order */
	size_t held;				 /* bytes in both lists */
};

struct dma_entry *dma_find(struct dma *dma, uint64_t addr);
int dma_message_view(struct dma *dma, uint64_t addr, size_t length, unsigned access, void **host);
void dma_forget(struct dma *dma);
void message_ahead(struct dma *dma, uint64_t addr, size_t length);

/* dma_table.c */
struct dma_place {
	unsigned block, slot;
};
struct dma_place table_search(const struct dma *dma,
			      uint64_t addr); /* first that ends there or behind */
struct dma_entry *table_at(const struct dma *dma,
			   struct dma_place place); /* NULL: behind the last */
struct dma_place table_next(const struct dma *dma, struct dma_place place);
int table_insert(struct dma *dma, struct dma_place place, const struct dma_entry *entry);
void table_remove(struct dma *dma, struct dma_place place);
void table_free(struct dma *dma);

/* dma_file.c: SIZE bytes at OFFSET are there to be mapped; 0 or -errno */
int dma_file_take(struct dma *dma, int fd, uint64_t offset, uint64_t size, int protection,
		  struct dma_file **ret_file);
void dma_file_release(struct dma *dma, struct dma_file *file);
void dma_file_unmap(struct dma_file *file);

/* dma_doubt.c */
void doubt_file(struct dma *dma, struct dma_file *file);   /* a new one */
void doubt_ahead(struct dma *dma);			   /* bus mastering is on */
bool doubt_read(struct dma *dma, struct dma_piece *piece); /* whole; false: ask again */
void doubt_sending(struct dma *dma, struct dma_piece *piece);
void doubt_written(struct dma *dma, struct dma_piece *piece);
