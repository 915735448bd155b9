/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Descriptions read again, when somebody asks for it or when their files change.
 * Editors and copies change a file in several steps, so that one is looked at once
 * it has been left alone for a moment. What was read in vain is watched as well:
 * there the mistake may be put right.
 */
#include "instance/host_internal.h"
#include "instance/host_net.h"
#include "instance/instance.h"
#include "instance/watch.h"
#include "module/module.h"

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

/* Nobody else runs on its thread. */
static bool alone(const struct host_nic *nic)
{
	for (const struct host_nic *other = nic->host->nics; other; other = other->next) {
		if (other != nic && other->loop == nic->loop)
			return false;
	}
	for (const struct host_net *net = nic->host->nets; net; net = net->next) {
		if (net->loop == nic->loop && net->users > (net == nic->net))
			return false;
	}
	return true;
}

/*
 * A NIC is where it began: one whose module may keep its thread waiting begins on one of
 * its own, and keeps that. What becomes such a NIC later must not keep others waiting.
 */
static int thread_check(const struct host_nic *nic, const struct card *card, struct error *err)
{
	if (!nic->host->config.crew || !module_waits(card->module) ||
	    module_waits(nic->card->module) || alone(nic))
		return 0;
	return error_set(err, -EPERM,
			 "a module of this kind may keep its thread waiting, which other NICs "
			 "share: remove the NIC and add it again, then it has one of its own");
}

static int reload(struct host_nic *nic, struct card *card, bool reset, struct error *err)
{
	int result = thread_check(nic, card, err);

	if (result < 0) {
		card_free(card);
		return result;
	}
	card = host_card_share(nic->host, card);
	if (!card)
		return error_set(err, -ENOMEM, "no memory");
	loop_hold(nic->loop);
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

const char *host_asked(struct host *host, const char *name)
{
	struct host_nic *nic = *host_nic_place(host, name);

	return nic ? nic->asked : NULL;
}

int host_reload(struct host *host, const char *name, struct card *card, bool reset,
		struct mistakes *mistakes, struct error *err)
{
	struct host_nic *nic = *host_nic_place(host, name);

	if (!nic) {
		card_free(card);
		return error_set(err, -ENOENT, "no NIC \"%s\"", name);
	}
	host_nic_files(nic, mistakes, card != NULL);
	host_watch_update(host);
	return card ? reload(nic, card, reset, err) : -EINVAL;
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

/* A NIC by its name: it may be gone by the time that its description has been read. */
struct changed {
	struct host *host;
	char name[];
};

static void again(struct host *host, uint64_t after)
{
	struct clock *clock = loop_clock(host->config.loop);

	timer_arm(clock, &host->settle, clock_now(clock) + after);
}

/* One that is busy is tried again; one that changed while it was read is read again. */
static void changed_read(void *context, struct card *card, struct mistakes *mistakes)
{
	struct changed *changed = context;
	struct host *host = changed->host;
	struct host_nic *nic = *host_nic_place(host, changed->name);
	struct error err = {0};
	int result;

	result = host_reload(host, changed->name, card, host->watch_resets, mistakes, &err);
	free(changed);
	if (!nic)
		return;
	nic->reading = false;
	if (result == -EAGAIN && nic->tries++ < TRIES_MAX)
		nic->changed = true;
	else
		tell(nic, result, mistakes, &err);
	if (nic->changed)
		again(host, BUSY);
}

static void read_changed(struct host_nic *nic)
{
	const char *name = instance_name(nic->instance);
	struct changed *changed = calloc(1, sizeof(*changed) + strlen(name) + 1);
	struct error err = {0};

	nic->changed = false;
	nic->reading = true;
	if (changed) {
		changed->host = nic->host;
		strcpy(changed->name, name);
		if (host_read(nic->host, nic->asked, changed_read, changed, &err) == 0)
			return;
	}
	free(changed);
	nic->reading = false;
}

static void settled(struct timer *timer)
{
	struct host *host = timer->context;

	for (struct host_nic *nic = host->nics; nic; nic = nic->next) {
		if (nic->changed && !nic->reading)
			read_changed(nic);
	}
}

static void changed(void *context, const char *path)
{
	struct host *host = context;

	for (struct host_nic *nic = host->nics; nic; nic = nic->next) {
		for (unsigned i = 0; i < nic->files_count; i++) {
			if (strcmp(nic->files[i], path))
				continue;
			nic->changed = true;
			nic->tries = 0;
		}
	}
	again(host, SETTLE);
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
