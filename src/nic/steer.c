/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Receive-side scaling: which of a ring's instances a frame goes to.
 *
 *   addresses, ports --Toeplitz with the driver's key--> hash
 *   table[hash mod entries] -> instance; one that is not open: the first that is
 *
 * A bit of the input that is 1 adds the 32 bits of the key from its place on.
 * What four bits at a place add is worked out once for a key, so that a frame
 * costs a fixed number of lookups: 24 for TCP over IPv4, 72 over IPv6. Frames
 * that are no IP have the hash 0.
 */
#include "nic/state.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = STEER_KEY - 4 };

struct hasher {
	bool known;
	uint8_t key[STEER_KEY];
	uint32_t adds[INPUT_MAX * 2][16];
};

bool steer_init(struct nic *nic)
{
	if (nic->card->filter.steer.present)
		nic->hasher = calloc(1, sizeof(*nic->hasher));
	return nic->hasher || !nic->card->filter.steer.present;
}

static uint32_t key_bits(const uint8_t *key, unsigned from)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < 5; i++)
		bits = bits << 8 | (from / 8 + i < STEER_KEY ? key[from / 8 + i] : 0);
	return (uint32_t)(bits >> (8 - from % 8));
}

static void hasher_make(struct hasher *hasher)
{
	for (unsigned n = 0; n < INPUT_MAX * 2; n++) {
		for (unsigned value = 0; value < 16; value++) {
			uint32_t sum = 0;

			for (unsigned bit = 0; bit < 4; bit++) {
				if (value >> (3 - bit) & 1)
					sum ^= key_bits(hasher->key, n * 4 + bit);
			}
			hasher->adds[n][value] = sum;
		}
	}
	hasher->known = true;
}

/* The driver may have changed it. */
static void key_look(struct nic *nic)
{
	const struct steer *steer = &nic->card->filter.steer;
	struct hasher *hasher = nic->hasher;
	uint8_t key[STEER_KEY + 8] = {0};
	unsigned length = 0;

	for (unsigned i = 0; i < steer->key_words && length < STEER_KEY; i++) {
		memcpy(key + length, &nic->state[steer->key + i], 8); /* low bytes first */
		length += steer->key_bytes;
	}
	if (hasher->known && !memcmp(key, hasher->key, STEER_KEY))
		return;
	memcpy(hasher->key, key, STEER_KEY);
	hasher_make(hasher);
}

static uint32_t hash_add(const struct hasher *hasher, uint32_t hash, unsigned at,
			 const uint8_t *data, unsigned length)
{
	for (unsigned i = 0; i < length; i++) {
		hash ^= hasher->adds[(at + i) * 2][data[i] >> 4];
		hash ^= hasher->adds[(at + i) * 2 + 1][data[i] & 15];
	}
	return hash;
}

static uint32_t hash_of(const struct hasher *hasher, const uint8_t *data, uint32_t length)
{
	struct parsed parsed;
	unsigned addresses;
	uint32_t hash;

	frame_parse(data, length, length, &parsed);
	if (!parsed.type)
		return 0;
	addresses = parsed.type == 1 ? 8 : 32;
	hash = hash_add(hasher, 0, 0, data + parsed.l3_at + (parsed.type == 1 ? 12 : 8), addresses);
	if (parsed.l4 && parsed.whole && parsed.l4_length >= 4)
		hash = hash_add(hasher, hash, addresses, data + parsed.l4_at, 4);
	return hash;
}

/* The ring of this frame; -1: none runs. */
int steer(struct nic *nic, const uint8_t *data, uint32_t length, struct facts *facts)
{
	const struct steer *steer = &nic->card->filter.steer;
	struct scope scope = {.facts = facts};
	int first = receive_ring(nic);
	const struct ring *ring;
	uint64_t entries, number;

	if (first < 0 || !expr_holds(nic, &steer->when, &scope))
		return first;
	key_look(nic);
	facts->hash = hash_of(nic->hasher, data, length);
	entries = steer->entries.count ? expr_eval(nic, &steer->entries, &scope) : 0;
	if (!entries || entries > steer->table_words)
		entries = steer->table_words;
	number = nic->state[steer->table + facts->hash % entries] & steer->table_mask;
	ring = nic->rings[first].ring;
	if (number < ring->count && nic->rings[ring->first + number].state != RING_STOPPED)
		return ring->first + (int)number;
	return first;
}
