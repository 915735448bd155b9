/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/card.h"

#include <string.h>

/*
 * What a description asks of a slot, answered once. Decisions (which layout, a
 * frame's last slot, where the next one is, what is written back) depend on few
 * bits of the slot and on few registers, which are known when the card is
 * loaded. They are worked out for a pattern of these bits, kept in a plan, and
 * found again while the registers stand; see plan.c.
 */
enum {
	PLANS = 32, /* of a ring; a power of two */
	PLAN_ASKS = 2,
	PLAN_TESTS = 2,
	PLAN_KEY = PLAN_ASKS + 1,
	PLAN_DEPENDS = 32,
	PLAN_STORES = 4,
	PLAN_MOVES = 2,
	PLAN_RESULTS = 4,
	PLAN_PIECES = 2,
	PLAN_ACTIONS = 32,
};

struct plan_field { /* bits of a slot, of the word that begins at any byte */
	uint8_t byte, shift;
	uint64_t mask;
};

enum plan_kind { PLAN_UNKNOWN, PLAN_CONSTANT, PLAN_FIELD, PLAN_LENGTH, PLAN_NEXT };

/* (((±x + add + here) & mask) << shift) | set; x: a field, or what is said of a frame */
struct plan_value {
	uint8_t kind, shift, high_shift;
	bool here, split; /* split: x = high << high_shift | low */
	bool bare;	  /* nothing but x, of one part, or nothing but SET */
	struct plan_field low, high;
	uint64_t sign, add, mask, set; /* sign: all ones where x is taken away */
};

struct plan_move { /* a number that goes into bits of a store */
	uint8_t to;
	uint64_t field;
	struct plan_value value;
};

struct plan_store { /* bytes of a slot that a result takes */
	uint8_t at, length, moves;
	bool last; /* says whose the slot is: after all else */
	uint64_t keep, set;
	struct plan_move move[PLAN_MOVES];
};

struct plan_result { /* what completes a slot, of a frame with these facts or at this place */
	uint32_t key;
	bool known, plain; /* plain: all of it is here */
	uint8_t stores_count;
	struct plan_store stores[PLAN_STORES];
	const struct complete *list; /* whose actions these are, in order: */
	uint8_t count;
	uint32_t actions; /* bit per action: it is done, if its condition about rings holds */
};

struct plan_piece {	   /* a buffer, or an array of COUNT that are described at AT */
	bool array, lasts; /* lasts: LAST ends it */
	uint8_t size;	   /* of a description */
	struct plan_value at, count;
	struct plan_value address, length, last;
};

enum plan_work { /* what a frame may need, apart from being handed on */
		 WORK_PAD = 1,
		 WORK_SEGMENT = 2,
		 WORK_CHECKSUM = 4,
		 WORK_VLAN = 8,
		 WORK_ALL = 15,
};

struct plan {
	uint64_t key[PLAN_KEY];
	bool known, usable; /* usable: for walking on */
	bool ready;	    /* where a slot says so */
	uint8_t phase;	    /* where a slot has such a bit */
	bool whole;	    /* a frame of its own, handed on as it lies in memory */
	bool begins, may;   /* a frame begins here, whatever was before; or can */
	bool last;	    /* of its frame */
	bool room;	    /* its first buffer may take a frame */
	bool ends;	    /* where the next one is is not known: see stop */
	bool wraps;	    /* it is the first one */
	uint8_t work, pad;  /* pad: shortest frame */
	uint8_t pieces_count;
	bool pieces_known, arrays; /* arrays: among them */
	const struct use *use;
	const struct stop *stop;
	struct plan_value next; /* chains */
	struct plan_value address, length;
	struct plan_piece pieces[PLAN_PIECES];
	struct plan_result results[PLAN_RESULTS];
};

struct plan_test { /* a field that is wide, and only compared with a constant */
	struct plan_field field;
	uint64_t value;
};

struct plans {			   /* of one ring */
	bool usable, stale;	   /* stale: registers have changed */
	bool results;		   /* what completes slots is in plans, too */
	bool asks_type, moderated; /* moderated: causes of its results, by slot */
	bool assigns;		   /* what an action puts depends on the slot or the frame */
	uint8_t ask_at[PLAN_ASKS]; /* bytes of a slot, */
	uint64_t asks[PLAN_ASKS];  /* and the bits there that decisions are made by */
	uint8_t tests_count;
	uint8_t of_first, unknown; /* work that a frame's first slot decides; that none does */
	uint32_t asks_facts;	   /* bits of facts_key() */
	struct plan_test tests[PLAN_TESTS];
	unsigned depends_count;
	struct {
		uint16_t word;
		uint64_t mask, seen;
	} depends[PLAN_DEPENDS]; /* and of registers */
	struct plan list[PLANS];
	struct fill { /* receive: what registers say of frames */
		bool known, looks, keeps;
		uint64_t max, vlan_type;
	} fill;
};

static inline uint64_t plan_field(const struct plan_field *field, const uint8_t *slot)
{
	uint64_t word;

	memcpy(&word, slot + field->byte, sizeof(word)); /* slots are padded by as much */
	return word >> field->shift & field->mask;
}

static inline uint64_t plan_number(const struct plan_value *value, uint64_t x, uint64_t here)
{
	if (value->bare)
		return x | value->set;
	x = (x ^ value->sign) - value->sign + value->add + (value->here ? here : 0);
	return (x & value->mask) << value->shift | value->set;
}

static inline uint64_t plan_value(const struct plan_value *value, const uint8_t *slot,
				  uint64_t here)
{
	uint64_t x = plan_field(&value->low, slot);

	if (value->split)
		x |= plan_field(&value->high, slot) << value->high_shift;
	return plan_number(value, x, here);
}

/* Once, and by words: what is read of it is read by words. */
static inline void slot_copy(uint8_t *slot, const uint8_t *from, unsigned size)
{
	if (size == 16) {
		memcpy(slot, from, 8);
		__asm__("" ::: "memory"); /* two stores */
		memcpy(slot + 8, from + 8, 8);
	} else {
		memcpy(slot, from, size);
	}
}

static inline void plan_key(const struct plans *plans, const uint8_t *slot, uint64_t *key)
{
	for (unsigned i = 0; i < PLAN_ASKS; i++) {
		memcpy(&key[i], slot + plans->ask_at[i], sizeof(*key));
		key[i] &= plans->asks[i];
	}
	key[PLAN_ASKS] = 0;
	for (unsigned i = 0; i < plans->tests_count; i++)
		key[PLAN_ASKS] |= (uint64_t)(plan_field(&plans->tests[i].field, slot) ==
					     plans->tests[i].value)
				  << i;
}

static inline bool plan_fits(const struct plan *plan, const uint64_t *key)
{
	return !((plan->key[0] ^ key[0]) | (plan->key[1] ^ key[1]) | (plan->key[2] ^ key[2]));
}

/* The same for slots one after the other: what is looked at, away from what is written. */
struct plan_look {
	uint8_t at[PLAN_ASKS];
	uint64_t asks[PLAN_ASKS], key[PLAN_KEY];
	const struct plans *plans; /* NULL: there are no tests */
};

static inline struct plan_look plan_look(const struct plans *plans, const struct plan *plan)
{
	return (struct plan_look){{plans->ask_at[0], plans->ask_at[1]},
				  {plans->asks[0], plans->asks[1]},
				  {plan->key[0], plan->key[1], plan->key[2]},
				  plans->tests_count ? plans : NULL};
}

static inline bool plan_keeps_asks(const struct plan_look *look, const uint8_t *slot)
{
	uint64_t words[PLAN_ASKS];

	memcpy(&words[0], slot + look->at[0], sizeof(*words));
	memcpy(&words[1], slot + look->at[1], sizeof(*words));
	return !(((words[0] & look->asks[0]) ^ look->key[0]) |
		 ((words[1] & look->asks[1]) ^ look->key[1]));
}

/* All that is asked is in one word. */
static inline bool plan_keeps_word(const struct plan_look *look, const uint8_t *slot)
{
	uint64_t word;

	memcpy(&word, slot + look->at[0], sizeof(word));
	return (word & look->asks[0]) == look->key[0];
}

static inline bool plan_keeps(const struct plan_look *look, const uint8_t *slot)
{
	uint64_t key[PLAN_KEY];

	if (!plan_keeps_asks(look, slot))
		return false;
	if (!look->plans)
		return true;
	plan_key(look->plans, slot, key);
	return key[PLAN_ASKS] == look->key[PLAN_ASKS];
}

static inline unsigned plan_place(const uint64_t *key)
{
	return (unsigned)(((key[0] ^ key[1] << 1 ^ key[2]) * 0x9e3779b97f4a7c15u) >> 59) % PLANS;
}

static inline void plan_bytes_store(uint8_t *to, uint64_t value, unsigned length)
{
	if (length == 1)
		__atomic_store_n(to, (uint8_t)value, __ATOMIC_RELAXED);
	else if (length == 4 && !((uintptr_t)to & 3)) /* at once: the driver looks at it */
		__atomic_store_n((uint32_t *)to, (uint32_t)value, __ATOMIC_RELAXED);
	else if (length == 8 && !((uintptr_t)to & 7))
		__atomic_store_n((uint64_t *)to, value, __ATOMIC_RELAXED);
	else
		memcpy(to, &value, length);
}

static inline uint64_t plan_moved(const struct plan_move *move, uint64_t length, uint64_t next)
{
	uint64_t x = move->value.kind == PLAN_NEXT ? next : length;

	return (plan_number(&move->value, x, 0) & move->field) << move->to;
}

/* Into the slot at TO, of which SLOT is a copy; frame bytes before it, its last store at last. */
static inline void result_store(const struct plan_result *result, const uint8_t *slot, uint8_t *to,
				uint64_t length, uint64_t next)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (unsigned i = 0; i < result->stores_count; i++) {
		const struct plan_store *store = &result->stores[i];
		uint64_t word;

		memcpy(&word, slot + store->at, sizeof(word));
		word = (word & store->keep) | store->set;
		for (unsigned k = 0; k < store->moves; k++)
			word |= plan_moved(&store->move[k], length, next);
		if (store->last)
			__atomic_thread_fence(__ATOMIC_RELEASE);
		plan_bytes_store(to + store->at, word, store->length);
	}
}

static inline unsigned result_place(uint32_t key)
{
	return (key ^ key >> 2 ^ key >> 6 ^ key >> 10) % PLAN_RESULTS;
}
