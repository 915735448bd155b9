/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/rate.h"
#include "backend/switch.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct embed;

/*
 * What is asked of one NIC, in words:
 *   CARD,socket=PATH|fd=N[,net=ID][,mac=MAC][,name=NAME][,capture=FILE]
 *   [,trace=WHAT[:FILE]][,rate-tx-bits=N]…[,isolated=on][,spoofchk=on][,vlan=N][,trunk=N-M]…
 * CARD as catalog_find() has it; so like=0000:03:00.0 is one too.
 */
struct nic_spec {
	char *text; /* what the others point into; NULL: into somebody else's */
	const char *card, *socket_path, *capture, *trace;
	const char *name; /* NULL: nicN */
	const char *net;  /* the ID of a network; NULL: one of its own */
	const char *own;  /* then what that is, "user" if NULL */
	int fd;		  /* -1: none */
	struct rate_limits limits;
	struct switch_port port; /* of the switch that it is at */
	struct embed *embed;	 /* or NULL: it is plugged in there, without a socket */
	bool mac_given;
	uint8_t mac[6];
};

int nic_spec_parse(struct nic_spec *spec, const char *text, struct error *err);
void nic_spec_free(struct nic_spec *spec);

/* Six bytes as in 02:00:00:00:00:01, not a group address nor all zero. */
bool mac_parse(const char *text, uint8_t mac[static 6]);
/* Locally administered, and the same for the same card and place every time. */
void mac_make(const char *card, const char *place, uint8_t mac[static 6]);

/* Of NICs and networks: letters, digits, "-", "_", ".", and not too long. */
bool id_right(const char *text);

/* KEY: tx-bits, tx-frames, rx-bits or rx-frames; TEXT: a second, as in 10M; false: not so. */
bool rate_parse(const char *key, const char *text, uint64_t *rate);
