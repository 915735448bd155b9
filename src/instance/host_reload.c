/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Descriptions read again, when somebody asks for it or when their files change.
 * Editors and copies change a file in several steps, so that one is looked at once
 * it has been left alone for a moment. What was read in vain is watched as well:
 * there the mistake may be put right.
 */
#include "instance/catalog.h"
#include "instance/host_internal.h"
#include "instance/instance.h"
#include "instance/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SETTLE = 50000000, BUSY = 10000000, TRIES_MAX = 500 }; /* ns */

static void files_free(char **files, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		free(files[i]);
	free(files);
}

/* Those of the last reading; after one that failed also those that were read before. */
void host_nic_files(struct host_nic *nic, struct mistakes *mistakes, bool all)
{
	for (unsigned i = 0; !all && i < nic->files_count; i++)
		mistakes_file(mistakes, nic->files[i]);
	files_free(nic->files, nic->files_count);
	nic->files = mistakes->files;
	nic->files_count = mistakes->files_count;
	mistakes->files = NULL;
	mistakes->files_count = 0;
}

static int reload(struct host_nic *nic, bool reset, struct mistakes *mistakes, struct error *err)
{
	struct card *card = catalog_find(nic->asked, nic->host->config.cards, mistakes);
	int result = -EINVAL;

	host_nic_files(nic, mistakes, card != NULL);
	host_watch_update(nic->host);
	card = card ? host_card_share(nic->host, card) : NULL;
	loop_hold(nic->loop);
	if (card)
		result = instance_reload(nic->instance, card, reset, err);
	loop_release(nic->loop);
	if (result < 0) {
		host_card_drop(nic->host, card);
		return result;
	}
	host_card_drop(nic->host, nic->card);
	nic->card = card;
	return result;
}

int host_reload(struct host *host, const char *name, bool reset, struct mistakes *mistakes,
		struct error *err)
{
	struct host_nic *nic = *host_nic_place(host, name);

	if (!nic)
		return error_set(err, -ENOENT, "no NIC \"%s\"", name);
	return reload(nic, reset, mistakes, err);
}

/* ---- when files change ---- */

static void tell(const struct host_nic *nic, int result, const struct mistakes *mistakes,
		 const struct error *err)
{
	static const char *const how[] = {
		[RELOADED_CARRIED] = "the driver goes on",
		[RELOADED_RESET] = "as after a reset",
		[RELOADED_AFRESH] = "no VM has it",
	};
	const char *name = instance_name(nic->instance);

	mistakes_print(mistakes, stderr);
	if (result >= 0)
		fprintf(stderr, "anynic: %s: %s reloaded; %s\n", name, nic->card->path,
			how[result]);
	else if (mistakes->count)
		fprintf(stderr, "anynic: %s: goes on with what it was\n", name);
	else
		fprintf(stderr, "anynic: %s: not reloaded: %s\n", name, err->text);
}

/* False: it is busy, and tried again. */
static bool reload_changed(struct host_nic *nic)
{
	struct mistakes mistakes = {0};
	struct error err = {0};
	int result = reload(nic, nic->host->watch_resets, &mistakes, &err);

	if (result == -EAGAIN && nic->tries++ < TRIES_MAX) {
		mistakes_free(&mistakes);
		return false;
	}
	tell(nic, result, &mistakes, &err);
	mistakes_free(&mistakes);
	nic->changed = false;
	return true;
}

static void settled(struct timer *timer)
{
	struct host *host = timer->context;
	struct clock *clock = loop_clock(host->config.loop);
	bool done = true;

	for (struct host_nic *nic = host->nics; nic; nic = nic->next) {
		if (nic->changed)
			done &= reload_changed(nic);
	}
	if (!done)
		timer_arm(clock, timer, clock_now(clock) + BUSY);
}

static void changed(void *context, const char *path)
{
	struct host *host = context;
	struct clock *clock = loop_clock(host->config.loop);

	for (struct host_nic *nic = host->nics; nic; nic = nic->next) {
		for (unsigned i = 0; i < nic->files_count; i++) {
			if (strcmp(nic->files[i], path))
				continue;
			nic->changed = true;
			nic->tries = 0;
		}
	}
	timer_arm(clock, &host->settle, clock_now(clock) + SETTLE);
}

void host_watch_update(struct host *host)
{
	if (!host->watch)
		return;
	watch_begin(host->watch);
	for (const struct host_nic *nic = host->nics; nic; nic = nic->next) {
		for (unsigned i = 0; i < nic->files_count; i++)
			watch_file(host->watch, nic->files[i]);
	}
	watch_end(host->watch);
}

int host_watch(struct host *host, bool reset, struct error *err)
{
	host->watch_resets = reset;
	timer_init(&host->settle, settled, host);
	host->watch = watch_new(host->config.loop, changed, host, err);
	host_watch_update(host);
	return host->watch ? 0 : err->code;
}

void host_watch_free(struct host *host)
{
	if (host->watch)
		timer_cancel(loop_clock(host->config.loop), &host->settle);
	watch_free(host->watch);
}
