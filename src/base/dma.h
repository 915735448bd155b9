/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * The DMA map: guest-physical ranges to memory.
 *
 * A range has host memory (a descriptor was passed and mapped, or the embedder
 * gave a pointer), or it is reached by messages through the transport. The
 * engine asks for views and never sees the difference:
 *
 *   dma_read_view()  > 0     that many iovecs cover [addr, addr + length)
 *                    -EAGAIN being fetched: give up this pass without side
 *                            effects; the wake callback says when to try again
 *                    -EFAULT not guest memory, not readable, or bus mastering is off
 *   dma_write_view() the same for writing. For message ranges the views are
 *                    buffers that dma_flush() sends in order.
 *
 * A fetched copy is valid until dma_settle(), which a pass that completed calls
 * so that later passes read anew. Views live until the caller returns to the
 * loop. A range is revoked before its UNMAP is answered.
 */
enum { DMA_READ = 1, DMA_WRITE = 2 };

struct dma;

struct dma_transport {
	void *context;
	/* Asks for bytes; answered by dma_read_done(). 0 or -errno; -EBUSY: after some answer. */
	int (*read)(void *context, uint32_t token, uint64_t addr, size_t length);
	/* Sends bytes; answered by dma_write_done(). As above. */
	int (*write)(void *context, uint32_t token, uint64_t addr, const void *data, size_t length);
};

struct dma_range {
	uint64_t base, size;
	uint8_t *host; /* NULL: by messages */
	unsigned access;
};

struct dma *dma_new(void);
void dma_free(struct dma *dma);
void dma_transport(struct dma *dma, const struct dma_transport *transport);
void dma_on_wake(struct dma *dma, void (*wake)(void *context), void *context);

/* host NULL: a message range. -EEXIST overlap, -EINVAL wrap or zero, -ENOSPC too many. */
int dma_map_host(struct dma *dma, uint64_t base, uint64_t size, void *host, unsigned access);
/* Maps a file, once for all its ranges; checks its size. Does not keep FD. */
int dma_map_fd(struct dma *dma, uint64_t base, uint64_t size, int fd, uint64_t offset,
	       unsigned access);
/* Every range inside. -ENOENT none, -EINVAL one would be cut: then nothing is done. */
int dma_unmap(struct dma *dma, uint64_t base, uint64_t size);
void dma_unmap_all(struct dma *dma);
void dma_enable(struct dma *dma, bool bus_master);

int dma_read_view(struct dma *dma, uint64_t addr, size_t length, struct iovec *iov, unsigned max);
int dma_write_view(struct dma *dma, uint64_t addr, size_t length, struct iovec *iov, unsigned max);
/* While LOOKING nothing is fetched, and what was is not looked at: -EAGAIN where memory is not
 * mapped. */
void dma_look(struct dma *dma, bool looking);
void dma_settle(struct dma *dma); /* a pass is complete: forget fetched copies */
void dma_cancel(struct dma *dma); /* a reset: forget also what is being fetched */
int dma_flush(struct dma *dma);	  /* sends written views; 0 all in memory, 1 replies outstanding */
bool dma_busy(const struct dma *dma);	     /* writes not yet acknowledged: hold the interrupt */
unsigned dma_waiting(const struct dma *dma); /* pieces of memory that are on their way */

void dma_read_done(struct dma *dma, uint32_t token, const void *data, size_t length, int error);
void dma_write_done(struct dma *dma, uint32_t token, int error);

/* The fast path: a pointer when [addr, addr + length) lies in one mapped range, else NULL. */
void *dma_pointer(struct dma *dma, uint64_t addr, size_t length, unsigned access);

/* The memory around an address, for many looks without a call each; size 0: none. */
struct dma_window {
	uint64_t base, size;
	uint8_t *host;
};
void dma_window(struct dma *dma, uint64_t addr, unsigned access, struct dma_window *window);

static inline uint8_t *dma_within(const struct dma_window *window, uint64_t addr, size_t length)
{
	uint64_t offset = addr - window->base;

	return offset < window->size && length <= window->size - offset ? window->host + offset
									: NULL;
}

/*
 * A client may hand over files that its guest does not write to. Once it is
 * known to answer messages, files are doubted: reached by messages until those
 * have shown what is mapped, or that something else is.
 */
void dma_doubt(struct dma *dma);
bool dma_doubting(const struct dma *dma); /* and it has not answered any yet */
void dma_silence(struct dma *dma);	  /* it does not answer after all: all is used as mapped */
void dma_answer(struct dma *dma);	  /* it does */

/* Files of which a part was gone when it was touched: zeros are in its place. */
uint64_t dma_faults(const struct dma *dma);

/* Changes whenever a range is added or revoked: cached pointers are valid while it stands. */
uint64_t dma_generation(const struct dma *dma);
