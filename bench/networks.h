/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

#include <sys/types.h>

/* A UDP datagram from 10.0.2.15 to port 9 of 10.0.2.2, LENGTH bytes with all headers. */
void bench_frame(uint8_t *data, uint32_t length);
/* 10.0.2.15 asks for 10.0.2.2, as a guest does before it says anything. */
void bench_introduce(struct port *port);

/*
 * The other end, a process of its own: "none", "packet:INTERFACE", "stream:PATH",
 * "dgram:LOCAL:REMOTE", "udp:PORT". It sends frames of LENGTH without end, or for 0 takes
 * what comes.
 */
struct peer_process {
	pid_t pid;
};

struct peer_process peer_start(const char *peer, uint32_t length);
void peer_stop(struct peer_process *peer);
