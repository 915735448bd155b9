/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#define ANYNIC_HOST
#include "anynic/module.h"

#include <stddef.h>

/*
 * Messages between a card and a module that is a program of its own: one packet
 * each on a socket pair (SOCK_SEQPACKET), little-endian. docs/module-process.md is
 * the same for those who write programs.
 *
 *   head    u16 kind, u16 number, u32 0
 *   then    numbers, 8 bytes each, in the order of the C parameters without NIC or
 *           draft; a text or buffer that is sent has its length as its number, a
 *           frame its index in the batch (UINT32_MAX: none), its meta data whether there are any
 *   then    the bytes of texts, buffers, structures, in the same order
 *
 *   HELLO   program: its version, and a bit for each hook that it has
 *   CALL    host: the hook of that NUMBER        RETURN   program: what it returns
 *   SERVICE program, within a call               ANSWER   host: what that returns
 */
enum wire_kind { WIRE_HELLO = 1, WIRE_CALL, WIRE_RETURN, WIRE_SERVICE, WIRE_ANSWER };

enum { WIRE_BYTES = 160 << 10, WIRE_NUMBERS = 8, WIRE_DATA = 64 << 10 };

struct wire_head {
	uint16_t kind, number;
	uint32_t reserved;
};

/* Hooks by number: their place in struct anynic_module. */
enum wire_hook {
	HOOK_CONFIGURE,
	HOOK_START,
	HOOK_STOP,
	HOOK_RESET,
	HOOK_READ,
	HOOK_WRITE,
	HOOK_CALL,
	HOOK_KICK,
	HOOK_COMMAND,
	HOOK_TRANSMIT,
	HOOK_RECEIVE,
	HOOK_TIMER,
	HOOK_SAVE,
	HOOK_RESTORE,
	HOOKS
};

#define WIRE_SERVICE_NUMBER(returns, name, parameters, arguments) SERVICE_##name,
enum wire_service { ANYNIC_SERVICES(WIRE_SERVICE_NUMBER) SERVICES };
#undef WIRE_SERVICE_NUMBER

/* A message that is being made, or taken apart; what does not fit makes it bad. */
struct wire {
	uint8_t bytes[WIRE_BYTES];
	size_t length, at; /* written; read */
	int bad;
};

void wire_begin(struct wire *wire, enum wire_kind kind, unsigned number);
void wire_put(struct wire *wire, uint64_t number);
void wire_put_bytes(struct wire *wire, const void *from, size_t length);
uint64_t wire_get(struct wire *wire);
/* LENGTH bytes where they lie; NULL: they are not there. */
void *wire_get_bytes(struct wire *wire, size_t length);

/*
 * Does what a SERVICE message asks, for NIC and DRAFT, the one that is not NULL,
 * with FRAMES of the batch at hand; ANSWER is made. 0, or what is wrong.
 */
struct wire_context {
	struct anynic_nic *nic;
	struct anynic_draft *draft;
	struct anynic_frame *frames;
	uint32_t frames_count;
};

const char *wire_serve(struct wire *ask, struct wire *answer, const struct wire_context *context);
