/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The frozen description a generic NIC runs on: built by the reader, checked,
 * never changed afterwards, shared by every NIC of the same card.
 *
 * State is one array of 64-bit words per NIC: each register element has one
 * word, so a register R with count=4 owns words R.word .. R.word + 3. EEPROM
 * and PHY contents are banks of registers like any other.
 *
 * Names are kept for people (trace, errors); nothing is looked up by them.
 */

enum { CARD_CONTEXTS = 4, CARD_USE_MAX = 8, CARD_LIST_MAX = 64, CARD_STACK = 16 };

/* ---- expressions: postfix code over 64-bit unsigned values ---- */

enum op_code {
	OP_CONST,   /* value */
	OP_STATE,   /* (state[word] >> shift) & mask */
	OP_ELEMENT, /* pops k: k < count ? (state[word + k] >> shift) & mask : 0 */
	OP_SLOT,    /* bits [shift, shift + width) of the current slot; several parts concatenate
		       by OP_CONCAT */
	OP_FIRST,   /* the same of the frame's first data slot */
	OP_CONTEXT, /* pops key; the same of that context's slot */
	OP_ENGINE,  /* value: enum engine_value; ring: which */
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
};

enum engine_value {
	VALUE_NEW, /* the value being written, and what was stored */
	VALUE_OLD,
	VALUE_INDEX,   /* i */
	VALUE_HERE,    /* address of the slot */
	VALUE_MAC,     /* first byte in bits 7:0 */
	VALUE_LINK_UP, /* 0 or 1 */
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
	VALUE_RING_STATE,  /* enum ring_state */
	VALUE_RING_READY,  /* slots the engine may take */
	VALUE_RING_ENTRIES,
	VALUE_RING_INDEX,
};

struct op {
	uint8_t code;
	uint8_t shift, width;
	uint8_t ring;
	uint16_t word, count;
	uint64_t value; /* or mask */
};

/* count 0: the expression is absent; callers say what that means (a `when`: true). */
struct expr {
	const struct op *ops;
	uint16_t count;
	bool constant; /* ops[0] is OP_CONST and the only one */
};

/* ---- actions ---- */

enum verb {
	VERB_ASSIGN, /* bits of target = value */
	VERB_SET,    /* all bits of target = 1 */
	VERB_CLEAR,
	VERB_RAISE, /* like SET, and interrupts are evaluated at the end of the list */
	VERB_RESET, /* operand: reset list */
	VERB_WAKE,  /* operand: ring. recorded */
	VERB_START, /* operand: ring. recorded */
	VERB_STOP,
	VERB_COPY, /* count words from source to target */
	VERB_ARM,  /* operand: timer; value: ns, or the timer's own period */
	VERB_CANCEL,
};

struct target {
	uint16_t word, count; /* count > 1 with an index: element [index] */
	uint64_t mask;	      /* bits, in place */
	uint8_t shift;
	struct expr index;
};

struct action {
	uint8_t verb;
	uint16_t operand, count;
	uint16_t source;
	struct target target;
	struct expr value, when;
};

struct actions {
	const struct action *list;
	uint16_t count;
};

/* ---- registers ---- */

enum when_written { ON_NONZERO, ON_ANY, ON_CHANGE };

struct shows {
	uint64_t mask; /* bits of the register, in place */
	uint8_t shift;
	struct expr value;
};

struct effect {
	uint64_t mask; /* the field written */
	uint8_t shift;
	uint8_t on;	/* enum when_written */
	bool has_value; /* only when the field is written with VALUE */
	uint64_t value;
	struct actions actions;
};

struct field {
	const char *name;
	uint8_t shift, width;
};

struct reg {
	const char *name;
	uint32_t at, stride;
	uint16_t count;
	uint8_t bytes;	       /* 1, 2, 4, 8 */
	uint16_t word;	       /* first state word (the target's, for an alias) */
	uint64_t reset, valid; /* valid: bits that exist */
	/* access masks; a bit in none of them is read-only */
	uint64_t rw, w1c, w1s, w0c;
	uint64_t self_clear;		    /* seen by effects, never stored */
	uint64_t read_clear, write_only;    /* write_only reads as 0 */
	bool no_effects_on_read;	    /* alias read: the target is not cleared */
	struct expr when, writable, stored; /* stored: over new, old; replaces `new` */
	const struct shows *shows;
	uint16_t shows_count;
	const struct effect *effects;
	uint16_t effects_count;
	struct actions on_read;
	const struct field *fields;
	uint16_t fields_count;
	bool plain; /* neither shows, effects, conditions nor special access: mask and store */
	/* pair of a 64-bit counter: reading this clears that word too; 0xffff none */
	uint16_t clears_also;
};

struct bank {
	const char *name;
	uint32_t size;	     /* bytes */
	uint8_t unit;	     /* smallest register size: granularity of the map */
	const uint16_t *map; /* [size / unit]: 1 + index into regs of the first candidate, 0 none */
	const struct reg *regs; /* same offset: following entries are the next candidates */
	uint16_t regs_count;
	uint16_t *words_first; /* unused */
};

/* ---- windows, pins, phy, eeprom, counters ---- */

struct window {
	uint16_t to;		 /* bank */
	struct expr index, data; /* over state */
	struct target data_target;
	struct expr read_when, write_when, chip;
	struct expr after; /* ns; absent: at once */
	struct actions done;
	uint16_t trigger, trigger_count; /* state words whose write is looked at */
	bool port; /* index/data form: an access to `data` is one to bank[index] */
	uint16_t data_word;
};

struct pins {				/* Microwire to an eeprom bank */
	uint16_t word;			/* the register */
	uint16_t to;			/* bank */
	uint8_t clock, select, in, out; /* bit numbers */
	uint8_t address_bits;
	struct expr when;
};

enum counted {
	COUNT_TX_FRAMES,
	COUNT_TX_BYTES,
	COUNT_TX_BROADCAST,
	COUNT_TX_MULTICAST,
	COUNT_TX_64,
	COUNT_TX_127,
	COUNT_TX_255,
	COUNT_TX_511,
	COUNT_TX_1023,
	COUNT_TX_MAX,
	COUNT_TX_SEGMENTED,
	COUNT_TX_FAULTS,
	COUNT_RX_FRAMES,
	COUNT_RX_BYTES,
	COUNT_RX_BROADCAST,
	COUNT_RX_MULTICAST,
	COUNT_RX_64,
	COUNT_RX_127,
	COUNT_RX_255,
	COUNT_RX_511,
	COUNT_RX_1023,
	COUNT_RX_MAX,
	COUNT_RX_NO_ROOM,
	COUNT_RX_FILTERED,
	COUNT_RX_TOO_LONG,
	COUNT_RX_TOO_SHORT,
	COUNT_RX_TOTAL_FRAMES,
	COUNT_RX_TOTAL_BYTES,
	COUNT_RX_STOPPED,
	COUNTED,
};

struct counter {
	uint8_t event; /* enum counted; bytes include the FCS */
	uint16_t word;
	uint64_t limit; /* highest value of the word(s) */
	bool stick;	/* else wraps */
	uint16_t high;	/* second word of a 64-bit pair, 0xffff none */
};

struct phy {
	uint16_t bank_word;    /* register 0; 32 words; 0xffff: the card has none */
	struct expr negotiate; /* ns until auto-negotiation is complete */
};

/* ---- rings ---- */

enum ring_state { RING_STOPPED, RING_RUNNING, RING_STARVED, RING_SUSPENDED };
enum ring_for { RING_TRANSMIT, RING_RECEIVE };
enum ring_next { NEXT_ARRAY };
enum ring_end { END_BYTES, END_ENTRIES };
enum ring_ready { READY_UNTIL };
enum use_as { USE_DATA, USE_CONTEXT, USE_ROOM };

struct checksum {
	struct expr when, start, put, end; /* byte offsets in the frame; end 0: to the end */
	bool given;			   /* the field already holds the pseudo-header's sum */
};

struct segment {
	struct expr when, mss, header, payload;
};

struct write_field { /* one assignment of a write-back */
	uint16_t bit;
	uint8_t width;
	struct expr value;
};

struct complete {
	bool at_last; /* only with a frame's last slot */
	struct expr when;
	const struct write_field *writes;
	uint8_t writes_count;
	struct actions actions;
};

struct use {
	uint8_t as;
	struct expr when;
	struct expr key;  /* context */
	struct expr last; /* absent: 1 */
	struct expr address, length;
	struct expr skip;	/* room: buffer that is passed over */
	struct segment segment; /* when.count == 0: none, unless segment_present */
	bool segment_present;
	struct checksum checksums[3];
	uint8_t checksums_count;
	const struct complete *completes; /* of this use only */
	uint8_t completes_count;
};

struct ring {
	const char *name;
	uint8_t direction, next, end, ready;
	uint16_t slot_size;
	struct expr when, base, end_value;
	uint16_t cursor_word; /* register that is the cursor (entry index) */
	uint64_t cursor_mask;
	struct expr until;
	struct use uses[CARD_USE_MAX];
	uint8_t uses_count;
	bool vlan_present, fcs_present, loop_present;
	struct expr vlan_when, vlan_tci, vlan_type;
	struct expr fcs_when, pad_to, pad_when, loop_when;
	struct expr check_ip, check_l4; /* receive: verify; count 0: never */
	const struct complete *completes;
	uint8_t completes_count;
	struct actions empty;
	bool empty_holds; /* receive: wait in the port rather than drop */
};

/* ---- receive filter ---- */

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

struct filter {
	const struct accept *accepts;
	uint8_t count;
	struct expr max; /* longest frame without FCS; absent: 1518 - 4 */
	struct expr when;
};

/* ---- interrupts ---- */

enum { MODERATE_MAX = 4 };

struct moderate {
	uint16_t word; /* cause this applies to, mask 0: the interrupt as a whole */
	uint64_t mask;
	struct expr when, interval, idle, limit; /* ns; 0: off */
};

struct interrupt {
	uint16_t cause_word, mask_word;
	uint64_t cause_bits;
	struct expr enable;
	struct moderate moderate[MODERATE_MAX];
	uint8_t moderate_count;
};

struct reset {
	const char *name;
	const uint16_t *words; /* state words that take their reset values */
	uint16_t words_count;
	uint32_t rings; /* bit per ring: stopped, cursor to 0, contexts forgotten */
	struct actions actions;
};

struct on_event {
	uint8_t event; /* enum card_event */
	struct actions actions;
};
enum card_event { EVENT_LINK, EVENT_FRAME_SENT, EVENT_FRAME_RECEIVED };

struct card_timer {
	const char *name;
	struct expr period, when;
	bool repeat;
	struct actions actions;
};

struct bar_part {
	uint32_t at, size;
	uint16_t bank;
	struct expr when;
	/* index/data window into a bank: offsets of the two registers, or index_at == data_at */
	uint32_t index_at, data_at;
	uint16_t index_word;
};

struct bar {
	uint64_t size;
	bool io, wide, prefetch;
	const struct bar_part *parts;
	uint8_t parts_count;
};

struct mac_part { /* which state words carry the MAC address: word = (mac >> shift) & mask */
	uint16_t word;
	uint8_t shift;
	uint64_t mask;
};

struct sum_part { /* state word `word` makes the 16-bit sum of the bank equal to total */
	uint16_t first, count, word;
	uint16_t total;
};

struct node;

struct card {
	const char *name, *title, *path;
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t revision, interrupt_pin;
	uint32_t class_code;
	struct bar bars[6];
	const struct bank *banks;
	uint16_t banks_count;
	uint16_t words;		     /* state words in all */
	const uint64_t *reset_words; /* [words] power-on values */
	const struct window *windows;
	const struct pins *pins;
	const struct counter *counters;
	const struct ring *rings;
	const struct reset *resets; /* "power" (index 0) and "function" (1) always exist */
	const struct on_event *events;
	const struct card_timer *timers;
	const struct interrupt *interrupts;
	const struct mac_part *macs;
	const struct sum_part *sums;
	struct filter filter;
	struct phy phy;
	uint8_t windows_count, pins_count, rings_count, resets_count, events_count, timers_count,
		interrupts_count, macs_count, sums_count;
	uint16_t counters_count;
	const struct node *description; /* as written, for people: see card/node.h */
	void *arena;			/* owns everything above */
};
