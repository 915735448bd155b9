/* SPDX-License-Identifier: Apache-2.0 */

/* Our engine on the described card: registers by nic_bar_write, a port that counts. */
#include "engine.h"

#include "nic/nic.h"

#include <stdio.h>
#include <stdlib.h>

enum { PORT_BATCH = 64 }; /* frames a back-end hands over at once; divides RUN */

struct bench {
	struct nic *nic;
	struct dma *dma;
	struct clock clock;
	struct port port;
	struct sink sink;
	uint8_t *memory;
};

static void bus_line(void *context, bool level)
{
	(void)context;
	(void)level;
}

static void bus_message(void *context, unsigned vector)
{
	(void)context;
	(void)vector;
}

static void bus_schedule(void *context)
{
	(void)context; /* the loops below work after each write of a tail anyway */
}

static unsigned port_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct bench *bench = port->context;
	struct sink sink = bench->sink;

	for (const struct frame *frame = frames; frame < frames + count; frame++) {
		sink_read(&sink, frame->iov[0].iov_base, frame->iov[0].iov_len);
		for (unsigned k = 1; k < frame->iovs; k++) {
			sink_read(&sink, frame->iov[k].iov_base, frame->iov[k].iov_len);
			sink.frames--; /* one, in pieces */
		}
	}
	bench->sink = sink;
	return count;
}

static void bench_write(struct bench *bench, uint32_t reg, uint32_t value)
{
	nic_bar_write(bench->nic, 0, reg, 4, value);
	while (nic_work(bench->nic))
		;
}

static void program(struct bench *bench, bool fcs)
{
	const uint32_t writes[][2] = {
		{REG_TDBAL, TX_RING}, {REG_TDBAH, 0}, {REG_TDLEN, RING * 16},
		{REG_TDH, 0},	      {REG_TDT, 0},   {REG_TCTL, TCTL_EN},
		{REG_RDBAL, RX_RING}, {REG_RDBAH, 0}, {REG_RDLEN, RING * 16},
		{REG_RDH, 0},	      {REG_RDT, 0},   {REG_RCTL, RCTL_EN | (fcs ? 0 : RCTL_SECRC)},
	};

	for (unsigned i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		bench_write(bench, writes[i][0], writes[i][1]);
}

/* A tail for each RUN frames; what is received comes from FRAMES. */
static void run(struct bench *bench, const struct frame *frames, bool receives, unsigned rounds)
{
	const struct port_peer *peer = &bench->port.peer;

	for (unsigned i = 1; i <= rounds; i++) {
		bench_write(bench, receives ? REG_RDT : REG_TDT, i * RUN % RING);
		for (unsigned done = 0; receives && done < RUN; done += PORT_BATCH)
			peer->receive(peer->context, frames + done, PORT_BATCH);
	}
}

/* One batch from the network, as a back-end hands it over: frames where it read them. */
static struct frame *source(const struct bench *bench, uint32_t length)
{
	struct frame *frames = calloc(RUN, sizeof(*frames));

	for (unsigned i = 0; frames && i < RUN; i++) {
		frames[i].iovs = 1;
		frames[i].length = length;
		frames[i].iov[0].iov_base = bench->memory + tx_buffer(i, length);
		frames[i].iov[0].iov_len = length;
	}
	return frames;
}

static bool measure(struct bench *bench, bool receives, uint32_t length, unsigned rounds,
		    struct sample *sample)
{
	struct frame *frames = source(bench, length);
	bool good = true;
	uint64_t begin;

	run(bench, frames, receives, 2); /* warm, and back where the ring began */
	bench->sink = (struct sink){0};
	begin = cpu_now();
	run(bench, frames, receives, rounds);
	sample->ns = (double)(cpu_now() - begin) / ((double)RUN * rounds);
	if (receives)
		good = layout_received(bench->memory, &bench->sink);
	sample->sink = bench->sink;
	free(frames);
	return good;
}

bool ours_run(const struct card *card, bool receives, uint32_t length, unsigned rounds, bool fcs,
	      struct sample *sample)
{
	static const struct port_ops ops = {.transmit = port_transmit, .offloads = true};
	static struct bench bench;
	struct bus bus = {&bench, NULL, &bench.clock, bus_line, bus_message, bus_schedule};
	bool good;

	bench = (struct bench){.port = {.ops = &ops, .context = &bench}};
	clock_init(&bench.clock, false);
	bench.memory = aligned_alloc(4096, MEMORY);
	bus.memory = bench.dma = dma_new();
	memset(bench.memory, 0, MEMORY);
	layout_fill(bench.memory, length);
	dma_map_host(bench.dma, 0, MEMORY, bench.memory, DMA_READ | DMA_WRITE);
	dma_enable(bench.dma, true);
	bench.nic = nic_new(card, engine_mac, &bus);
	nic_attach(bench.nic, &bench.port);
	program(&bench, fcs);
	good = measure(&bench, receives, length, rounds, sample);
	nic_free(bench.nic);
	dma_free(bench.dma);
	free(bench.memory);
	return good;
}
