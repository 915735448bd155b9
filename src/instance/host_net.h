/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"
#include "nic/port.h"

struct json_object;
struct switch_net;
struct switch_port;

/* A network of the host: one NIC at a port of its own, or a switch for any number. */
struct host_net {
	char *id; /* "": of one NIC only */
	char *spec;
	unsigned users;
	struct switch_net *fabric; /* or NULL */
	struct loop *loop;
	struct host_net *next;
};

/* The kinds of networks there are; NULL behind the last. */
const char *host_net_kind(unsigned index);

/* SPEC: "KIND[,key=value…]", or "switch[,uplink=SPEC]…". */
struct host_net *host_net_new(const char *id, const char *spec, bool shared, struct loop *loop,
			      struct error *err);
/* With a switch whose uplink PORT is; it is the network's, also if this fails. */
struct host_net *host_net_around(const char *id, struct port *port, struct loop *loop,
				 struct error *err);
void host_net_free(struct host_net *net); /* without users */

/*
 * For a NIC on LOOP. Users are counted by whoever asks for ports. *SEAT: what the switch
 * has for it while it is joined, where there is one.
 */
struct port *host_net_port(struct host_net *net, struct loop *loop, const struct switch_port *to_be,
			   struct port **seat, struct error *err);
struct json_object *host_net_describe_port(const struct host_net *net, const struct port *seat);
struct json_object *host_net_describe(const struct host_net *net);
