/* SPDX-License-Identifier: Apache-2.0 */

/*
 * CPU time a frame through a module that passes everything on, beside the same card
 * without one: bench-modules CARD.XML NAME=CARD.XML… [turns=N]. Each turn takes all of
 * them, beginning with another one; a ratio is the median over turns of with to without.
 * A program of its own is measured by the clock, since it works while we wait.
 */
#include "engine.h"

#include "card/reader.h"

#include <stdio.h>
#include <stdlib.h>

enum { CARDS_MAX = 16, TURNS_MAX = 99, ROUNDS = 4000 };

struct contender {
	const char *name;
	struct card *card;
	double ns[TURNS_MAX], ratio[TURNS_MAX];
};

static struct contender contenders[CARDS_MAX];
static unsigned count, turns = 15;

static const struct workload {
	const char *name;
	bool receives;
	uint32_t length;
} workloads[] = {{"tx64", false, 64}, {"rx64", true, 64}, {"tx1500", false, 1500}};

static bool take_turn(const struct workload *workload, unsigned turn)
{
	struct job job = {.family = &family_e1000,
			  .receives = workload->receives,
			  .length = workload->length,
			  .run = FRAMES,
			  .rounds = ROUNDS / (workload->length > 1000 ? 8 : 1)};

	for (unsigned k = 0; k < count; k++) {
		struct contender *at = &contenders[(turn + k) % count];
		struct sample sample;

		job.waits = !strcmp(at->name, "process");
		if (!ours_run(at->card, &job, &sample))
			return false;
		at->ns[turn] = sample.ns;
	}
	for (unsigned k = 0; k < count; k++)
		contenders[k].ratio[turn] = contenders[k].ns[turn] / contenders[0].ns[turn];
	return true;
}

static bool measure(const struct workload *workload)
{
	for (unsigned turn = 0; turn < turns; turn++) {
		if (!take_turn(workload, turn))
			return false;
	}
	for (unsigned k = 0; k < count; k++) {
		printf("  module %-8s %-6s %7.1f ns a frame\n", contenders[k].name, workload->name,
		       median(contenders[k].ns, turns));
		if (k)
			printf("ratio module.%s.%s %.2f\n", contenders[k].name, workload->name,
			       median(contenders[k].ratio, turns));
	}
	return fflush(stdout) == 0;
}

static bool card_add(char *word)
{
	char *equals = strchr(word, '=');
	struct mistakes mistakes = {0};
	struct contender *at = &contenders[count];

	if (equals)
		*equals = 0;
	at->name = equals ? word : "none";
	at->card = card_read_file(equals ? equals + 1 : word, &mistakes);
	mistakes_print(&mistakes, stderr);
	mistakes_free(&mistakes);
	count++;
	return at->card;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (sscanf(argv[i], "turns=%u", &turns) == 1)
			continue;
		if (count == CARDS_MAX || !card_add(argv[i]))
			return 1;
	}
	if (!count || !turns || turns > TURNS_MAX)
		return 2;
	for (unsigned i = 0; i < sizeof(workloads) / sizeof(*workloads); i++) {
		if (!measure(&workloads[i]))
			return 1;
	}
	return 0;
}
