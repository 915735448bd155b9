/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/layer.h"
#include "base/error.h"
#include "base/loop.h"
#include "nic/port.h"

/*
 * Opens the host's side of a NIC from "KIND[,key=value…]". The port is closed
 * by port->ops->close, which frees it.
 */
struct port *backend_open(const char *spec, struct loop *loop, struct error *err);

/* The kinds there are; NULL behind the last. */
const char *backend_kind(unsigned index);

/* Are there such a kind and such options? What the host has is not looked at. */
int backend_check(const char *spec, struct error *err);

/* The value of KEY in a spec, copied; NULL when it is not there. */
char *backend_option(const char *spec, const char *key);

/* KEY=on or off; *VALUE is false where it is not there. */
int backend_flag(const char *spec, const char *key, bool *value, struct error *err);
/* A number up to MOST; *VALUE is ELSE_VALUE where it is not there. */
int backend_number(const char *spec, const char *key, uint64_t else_value, uint64_t most,
		   uint64_t *value, struct error *err);
/* A connected socket of TYPE by fd=; -ENOENT where that is not there, which is no error. */
int backend_descriptor(const char *spec, int type, struct error *err);

struct port *dgram_open(const char *spec, struct loop *loop, struct error *err);
struct port *null_open(const char *spec, struct loop *loop, struct error *err);
struct port *packet_socket_open(const char *spec, struct loop *loop, struct error *err);
struct port *replay_open(const char *spec, struct loop *loop, struct error *err);
struct port *stream_open(const char *spec, struct loop *loop, struct error *err);
struct port *tap_open(const char *spec, struct loop *loop, struct error *err);
struct port *xdp_open(const char *spec, struct loop *loop, struct error *err);
struct port *user_open(const char *spec, struct loop *loop, struct error *err);

/* A layer that writes what passes INNER into a pcap file. */
struct layer *capture_open(struct port *inner, const char *path, struct error *err);
