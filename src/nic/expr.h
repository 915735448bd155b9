/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Expressions over state, slots and engine values: postfix code over 64-bit unsigned values. */

enum op_code {
	OP_CONST,   /* value */
	OP_STATE,   /* (state[word] >> shift) & mask */
	OP_ELEMENT, /* pops k: k < count ? (state[word + k] >> shift) & mask : 0 */
	OP_SLOT,    /* bits [shift, shift + width) of the current slot; several parts concatenate
		       by OP_CONCAT */
	OP_FIRST,   /* the same of the frame's first data slot */
	OP_CONTEXT, /* pops key; the same of that context's slot */
	OP_ENGINE,  /* value: enum engine_value; word: which ring */
	OP_NOT,	    /* logical */
	OP_NEGATE,
	OP_INVERT,
	OP_AND, /* logical, both evaluated */
	OP_OR,
	OP_BITAND,
	OP_BITOR,
	OP_BITXOR,
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_SHL, /* by >= 64 gives 0 */
	OP_SHR,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_SLICE,  /* (top >> shift) & mask */
	OP_CONCAT, /* pops low, high: high << shift | low; shift: width of low */
	OP_CHOOSE, /* value n: pops n results and x beneath; x-th, last repeats */
	OP_MIN,
	OP_MAX,
	OP_SWAP16,
	OP_SWAP32,
	OP_CRC,	  /* Ethernet CRC register of 6 address bytes, high bit first */
	OP_CRCLE, /* low bit first */
	OP_TICKS, /* time since reset in units of top */
	OP_RING,  /* pops k: what OP_ENGINE says of instance k, of COUNT from WORD on */
	OP_FREE,  /* the first instance that is closed, of COUNT from WORD on */
	/* pops an offset: the register there in bank WORD, without effects; shift: of memory WORD
	 */
	OP_PEEK,
};

enum engine_value {
	VALUE_NEW, /* the value being written, and what was stored */
	VALUE_OLD,
	VALUE_INDEX,	  /* i */
	VALUE_HERE,	  /* address of the slot */
	VALUE_MAC,	  /* first byte in bits 7:0 */
	VALUE_LINK_UP,	  /* 0 or 1 */
	VALUE_LINK_SPEED, /* Mb/s of the host's NIC; the highest number: not known */
	VALUE_FRAME_LENGTH,
	VALUE_FRAME_PUT, /* bytes in this slot */
	VALUE_FRAME_FIRST,
	VALUE_FRAME_LAST,
	VALUE_FRAME_DESTINATION,
	VALUE_FRAME_BROADCAST,
	VALUE_FRAME_MULTICAST,
	VALUE_FRAME_TCI,
	VALUE_FRAME_VLAN, /* a tag was stripped */
	VALUE_FRAME_TYPE, /* 0 other, 1 IPv4, 2 IPv6 */
	VALUE_FRAME_L4,	  /* 0 other, 1 TCP, 2 UDP */
	VALUE_FRAME_CHECKED_IP,
	VALUE_FRAME_OK_IP,
	VALUE_FRAME_CHECKED_L4,
	VALUE_FRAME_OK_L4,
	VALUE_FRAME_MATCH, /* shift: enum accept_class */
	VALUE_FRAME_NEXT,  /* where the next one of a stream begins */
	VALUE_FRAME_HASH,  /* what it was steered by */
	VALUE_FRAME_SUM,   /* of its bytes from some place on, as one's complement */
	VALUE_RING_STATE,  /* enum ring_state */
	VALUE_RING_READY,  /* slots the engine may take */
	VALUE_RING_ENTRIES,
	VALUE_RING_INDEX,
};

struct op {
	uint8_t code;
	uint8_t shift, width;
	uint16_t word, count;
	uint64_t value; /* or mask */
};

/* What code comes to that is short and asked for often; found by expr_form_of(). */
enum expr_form {
	FORM_CODE,    /* anything */
	FORM_ELEMENT, /* R[i], and a comparison of one field, or none, with a constant: */
	FORM_NOT_ELEMENT,
	FORM_NOT_STATE,
	FORM_STATE_IS,
	FORM_STATE_IS_NOT,
	FORM_NOT_SLOT,
	FORM_SLOT_IS,
	FORM_SLOT_IS_NOT,
	FORM_NEW_AND, /* new & mask */
	FORM_INDEX,   /* i */
};

/* count 0: the expression is absent; callers say what that means (a `when`: true). */
struct expr {
	const struct op *ops;
	uint16_t count;
	bool constant; /* ops[0] is OP_CONST and the only one */
	uint8_t form;  /* enum expr_form */
};

enum expr_form expr_form_of(const struct op *ops, unsigned count);
