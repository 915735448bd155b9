/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two NICs of one card, one of which always takes the long way, are given the
 * same random descriptors, frames and registers: guest memory, registers and
 * what went to the network must stay the same. short-way CARD.XML SEED STEPS
 */
#include "card/reader.h"
#include "nic/state.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMORY = 1 << 20, TX_RING = 0x1000, RX_RING = 0x2000, BUFFERS = 0x10000, ENTRIES = 64 };

struct side {
	struct nic *nic;
	struct dma *dma;
	struct clock clock;
	struct port port;
	uint8_t *memory;
	uint64_t sent, budget, levels;
};

static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static struct side sides[2];
static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void bus_line(void *context, bool level)
{
	((struct side *)context)->levels += 1 + level;
}

static void bus_message(void *context, unsigned vector)
{
	(void)context;
	(void)vector;
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

static bool start(struct side *side, const struct card *card)
{
	static const struct port_ops ops = {.transmit = transmit, .offloads = true};
	const struct bus bus = {side,	  side->dma = dma_new(), &side->clock,
				bus_line, bus_message,		 bus_schedule, NULL};

	clock_init(&side->clock, true);
	side->port = (struct port){.ops = &ops, .context = side};
	side->memory = calloc(1, MEMORY);
	if (!side->memory || dma_map_host(side->dma, 0, MEMORY, side->memory, DMA_READ | DMA_WRITE))
		return false;
	dma_enable(side->dma, true);
	side->nic = nic_new(card, mac, &bus);
	if (side->nic)
		nic_attach(side->nic, &side->port);
	return side->nic;
}

static void both_write(uint32_t reg, uint32_t value)
{
	for (unsigned i = 0; i < 2; i++)
		nic_bar_write(sides[i].nic, 0, reg, 4, value);
}

static void both_store(uint32_t at, const void *data, size_t length)
{
	for (unsigned i = 0; i < 2; i++)
		memcpy(sides[i].memory + at, data, length);
}

/* Most slots are plain, so that there are runs; the others are anything. */
static void tx_slot(unsigned index)
{
	uint64_t words[2] = {BUFFERS + draw(0x10000), 0};
	uint32_t command = draw(8) ? 0x0b : draw(256), dtyp = draw(8) ? 0 : draw(3);

	if (draw(30) == 0)
		words[0] = MEMORY - draw(100);
	words[1] = (draw(20) ? 60 + draw(1400) : draw(30)) | (uint64_t)command << 24 | dtyp << 20 |
		   (uint64_t)draw(2) << 32 | (uint64_t)draw(64) << 40 | (uint64_t)draw(4096) << 48;
	both_store(TX_RING + index * 16, words, sizeof(words));
}

static void rx_slot(unsigned index)
{
	uint64_t words[2] = {0x40000 + index * 2048u, draw(100)};

	if (draw(20) == 0)
		words[0] = draw(2) ? 0 : MEMORY - draw(100);
	both_store(RX_RING + index * 16, words, sizeof(words));
}

static uint32_t tail_tx, tail_rx;

static void step_transmit(void)
{
	unsigned budget = draw(4) ? 1000 : draw(20);

	for (unsigned n = draw(40); n; n--) {
		tx_slot(tail_tx);
		tail_tx = (tail_tx + 1) % ENTRIES;
	}
	both_write(0x3818, tail_tx);
	for (unsigned i = 0; i < 2; i++) {
		sides[i].budget = budget;
		sides[i].port.peer.writable(sides[i].port.peer.context);
		for (unsigned n = 0; n < 20 && nic_work(sides[i].nic); n++)
			;
		sides[i].budget = 1000;
		sides[i].port.peer.writable(sides[i].port.peer.context);
		for (unsigned n = 0; n < 20 && nic_work(sides[i].nic); n++)
			;
	}
}

static void frame_draw(uint8_t *data, uint32_t length)
{
	static const uint8_t ip[] = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17};

	for (uint32_t i = 0; i < length; i++)
		data[i] = (uint8_t)draw(256);
	if (draw(8))
		memcpy(data, mac, 6);
	else if (draw(2))
		memset(data, 0xff, 6);
	memcpy(data + 12, draw(6) ? "\x08\x00" : draw(2) ? "\x81\x00" : "\x86\xdd", 2);
	if (draw(2) && length >= 14 + sizeof(ip))
		memcpy(data + 14, ip, sizeof(ip));
}

static void step_receive(void)
{
	static uint8_t data[16][2048];
	static struct frame frames[16];
	unsigned count = 1 + draw(16), taken[2];

	for (unsigned n = draw(24); n; n--) {
		rx_slot(tail_rx);
		tail_rx = (tail_rx + 1) % ENTRIES;
	}
	both_write(0x2818, tail_rx);
	for (unsigned i = 0; i < count; i++) {
		uint32_t length = draw(8) ? 60 + draw(1455) : 14 + draw(2000);

		frame_draw(data[i], length);
		frames[i] = (struct frame){
			.iovs = 1, .length = length, .flags = draw(6) ? 0 : FRAME_VALID};
		frames[i].iov[0] = (struct iovec){data[i], length};
	}
	for (unsigned i = 0; i < 2; i++)
		taken[i] = nic_receive(sides[i].nic, frames, count);
	mix(&sides[0], taken[0]);
	mix(&sides[1], taken[1]);
}

static void step_registers(void)
{
	static const uint32_t some[][2] = {{0x100, 0x0783803e}, {0x400, 0xa}, {0x0, 0x40000000},
					   {0x5000, 0x300},	{0x3820, 3},  {0x38, 0xffff},
					   {0xd0, 0xff},	{0xd8, 0xff}, {0x2820, 3}};
	unsigned which = draw(sizeof(some) / sizeof(*some));
	uint32_t value = (uint32_t)(draw(1u << 30) << 2 | draw(4)) & some[which][1];

	if (which == 0)
		value |= 2 | (draw(2) ? 1u << 26 : 0);
	if (which == 1)
		value |= 2;
	both_write(some[which][0], value);
	for (unsigned i = 0; i < 2; i++) {
		mix(&sides[i], nic_bar_read(sides[i].nic, 0, 0xc0, 4));
		clock_turn(&sides[i].clock, 2000);
	}
}

static bool same(const struct card *card)
{
	return !memcmp(sides[0].memory, sides[1].memory, MEMORY) &&
	       !memcmp(sides[0].nic->state, sides[1].nic->state, card->words * sizeof(uint64_t)) &&
	       !memcmp(&sides[0].nic->stats, &sides[1].nic->stats, sizeof(struct nic_stats)) &&
	       sides[0].sent == sides[1].sent && sides[0].levels == sides[1].levels;
}

static void program(void)
{
	const uint32_t writes[][2] = {{0x3800, TX_RING},  {0x3808, ENTRIES * 16}, {0x400, 0xa},
				      {0x2800, RX_RING},  {0x2808, ENTRIES * 16}, {0x38, 0x8100},
				      {0x100, 0x04008002}};

	for (unsigned i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		both_write(writes[i][0], writes[i][1]);
	for (uint32_t i = BUFFERS; i < BUFFERS + 0x20000; i++) {
		uint8_t byte = (uint8_t)draw(256);

		both_store(i, &byte, 1);
	}
}

int main(int argc, char **argv)
{
	struct mistakes mistakes = {0};
	struct card *card = argc == 4 ? card_read_file(argv[1], &mistakes) : NULL;
	unsigned steps = card ? (unsigned)atoi(argv[3]) : 0;

	mistakes_print(&mistakes, stderr);
	if (!card || !start(&sides[0], card) || !start(&sides[1], card))
		return 2;
	seed = (uint64_t)atoll(argv[2]);
	for (unsigned i = 0; i < card->rings_count; i++)
		sides[1].nic->plans[i].usable = false;
	program();
	for (unsigned i = 0; i < steps; i++) {
		unsigned kind = draw(9);

		kind < 4 ? step_transmit() : kind < 8 ? step_receive() : step_registers();
		if (!same(card)) {
			printf("step %u (kind %u) differs\n", i, kind);
			return 1;
		}
	}
	printf("%llu sent, %llu received\n", (unsigned long long)nic_stats(sides[0].nic)->tx_frames,
	       (unsigned long long)nic_stats(sides[0].nic)->rx_frames);
	for (unsigned i = 0; i < 2; i++) {
		nic_free(sides[i].nic);
		dma_free(sides[i].dma);
		free(sides[i].memory);
	}
	mistakes_free(&mistakes);
	card_free(card);
	return 0;
}
