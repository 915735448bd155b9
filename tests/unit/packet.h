/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Frames by the book (RFC 791, 8200, 768, 9293), written apart from the engine's own code. */
struct packet {
	uint8_t to[6], from[6];
	bool tagged;
	uint16_t tci;
	bool v6, udp;
	unsigned options; /* bytes of IPv4 options, of 4 each */
	uint16_t id;
	uint32_t sequence;
	uint8_t flags;	      /* TCP */
	unsigned tcp_options; /* bytes, of 4 each */
	const uint8_t *payload;
	uint32_t length; /* of the payload */
};

enum { PACKET_MAX = 70000, TCP_FIN = 1, TCP_PSH = 8, TCP_ACK = 16 };

unsigned packet_l3(const struct packet *packet); /* where it begins */
unsigned packet_l4(const struct packet *packet);
unsigned packet_header(const struct packet *packet); /* bytes before the payload */
unsigned packet_put(const struct packet *packet);    /* where the transport's checksum stands */

/* The frame with all checksums, no padding; its length. */
uint32_t packet_build(const struct packet *packet, uint8_t *out);

/* What a driver hands over: no IPv4 checksum, the pseudo-header's sum for the transport's. */
void packet_open(const struct packet *packet, uint8_t *frame, bool length_too);

/* One's complement sum of big-endian words. */
uint16_t packet_sum(const uint8_t *data, size_t length);
