/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/dma.h"
#include "base/error.h"
#include "base/loop.h"
#include "vmm/pci.h"
#include "vmm/pic.h"

/*
 * The vfio-user server of one function: listens on a socket path (or serves an
 * inherited descriptor), one client at a time, the next when it has gone.
 */
struct vfio_user;

struct vfio_user_config {
	struct loop *loop;
	struct pci_function *pci;
	struct pic *pic;
	struct dma *dma;
	const char *socket_path; /* or NULL and fd */
	int fd;			 /* connected socket, or -1 */
	bool write_multiple;	 /* advertise WRITE_MULTI */
	/* Called after each request, before the next is read: one budget of recorded work. */
	void (*after_request)(void *context);
	/* What the client has sent is about to be read; and has been dealt with, to the last. */
	void (*looking)(void *context);
	void (*looked)(void *context);
	/* Client came (true) or went (false). */
	void (*session)(void *context, bool connected);
	void *context;
};

struct vfio_user_stats {
	uint64_t requests, reads, writes, posted, unmasks, interrupts, dma_reads, dma_writes,
		errors, memory_faults;
};

struct vfio_user *vfio_user_new(const struct vfio_user_config *config, struct error *err);
bool vfio_user_look(struct vfio_user *front); /* reads what the client has sent, now; some */
void vfio_user_free(struct vfio_user *front); /* removes the socket */
const struct vfio_user_stats *vfio_user_stats(struct vfio_user *front);
