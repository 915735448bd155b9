/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"
#include "nic/port.h"

/*
 * A learning Ethernet switch between NICs of one loop, and perhaps up-links:
 * any ports of the host's side.
 */
struct switch_net;

struct switch_stats {
	unsigned ports, uplinks, addresses;
	/* in = routed + flooded + nowhere + refused: its port may not send it */
	uint64_t in, routed, flooded, nowhere, refused;
	uint64_t copies; /* of those that were flooded */
	/* routed + copies = given + dropped + waits + abandoned: their port was closed */
	uint64_t given, dropped, waits, abandoned;
	uint64_t held; /* how often a sender had to wait */
};

/* ---- switch_port.c: what one port is to be, as words say it ---- */

enum { SWITCH_NAME = 64 };

struct switch_port {
	char name[SWITCH_NAME];
	uint8_t mac[6];			 /* what spoofchk goes by */
	bool isolated;			 /* reaches those only that are not */
	bool spoofchk;			 /* sends by its own address only */
	bool native, trunk;		 /* of VLANs: neither is all, as they come */
	uint16_t vlan;			 /* NATIVE: of frames without a tag */
	uint64_t vlans[PORT_VLANS / 64]; /* TRUNK: that pass with a tag */
};

/* 1: it was a word of ours, 0: it was not, < 0: ERR. */
int switch_port_word(struct switch_port *port, const char *key, const char *value,
		     struct error *err);
/* SPEC of an up-link: takes out the words that are ours. */
int switch_port_take(struct switch_port *port, char *spec, struct error *err);
/* The words again that make such a one, as "vlan=5,isolated=on"; "" for an ordinary one. */
void switch_port_text(const struct switch_port *port, char *text, size_t room);

/* ---- switch.c ---- */

struct switch_net *switch_new(struct loop *loop, struct error *err);
void switch_free(struct switch_net *net); /* after its ports were closed */

/* UPLINK is the switch's from then on, also if this fails. PORT: NULL is an ordinary one. */
int switch_uplink(struct switch_net *net, struct port *uplink, const struct switch_port *port,
		  struct error *err);
/* One more port for a NIC; its close leaves the switch. */
struct port *switch_join(struct switch_net *net, const struct switch_port *port, struct error *err);
/* PORT was joined; it is something else from now on, all but its name and address. */
void switch_change(struct port *port, const struct switch_port *to);

void switch_look(const struct switch_net *net, struct switch_stats *stats);
/* 0, or what the sums above lack. */
int64_t switch_missing_in(const struct switch_stats *stats);
int64_t switch_missing_out(const struct switch_stats *stats);

/* As the switch sees it: TX came in there, RX went out. */
struct switch_port_look {
	const struct switch_port *port;
	const struct port *uplink; /* or NULL */
	struct port_stats stats;
	unsigned addresses;
};

/* false: there is none at INDEX; *INDEX is that of the next one to ask for. */
bool switch_look_port(const struct switch_net *net, unsigned *index, struct switch_port_look *look);
void switch_look_joined(const struct port *port, struct switch_port_look *look);
