/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "card/words.h"

#include <stddef.h>

/* How the tables of words are written. */
#define TEXT(name, need, doc)                                                                      \
	{                                                                                          \
		name, VALUE_TEXT, need, doc, NULL, 0, 0                                            \
	}
#define NAME(doc)                                                                                  \
	{                                                                                          \
		"name", VALUE_NAME, true, doc, NULL, 0, 0                                          \
	}
#define LABEL(name, need, doc)                                                                     \
	{                                                                                          \
		name, VALUE_LABEL, need, doc, NULL, 0, 0                                           \
	}
#define NUMBER(name, need, low, high, doc)                                                         \
	{                                                                                          \
		name, VALUE_NUMBER, need, doc, NULL, low, high                                     \
	}
#define BITS(need)                                                                                 \
	{                                                                                          \
		"bits", VALUE_BITS, need, "HIGH:LOW or one bit; bit 0 is the lowest", NULL, 0, 0   \
	}
#define CHOICE(name, need, choices, doc)                                                           \
	{                                                                                          \
		name, VALUE_CHOICE, need, doc, choices, 0, 0                                       \
	}
#define CHOICES(name, choices, doc)                                                                \
	{                                                                                          \
		name, VALUE_CHOICES, false, doc, choices, 0, 0                                     \
	}
#define EXPR(name, need, doc)                                                                      \
	{                                                                                          \
		name, VALUE_EXPR, need, doc, NULL, 0, 0                                            \
	}
#define PLACE(name, need, doc)                                                                     \
	{                                                                                          \
		name, VALUE_PLACE, need, doc, NULL, 0, 0                                           \
	}
#define ACTIONS(name, need, doc)                                                                   \
	{                                                                                          \
		name, VALUE_ACTIONS, need, doc, NULL, 0, 0                                         \
	}
#define NAMES(name, need, doc)                                                                     \
	{                                                                                          \
		name, VALUE_NAMES, need, doc, NULL, 0, 0                                           \
	}
#define DOC TEXT("doc", false, "where the datasheet says so; for readers only")
#define WHEN(doc) EXPR("when", false, doc)

#define ACCESS "rw ro wo rc w1c w1s w0c self-clear reserved latch"
#define DO_ON                                                                                      \
	CHOICE("do-on", false, "nonzero any change",                                               \
	       "do= runs when the value written is not 0 (the default), always, or differs")
#define COUNTED_TX                                                                                 \
	"tx.frames tx.bytes tx.broadcast tx.multicast tx.64 tx.127 tx.255 tx.511 tx.1023 tx.max "  \
	"tx.segmented tx.faults tx.errors "
#define COUNTED_RX                                                                                 \
	"rx.good rx.bytes rx.broadcast rx.multicast rx.64 rx.127 rx.255 rx.511 rx.1023 rx.max "    \
	"rx.no-room rx.filtered rx.too-long rx.too-short rx.total rx.total-bytes rx.stopped "      \
	"rx.errors"

enum { BANK_BYTES = 1 << 20 };
