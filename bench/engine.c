/* SPDX-License-Identifier: Apache-2.0 */

/*
 * CPU time a frame of the engine alone, no guest: ours, QEMU's e1000, and a loop
 * written by hand. Legacy descriptors, one a frame, 256 for each write of the
 * tail, a ring of 512, interrupts masked, FCS stripped. Whoever transmits hands
 * to a sink that reads every byte; what is received is read afterwards, untimed.
 *
 *   ours    tail written by nic_bar_write, then nic_work or a port's batches of
 *           64; CPU time of this process. The message a VMM would send is not in.
 *           These frames take the engine's short way: offloads, tags and frames of
 *           several slots do not, and cost many times as much (see architecture.md).
 *   theirs  a stock QEMU under qtest; its process's CPU time less that of as many
 *           qtest messages without work. tx: through QEMU's net queue and dgram
 *           netdev, whose send() is replaced by the sink (a preloaded library), so
 *           no system call is in. rx: frames of another e1000 through a hub, less
 *           frames to a hub with nobody else: the receiver and one pass of the net
 *           queue are left. With FCS stripped neither side computes a CRC.
 *   hand    engine_hand.c.
 */
#include "engine.h"

#include "card/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TURNS_MAX = 99, SIDES = 3 };
enum side { OURS, THEIRS, HAND };

const uint8_t engine_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

struct options {
	const struct card *card;
	struct theirs *theirs;
	unsigned turns, rounds;
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

void layout_fill(uint8_t *memory, uint32_t length)
{
	for (unsigned i = 0; i < RING; i++) {
		const struct tx_slot tx = {.address = tx_buffer(i, length),
					   .length = (uint16_t)length,
					   .command = TX_EOP | TX_IFCS | TX_RS};
		const struct rx_slot rx = {.address = RX_BUFFERS + i * RX_STRIDE};

		memcpy(memory + TX_RING + i * sizeof(tx), &tx, sizeof(tx));
		memcpy(memory + RX_RING + i * sizeof(rx), &rx, sizeof(rx));
		memset(memory + rx.address, 0, RX_STRIDE);
		frame_fill(memory + tx.address, i % RUN, length);
	}
}

bool layout_received(const uint8_t *memory, struct sink *sink)
{
	*sink = (struct sink){0};
	for (unsigned i = 0; i < RING; i++) {
		struct rx_slot slot;

		memcpy(&slot, memory + RX_RING + i * sizeof(slot), sizeof(slot));
		if ((slot.status & (DD | EOP)) != (DD | EOP)) {
			fprintf(stderr, "received slot %u has status %x\n", i, slot.status);
			return false;
		}
		sink_read(sink, memory + slot.address, slot.length);
	}
	return true;
}

static bool sample_take(const struct options *options, enum side side, bool receives,
			uint32_t length, struct sample *sample)
{
	unsigned rounds = options->rounds / (length > 1000 ? 4 : 1);

	switch (side) {
	case OURS:
		return ours_run(options->card, receives, length, rounds, options->fcs, sample);
	case THEIRS:
		return !options->theirs ||
		       theirs_run(options->theirs, receives, length, rounds, sample);
	default:
		return hand_run(receives, length, rounds, sample);
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

/* Sides in turns, each turn beginning with another one. */
static bool workload(const struct options *options, const char *name, bool receives,
		     uint32_t length)
{
	static const char *names[SIDES] = {"ours", "theirs", "hand"};
	double theirs[TURNS_MAX], hand[TURNS_MAX], ns[SIDES][TURNS_MAX];
	struct sample samples[SIDES] = {0};

	for (unsigned turn = 0; turn < options->turns; turn++) {
		for (unsigned k = 0; k < SIDES; k++) {
			enum side side = (turn + k) % SIDES;

			if (!sample_take(options, side, receives, length, &samples[side]))
				return false;
			ns[side][turn] = samples[side].ns;
		}
		theirs[turn] = samples[THEIRS].ns / samples[OURS].ns;
		hand[turn] = samples[OURS].ns / samples[HAND].ns;
	}
	for (unsigned side = 0; side < SIDES; side++) {
		if (side == THEIRS && !options->theirs)
			continue;
		printf("  engine %-6s %-6s %7.1f ns a frame; read %llu frames, sum %llx\n", name,
		       names[side], median(ns[side], options->turns),
		       (unsigned long long)samples[side].sink.frames,
		       (unsigned long long)samples[side].sink.sum);
		if (!options->fcs && !same(&samples[side].sink, &samples[OURS].sink)) {
			fprintf(stderr, "%s did not read what we did\n", names[side]);
			return false;
		}
	}
	if (options->theirs)
		printf("ratio engine.e1000.%s %.2f\n", name, median(theirs, options->turns));
	printf("ratio engine.e1000.%s.hand %.2f\n", name, median(hand, options->turns));
	return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	struct options options = {.turns = 7, .rounds = 2000};
	struct mistakes mistakes = {0};
	const char *qemu = NULL, *preload = NULL, *only = "";
	struct card *card;
	bool good = true;

	if (argc < 2) {
		fprintf(stderr,
			"usage: %s CARD.XML [qemu=PROGRAM preload=LIBRARY] [only=NAME] "
			"[turns=N] [rounds=N] [fcs]\n",
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
			 sscanf(argv[i], "rounds=%u", &options.rounds) != 1)
			return 2;
	}
	if (options.turns < 1 || options.turns > TURNS_MAX || options.rounds < 8)
		return 2;
	card = card_read_file(argv[1], &mistakes);
	mistakes_print(&mistakes, stderr);
	if (!card || (qemu && !(options.theirs = theirs_start(qemu, preload))))
		return 1;
	options.card = card;
	for (unsigned i = 0; good && i < 4; i++) {
		static const char *names[] = {"tx64", "tx1500", "rx64", "rx1500"};

		if (!*only || !strcmp(only, names[i]))
			good = workload(&options, names[i], i >= 2, i % 2 ? 1500 : 64);
	}
	if (options.theirs)
		theirs_stop(options.theirs);
	mistakes_free(&mistakes);
	card_free(card);
	return good ? 0 : 1;
}
