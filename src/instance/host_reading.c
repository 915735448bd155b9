/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Descriptions read while cards run: on a thread of their own, since a large one, a
 * slow disk or a compiler must not keep guests waiting.
 */
#include "base/job.h"
#include "instance/catalog.h"
#include "instance/host_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct job job;
	char *asked, *cards;
	struct card *card;
	struct mistakes mistakes;
	bool ran;
	host_read_done *done;
	void *context;
};

static void reading_run(struct job *job)
{
	struct reading *reading = (struct reading *)job;

	reading->card = catalog_find(reading->asked, reading->cards, &reading->mistakes);
	reading->ran = true;
}

static void reading_free(struct reading *reading)
{
	mistakes_free(&reading->mistakes);
	free(reading->asked);
	free(reading->cards);
	free(reading);
}

static void reading_done(struct job *job)
{
	struct reading *reading = (struct reading *)job;

	if (!reading->ran)
		mistake(&reading->mistakes, reading->asked, 0, "not read: the program ends");
	reading->done(reading->context, reading->card, &reading->mistakes);
	reading_free(reading);
}

int host_read(struct host *host, const char *asked, host_read_done *done, void *context,
	      struct error *err)
{
	struct reading *reading = calloc(1, sizeof(*reading));

	if (!host->jobs)
		host->jobs = jobs_new(host->config.loop);
	if (reading) {
		reading->job = (struct job){.run = reading_run, .done = reading_done};
		reading->asked = strdup(asked);
		reading->cards = host->config.cards ? strdup(host->config.cards) : NULL;
		reading->done = done;
		reading->context = context;
	}
	if (reading && host->jobs && reading->asked && !reading->cards == !host->config.cards) {
		jobs_add(host->jobs, &reading->job);
		return 0;
	}
	if (reading)
		reading_free(reading);
	return error_set(err, -ENOMEM, "no memory");
}
