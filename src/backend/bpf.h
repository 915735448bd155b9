/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

#include <linux/filter.h>

/*
 * A socket filter that lets through what a NIC takes, so that the kernel does not wake
 * us for more: a classic BPF program over the frame and what the kernel keeps beside
 * it (the VLAN tag, which way it goes).
 */
enum { BPF_ROOM = 2048 };

struct bpf {
	struct sock_filter code[BPF_ROOM];
	unsigned count;
};

void bpf_compile(struct bpf *bpf, const struct port_filter *filter);
int bpf_attach(const struct bpf *bpf, int fd); /* 0 or -errno */
