/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/inbox.h"

/*
 * Many frames a system call, on sockets that have one a message. With VNET each is behind
 * a header that says what is left to do for it, and a VLAN tag that the kernel took
 * out of a frame is put back.
 */
struct batch_result {
	unsigned done; /* messages, from the front */
	int error;     /* errno of the one behind them, or 0 */
};

struct batch_result batch_send(int fd, const struct frame *frames, unsigned count, bool vnet);

/* What is there, up to a full inbox; error EAGAIN: that was all. */
struct batch_result batch_receive(int fd, struct inbox *inbox, struct port *port, bool vnet);
