/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/expr.h"

/* Of the frozen description in nic/card.h: which frames are received, and where they go. */

enum accept_class {
	ACCEPT_ALL,
	ACCEPT_BROADCAST,
	ACCEPT_MULTICAST,
	ACCEPT_EXACT,
	ACCEPT_HASH,
	ACCEPT_VLAN,
};

struct accept {
	uint8_t class;
	bool must; /* an extra condition rather than one of several ways in */
	struct expr when;
	struct expr table;    /* exact: address of entry i (first byte in bits 7:0) */
	struct expr valid;    /* exact: entry i counts */
	uint16_t entries;     /* exact */
	struct expr index;    /* hash, vlan: bit number */
	uint16_t word, words; /* hash, vlan: bit table over these state words */
	uint8_t bits;	      /* bits per word of it */
};

enum { STEER_KEY = 40 }; /* bytes that a hash can need, and 4 more */

struct steer { /* which instance of the ring a frame goes to; see steer.c */
	bool present;
	struct expr when, entries;
	uint16_t key, key_words, table, table_words; /* state words */
	uint8_t key_bytes;			     /* of each */
	uint64_t table_mask;
};

struct filter {
	const struct accept *accepts;
	struct steer steer;
	uint8_t count;
	struct expr max; /* longest frame without FCS; absent: 1518 - 4 */
	struct expr when;
};
