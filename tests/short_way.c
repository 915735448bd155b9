/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two NICs of one card, one of which always takes the long way, are driven alike:
 * by a driver as it should be (bench/family_*.c, short_families.c), whose descriptors
 * are then changed at random before the card is told of them, with frames and registers
 * at random between. Registers, rings, what went to the network and all of guest
 * memory must stay the same. short-way CARD.XML SEED EPISODES
 */
#include "engine.h"

#include "card/reader.h"
#include "nic/state.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 24, FRAMES_MOST = 24, TAIL = 4096 };

extern const struct family family_3c905c, family_ar8161, family_dfe580tx, family_epic100,
	family_natsemi, family_rtl8168, family_rtl8169, family_sis900, family_sungem,
	family_via_rhine, family_vt6122, family_yukon2;

const uint8_t engine_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

struct option { /* a register that is written at random: ALWAYS, and bits of MAY */
	uint16_t reg;
	uint8_t width;
	uint32_t always, may;
};

static const struct tested {
	const char *card;
	const struct family *family;
	struct option options[4];
} all_tested[] = {
	{"e1000",
	 &family_e1000,
	 {{0x100, 4, 2, 0x0783803c | 1 << 26},
	  {0x400, 4, 2, 8},
	  {0, 4, 0, 0x40000000},
	  {0x5000, 4, 0, 0x300}}},
	{"e1000-82545em",
	 &family_e1000,
	 {{0x3820, 4, 0, 3}, {0x2820, 4, 0, 3}, {0xd0, 4, 0, 0xff}, {0x100, 4, 2, 0x0783803c}}},
	{"i82574",
	 &family_e1000,
	 {{0x100, 4, 2, 0x0783843c | 1 << 26},
	  {0x5008, 4, 0, 0x8000},
	  {0x5000, 4, 0, 0x2300},
	  {0x3820, 4, 0, 3}}},
	{"rtl8139",
	 &family_rtl8139,
	 {{0x44, 4, 0x0000f70a, 0x8005}, {0x40, 4, 0x03000700, 0x10000}, {0x3c, 2, 0, 0xff}}},
	{"rtl8139cp",
	 &family_rtl8139cp,
	 {{0xe0, 2, 3, 0x60},
	  {0x44, 4, 0xe70a, 5},
	  {0x40, 4, 0x03000700, 0x60000},
	  {0x3c, 2, 0, 0xff}}},
	{"rtl8169",
	 &family_rtl8169,
	 {{0xe0, 2, 0, 0x60},
	  {0x44, 4, 0xe70a, 5},
	  {0xda, 2, 1518, 0x2000},
	  {0x40, 4, 0, 0x60000}}},
	{"rtl8168",
	 &family_rtl8168,
	 {{0xe0, 2, 0, 0x60},
	  {0x44, 4, 0xe70a, 5},
	  {0xda, 2, 1518, 0x2000},
	  {0x40, 4, 0, 0x60000}}},
	{"pcnet", &family_pcnet, {{0x12, 2, 0, 4}, {0x10, 2, 0, 0x48}}},
	{"tulip",
	 &family_tulip,
	 {{0x30, 4, 0x2002, 0xcc0}, {0x38, 4, 0, 0x1ffff}, {0x00, 4, 0, 0x40}}},
	{"ne2000", &family_ne2000, {{0x0c, 1, 4, 0x1a}, {0x0d, 1, 0, 1}, {0x0f, 1, 0, 0x7f}}},
	{"i82559", &family_i82559, {{3, 1, 0, 0xfd}}},
	{"natsemi",
	 &family_natsemi,
	 {{0x24, 4, 0x102, 0x30000000},
	  {0x34, 4, 2, 1 << 27},
	  {0x48, 4, 0x80000000, 0x78000000},
	  {0x14, 4, 0, 0x1ff}}},
	{"sis900",
	 &family_sis900,
	 {{0x24, 4, 0x102, 0x30000000},
	  {0x34, 4, 2, 1 << 27},
	  {0x48, 4, 0x80000000, 0x70000000},
	  {0x14, 4, 0, 0x1ff}}},
	{"3c905c",
	 &family_3c905c,
	 {{0x0e, 2, 16 << 11 | 1, 0x1e},
	  {0x0e, 2, 14 << 11, 0x7ff},
	  {0x0e, 2, 13 << 11, 0x668},
	  {0x1b, 1, 0, 0}}},
	{"epic100",
	 &family_epic100,
	 {{0x60, 4, 0x04, 0x28}, {0x70, 4, 0x79, 0x06}, {0x08, 4, 0, 0xffff}}},
	{"sungem",
	 &family_sungem,
	 {{0x6034, 4, 0x25, 0x1c}, {0x4108, 4, 0x4002, 0x1001}, {0x0010, 4, 4, 0x7e077}}},
	{"ar8161",
	 &family_ar8161,
	 {{0x1480, 4, 0x000000c3, 0x0600c000},
	  {0x149c, 4, 1522, 0x2000},
	  {0x1604, 4, 0, 0x7fffffff},
	  {0x1400, 4, 0, 0xc00}}},
	{"via-rhine",
	 &family_via_rhine,
	 {{0x06, 1, 0x0a, 0x14}, {0x07, 1, 0, 6}, {0x0e, 2, 0, 0xff}}},
	{"yukon2",
	 &family_yukon2,
	 {{0x280c, 2, 0x6000, 0x8000},
	  {0x434, 4, 0, 0x3000},
	  {0xc48, 4, 8, 0x03000000},
	  {0xe80, 4, 0x18, 0}}},
	{"dfe580tx",
	 &family_dfe580tx,
	 {{0x5c, 1, 0x05, 0x1a}, {0x50, 2, 0, 0x260}, {0x4c, 2, 0, 0x7ff}, {0x52, 2, 0, 0x0920}}},
	{"vt6122",
	 &family_vt6122,
	 {{0x06, 1, 0x08, 0x74}, {0x07, 1, 0, 1}, {0x7e, 2, 0, 5}, {0x28, 4, 0, 0xffff}}},
};

struct side {
	const struct family *family;
	struct nic *nic;
	struct dma *dma;
	struct clock clock;
	struct port port;
	struct drive drive;
	uint8_t *memory;
	uint64_t sent, budget, levels;
	uint64_t changes; /* seed of what is changed before the next write; 0: nothing */
};

static struct side sides[2];
static uint64_t seed;

static uint32_t draw_of(uint64_t *from, uint32_t below)
{
	*from = *from * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*from >> 33) % below;
}

static uint32_t draw(uint32_t below)
{
	return draw_of(&seed, below);
}

static void bus_line(void *context, bool level)
{
	((struct side *)context)->levels += 1 + level;
}

static void bus_message(void *context, unsigned vector)
{
	(void)vector;
	((struct side *)context)->levels += 3;
}

static void bus_schedule(void *context)
{
	(void)context;
}

static void mix(struct side *side, uint64_t value)
{
	side->sent = (side->sent ^ value) * 0x100000001b3;
}

/* Takes as many frames as the step's budget has left. */
static unsigned transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct side *side = port->context;
	unsigned taken = count < side->budget ? count : (unsigned)side->budget;

	for (unsigned i = 0; i < taken; i++) {
		static uint8_t whole[FRAME_MAX];

		frame_copy(&frames[i], 0, whole, frames[i].length);
		for (uint32_t k = 0; k < frames[i].length; k++)
			mix(side, whole[k]);
		mix(side, frames[i].length | (uint64_t)frames[i].flags << 32);
	}
	side->budget -= taken;
	return taken;
}

/* Bits of a word, a length that is small, a buffer at the end of memory or nowhere. */
static void slot_change(uint8_t *slot, uint64_t *from)
{
	uint32_t word, at = draw_of(from, 4) * 4, kind = draw_of(from, 8);

	memcpy(&word, slot + at, sizeof(word));
	if (kind < 5)
		word ^= 1u << draw_of(from, 32) | 1u << draw_of(from, 32);
	else if (kind == 5)
		word = draw_of(from, 70);
	else if (kind == 6)
		word = MEMORY - draw_of(from, 3000);
	else
		word ^= draw_of(from, 1u << 31) << draw_of(from, 2);
	memcpy(slot + at, &word, sizeof(word));
}

static void area_change(struct side *side, uint32_t at, unsigned slots, unsigned size)
{
	unsigned count = draw_of(&side->changes, 3) ? draw_of(&side->changes, 6)
						    : draw_of(&side->changes, slots);

	while (count--)
		slot_change(side->memory + at + draw_of(&side->changes, slots) * size,
			    &side->changes);
}

static void rings_change(struct side *side)
{
	const struct family *family = side->family;
	bool blocks = family == &family_i82559; /* its slots are not close together */

	area_change(side, TX_RING, family->tx_slots ? family->tx_slots : 64, blocks ? 64 : 16);
	area_change(side, blocks ? RX_BUFFERS : RX_RING, family->rx_slots ? family->rx_slots : 64,
		    blocks ? RX_STRIDE : 16);
	side->changes = 0;
}

static void work(struct side *side)
{
	for (unsigned n = 0; n < 20 && nic_work(side->nic); n++)
		;
}

static void side_write(struct drive *drive, uint32_t reg, unsigned width, uint32_t value)
{
	struct side *side = drive->context;

	if (side->changes)
		rings_change(side);
	nic_bar_write(side->nic, side->family->bar, reg, width, value);
	work(side);
}

static uint32_t side_read(struct drive *drive, uint32_t reg, unsigned width)
{
	struct side *side = drive->context;

	return (uint32_t)nic_bar_read(side->nic, side->family->bar, reg, width);
}

static bool start(struct side *side, const struct card *card)
{
	static const struct port_ops ops = {.transmit = transmit, .offloads = true};
	const struct bus bus = {side,	     side->dma = dma_new(), &side->clock, bus_line,
				bus_message, bus_schedule,	    NULL};

	clock_init(&side->clock, true);
	side->port = (struct port){.ops = &ops, .context = side};
	side->memory = calloc(1, MEMORY + TAIL);
	if (!side->memory || dma_map_host(side->dma, 0, MEMORY, side->memory, DMA_READ | DMA_WRITE))
		return false;
	dma_enable(side->dma, true);
	side->nic = nic_new(card, engine_mac, &bus);
	if (side->nic)
		nic_attach(side->nic, &side->port);
	return side->nic;
}

static void frame_draw(uint8_t *data, uint32_t length)
{
	static const uint8_t ip[] = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17};

	for (uint32_t i = 0; i < length; i++)
		data[i] = (uint8_t)draw(256);
	if (draw(8))
		memcpy(data, engine_mac, 6);
	else if (draw(2))
		memset(data, 0xff, 6);
	memcpy(data + 12, draw(6) ? "\x08\x00" : draw(2) ? "\x81\x00" : "\x86\xdd", 2);
	if (draw(2) && length >= 14 + sizeof(ip))
		memcpy(data + 14, ip, sizeof(ip));
}

/* Headers of frames to be sent: checksums are asked for where there are none, too. */
void frames_fill(uint8_t *memory, uint32_t length)
{
	for (unsigned i = 0; i < FRAMES; i++)
		frame_draw(memory + tx_buffer(i, length), length < 60 ? length : 60);
}

bool frame_read(const struct drive *drive, struct sink *sink, uint32_t at, uint32_t length)
{
	(void)sink;
	return at < MEMORY && length == drive->length;
}

static void episode(void)
{
	uint32_t length = draw(3) ? 60 + draw(1440) : 60;

	length &= ~1u;
	frames_fill(sides[0].memory, length);
	memcpy(sides[1].memory + TX_BUFFERS, sides[0].memory + TX_BUFFERS, RX_BUFFERS - TX_BUFFERS);
	for (unsigned i = 0; i < 2; i++) {
		struct side *side = &sides[i];

		side->budget = 1000;
		side->drive = (struct drive){.write = side_write,
					     .read = side_read,
					     .context = side,
					     .memory = side->memory,
					     .length = length};
		side->family->program(&side->drive);
	}
}

static void step_transmit(uint64_t changes)
{
	unsigned budget = draw(4) ? 1000 : draw(20), count = 1 + draw(FRAMES_MOST);

	for (unsigned i = 0; i < 2; i++) {
		struct side *side = &sides[i];

		side->changes = changes;
		side->budget = budget;
		side->family->send(&side->drive, count);
		side->budget = 1000;
		port_writable(&side->port);
		work(side);
	}
}

static void step_receive(uint64_t changes)
{
	static uint8_t data[16][2048];
	static struct frame frames[16];
	unsigned count = 1 + draw(16), room = draw(FRAMES_MOST), taken[2];

	for (unsigned i = 0; i < count; i++) {
		uint32_t length = draw(8) ? 60 + draw(1455) : 14 + draw(2000);

		frame_draw(data[i], length);
		frames[i] = (struct frame){
			.iovs = 1, .length = length, .flags = draw(6) ? 0 : FRAME_VALID};
		frames[i].iov[0] = (struct iovec){data[i], length};
	}
	for (unsigned i = 0; i < 2; i++) {
		sides[i].changes = changes;
		sides[i].family->room(&sides[i].drive, room);
		if (sides[i].changes)
			rings_change(&sides[i]);
		taken[i] = nic_receive(sides[i].nic, frames, count);
		mix(&sides[i], taken[i]);
	}
}

static void step_registers(const struct tested *tested)
{
	const struct option *option = &tested->options[draw(4)];
	uint32_t value = option->always | ((draw(1u << 30) << 2 | draw(4)) & option->may);

	for (unsigned i = 0; i < 2; i++) {
		if (option->width)
			side_write(&sides[i].drive, option->reg, option->width, value);
		clock_turn(&sides[i].clock, 2000);
		work(&sides[i]);
	}
}

static bool runs_differ(const struct ring_run *a, const struct ring_run *b)
{
	return a->state != b->state || a->position != b->position || a->finished != b->finished ||
	       a->waits != b->waits || memcmp(a->context, b->context, sizeof(a->context)) != 0;
}

/* What differs first, or NULL. */
static const char *state_differs(const struct card *card)
{
	static char text[100];
	const struct nic *a = sides[0].nic, *b = sides[1].nic;

	for (unsigned i = 0; i < card->words; i++) {
		if (a->state[i] == b->state[i])
			continue;
		snprintf(text, sizeof(text), "state word %u: 0x%llx, 0x%llx", i,
			 (unsigned long long)a->state[i], (unsigned long long)b->state[i]);
		return text;
	}
	for (unsigned i = 0; i < card->rings_count; i++) {
		if (!runs_differ(&a->rings[i], &b->rings[i]))
			continue;
		snprintf(text, sizeof(text), "ring %s", card->rings[i].name);
		return text;
	}
	if (memcmp(&a->stats, &b->stats, sizeof(a->stats)))
		return "statistics";
	return sides[0].sent != sides[1].sent	    ? "frames"
	       : sides[0].levels != sides[1].levels ? "interrupts"
						    : NULL;
}

static const char *memory_differs(uint32_t at, uint32_t length)
{
	static char text[100];
	const uint8_t *a = sides[0].memory + at, *b = sides[1].memory + at;
	uint32_t i = 0;

	if (!memcmp(a, b, length))
		return NULL;
	while (a[i] == b[i])
		i++;
	snprintf(text, sizeof(text), "memory at 0x%x: 0x%x, 0x%x", at + i, a[i], b[i]);
	return text;
}

static const char *step(const struct tested *tested, const struct card *card)
{
	unsigned kind = draw(9);
	uint64_t changes = draw(3) ? 0 : draw(1u << 30) + 1ull;
	const char *wrong;

	if (kind < 4)
		step_transmit(changes);
	else if (kind < 8)
		step_receive(changes);
	else
		step_registers(tested);
	wrong = state_differs(card);
	return wrong ? wrong : memory_differs(TX_RING, BLOCK + 4096 - TX_RING);
}

static bool run(const struct tested *tested, const struct card *card, unsigned episodes)
{
	const char *wrong = NULL;

	for (unsigned i = 0; i < episodes && !wrong; i++) {
		episode();
		for (unsigned k = 0; k < STEPS && !wrong; k++) {
			wrong = step(tested, card);
			if (wrong)
				printf("episode %u, step %u: %s\n", i, k, wrong);
		}
	}
	if (!wrong && (wrong = memory_differs(0, MEMORY)))
		printf("%s\n", wrong);
	return !wrong;
}

/*
 * Rings whose slots say what they are; those of the second side go the long way, as do
 * frames that are spread on either.
 */
static bool rings_have_plans(const struct card *card)
{
	bool all = true;

	for (unsigned i = 0; i < card->rings_count; i++) {
		const struct ring *ring = &card->rings[i];

		bool steered = ring->direction == RING_RECEIVE && card->filter.steer.present;

		if (ring->next <= NEXT_CHAIN && ring->direction != RING_COMPLETION && !steered &&
		    !ring->commands && !ring->sum_from.count && !sides[0].nic->plans[i].usable) {
			printf("ring %s has no plans\n", ring->name);
			all = false;
		}
		sides[1].nic->plans[i].usable = false;
	}
	return all;
}

static const struct tested *tested_of(const struct card *card)
{
	for (unsigned i = 0; i < sizeof(all_tested) / sizeof(*all_tested); i++) {
		if (!strcmp(all_tested[i].card, card->name))
			return &all_tested[i];
	}
	return NULL;
}

enum { SAME, DIFFERENT, USAGE, NO_DRIVER, NO_PLANS }; /* exit status */

int main(int argc, char **argv)
{
	struct mistakes mistakes = {0};
	struct card *card = argc == 4 ? card_read_file(argv[1], &mistakes) : NULL;
	const struct tested *tested = card ? tested_of(card) : NULL;
	const struct nic_stats *stats;
	bool good;

	mistakes_print(&mistakes, stderr);
	if (!card || !start(&sides[0], card) || !start(&sides[1], card))
		return USAGE;
	if (!rings_have_plans(card))
		return NO_PLANS;
	if (!tested)
		return NO_DRIVER;
	sides[0].family = sides[1].family = tested->family;
	seed = (uint64_t)atoll(argv[2]);
	good = run(tested, card, (unsigned)atoi(argv[3]));
	stats = nic_stats(sides[0].nic);
	printf("%llu sent, %llu received\n", (unsigned long long)stats->tx_frames,
	       (unsigned long long)stats->rx_frames);
	good &= stats->tx_frames && stats->rx_frames;
	for (unsigned i = 0; i < 2; i++) {
		nic_free(sides[i].nic);
		dma_free(sides[i].dma);
		free(sides[i].memory);
	}
	mistakes_free(&mistakes);
	card_free(card);
	return good ? SAME : DIFFERENT;
}
