/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/card_filter.h"
#include "nic/card_interrupt.h"
#include "nic/expr.h"

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

enum {
	CARD_CONTEXTS = 4,
	CARD_USE_MAX = 32,
	CARD_VECTORS_MAX = 256,
	CARD_INSTANCES_MAX = 512, /* of all rings */
	CARD_LIST_MAX = 64,
	CARD_STACK = 16,
	CARD_SLOT_MAX = 64,
	CARD_CALLED_MAX = 63
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
	VERB_NEGOTIATE, /* the PHY begins auto-negotiation */
	VERB_OPEN,	/* operand: ring; value: which instance */
	VERB_CLOSE,
	VERB_MESSAGE, /* value: vector; after: until it is sent at the latest. see vectors.c */
	VERB_MASK,    /* value: vector */
	VERB_UNMASK,
	VERB_CALL, /* the module. operand: name; value: for it */
	VERB_KICK, /* the same, soon */
	VERB_LOAD, /* operand: record; value: address. recorded, see recorded.c */
	VERB_STORE,
	VERB_PRODUCE, /* produced: the record and its ring. recorded */
	VERB_COMMAND, /* as VERB_CALL. recorded */
};

struct produced;

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
	union {
		const struct expr *after;
		const struct produced *produced;
	};
};

struct actions {
	const struct action *list;
	uint16_t count;
};

/* ---- records in guest memory that actions read or write; see nic/record.c ---- */

enum { RECORD_BYTES = 8192 }; /* of one record with its lists */

struct record_field {
	uint32_t bit;
	uint8_t width;
	bool loads, stores; /* goes to TO; or is written */
	struct target to;
	struct expr value; /* what goes there; absent: the bits as they are */
};

struct record_list { /* elements of one size, from a byte on */
	uint16_t at, size, max;
	bool in_bytes; /* count says bytes rather than elements */
	struct expr count;
	const struct record_field *fields;
	uint16_t fields_count;
	struct actions actions; /* load: of each element, after its fields */
};

struct record {
	const char *name;
	uint16_t size;
	uint8_t unit;	   /* bytes that are swapped where the order is big */
	struct expr order; /* not 0: big; absent: little */
	const struct record_field *fields;
	const struct record_list *lists;
	uint16_t fields_count;
	uint8_t lists_count;
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

struct data_port { /* in front of on-board memory; see port_stream.c */
	uint16_t memory;
	struct target address, left;
	struct expr unit;	      /* bytes that an access moves at least; absent: 1 */
	struct expr wrap_at, wrap_to; /* absent: the address just goes on */
	struct actions actions;	      /* nothing is left */
};

struct reg {
	const char *name;
	const struct data_port *port; /* it holds nothing itself */
	uint32_t at, stride;
	uint16_t count;
	uint8_t bytes;	       /* 1, 2, 4, 8 */
	uint16_t word;	       /* first state word (the target's, for an alias) */
	uint64_t reset, valid; /* valid: bits that exist */
	/* access masks; a bit in none of them is read-only */
	uint64_t rw, w1c, w1s, w0c;
	uint64_t self_clear;		    /* seen by effects, never stored */
	uint64_t read_clear, write_only;    /* write_only reads as 0 */
	uint64_t latched;		    /* shows 0 until it is read; see phy.c */
	uint8_t widths;			    /* sizes of accesses that see it, or-ed; 0: all */
	uint8_t through;		    /* 1 + window whose data it is */
	bool no_effects_on_read;	    /* alias read: the target is not cleared */
	bool module_reads, module_writes;   /* the module has a say in it */
	struct expr when, writable, stored; /* stored: over new, old; replaces `new` */
	const struct shows *shows;
	uint16_t shows_count;
	const struct effect *effects;
	uint16_t effects_count;
	struct actions on_read;
	const struct field *fields;
	uint16_t fields_count;
	bool takes_nothing; /* of what is written */
	bool plain; /* neither shows, effects, conditions nor special access: mask and store */
	/* pair of a 64-bit counter: reading this clears that word too; 0xffff none */
	uint16_t clears_also;
};

enum bank_accesses { ACCESSES_COMPOSE, ACCESSES_ACCEPT, ACCESSES_IGNORE };

struct bank {
	const char *name;
	uint32_t size;	  /* bytes */
	uint8_t unit;	  /* smallest register size: granularity of the map */
	uint8_t accesses; /* enum bank_accesses: of another size than the register */
	/* [size / unit]: 1 + index into regs, 0 none; BANK_SHARED + n: of several, see chains */
	const uint16_t *map;
	const uint16_t *chains; /* from n on: 1 + index of each, in the order of the file, then 0 */
	const struct reg *regs;
	uint16_t regs_count;
};

enum { BANK_SHARED = 0x8000 };

/* ---- memory on the card ---- */

struct memory_fill { /* bytes of a number, low first, each repeated */
	uint32_t at;
	uint8_t bytes, repeat;
	struct expr from;
};

struct memory {
	const char *name;
	uint32_t size, rom; /* rom: bytes from 0 on that nobody can write */
	const struct memory_fill *fills;
	uint16_t fills_count;
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
	uint16_t unit;			 /* bytes that an index stands for; 0: the bank's unit */
	uint8_t data_bits; /* index/data form: an access to `data` is one to bank[index] */
};

enum { NO_WIRE = 0xff };

struct pins {					   /* a serial bus to an eeprom or a phy */
	uint16_t word;				   /* the register */
	uint16_t to;				   /* bank */
	uint8_t clock, select, in, out, direction; /* bit numbers, or NO_WIRE */
	uint64_t inverted;			   /* bits of wires that are active low */
	bool mdio;				   /* else Microwire */
	uint8_t chip;				   /* mdio: address of the phy */
	uint8_t address_bits, dummy;		   /* Microwire: see microwire.c */
	bool lsb;
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
	COUNT_TX_ERRORS, /* of the host's NIC */
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
	COUNT_RX_ERRORS,
	COUNTED,
};

struct counter {
	uint8_t event; /* enum counted; bytes include the FCS */
	uint16_t word;
	uint64_t limit; /* highest value of the word(s) */
	bool stick;	/* else wraps */
	/* the bits above those of WORD, none: mask 0 */
	uint16_t high;
	uint8_t high_shift;
	uint64_t high_mask; /* not yet shifted */
	uint16_t raise;	    /* bits that are set when the count comes to REACHES; mask 0: none */
	uint64_t raise_mask, reaches;
};

struct phy {
	struct expr negotiate; /* ns until auto-negotiation is complete; absent: at once */
};

struct latch { /* a bit that keeps a 0 until it is read */
	uint16_t word;
	struct shows live;
};

/* ---- rings ---- */

enum ring_state { RING_STOPPED, RING_RUNNING, RING_STARVED, RING_SUSPENDED };
enum ring_for { RING_TRANSMIT, RING_RECEIVE, RING_COMPLETION };
enum ring_next { NEXT_ARRAY, NEXT_CHAIN, NEXT_REGISTERS, NEXT_STREAM };
enum ring_end { END_BYTES, END_ENTRIES, END_BIT, END_NONE };
enum ring_ready { READY_UNTIL, READY_CONDITION, READY_ALWAYS };
enum use_as { USE_DATA, USE_CONTEXT, USE_ROOM, USE_COMMAND };

enum checksum_of { CHECKSUM_RANGE, CHECKSUM_IP, CHECKSUM_L4 };

struct checksum {
	uint8_t of;			   /* what is not a range is found in the frame */
	struct expr when, start, put, end; /* byte offsets in the frame; end 0: to the end */
	bool given;			   /* the field already holds the pseudo-header's sum */
};

struct segment {
	struct expr when, mss, header, payload; /* header absent: found in the frame */
};

/* Memory of a slot besides its first buffer; see nic/pieces.c */
struct piece {
	struct expr when, address, length;
	bool array; /* of SIZE bytes each at AT: address, length and last speak of one */
	uint16_t size;
	struct expr at, count, last;
};

struct write_field { /* one assignment of a write-back */
	uint16_t bit;
	uint8_t width;
	struct expr value;
};

struct chain_link { /* the address of the next slot, where it holds */
	struct expr address, when;
};

struct stop { /* after such a slot the next is not known yet; see walk.c */
	struct expr when;
	uint8_t as; /* enum ring_state */
	struct actions actions;
};

/*
 * A record that goes into a completion ring, compiled for whom it speaks of:
 * what is constant, and what has to be asked. See completion.c.
 */
struct produced {
	uint16_t ring;	   /* its first instance */
	uint16_t count;	   /* of instances */
	struct expr which; /* absent: the first */
	uint8_t size;
	const uint8_t *image; /* [size] */
	const struct write_field *writes;
	uint8_t writes_count;
};

struct complete {
	const struct produced *produced; /* NULL: nothing goes elsewhere */
	bool at_first, at_last;		 /* only with a frame's first or last slot */
	struct expr when;
	const struct write_field *writes;
	uint8_t writes_count;
	struct actions actions;
};

struct slot_field { /* for people */
	const char *name;
	uint16_t low;
	uint8_t width;
};

struct slot_names {
	const char *name;
	const struct slot_field *fields;
	uint16_t count;
};

struct use {
	uint8_t as;
	const struct slot_names *names; /* NULL: the slots are registers */
	struct actions actions;		/* command: what it does */
	struct expr first;		/* data: absent: 1 */
	const struct piece *pieces;
	uint8_t pieces_count;
	struct expr when;
	struct expr key;  /* context */
	struct expr last; /* absent: 1 */
	struct expr address, length;
	uint16_t memory;	/* 1 + which holds the buffer; 0: the guest's */
	struct expr skip;	/* room: buffer that is passed over */
	struct segment segment; /* when.count == 0: none, unless segment_present */
	bool segment_present;
	struct checksum checksums[3];
	uint8_t checksums_count;
	const struct complete *completes; /* of this use only */
	uint8_t completes_count;
};

struct stream {		 /* frames one behind the other; see stream.c */
	uint16_t memory; /* 1 + which holds it; 0: the guest's */
	uint32_t unit, align;
	struct expr from, read, wraps; /* from absent: 0; wraps absent: yes */
};

struct ring {
	const char *name;
	uint16_t first, count; /* instances: of all rings' from FIRST on */
	bool counted;	       /* they are opened and closed; else there is one, and always */
	bool commands;	       /* of a transmit ring: nothing but */
	uint8_t direction, next, end, ready;
	uint16_t slot_size;
	struct expr when, base, end_value;
	uint16_t cursor_word; /* register that is the cursor */
	uint64_t cursor_mask; /* 0: the engine keeps it */
	bool by_address;      /* the cursor is an address rather than an index */
	bool walked;	      /* slots are looked at one by one; see walk.c */
	bool starts;	      /* runs from a `start` on */
	struct expr stride;   /* array: bytes from slot to slot; absent: a slot's */
	const struct chain_link *links;
	const struct stop *stops;
	uint8_t links_count, stops_count;
	struct expr until;	       /* or what holds for a slot that is ready */
	uint64_t until_mask;	       /* it counts all slots there ever were, in so many bits */
	struct expr phase;	       /* bit of a slot that flips with each lap; absent: none */
	uint8_t ready_at, ready_bytes; /* of the slot: where that stands; written last */
	struct stream stream;
	const struct use *uses;
	uint8_t uses_count;
	bool produces;		   /* some <complete> has a ring */
	struct expr vector, after; /* completion: whom its records are told to */
	bool phased;		   /* and where the phase is in each */
	uint16_t phase_bit;
	bool vlan_present, fcs_present, loop_present;
	struct expr vlan_when, vlan_tci, vlan_type;
	struct expr fcs_when, pad_to, pad_when, loop_when;
	struct expr check_ip, check_l4; /* receive: verify; count 0: never */
	struct expr sum_from;		/* receive: frame.sum is of the bytes from there on */
	const struct complete *completes;
	uint8_t completes_count;
	struct actions empty;
	bool empty_holds; /* receive: wait in the port rather than drop */
};

/* ---- resets, events, timers ---- */

struct reset {
	const char *name;
	const uint16_t *words; /* state words that take their reset values */
	uint16_t words_count;
	uint32_t rings; /* bit per ring: stopped or closed, cursor to 0, contexts forgotten */
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
	uint32_t stride; /* from one register of the bank to the next; 0: as they lie there */
	uint16_t bank;
	uint16_t memory; /* 1 + which, instead of a bank */
	struct expr when;
	/* index/data window into a bank: offsets of the two registers, or index_at == data_at */
	uint32_t index_at, data_at;
	uint16_t index_word;
};

struct config_part { /* registers in configuration space */
	uint8_t at, size;
	uint16_t bank;
};

/* BARs, and the expansion ROM */
enum { CARD_ROM = 6, CARD_REGIONS };

struct bar {
	uint64_t size;
	bool io, wide, prefetch;
	const struct bar_part *parts;
	uint8_t parts_count;
};

enum capability_kind {
	CAPABILITY_POWER,
	CAPABILITY_EXPRESS,
	CAPABILITY_MSI,
	CAPABILITY_MSIX,
	CAPABILITY_VENDOR,
};

struct capability {
	uint8_t kind, bar;
	bool wide;
	uint16_t vectors;
	uint32_t table, pending; /* msi-x: where in the BAR */
	uint8_t at;		 /* in configuration space, 0: wherever there is room */
	uint8_t length;		 /* vendor: its bytes */
	const uint8_t *bytes;
};

struct mac_part { /* which state words carry the MAC address: word = (mac >> shift) & mask */
	uint16_t word;
	int8_t shift; /* negative: to the left */
	bool swapped; /* the two bytes */
	uint64_t mask;
};

struct crc_part { /* state word first + count: low half of the CRC of those before it */
	uint16_t first, count;
	bool whole; /* the high half in the word behind it */
};

struct sum_part { /* state word `word` makes the 16-bit sum of the bank equal to total */
	uint16_t first, count, word;
	uint16_t total;
	bool exclusive; /* its low byte makes the exclusive or of all bytes so */
};

struct node;
struct module;

struct card {
	const char *name, *title, *path;
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t revision, interrupt_pin;
	uint32_t class_code;
	struct bar bars[CARD_REGIONS];
	const struct config_part *config_parts;
	const struct bank *banks;
	uint16_t banks_count;
	uint16_t words;		     /* state words in all */
	const uint64_t *reset_words; /* [words] power-on values */
	const struct memory *memories;
	const struct window *windows;
	const struct pins *pins;
	const struct counter *counters;
	const struct slot_names *layouts; /* each record's names, as records */
	const struct record *records;
	const struct ring *rings;
	const struct reset *resets; /* "power" (index 0) and "function" (1) always exist */
	const struct on_event *events;
	const struct card_timer *timers;
	const struct interrupt *interrupts;
	const struct mac_part *macs;
	const struct sum_part *sums;
	struct crc_part crc; /* count 0: none */
	struct filter filter;
	struct phy phy;
	const struct latch *latches;
	const struct capability *capabilities;
	uint8_t capabilities_count;
	uint16_t instances; /* of all rings */
	uint16_t vectors;   /* that actions may raise: beyond the highest */
	uint8_t windows_count, pins_count, rings_count, resets_count, events_count, timers_count,
		interrupts_count, config_parts_count, macs_count, sums_count, latches_count,
		memories_count, layouts_count;
	uint16_t counters_count;
	struct module *module;	   /* code besides the description, or NULL; see module/ */
	const char *const *called; /* names of call, kick and command */
	uint8_t called_count;
	const struct node *description; /* as written, for people: see card/node.h */
	void *arena;			/* owns everything above */
};
