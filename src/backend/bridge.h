/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"
#include "nic/port.h"

/*
 * A port on one loop for a NIC on another. Frames are copied into a bounded ring
 * each way; a ring that is full is back pressure, as of the port itself. FAR,
 * which is the bridge's from then on, also if this fails, is used on its own
 * loop only. The port is for NEAR's. Whoever makes one holds both.
 */
struct port *bridge_new(struct port *far, struct loop *far_loop, struct loop *near_loop,
			struct error *err);
