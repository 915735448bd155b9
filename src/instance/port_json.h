/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

struct json_object;

/* What a port has counted, as docs/control.md has it. */
void put_way(struct json_object *to, const char *name, const struct port_way *way);
/* Those that were lost, by reason; TX and RX: what the two ways are called. */
struct json_object *ports_drops(const char *tx, const char *rx, const struct port_stats *stats);
struct json_object *port_nic(const struct port *port);	    /* its host's NIC */
struct json_object *port_describe(const struct port *port); /* all of that */
