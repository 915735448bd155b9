/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

#include <linux/virtio_net.h>

/* What is left to do for a frame, as the kernel's tap and packet sockets say it. */
struct virtio_net_hdr vnet_of(const struct frame *frame);
/* The same the other way, for a frame of one iovec; SHIFT: bytes put in front of where it counts.
 */
void vnet_to(struct frame *frame, const struct virtio_net_hdr *header, unsigned shift);
