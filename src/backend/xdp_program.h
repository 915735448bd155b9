/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "nic/port.h"

/*
 * The program on the interface: what the NIC takes goes to the socket of the queue it
 * arrived on, and the rest to the host's stack as ever. It goes with this
 * process, however that ends.
 */
struct xdp_program {
	int sockets; /* map of queue to socket */
	int link;    /* to the interface, or -1 */
	bool driver; /* runs in the interface's driver rather than behind it */
};

int xdp_program_attach(struct xdp_program *program, int index, const struct port_filter *filter,
		       struct error *err);
/* A descriptor, or -errno; OTHERWISE: what becomes of frames for queues without a socket. */
int xdp_program_load(int sockets, const struct port_filter *filter, int otherwise);
int xdp_program_change(struct xdp_program *program, const struct port_filter *filter);
int xdp_program_socket(const struct xdp_program *program, unsigned queue, int fd);
void xdp_program_detach(struct xdp_program *program);
