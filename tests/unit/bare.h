/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine.h"

/*
 * A NIC on a bus of its own, without front and VM: for cards that exist in a
 * test only, and for guest memory that is reached by messages.
 */
enum { BARE_MEMORY = 8 << 20, BARE_MESSAGES = 4096, BARE_VECTORS = 64 };

struct message {
	uint32_t token;
	uint64_t addr;
	size_t length;
	uint8_t *data; /* of a write */
};

struct bare {
	struct clock clock;
	struct dma *dma;
	uint8_t *memory;
	struct nic *nic;
	struct test_port port;
	bool level, wanted;
	unsigned rises, works;
	unsigned told[BARE_VECTORS]; /* messages of each */
	struct message messages[BARE_MESSAGES];
	unsigned first, last;  /* of them waiting */
	unsigned busy, refuse; /* every BUSYth is put off, every REFUSEth fails; 0: none */
	unsigned asked;
};

/* BY_MESSAGES: guest memory is not mapped. */
void bare_new(struct bare *bare, const struct card *card, bool by_messages);
void bare_free(struct bare *bare);
bool bare_answer(struct bare *bare); /* the oldest message; false: none waits */
void bare_settle(struct bare *bare); /* messages and work, until there is none */

/* A description as text; its mistakes, or NULL and the card. Frees itself at the next call. */
struct card *bare_card(const char *text);
struct card *bare_card_file(const char *name); /* from the folder of the source */
uint32_t bare_read(struct bare *bare, unsigned at);
void bare_write(struct bare *bare, unsigned at, uint32_t value);
