/* SPDX-License-Identifier: Apache-2.0 */

/* Our engine on the described card: registers by nic_bar_write, a port that counts. */
#include "engine.h"

#include "module/module.h"
#include "nic/nic.h"

#include <stdio.h>
#include <stdlib.h>

enum { PORT_BATCH = 64 }; /* frames a back-end hands over at once */

struct bench {
	const struct job *job;
	struct nic *nic;
	struct dma *dma;
	struct clock clock;
	struct port port;
	struct sink sink;
	struct drive drive;
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
	(void)context; /* each write is followed by its work anyway */
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

static void bench_write(struct drive *drive, uint32_t reg, unsigned width, uint32_t value)
{
	struct bench *bench = drive->context;

	nic_bar_write(bench->nic, bench->job->family->bar, reg, width, value);
	while (nic_work(bench->nic))
		;
}

static uint32_t bench_read(struct drive *drive, uint32_t reg, unsigned width)
{
	struct bench *bench = drive->context;

	return (uint32_t)nic_bar_read(bench->nic, bench->job->family->bar, reg, width);
}

/* A run of frames, each sent, or handed over as a back-end does. */
static bool run(struct bench *bench, const struct frame *frames, unsigned rounds)
{
	const struct job *job = bench->job;
	const struct port_peer *peer = &bench->port.peer;

	for (unsigned i = 0; i < rounds; i++) {
		const struct frame *from = frames + (size_t)i * job->run % FRAMES;

		if (!job->receives) {
			job->family->send(&bench->drive, job->run);
			continue;
		}
		job->family->room(&bench->drive, job->run);
		for (unsigned done = 0, part; done < job->run; done += part) {
			part = job->run - done < PORT_BATCH ? job->run - done : PORT_BATCH;
			if (peer->receive(peer->context, from + done, part) != part)
				return false;
		}
	}
	return true;
}

/* The same writes of registers, without work. */
static void idle(struct bench *bench, unsigned rounds)
{
	const struct job *job = bench->job;
	const struct drive before = bench->drive;

	for (unsigned i = 0; i < rounds; i++) {
		if (job->receives)
			job->family->room(&bench->drive, 0);
		else
			job->family->idle(&bench->drive, job->run);
		bench->drive = before;
	}
}

/* One batch from the network, as a back-end hands it over: frames where it read them. */
static struct frame *source(const struct bench *bench, uint32_t length)
{
	struct frame *frames = calloc(FRAMES, sizeof(*frames));

	for (unsigned i = 0; frames && i < FRAMES; i++) {
		frames[i].iovs = 1;
		frames[i].length = length;
		frames[i].iov[0].iov_base = bench->memory + tx_buffer(i, length);
		frames[i].iov[0].iov_len = length;
	}
	return frames;
}

static bool measure(struct bench *bench, const struct job *job, struct sample *sample)
{
	struct frame *frames = source(bench, job->length);
	unsigned lap = 2 * FRAMES / job->run; /* all frames, and any ring of 512 once */
	bool good = run(bench, frames, lap);
	uint64_t (*now)(void) = job->waits ? wall_now : cpu_now;
	uint64_t begin, between, spent = 0;

	bench->sink = (struct sink){0};
	for (unsigned done = 0; good && done < job->rounds; done += lap) {
		begin = now();
		good = run(bench, frames, lap);
		between = now();
		idle(bench, lap);
		spent += between - begin - (now() - between);
	}
	sample->ns = (double)(int64_t)spent / ((double)job->run * job->rounds);
	if (good && job->receives)
		good = job->family->received(&bench->drive, &bench->sink);
	sample->sink = bench->sink;
	free(frames);
	return good;
}

static bool module_start(struct bench *bench, const struct card *card)
{
	struct hooks *hooks = card->module ? module_instance(card->module, NULL) : NULL;

	return !card->module || (hooks && nic_hooks(bench->nic, hooks) == 0);
}

bool ours_run(const struct card *card, const struct job *job, struct sample *sample)
{
	static const struct port_ops ops = {.transmit = port_transmit, .offloads = true};
	static struct bench bench;
	struct bus bus = {&bench, NULL, &bench.clock, bus_line, bus_message, bus_schedule, NULL};
	bool good;

	bench = (struct bench){.job = job, .port = {.ops = &ops, .context = &bench}};
	clock_init(&bench.clock, false);
	bench.memory = aligned_alloc(4096, MEMORY);
	bench.drive = (struct drive){.write = bench_write,
				     .read = bench_read,
				     .context = &bench,
				     .memory = bench.memory,
				     .length = job->length,
				     .fcs = job->fcs};
	bus.memory = bench.dma = dma_new();
	memset(bench.memory, 0, MEMORY);
	frames_fill(bench.memory, job->length);
	dma_map_host(bench.dma, 0, MEMORY, bench.memory, DMA_READ | DMA_WRITE);
	dma_enable(bench.dma, true);
	bench.nic = nic_new(card, engine_mac, &bus);
	nic_attach(bench.nic, &bench.port);
	good = module_start(&bench, card);
	job->family->program(&bench.drive);
	good = good && measure(&bench, job, sample);
	if (!good)
		fprintf(stderr, "%s: our frames are not there\n", job->family->name);
	nic_free(bench.nic);
	dma_free(bench.dma);
	free(bench.memory);
	return good;
}
