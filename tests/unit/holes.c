/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How guests broke other models of these cards, said to ours by their own
 * registers: each family of cards gets each trap. Nothing is sent that was not
 * there to be sent, all is answered in time, and after a reset the card works.
 */
#include "family.h"

static struct foe foe, fresh;
static const struct family *family;

static uint8_t *slot(uint32_t ring, unsigned index)
{
	return foe.memory + ring + index * family->stride;
}

/* COUNT slots, each with its successor; the last leads to the first. */
static void fill(uint32_t ring, unsigned count, uint32_t address, uint32_t length, bool whole)
{
	memset(slot(ring, 0), 0, (size_t)FAMILY_SLOTS * family->stride);
	for (unsigned i = 0; i < count; i++) {
		const struct family_slot is = {address,
					       length,
					       ring + (i + 1) % count * family->stride,
					       whole || i == 0,
					       whole || i == count - 1,
					       i == count - 1};

		(ring == FAMILY_TX ? family->tx : family->rx)(slot(ring, i), &is);
	}
}

static void start(bool loop)
{
	foe_reset(&foe);
	foe.sent = 0;
	family->start(&foe, FAMILY_TX, FAMILY_RX, loop);
}

static void run(void)
{
	family->kick(&foe);
	foe_settle(&foe);
	for (unsigned i = 0; i < 8; i++)
		foe_offer(&foe, i & 1 ? 60 : 1514);
	foe_settle(&foe);
}

/* A frame out and one in, as if nothing had been. */
static void works(void)
{
	uint64_t received;

	foe.room = 100000;
	start(false);
	memset(foe.memory + FOE_BUFFERS, 0x55, 8192);
	put32(foe.memory + FOE_BUFFERS, FOE_BUFFERS + 64); /* of an array of descriptors, too */
	put32(foe.memory + FOE_BUFFERS + 4, 0x10064);
	fill(FAMILY_TX, 1, FOE_BUFFERS, 100, true);
	if (family->close)
		family->close(slot(FAMILY_TX, 0));
	fill(FAMILY_RX, 4, FOE_BUFFERS + 4096, 1536, true);
	received = foe.nic->stats.rx_frames;
	family->kick(&foe);
	foe_settle(&foe);
	for (unsigned i = 0; i < 20 && foe.nic->stats.rx_frames == received; i++) {
		foe_offer(&foe, 100); /* not each is for this card */
		foe_settle(&foe);
	}
	if (!foe.sent || foe.nic->stats.rx_frames != received + 1)
		unit_failed(__FILE__, __LINE__, "%s: %lu sent, %lu received after a reset",
			    foe.card->name, (unsigned long)foe.sent,
			    (unsigned long)(foe.nic->stats.rx_frames - received));
}

/* ---- the traps ---- */

static void linked_to_itself(void)
{
	for (unsigned count = 1; count <= FAMILY_SLOTS; count += FAMILY_SLOTS - 1) {
		start(false);
		fill(FAMILY_TX, count, FOE_BUFFERS, 64, true);
		fill(FAMILY_RX, count, FOE_BUFFERS, 1536, true);
		run();
		if (!family->close)
			CHECK(foe.sent <= count);
	}
}

/* All owned, none says where the ring ends, no frame ends. */
static void without_end(void)
{
	for (unsigned i = 0; i < 3; i++) {
		start(i == 2);
		fill(FAMILY_TX, FAMILY_SLOTS, FOE_BUFFERS, i ? 0xffff : 16, false);
		if (i)
			memset(slot(FAMILY_TX, FAMILY_SLOTS - 1), 0xff, family->stride);
		fill(FAMILY_RX, FAMILY_SLOTS, FOE_BUFFERS, 1, false);
		run();
		run();
	}
}

static void lengths(void)
{
	static const uint32_t lengths[] = {0,	 1,    3,    13,   14,	 59,	60,
					   1514, 1515, 1792, 2047, 4095, 0xffff};

	for (unsigned i = 0; i < 13; i++) {
		for (unsigned whole = 0; whole < 2; whole++) {
			start(i & 1);
			fill(FAMILY_TX, 64, FOE_BUFFERS, lengths[i], whole);
			fill(FAMILY_RX, 64, FOE_BUFFERS, lengths[i], true);
			run();
			foe_offer(&foe, 9000);
			foe_offer(&foe, 65535);
			CHECK(foe.sent <= 64 || family->close);
		}
	}
}

/* Buffers and rings where there is nothing, or the card itself. */
static void places(void)
{
	for (unsigned i = 0; i < foe_times(40); i++) {
		uint64_t accesses;

		start(i & 1);
		fill(FAMILY_TX, 32, (uint32_t)foe_address(&foe), 1514, true);
		fill(FAMILY_RX, 32, (uint32_t)foe_address(&foe), 1536, true);
		family->kick(&foe);
		accesses = foe.nic->stats.accesses;
		foe_settle(&foe);
		foe_offer(&foe, 1514);
		foe_settle(&foe);
		CHECK_EQUAL(foe.nic->stats.accesses, accesses); /* none by DMA */
		family->start(&foe, (uint32_t)foe_address(&foe), (uint32_t)foe_address(&foe),
			      i & 1);
		run();
	}
}

/* What is sent comes back into the ring it came from, over its own descriptors. */
static void into_itself(void)
{
	for (unsigned i = 0; i < 4; i++) {
		uint32_t buffers = i < 2 ? FAMILY_TX : FAMILY_RX;

		start(true);
		fill(FAMILY_TX, 64, i & 1 ? FAMILY_TX : FAMILY_RX, 1500, true);
		fill(FAMILY_RX, 64, buffers, 1536, true);
		run();
		family->start(&foe, FAMILY_TX, FAMILY_TX, true); /* one ring for both */
		fill(FAMILY_TX, 64, FAMILY_TX, 64, true);
		run();
		family->start(&foe, FAMILY_TX, FAMILY_TX + 4, true);
		run();
	}
}

/* While the port takes nothing, and in the middle of everything. */
static void reset_within(void)
{
	for (unsigned i = 0; i < 16; i++) {
		start(i & 1);
		foe.room = i % 4;
		fill(FAMILY_TX, FAMILY_SLOTS, FOE_BUFFERS, 100 + i, true);
		fill(FAMILY_RX, FAMILY_SLOTS, FOE_BUFFERS, 1536, true);
		family->kick(&foe);
		foe_offer(&foe, 1514);
		foe_reset(&foe);
		port_writable(&foe.port);
		foe_settle(&foe);
		foe_like_new(&foe, &fresh);
	}
}

static void noise(void)
{
	for (unsigned i = 0; i < foe_times(60); i++) {
		start(i & 1);
		unit_fill(slot(FAMILY_TX, 0), (size_t)FAMILY_SLOTS * family->stride, unit_random());
		unit_fill(slot(FAMILY_RX, 0), (size_t)FAMILY_SLOTS * family->stride, unit_random());
		run();
	}
}

static void attack(const struct card *card)
{
	static void (*const traps[])(void) = {linked_to_itself, without_end,  lengths, places,
					      into_itself,	reset_within, noise};

	family = family_of(card);
	if (!family)
		return;
	foe_new(&foe, card, false);
	foe_new(&fresh, card, false);
	foe_reset(&fresh);
	works();
	for (unsigned i = 0; i < sizeof(traps) / sizeof(*traps); i++) {
		traps[i]();
		foe_check(&foe);
		foe_reset(&foe);
		foe_settle(&foe);
		foe_like_new(&foe, &fresh);
		works();
	}
	foe_free(&foe);
	foe_free(&fresh);
}

static void test_rings(void)
{
	foe_each(attack);
}

UNIT_FILE(holes, {"rings", test_rings});
