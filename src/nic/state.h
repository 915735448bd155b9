/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/nic.h"
#include "nic/offload.h"
#include "nic/plan.h"
#include "nic/raised.h"

#include <string.h>

/* What one NIC holds while it runs, and what its files say to one another. */

enum {
	BATCH = 128,		  /* frames handed over at once */
	BUDGET = 256,		  /* slots of one ring before others have their turn */
	SLOT_MAX = CARD_SLOT_MAX, /* bytes */
	LOOP_FRAMES = 64,	  /* frames on their way back inside the card */
	FLIGHTS = 512,		  /* frames that a port has and has not sent */
	NESTING_MAX = 4,	  /* windows into windows, reset lists within reset lists */
	RECORDED_MAX = 16,	  /* lists of actions that wait for guest memory */
	PERIOD_MIN = 1000,	  /* ns, of a timer */
};

/* What expressions of one frame may ask. */
struct facts {
	uint64_t destination;
	uint32_t length, put, next, hash;
	uint16_t tci, sum;
	uint8_t type, l4, match; /* match: bit per enum accept_class */
	bool first, last, vlan, checked_ip, ok_ip, checked_l4, ok_l4;
};

struct scope {
	const uint8_t *slot, *first;
	const struct facts *facts;
	uint64_t new, old, here;
	unsigned index;
	uint16_t ring; /* instance */
};

struct recorded { /* the rest of a list of actions, and what it speaks of; see recorded.c */
	struct actions actions; /* LIST is NULL: dropped */
	unsigned at;
	struct scope scope;
	struct facts facts;
	uint8_t slot[SLOT_MAX + 8];
};

struct ring_run {
	const struct ring *ring;
	struct plans *plans; /* shared by its instances */
	uint16_t number;     /* of a counted ring's instances */
	bool open;	     /* a ring that is not counted always is */
	bool told;	     /* completion: records were put in that nobody has been told of */
	uint8_t state;	     /* enum ring_state */
	bool waits;	     /* for the port to take frames again */
	bool commanded;	     /* the actions of the command at the cursor are recorded */
	bool halted;	     /* until it is started, whatever its when= says */
	bool finished; /* the slot at the cursor is done with, the next not known; see walk.c */
	uint64_t position, finished_at; /* the cursor, where no register is; and of that slot */
	uint64_t total;			/* slots that were done since it was opened or reset */
	uint16_t given, gone; /* transmit: frames from the cursor on that the port has; sent */
	uint16_t cut;	      /* segments of the frame after these that it has */
	uint64_t base, stride;
	bool loops; /* transmit: frames go back inside the card */
	uint32_t entries;
	uint32_t from, needs; /* stream: where it begins; room that the last frame did not find */
	uint8_t context[CARD_CONTEXTS][SLOT_MAX + 8];
};

struct shifter { /* of a serial bus; its phases are those of the protocol */
	uint32_t in;
	uint8_t count, phase;
	uint16_t out;
	uint8_t left;
	uint16_t address;
	bool enabled, clock, data;
};

struct delayed { /* one cause (or the whole interrupt) under moderation */
	struct timer timer;
	struct nic *nic;
	uint64_t last, first, events;
	bool pending;
};

struct vector_run { /* see vectors.c */
	struct timer timer;
	struct nic *nic;
	uint64_t last; /* when it was sent */
	bool masked;
};

struct loop_frame {
	uint32_t length;
	uint8_t data[16384];
};

struct anynic_frame;
struct hooked;

struct nic {
	const struct card *card;
	struct trace *trace;		 /* NULL: off */
	struct hooked *hooked;		 /* NULL: no module; see hooks.c */
	struct anynic_frame *hook_shown; /* to a module that looks at what is sent */
	bool hook_receive;
	bool failed; /* the module was stopped: the card answers all ones */
	struct bus bus;
	struct port *port;
	uint8_t mac[6];
	bool link, negotiating;
	/* of the port; by the operator; by the module: all make the link */
	bool carrier, plugged, module_link_down;
	struct port_health health;
	struct port_filter filter;	/* as told to the port */
	bool filter_told, filter_takes; /* takes: a ring runs */
	uint16_t flights[FLIGHTS];	/* rings of frames that a port has, in order */
	unsigned flights_first, flights_count;
	struct {
		bool known;
		uint8_t match;
		uint64_t destination;
	} accepted; /* by the filter, last; see filter_takes() */
	bool accepts_by_destination;
	uint32_t levels;    /* of interrupts with a vector */
	bool level, held;   /* held: the port keeps frames until there is room */
	uint16_t held_ring; /* in this one */
	bool held_fetch;    /* or until it is known whether there is */
	bool held_dry;	    /* or for a while, since running dry has stopped the ring */
	bool told;	    /* some completion ring has news */
	uint8_t nesting;
	unsigned held_segments; /* of its first frame, delivered already */
	struct timer look;	/* for room, while frames wait for slots of their own */
	uint64_t look_after;
	bool stands;   /* see nic_stand() */
	uint64_t late; /* bit per timer of the card that was due meanwhile */
	uint64_t reset_time;
	uint64_t *state;
	struct care { /* per state word: of which bits who looks again; see cares.c */
		uint64_t bits;
		uint32_t who;
		bool pins, windows; /* some look at each write */
	} * cares;
	uint32_t touched, always;
	uint8_t **memories;
	struct ring_run *rings; /* [card->instances] */
	uint16_t *live;		/* those that are open, in order */
	unsigned live_count;
	struct plans *plans;		     /* [card->rings_count] */
	struct vector_run *vectors;	     /* [card->vectors] */
	uint64_t due[CARD_VECTORS_MAX / 64]; /* bit per vector whose message waits */
	struct hasher *hasher;		     /* see steer.c */
	struct shifter *shifters;
	struct delayed *delayed; /* [interrupts * MODERATE_MAX] */
	struct timer *timers;
	struct timer negotiation;
	struct window_run {
		struct timer timer;
		struct nic *nic;
	} * windows;
	struct nic_stats stats;
	uint64_t counts[COUNTED];
	const struct counter **counters; /* see counters_init() */
	struct counted_run {		 /* events that the card counts, and its counters of each */
		uint8_t event;
		uint16_t first, end;
	} counted[COUNTED];
	unsigned counted_count;

	/* scratch of transmit */
	struct frame frames[BATCH];
	uint8_t headers[BATCH][HEADER_MAX];
	uint16_t slots_of[BATCH];	      /* slots up to and with each frame */
	uint8_t slots[BUDGET * SLOT_MAX + 8]; /* + 8: fields are read by whole loads */
	uint8_t verdicts[BUDGET];     /* enum slot_reject of the slots of a part, | SLOT_FAULT */
	uint64_t slot_at[BUDGET + 1]; /* walked rings: cursors of these, and the next */
	/* scratch of receive and of software segmentation */
	uint8_t linear[FRAME_MAX];
	uint8_t segment[16384 + HEADER_MAX];

	struct recorded recorded[RECORDED_MAX];
	unsigned recorded_count;
	bool accessing, recording; /* within an access; and something of it is recorded already */
	bool replaying;		   /* the first of them is being run */
	uint8_t record[RECORD_BYTES + 8];

	struct raised raised[RAISED_MAX];
	unsigned raised_count;

	struct loop_frame *loop;
	unsigned loop_head, loop_count;
};

/* Bit per byte of a slot. */
static inline uint64_t bytes_of(uint64_t first, uint64_t end)
{
	return end > first ? (UINT64_MAX >> (64 - (end - first))) << first : 0;
}

/* What expressions of a ring speak of, without a slot. */
static inline struct scope ring_scope(const struct nic *nic, unsigned ring)
{
	return (struct scope){.ring = (uint16_t)ring, .index = nic->rings[ring].number};
}

/* expr.c */
uint64_t expr_run(struct nic *nic, const struct expr *expr, const struct scope *scope);
uint64_t slot_bits_wide(const uint8_t *slot, unsigned bit, unsigned width);
void slot_set(uint8_t *slot, unsigned bit, unsigned width, uint64_t value);

static inline uint64_t slot_bits(const uint8_t *slot, unsigned bit, unsigned width)
{
	uint64_t value;

	if (!slot || (bit & 7) + width > 64)
		return slot_bits_wide(slot, bit, width);
	memcpy(&value, slot + bit / 8, sizeof(value)); /* slots are padded to SLOT_MAX + 8 */
	return value >> (bit & 7) & UINT64_MAX >> (64 - width);
}

static inline uint64_t expr_eval(struct nic *nic, const struct expr *expr,
				 const struct scope *scope)
{
	if (expr->count == 1) {
		const struct op *op = expr->ops;

		if (op->code == OP_CONST)
			return op->value;
		if (op->code == OP_STATE)
			return nic->state[op->word] >> op->shift & op->value;
		if (op->code == OP_SLOT)
			return slot_bits(scope->slot, op->shift, op->width);
	}
	return expr_run(nic, expr, scope);
}

/* An absent condition holds. */
static inline bool expr_holds(struct nic *nic, const struct expr *expr, const struct scope *scope)
{
	return expr->count == 0 || expr_eval(nic, expr, scope) != 0;
}

/* action.c */
void ring_wake(struct nic *nic, unsigned ring);
uint64_t *target_word(struct nic *nic, const struct target *target, const struct scope *scope);
void actions_run(struct nic *nic, const struct actions *actions, struct scope *scope);
void nic_reset_list(struct nic *nic, unsigned which);
void ring_wake(struct nic *nic, unsigned ring);

void target_put(struct nic *nic, const struct target *target, const struct scope *scope,
		uint64_t value);
void action_run(struct nic *nic, const struct action *action, struct scope *scope);

/* record.c: 0, -EAGAIN, or what guest memory said */
int record_load(struct nic *nic, const struct record *record, uint64_t addr, struct scope *scope);
int record_store(struct nic *nic, const struct record *record, uint64_t addr, struct scope *scope);

/* pieces.c: each further piece of a slot; 0, or what guest memory said */
int pieces_each(struct nic *nic, const struct use *use, const struct scope *scope,
		void (*take)(void *context, uint64_t addr, uint32_t length), void *context);

/* recorded.c, command.c */
void recorded_add(struct nic *nic, const struct actions *actions, unsigned at,
		  const struct scope *scope);
void recorded_drop(struct nic *nic);
bool recorded_work(struct nic *nic); /* true: more is left */
bool command_run(struct nic *nic, unsigned ring, const struct use *use, const struct scope *scope);

/* registers.c */
uint64_t bank_read(struct nic *nic, unsigned bank, uint32_t offset, unsigned width, bool effects);
void bank_write(struct nic *nic, unsigned bank, uint32_t offset, unsigned width, uint64_t value);

/* memory.c, port_stream.c: what lies beyond a memory reads as ones and takes nothing */
bool memories_init(struct nic *nic);
void memories_fill(struct nic *nic);
void memories_free(struct nic *nic);
uint64_t memory_read(const struct nic *nic, unsigned memory, uint64_t offset, unsigned width);
void memory_write(struct nic *nic, unsigned memory, uint64_t offset, unsigned width,
		  uint64_t value);
/* NULL: not all of it is there */
uint8_t *memory_at(const struct nic *nic, unsigned memory, uint64_t offset, uint64_t length);
uint8_t *memory_room(const struct nic *nic, unsigned memory, uint64_t offset, uint64_t length);
uint64_t data_port_read(struct nic *nic, const struct data_port *port, unsigned width);
void data_port_write(struct nic *nic, const struct data_port *port, unsigned width, uint64_t value);

/* microwire.c, mdio.c: the clock rises */
void microwire_clock(struct nic *nic, const struct pins *pins, struct shifter *shifter, bool in);
void microwire_deselect(struct shifter *shifter);
void mdio_clock(struct nic *nic, const struct pins *pins, struct shifter *shifter, bool in);

/* window.c, pins.c */
void pins_init(struct nic *nic);
void windows_written(struct nic *nic, unsigned word);
void windows_init(struct nic *nic);
uint64_t window_port_read(struct nic *nic, const struct reg *reg, unsigned lane, unsigned width,
			  bool effects);
void window_port_write(struct nic *nic, const struct reg *reg, unsigned lane, unsigned width,
		       uint64_t value);
void pins_written(struct nic *nic, unsigned word);
uint64_t pins_shown(const struct nic *nic, unsigned word, uint64_t value);

/* trace.c: only where nic->trace is not NULL */
enum { TRACE_REGISTERS = 1, TRACE_RINGS = 2, TRACE_FRAMES = 4, TRACE_INTERRUPTS = 8 };
void trace_read(struct nic *nic, const struct reg *reg, unsigned k, unsigned into, unsigned part,
		uint64_t value);
void trace_write(struct nic *nic, const struct reg *reg, unsigned k, unsigned into, unsigned part,
		 uint64_t value);
void trace_undeclared(struct nic *nic, unsigned bank, uint32_t offset, bool write);
void trace_slot(struct nic *nic, const struct ring_run *run, const struct use *use, uint64_t addr,
		const uint8_t *before, const uint8_t *after);
void trace_frames(struct nic *nic, const char *way, const struct frame *frames, unsigned count);
void trace_line(struct nic *nic, bool level);
void trace_message(struct nic *nic, unsigned vector);

/* phy.c */
static inline bool phy_up(const struct nic *nic)
{
	return nic->link && !nic->negotiating;
}
void phy_init(struct nic *nic);
void phy_reset(struct nic *nic); /* quietly: whoever resets looks at the link anyway */
void phy_negotiate(struct nic *nic);
void phy_wire(struct nic *nic, bool up);
void phy_speed(struct nic *nic);

/* open.c */
void rings_init(struct nic *nic);
void rings_live(struct nic *nic); /* some were opened or closed */
void ring_forget(struct nic *nic, unsigned ring);
void ring_open_number(struct nic *nic, const struct ring *ring, uint64_t number);
void ring_close_number(struct nic *nic, const struct ring *ring, uint64_t number);
void ring_loaded(struct nic *nic, unsigned ring);
unsigned ring_free(const struct nic *nic, unsigned first, unsigned count);

/* completion.c */
struct result_room { /* of a ring's results in others: so many slots, so many frames */
	uint32_t slots, frames;
};
struct result_room result_room(struct nic *nic, unsigned ring);
void produce(struct nic *nic, const struct produced *produced, const struct scope *scope);
void completions_tell(struct nic *nic);

/* vectors.c */
bool vectors_init(struct nic *nic);
void vectors_reset(struct nic *nic);
void vector_raise(struct nic *nic, uint64_t vector, uint64_t after);
void vector_mask(struct nic *nic, uint64_t vector, bool masked);
void vectors_update(struct nic *nic);

/* steer.c */
bool steer_init(struct nic *nic);
int steer(struct nic *nic, const uint8_t *data, uint32_t length, struct facts *facts);

/* ring.c */
void ring_geometry(struct nic *nic, unsigned ring);
void rings_update(struct nic *nic);
uint32_t ring_ready(struct nic *nic, unsigned ring);
uint32_t ring_cursor(const struct nic *nic, unsigned ring);
void ring_advance(struct nic *nic, unsigned ring, uint32_t slots);
void ring_start(struct nic *nic, unsigned ring, const uint64_t *at); /* NULL: at its base */
bool ring_room(struct nic *nic, unsigned ring); /* receive: it may be worth to try again */
void ring_dry(struct nic *nic, unsigned ring);	/* nothing was ready */
enum { SLOT_FIRST = 1, SLOT_LAST = 2 };		/* of its frame */
bool ring_complete(struct nic *nic, const struct ring *ring, const struct use *use,
		   struct scope *scope, uint64_t addr, uint8_t *slot, unsigned place);
const struct use *ring_use(struct nic *nic, const struct ring *ring, const struct scope *scope);

/* walk.c */
struct ring_walk {
	struct nic *nic;
	const struct ring *ring;
	struct ring_run *run;
	unsigned index;
	uint64_t first, at;	 /* cursors: of the first slot that was given, and of the next */
	uint32_t most;		 /* slots that it may still give */
	const struct stop *stop; /* that holds for the last one */
	bool ended, lap;	 /* the next is not known; is the first again */
	bool plans;		 /* slots have plans, */
	struct plan *plan;	 /* and this the last one, or NULL */
	struct dma_window window;
};
int ring_walk_begin(struct ring_walk *walk, struct nic *nic,
		    unsigned ring); /* 0, or what memory said */
int ring_walk_slot(struct ring_walk *walk, uint8_t *slot,
		   uint64_t *at); /* 1, 0: none is ready, or so */
void ring_walk_done(struct ring_walk *walk, uint64_t at, uint64_t next, bool last,
		    const uint8_t *slot);
uint64_t slot_address(const struct nic *nic, unsigned ring, uint64_t at);

/*
 * Where slots have a phase bit, the cursor runs over two laps before it is 0
 * again: which of them it is in is the bit that is expected.
 */
static inline uint64_t ring_laps(const struct ring_run *run)
{
	return run->ring->phase.count ? 2ull * run->entries : run->entries;
}

static inline uint64_t slot_number(const struct ring_run *run, uint64_t at)
{
	return at >= run->entries && run->ring->phase.count ? at - run->entries : at;
}
uint64_t ring_position(const struct nic *nic, unsigned ring);
uint32_t ring_walk_count(struct nic *nic, unsigned ring, uint32_t most);

/* register_ring.c */
uint32_t registers_ready(struct nic *nic, unsigned ring);
bool registers_plain(const struct ring *ring);

/* stream.c */
void stream_geometry(struct nic *nic, unsigned ring);
uint32_t stream_free(struct nic *nic, unsigned ring);
bool stream_room(struct nic *nic, unsigned ring);
void streams_wait(struct nic *nic);				  /* a frame has no room yet */
int stream_find(struct nic *nic, unsigned ring, uint32_t length); /* 0 or -ENOBUFS */
int stream_fill(struct nic *nic, unsigned ring, const struct frame *frame, struct facts *facts);
struct stream_run { /* where the next frame begins, and the room from there on */
	uint64_t at, free;
	bool wraps;
};
void stream_begin(struct nic *nic, unsigned ring, struct stream_run *run);
uint8_t *stream_place(struct nic *nic, unsigned ring, const struct stream_run *run, uint32_t length,
		      struct dma_window *window);
void stream_step(struct nic *nic, unsigned ring, struct stream_run *run, uint32_t length);
void stream_end(struct nic *nic, unsigned ring, const struct stream_run *run);

/* plan.c; the rest is in planned.h */
void plans_init(struct nic *nic);
void plans_check(struct nic *nic, unsigned ring); /* before a pass: registers may have changed */
static inline struct plans *plans_of(const struct nic *nic, unsigned ring)
{
	return nic->rings[ring].plans;
}

/* transmit.c, transmit_send.c, receive.c */
void count_frames(struct nic *nic, unsigned count, bool groups);
void count_faults(struct nic *nic, unsigned faults);
/* Frames of no ring; how many were taken. CUT: segments of the first that were, before and after.
 */
unsigned send_others(struct nic *nic, const struct frame *frames, unsigned count, bool looped,
		     uint16_t *cut);
unsigned receive_frames(struct nic *nic, const struct frame *frames, unsigned count);
bool transmit_work(struct nic *nic, unsigned ring); /* true: more is left */
bool receive_loop(struct nic *nic);
void receive_init(struct nic *nic);
int receive_ring(const struct nic *nic); /* -1: none runs */
uint32_t receive_fcs(const uint8_t *data, size_t length);
void receive_look(struct nic *nic, const struct ring *ring, const struct frame *frame,
		  const uint8_t *data, struct facts *facts, bool known);

/* receive_plain.c: how many frames from the front went the short way */
unsigned receive_plain(struct nic *nic, const struct frame *frames, unsigned count);

/* transmit_send.c: frames that a port has, which has not sent them yet */
enum { NO_RING = 0xffff };
void flights_forget(struct nic *nic, unsigned ring);
void flights_gone(struct nic *nic, unsigned count);

/* filter.c */
bool filter_accepts(struct nic *nic, struct facts *facts);
bool filter_takes(struct nic *nic, struct facts *facts);
void filter_init(struct nic *nic);

/* port_filter.c */
void port_filter_tell(struct nic *nic);
void port_filter_look(struct nic *nic, struct port_filter *to); /* TO is all zero */

/* cares.c */
enum {
	CARES_INTERRUPTS = 1,
	CARES_PORT = 2,	    /* what the port knows of the filter */
	CARES_ACCEPTED = 4, /* and who it is known to take */
	CARES_FILTER = CARES_PORT | CARES_ACCEPTED,
	CARES_RINGS = 8, /* << ring */
	CARES_RING_LAST = 28,
};
bool cares_init(struct nic *nic); /* false: no memory */
uint32_t cares_ring(unsigned ring);

/* A state word has changed. */
static inline void nic_changed(struct nic *nic, unsigned word)
{
	nic->touched |= nic->cares[word].who;
}

/* Only these bits. */
static inline void nic_changed_bits(struct nic *nic, unsigned word, uint64_t bits)
{
	if (bits & nic->cares[word].bits)
		nic->touched |= nic->cares[word].who;
}

/* Who knows which. */
static inline void nic_changed_all(struct nic *nic)
{
	nic->touched = UINT32_MAX;
}

/* nic.c */
void nic_wire_update(struct nic *nic);
void nic_link_update(struct nic *nic); /* and interrupts */

/* interrupt.c */
void interrupts_init(struct nic *nic);
void interrupts_reset(struct nic *nic);
void interrupts_update(struct nic *nic);
void interrupts_tell(struct nic *nic); /* of what is delayed, now */
bool interrupts_delay(struct nic *nic, unsigned word, uint64_t mask, const struct scope *scope);

/* counters.c */
void counters_init(struct nic *nic);
void counters_post(struct nic *nic);

static inline unsigned size_class(uint32_t with_fcs)
{
	return with_fcs <= 64	  ? 0
	       : with_fcs <= 127  ? 1
	       : with_fcs <= 255  ? 2
	       : with_fcs <= 511  ? 3
	       : with_fcs <= 1023 ? 4
				  : 5;
}

/* Frames and bytes of a batch, those of one size, and whom each is for. */
static inline void count_total(struct nic *nic, unsigned base, uint64_t frames, uint64_t bytes)
{
	nic->counts[base] += frames;
	nic->counts[base + 1] += bytes + frames * 4;
}

static inline void count_size(struct nic *nic, unsigned base, uint32_t length, uint64_t frames)
{
	nic->counts[base + 4 + size_class(length + 4)] += frames;
}

static inline void count_group(struct nic *nic, unsigned base, uint64_t destination)
{
	if (destination & 1)
		nic->counts[base + (destination == 0xffffffffffffull ? 2 : 3)]++;
}
