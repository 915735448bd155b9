/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"
#include "nic/port.h"

/*
 * A learning Ethernet switch between NICs of one loop, and perhaps an uplink:
 * any port of the host's side.
 */
struct switch_net;

struct switch_stats {
	unsigned ports, addresses;
	uint64_t in, routed, flooded, nowhere; /* in = routed + flooded + nowhere */
	uint64_t copies;		       /* of those that were flooded */
	/* routed + copies = given + dropped + waits + abandoned: their port was closed */
	uint64_t given, dropped, waits, abandoned;
	uint64_t held; /* how often a sender had to wait */
};

/* UPLINK, or NULL, is the switch's from then on, also if this fails. */
struct switch_net *switch_new(struct port *uplink, struct loop *loop, struct error *err);
void switch_free(struct switch_net *net); /* after its ports were closed */

/* One more port for a NIC; its close leaves the switch. */
struct port *switch_join(struct switch_net *net, struct error *err);
void switch_look(const struct switch_net *net, struct switch_stats *stats);
/* 0, or what the sums above lack. */
int64_t switch_missing_in(const struct switch_stats *stats);
int64_t switch_missing_out(const struct switch_stats *stats);
