/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANYNIC_MODULE_H
#define ANYNIC_MODULE_H

/*
 * The interface between a card and its module: code for what a description
 * cannot say. One source is a module of any kind (C source as it is, .so, .wasm,
 * or a program of its own); docs/writing-a-module.md shows each.
 *
 *   #include <anynic/module.h>
 *
 *   static uint64_t read(struct anynic_nic *nic, uint32_t place, uint32_t index, uint64_t value)
 *   {
 *           return value ^ 1;
 *   }
 *   ANYNIC_MODULE(.read = read)
 *
 * A module gives HOOKS, which are called, and calls SERVICES. Each NIC has an
 * instance of its own: what a module keeps in variables belongs to one NIC, and
 * is lost when the module is reloaded unless save() and restore() carry it, or
 * it is in registers that the description declares.
 *
 * What crosses between the two is alike on every platform: numbers of a fixed
 * size, text that ends in a zero byte, bytes with a length, and the structures
 * below, which hold no pointers. Handles are small numbers from anynic_find().
 *
 * When hooks may do what:
 *
 *   configure            before the card exists: only services of a draft
 *   start, stop,         at once, within an access of the driver: services of
 *   reset, read, write,  registers, timers, the link and the log. What touches guest
 *   call, save, restore  memory or the network answers ANYNIC_LATER; use kick
 *   kick, command,       from the loop, soon after: everything
 *   transmit, receive,
 *   timer
 *
 * Guest memory need not be at hand. A service that says ANYNIC_AGAIN has asked for
 * it: kick() and command() return ANYNIC_AGAIN then, with nothing changed, and are
 * called again when it has come. In other hooks use it as ANYNIC_FAULT.
 *
 * Version 1. Later releases only add hooks and services at the ends.
 */
#include <stdint.h>

#define ANYNIC_VERSION 1

struct anynic_nic;   /* the NIC that a hook is called for */
struct anynic_draft; /* the card that is being described */

/* What services and some hooks return; what is not negative is good. */
enum anynic_result {
	ANYNIC_OK = 0,
	ANYNIC_MORE = 1,     /* kick: call me again */
	ANYNIC_AGAIN = -1,   /* guest memory is on its way, or the network is full */
	ANYNIC_FAULT = -2,   /* no such memory in the guest */
	ANYNIC_INVALID = -3, /* an argument makes no sense: no such handle, beyond the end */
	ANYNIC_FULL = -4,    /* no room, or all of them are in use */
	ANYNIC_LATER = -5,   /* not from within this hook */
	ANYNIC_NONE = -6     /* nothing has this name */
};

/* What anynic_find() finds, by its name in the description. */
enum anynic_kind {
	ANYNIC_PLACE,  /* "CTRL" or "CTRL.RST", a register or a field of one */
	ANYNIC_CALLED, /* "NAME" of the actions call, kick and command */
	ANYNIC_RING,
	ANYNIC_RECORD,
	ANYNIC_FIELD, /* "RECORD.FIELD" */
	ANYNIC_TIMER,
	ANYNIC_RESET,
	ANYNIC_MEMORY /* on the card */
};

/* ---- frames ---- */

enum anynic_frame_flags {
	ANYNIC_CHECKSUM =
		1,	  /* to be filled in: sum from checksum_start, put at + checksum_offset */
	ANYNIC_VALID = 2, /* its checksums were verified */
	ANYNIC_TCP4 = 4,  /* to be cut into segments of segment_size bytes of payload */
	ANYNIC_TCP6 = 8,
	ANYNIC_SUM_IP = 16, /* set by the module: find the headers and make these sums anew */
	ANYNIC_SUM_L4 = 32
};

enum anynic_verdict {
	ANYNIC_PASS,  /* goes on; what each frame has when a hook is called */
	ANYNIC_DROP,  /* goes nowhere */
	ANYNIC_TURN,  /* goes back where it came from */
	ANYNIC_TAKEN, /* receive: the module has put it into guest memory */
	ANYNIC_HOLD   /* receive: no room for this one and those behind it; offered again */
};

/*
 * A frame on its way, without its bytes (no FCS). A large one is shown whole, with
 * what is left to do. The module may change all but length, which anynic_edit() keeps
 * true; that also moves the offsets when it changes the length in front of them.
 */
struct anynic_frame {
	uint32_t length;
	uint16_t flags;
	uint16_t verdict;
	uint16_t header_length; /* cutting: from the Ethernet to the end of the TCP header */
	uint16_t segment_size;
	uint16_t checksum_start, checksum_offset;
};

/* Guest memory. */
struct anynic_piece {
	uint64_t address;
	uint32_t length;
	uint32_t reserved; /* 0 */
};

/* ---- services ---- */

enum anynic_log_level { ANYNIC_INFO, ANYNIC_WARN };

/*
 * S(returns, name, parameters, arguments): the service anynic_NAME(). What returns
 * int32_t returns an enum anynic_result, or what is said here if that is not negative.
 */
#define ANYNIC_SERVICES(S)                                                                         \
	/* Handles; for start(). */                                                                \
	S(int32_t, find, (struct anynic_nic * nic, uint32_t kind, const char *name),               \
	  (nic, kind, name))                                                                       \
                                                                                                   \
	/* Registers, or fields of them: what is stored, without the effects of an access. An      \
	 * INDEX beyond an array, and a place that does not exist, read 0 and take nothing. */     \
	S(uint64_t, get, (struct anynic_nic * nic, int32_t place, uint32_t index),                 \
	  (nic, place, index))                                                                     \
	S(int32_t, set, (struct anynic_nic * nic, int32_t place, uint32_t index, uint64_t value),  \
	  (nic, place, index, value))                                                              \
	/* Sets bits of a cause, under its moderation, and looks at interrupts. */                 \
	S(int32_t, raise, (struct anynic_nic * nic, int32_t place, uint32_t index, uint64_t bits), \
	  (nic, place, index, bits))                                                               \
	/* Where a register, or an element of an array, lies in its bank. */                       \
	S(int32_t, offset, (struct anynic_nic * nic, int32_t place, uint32_t index),               \
	  (nic, place, index))                                                                     \
	/* A message of this vector, whatever causes and masks say. */                             \
	S(int32_t, message, (struct anynic_nic * nic, uint32_t vector), (nic, vector))             \
	/* Memory on the card. */                                                                  \
	S(int32_t, card_read,                                                                      \
	  (struct anynic_nic * nic, int32_t memory, uint32_t at, void *to, uint32_t length),       \
	  (nic, memory, at, to, length))                                                           \
	S(int32_t, card_write,                                                                     \
	  (struct anynic_nic * nic, int32_t memory, uint32_t at, const void *from,                 \
	   uint32_t length),                                                                       \
	  (nic, memory, at, from, length))                                                         \
                                                                                                   \
	/* Guest memory. */                                                                        \
	S(int32_t, read, (struct anynic_nic * nic, uint64_t address, void *to, uint32_t length),   \
	  (nic, address, to, length))                                                              \
	S(int32_t, write,                                                                          \
	  (struct anynic_nic * nic, uint64_t address, const void *from, uint32_t length),          \
	  (nic, address, from, length))                                                            \
	/* Declared records: between guest memory and registers, as the actions load and store. */ \
	S(int32_t, load, (struct anynic_nic * nic, int32_t record, uint64_t address),              \
	  (nic, record, address))                                                                  \
	S(int32_t, store, (struct anynic_nic * nic, int32_t record, uint64_t address),             \
	  (nic, record, address))                                                                  \
	/* A field of a record in bytes that the module has; what lies beyond them reads 0. */     \
	S(uint64_t, field,                                                                         \
	  (struct anynic_nic * nic, int32_t field, const void *record, uint32_t length),           \
	  (nic, field, record, length))                                                            \
	S(int32_t, field_set,                                                                      \
	  (struct anynic_nic * nic, int32_t field, void *record, uint32_t length, uint64_t value), \
	  (nic, field, record, length, value))                                                     \
                                                                                                   \
	/* Frames of the batch at hand, by the address they were given at. How many bytes. */      \
	S(int32_t, peek,                                                                           \
	  (struct anynic_nic * nic, const struct anynic_frame *frame, uint32_t at, void *to,       \
	   uint32_t length),                                                                       \
	  (nic, frame, at, to, length))                                                            \
	/* REMOVE bytes at AT give way to LENGTH bytes: overwrites, inserts, cuts, appends. */     \
	S(int32_t, edit,                                                                           \
	  (struct anynic_nic * nic, struct anynic_frame * frame, uint32_t at, uint32_t remove,     \
	   const void *from, uint32_t length),                                                     \
	  (nic, frame, at, remove, from, length))                                                  \
	/* Bytes of a received frame to guest memory. */                                           \
	S(int32_t, put,                                                                            \
	  (struct anynic_nic * nic, const struct anynic_frame *frame, uint32_t at,                 \
	   uint64_t address, uint32_t length),                                                     \
	  (nic, frame, at, address, length))                                                       \
	/* New frames, to the network and to the driver. AFTER: a frame of the batch at hand that  \
	 * goes the same way; what is given for one frame keeps its order. NULL: behind all that   \
	 * is on its way. META: offloads and offsets; NULL: there is nothing left to do. */        \
	S(int32_t, send,                                                                           \
	  (struct anynic_nic * nic, const struct anynic_frame *after,                              \
	   const struct anynic_frame *meta, const void *from, uint32_t length),                    \
	  (nic, after, meta, from, length))                                                        \
	S(int32_t, deliver,                                                                        \
	  (struct anynic_nic * nic, const struct anynic_frame *after,                              \
	   const struct anynic_frame *meta, const void *from, uint32_t length),                    \
	  (nic, after, meta, from, length))                                                        \
	/* A frame that lies in guest memory, to the network, as it lies there. */                 \
	S(int32_t, gather,                                                                         \
	  (struct anynic_nic * nic, const struct anynic_frame *meta,                               \
	   const struct anynic_piece *pieces, uint32_t count),                                     \
	  (nic, meta, pieces, count))                                                              \
                                                                                                   \
	/* An instance of a counted ring: its number, which is also that of its doorbell (see      \
	 * anynic_offset()). COMPLETION: an instance that the ring's results go to; VECTOR: of     \
	 * its messages; each is -1 where there is none. */                                        \
	S(int32_t, ring_open,                                                                      \
	  (struct anynic_nic * nic, int32_t ring, uint64_t base, uint32_t depth,                   \
	   int32_t completion, int32_t vector),                                                    \
	  (nic, ring, base, depth, completion, vector))                                            \
	S(int32_t, ring_close, (struct anynic_nic * nic, int32_t ring, uint32_t index),            \
	  (nic, ring, index))                                                                      \
	S(int32_t, ring_wake, (struct anynic_nic * nic, int32_t ring, uint32_t index),             \
	  (nic, ring, index))                                                                      \
	/* An entry into a completion ring; the engine sets its phase and raises what it raises.   \
	 */                                                                                        \
	S(int32_t, produce,                                                                        \
	  (struct anynic_nic * nic, int32_t ring, uint32_t index, const void *entry,               \
	   uint32_t length),                                                                       \
	  (nic, ring, index, entry, length))                                                       \
                                                                                                   \
	/* Declared timers, in nanoseconds from now; 0: the period that is declared. */            \
	S(int32_t, timer_arm, (struct anynic_nic * nic, int32_t timer, uint64_t after),            \
	  (nic, timer, after))                                                                     \
	S(int32_t, timer_cancel, (struct anynic_nic * nic, int32_t timer), (nic, timer))           \
	S(uint64_t, now, (struct anynic_nic * nic), (nic)) /* ns */                                \
	/* Has the PHY a link? And the wire: plugged in or not. */                                 \
	S(int32_t, link, (struct anynic_nic * nic), (nic))                                         \
	S(int32_t, link_set, (struct anynic_nic * nic, uint32_t up), (nic, up))                    \
	S(uint64_t, mac, (struct anynic_nic * nic), (nic)) /* first byte in bits 7:0 */            \
	/* kick() of this name, soon. */                                                           \
	S(int32_t, kick, (struct anynic_nic * nic, int32_t called, uint64_t value),                \
	  (nic, called, value))                                                                    \
	/* A line in the program's log, with a limit on how many. */                               \
	S(int32_t, log, (struct anynic_nic * nic, uint32_t level, const char *text),               \
	  (nic, level, text))                                                                      \
	/* Gives up: the card answers all ones until its module is loaded again. */                \
	S(int32_t, fail, (struct anynic_nic * nic, const char *why), (nic, why))                   \
                                                                                                   \
	/* A draft: elements of the description, as in XML, one in another; FILE and LINE are      \
	 * where mistakes are reported. anynic_element() and so on give them by themselves. */     \
	S(int32_t, draft_element,                                                                  \
	  (struct anynic_draft * draft, const char *word, const char *file, uint32_t line),        \
	  (draft, word, file, line))                                                               \
	S(int32_t, draft_attribute,                                                                \
	  (struct anynic_draft * draft, const char *name, const char *value),                      \
	  (draft, name, value))                                                                    \
	S(int32_t, draft_number, (struct anynic_draft * draft, const char *name, uint64_t value),  \
	  (draft, name, value))                                                                    \
	S(int32_t, draft_end, (struct anynic_draft * draft), (draft))                              \
	/* A text of XML, a whole <card>, laid over what there is. */                              \
	S(int32_t, draft_text,                                                                     \
	  (struct anynic_draft * draft, const char *text, const char *file, uint32_t line),        \
	  (draft, text, file, line))                                                               \
	/* An attribute of the <card> so far: its length, or ANYNIC_NONE. */                       \
	S(int32_t, draft_get,                                                                      \
	  (struct anynic_draft * draft, const char *name, char *to, uint32_t room),                \
	  (draft, name, to, room))                                                                 \
	/* A mistake that the module has found: the card is refused. */                            \
	S(int32_t, draft_wrong,                                                                    \
	  (struct anynic_draft * draft, const char *file, uint32_t line, const char *text),        \
	  (draft, file, line, text))

/* size first; a service that lies beyond it does not exist yet */
struct anynic_services {
	uint32_t size;
	uint32_t version;
#define ANYNIC_SERVICE_FIELD(returns, name, parameters, arguments) returns(*name) parameters;
	ANYNIC_SERVICES(ANYNIC_SERVICE_FIELD)
#undef ANYNIC_SERVICE_FIELD
};

/* ---- hooks ---- */

/*
 * size first, then the version, then nothing but hooks; any may be absent. PLACE,
 * CALLED, RING and so on are handles as from anynic_find().
 */
struct anynic_module {
	uint32_t size;
	uint32_t version;
	/* Once, when the card is read: adds to its description. Anything but ANYNIC_OK refuses. */
	int32_t (*configure)(struct anynic_draft *draft);
	/* A NIC begins and ends. Anything but ANYNIC_OK: there will be none. */
	int32_t (*start)(struct anynic_nic *nic);
	void (*stop)(struct anynic_nic *nic);
	/* A reset list was carried out. */
	void (*reset)(struct anynic_nic *nic, uint32_t reset);
	/* A register with module="read" is read, with "write" written: what the driver sees of
	 * what is there; what is stored. */
	uint64_t (*read)(struct anynic_nic *nic, uint32_t place, uint32_t index, uint64_t value);
	uint64_t (*write)(struct anynic_nic *nic, uint32_t place, uint32_t index, uint64_t value,
			  uint64_t old);
	/* The action "call NAME", at once. */
	void (*call)(struct anynic_nic *nic, uint32_t called, uint32_t index, uint64_t value);
	/* The action "kick NAME", soon; several are one, with the last value. */
	int32_t (*kick)(struct anynic_nic *nic, uint32_t called, uint64_t value);
	/* The action "command NAME", soon, each in its turn. SLOT: the one whose action it is;
	 * QUEUE: the instance of its ring. LENGTH 0: there is none. */
	int32_t (*command)(struct anynic_nic *nic, uint32_t called, uint64_t value, uint32_t ring,
			   uint32_t queue, const void *slot, uint32_t length);
	/* Frames on their way from a ring to the network, and from the network to the driver. */
	void (*transmit)(struct anynic_nic *nic, uint32_t ring, uint32_t queue,
			 struct anynic_frame *frames, uint32_t count);
	void (*receive)(struct anynic_nic *nic, struct anynic_frame *frames, uint32_t count);
	/* A <timer> without do= is due. */
	void (*timer)(struct anynic_nic *nic, uint32_t timer);
	/* What the module keeps besides registers: how many bytes; and back, once it has started.
	 */
	int32_t (*save)(struct anynic_nic *nic, void *to, uint32_t room);
	int32_t (*restore)(struct anynic_nic *nic, const void *from, uint32_t length);
};

/* ---- the one entry, and calling services ---- */

#define ANYNIC_ENTRY "anynic_module"

#ifndef ANYNIC_HOST
#ifdef __wasm__
#define ANYNIC_EXPORT __attribute__((export_name("anynic_module")))
#define ANYNIC_SERVICE_CALL(returns, name, parameters, arguments)                                  \
	returns anynic_##name parameters                                                           \
		__attribute__((import_module("anynic"), import_name(#name)));
#define ANYNIC_SERVICES_ARE(table)
#else
#define ANYNIC_EXPORT __attribute__((visibility("default")))
extern const struct anynic_services *anynic_services __attribute__((visibility("hidden")));
#define ANYNIC_SERVICE_CALL(returns, name, parameters, arguments)                                  \
	static inline returns anynic_##name parameters                                             \
	{                                                                                          \
		return anynic_services->name arguments;                                            \
	}
#define ANYNIC_SERVICES_ARE(table) const struct anynic_services *anynic_services = table;
#endif
ANYNIC_SERVICES(ANYNIC_SERVICE_CALL)
#undef ANYNIC_SERVICE_CALL

/* Once in a module: ANYNIC_MODULE(.start = start, .transmit = transmit) */
#define ANYNIC_MODULE(...)                                                                         \
	ANYNIC_SERVICES_ARE(0)                                                                     \
	ANYNIC_EXPORT const struct anynic_module *anynic_module(                                   \
		const struct anynic_services *services);                                           \
	const struct anynic_module *anynic_module(const struct anynic_services *services)          \
	{                                                                                          \
		static const struct anynic_module module = {sizeof(module), ANYNIC_VERSION,        \
							    __VA_ARGS__};                          \
		ANYNIC_SERVICES_FROM(services)                                                     \
		return &module;                                                                    \
	}
#ifdef __wasm__
#define ANYNIC_SERVICES_FROM(table) (void)table;
#else
#define ANYNIC_SERVICES_FROM(table) anynic_services = table;
#endif

#define anynic_element(draft, word) anynic_draft_element(draft, word, __FILE__, __LINE__)
#define anynic_attribute(draft, name, value) anynic_draft_attribute(draft, name, value)
#define anynic_number(draft, name, value) anynic_draft_number(draft, name, value)
#define anynic_end(draft) anynic_draft_end(draft)
#define anynic_text(draft, text) anynic_draft_text(draft, text, __FILE__, __LINE__)
#define anynic_wrong(draft, text) anynic_draft_wrong(draft, __FILE__, __LINE__, text)
#endif /* ANYNIC_HOST */

#endif
