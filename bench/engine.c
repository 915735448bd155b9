/* SPDX-License-Identifier: Apache-2.0 */

/*
 * CPU time a frame of the engine alone, no guest: ours, QEMU's model of the same
 * card, and for one card a loop written by hand. One descriptor a frame, a run
 * of frames for each doorbell, interrupts masked. Whoever transmits hands to a
 * sink that reads every byte; what is received is read afterwards, untimed, and
 * both sides must have read the same.
 *
 *   ours    doorbells by nic_bar_write, then nic_work or a port's batches of 64; CPU
 *           time of this process, with what the driver writes into descriptors, less
 *           that of as many writes without work, as theirs.
 *   theirs  a stock QEMU under qtest; its process's CPU time less that of as many
 *           qtest messages without work. tx: through QEMU's net queue and dgram
 *           netdev, whose send() is replaced by the sink (a preloaded library), so
 *           no system call is in. rx: frames of an e1000 through a hub, less frames
 *           to a hub with nobody else: the receiver and one pass of the net queue
 *           are left. Of these models only the rtl8139 computes an FCS; we always do,
 *           unless the card strips it (e1000 here).
 *   hand    engine_hand.c.
 */
#include "engine.h"

#include "card/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TURNS_MAX = 99, SIDES = 3, LONG = 1500 };
enum side { OURS, THEIRS, HAND };

const uint8_t engine_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
static const struct family *const families[] = {
	&family_e1000, &family_rtl8139, &family_rtl8139cp, &family_pcnet,
	&family_tulip, &family_ne2000,	&family_i82559,
};

struct options {
	const struct family *family;
	const struct card *card;
	struct theirs *theirs;
	unsigned turns, frames;
	bool fcs;
};

uint64_t cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void frame_fill(uint8_t *frame, unsigned index, uint32_t length)
{
	uint32_t value = index + 1;

	for (uint32_t i = 14; i < length; i++) {
		value = value * 1664525 + 1013904223;
		frame[i] = (uint8_t)(value >> 24);
	}
	memcpy(frame, engine_mac, 6);
	memcpy(frame + 6, "\x02\x00\x00\x00\x00\x01\x88\xb5", 8);
}

void frames_fill(uint8_t *memory, uint32_t length)
{
	memset(memory + RX_BUFFERS, 0, 512 * RX_STRIDE);
	for (unsigned i = 0; i < FRAMES; i++)
		frame_fill(memory + tx_buffer(i, length), i, length);
}

bool frame_read(const struct drive *drive, struct sink *sink, uint32_t at, uint32_t length)
{
	sink_read(sink, drive->memory + at, drive->length);
	return length == drive->length;
}

static bool sample_take(const struct options *options, enum side side, const struct job *job,
			struct sample *sample)
{
	switch (side) {
	case OURS:
		return ours_run(options->card, job, sample);
	case THEIRS:
		return !options->theirs || theirs_run(options->theirs, job, sample);
	default:
		return !options->family->hand || hand_run(job, sample);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static bool same(const struct sink *a, const struct sink *b)
{
	return a->frames == b->frames && a->bytes == b->bytes && a->sum == b->sum;
}

static bool job_of(const struct options *options, bool receives, uint32_t length, struct job *job)
{
	const struct family *family = options->family;
	unsigned run = (receives ? family->takes : family->sends)[length == LONG];
	unsigned frames = options->frames / (length == LONG ? 4 : 1);

	*job = (struct job){.family = family,
			    .receives = receives,
			    .fcs = options->fcs,
			    .length = length,
			    .run = run};
	job->rounds = frames / FRAMES * (FRAMES / run) & ~(2 * FRAMES / run - 1); /* whole laps */
	return job->rounds;
}

/* Sides in turns, each turn beginning with another one. */
static bool workload(const struct options *options, const char *name, bool receives,
		     uint32_t length)
{
	static const char *names[SIDES] = {"ours", "theirs", "hand"};
	const char *card = options->family->name;
	double theirs[TURNS_MAX], hand[TURNS_MAX], ns[SIDES][TURNS_MAX];
	struct sample samples[SIDES] = {0};
	struct job job;

	if (!job_of(options, receives, length, &job))
		return false;
	for (unsigned turn = 0; turn < options->turns; turn++) {
		for (unsigned k = 0; k < SIDES; k++) {
			enum side side = (turn + k) % SIDES;

			if (!sample_take(options, side, &job, &samples[side]))
				return false;
			ns[side][turn] = samples[side].ns;
		}
		theirs[turn] = samples[THEIRS].ns / samples[OURS].ns;
		hand[turn] = samples[OURS].ns / samples[HAND].ns;
	}
	for (unsigned side = 0; side < SIDES; side++) {
		if ((side == THEIRS && !options->theirs) ||
		    (side == HAND && !options->family->hand))
			continue;
		printf("  engine %-9s %-6s %-6s %7.1f ns a frame; read %llu frames, sum %llx\n",
		       card, name, names[side], median(ns[side], options->turns),
		       (unsigned long long)samples[side].sink.frames,
		       (unsigned long long)samples[side].sink.sum);
		if (!options->fcs && !same(&samples[side].sink, &samples[OURS].sink)) {
			fprintf(stderr, "%s did not read what we did\n", names[side]);
			return false;
		}
	}
	if (options->theirs)
		printf("ratio engine.%s.%s %.2f\n", card, name, median(theirs, options->turns));
	if (options->family->hand)
		printf("ratio engine.%s.%s.hand %.2f\n", card, name, median(hand, options->turns));
	return fflush(stdout) == 0;
}

static bool family_choose(struct options *options, const char *path)
{
	struct mistakes mistakes = {0};

	for (unsigned i = 0; i < sizeof(families) / sizeof(*families); i++) {
		char name[40];

		snprintf(name, sizeof(name), "/%s/card.xml", families[i]->name);
		if (strstr(path, name))
			options->family = families[i];
	}
	options->card = options->family ? card_read_file(path, &mistakes) : NULL;
	mistakes_print(&mistakes, stderr);
	mistakes_free(&mistakes);
	return options->card;
}

static bool workloads(const struct options *options, const char *only)
{
	static const char *names[] = {"tx64", "tx1500", "rx64", "rx1500"};
	bool good = true;

	for (unsigned i = 0; good && i < 4; i++) {
		if (!*only || !strcmp(only, names[i]))
			good = workload(options, names[i], i >= 2, i % 2 ? LONG : 64);
	}
	return good;
}

int main(int argc, char **argv)
{
	struct options options = {.turns = 7, .frames = 512 << 10};
	const char *qemu = NULL, *preload = NULL, *only = "";
	bool good;

	if (argc < 2) {
		fprintf(stderr,
			"usage: %s CARD.XML [qemu=PROGRAM preload=LIBRARY] [only=NAME] "
			"[turns=N] [frames=N] [fcs]\n",
			argv[0]);
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (!strncmp(argv[i], "qemu=", 5))
			qemu = argv[i] + 5;
		else if (!strncmp(argv[i], "preload=", 8))
			preload = argv[i] + 8;
		else if (!strncmp(argv[i], "only=", 5))
			only = argv[i] + 5;
		else if (!strcmp(argv[i], "fcs"))
			options.fcs = true;
		else if (sscanf(argv[i], "turns=%u", &options.turns) != 1 &&
			 sscanf(argv[i], "frames=%u", &options.frames) != 1)
			return 2;
	}
	if (options.turns < 1 || options.turns > TURNS_MAX || !family_choose(&options, argv[1]) ||
	    (qemu && !(options.theirs = theirs_start(options.family, qemu, preload))))
		return 1;
	good = workloads(&options, only);
	if (options.theirs)
		theirs_stop(options.theirs);
	card_free((struct card *)options.card);
	return good ? 0 : 1;
}
