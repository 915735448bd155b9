/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/embedding.h"

#include "front/embed.h"
#include "instance/host.h"
#include "instance/instance.h"
#include "instance/nic_spec.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct anynic_device {
	struct anynic *nics;
	struct anynic_device_options options;
	struct embed *embed;
	struct instance *instance;
	struct anynic_device *next;
};

/* ---- errors and options ---- */

int embedding_error(struct anynic_error *error, const struct error *err)
{
	if (!error)
		return err->code;
	error->code = err->code;
	if (err->line)
		snprintf(error->text, sizeof(error->text), "%s:%u: %s", err->file, err->line,
			 err->text);
	else
		snprintf(error->text, sizeof(error->text), "%s", err->text);
	return err->code;
}

bool embedding_options(void *to, size_t room, const void *options)
{
	size_t size = 0;

	memset(to, 0, room);
	if (!options)
		return true;
	memcpy(&size, options, sizeof(size));
	if (size < sizeof(size))
		return false;
	memcpy(to, options, size < room ? size : room);
	return true;
}

static void *refuse(struct anynic_error *error, int code, const char *text)
{
	struct error err = {.code = code};

	snprintf(err.text, sizeof(err.text), "%s", text);
	embedding_error(error, &err);
	return NULL;
}

/* ---- all of them ---- */

static int start(struct anynic *nics, const char *cards, struct error *err)
{
	struct host_config config = {0};

	clock_init(&nics->clock, false);
	nics->loop = loop_new(&nics->clock);
	if (!nics->loop || (cards && !(nics->cards = strdup(cards))))
		return error_set(err, -ENOMEM, "no memory");
	config.loop = nics->loop;
	config.cards = nics->cards;
	nics->host = host_new(&config, err);
	return nics->host ? 0 : err->code;
}

struct anynic *anynic_open(const struct anynic_options *options, struct anynic_error *error)
{
	struct anynic *nics = calloc(1, sizeof(*nics));
	struct anynic_options known;
	struct error err = {0};

	if (!nics || !embedding_options(&known, sizeof(known), options)) {
		free(nics);
		return refuse(error, -EINVAL, "options: their size is not set");
	}
	if (start(nics, known.cards, &err) == 0)
		return nics;
	embedding_error(error, &err);
	anynic_close(nics);
	return NULL;
}

void anynic_close(struct anynic *nics)
{
	if (!nics)
		return;
	while (nics->devices)
		anynic_device_remove(nics->devices);
	host_free(nics->host);
	embedding_wires_free(nics);
	loop_free(nics->loop);
	free(nics->cards);
	free(nics);
}

int anynic_descriptor(const struct anynic *nics)
{
	return loop_descriptor(nics->loop);
}

int anynic_timeout(const struct anynic *nics)
{
	return loop_timeout(nics->loop);
}

int anynic_run(struct anynic *nics, int timeout)
{
	return loop_turn(nics->loop, timeout);
}

int anynic_network_add(struct anynic *nics, const char *id, const char *spec,
		       struct anynic_error *error)
{
	struct error err = {0};

	if (host_add_net(nics->host, id, spec, true, &err) < 0)
		return embedding_error(error, &err);
	return 0;
}

/* ---- one device ---- */

static void line(void *context, bool level)
{
	const struct anynic_device *device = context;

	if (device->options.line)
		device->options.line(device->options.context, level);
}

static void message(void *context, uint64_t address, uint32_t data)
{
	const struct anynic_device *device = context;

	if (device->options.message)
		device->options.message(device->options.context, address, data);
}

static void moved(void *context)
{
	const struct anynic_device *device = context;

	if (device->options.moved)
		device->options.moved(device->options.context);
}

/* A description may have many mistakes; what fits is told. */
static void add_mistakes(struct error *err, const struct mistakes *mistakes)
{
	size_t used = 0;

	for (unsigned i = 0; i < mistakes->count && used < sizeof(err->text); i++) {
		const struct error *one = &mistakes->list[i];
		char line[16] = "";

		if (one->line)
			snprintf(line, sizeof(line), ":%u", one->line);
		used += (size_t)snprintf(err->text + used, sizeof(err->text) - used, "%s%s%s: %s",
					 i ? "\n" : "", one->file, line, one->text);
	}
}

static int device_start(struct anynic_device *device, struct error *err)
{
	const struct anynic_device_options *options = &device->options;
	const struct embed_config config = {device, line, message, moved};
	struct mistakes mistakes = {0};
	struct nic_spec spec = {
		.card = options->card,
		.name = options->name,
		.net = options->network,
		.own = options->spec,
		.capture = options->capture,
		.fd = -1,
		.mac_given = options->address != NULL,
	};
	int result;

	spec.embed = device->embed = embed_new(&config);
	if (!device->embed)
		return error_set(err, -ENOMEM, "no memory");
	if (options->address)
		memcpy(spec.mac, options->address, sizeof(spec.mac));
	result = host_add(device->nics->host, &spec, &mistakes, err);
	if (result < 0)
		add_mistakes(err, &mistakes);
	else
		device->instance = host_last(device->nics->host);
	mistakes_free(&mistakes);
	return result;
}

struct anynic_device *anynic_device_add(struct anynic *nics,
					const struct anynic_device_options *options,
					struct anynic_error *error)
{
	struct anynic_device *device = calloc(1, sizeof(*device));
	struct error err = {0};

	if (!device || !embedding_options(&device->options, sizeof(device->options), options) ||
	    !device->options.card) {
		free(device);
		return refuse(error, -EINVAL, "options: size and card must be set");
	}
	device->nics = nics;
	if (device_start(device, &err) < 0) {
		embedding_error(error, &err);
		embed_free(device->embed);
		free(device);
		return NULL;
	}
	device->next = nics->devices;
	nics->devices = device;
	return device;
}

void anynic_device_remove(struct anynic_device *device)
{
	struct anynic_device **at;
	char name[64];

	if (!device)
		return;
	for (at = &device->nics->devices; *at != device; at = &(*at)->next)
		;
	*at = device->next;
	snprintf(name, sizeof(name), "%s", instance_name(device->instance));
	host_remove(device->nics->host, name, NULL);
	embed_free(device->embed);
	free(device);
}

void anynic_device_reset(struct anynic_device *device)
{
	embed_reset(device->embed);
}

void anynic_device_link(struct anynic_device *device, int up)
{
	instance_link(device->instance, up);
}

int anynic_device_map(struct anynic_device *device, uint64_t base, uint64_t size, void *host)
{
	return embed_map(device->embed, base, size, host);
}

int anynic_device_unmap(struct anynic_device *device, uint64_t base, uint64_t size)
{
	return embed_unmap(device->embed, base, size);
}

uint64_t anynic_config_read(struct anynic_device *device, unsigned offset, unsigned width)
{
	return embed_config_read(device->embed, offset, width);
}

void anynic_config_write(struct anynic_device *device, unsigned offset, unsigned width,
			 uint64_t value)
{
	embed_config_write(device->embed, offset, width, value);
}

uint64_t anynic_bar_read(struct anynic_device *device, unsigned bar, uint64_t offset,
			 unsigned width)
{
	return embed_bar_read(device->embed, bar, offset, width);
}

void anynic_bar_write(struct anynic_device *device, unsigned bar, uint64_t offset, unsigned width,
		      uint64_t value)
{
	embed_bar_write(device->embed, bar, offset, width, value);
}

uint64_t anynic_bar_size(const struct anynic_device *device, unsigned bar, unsigned *flags)
{
	const struct pci_bar *at = &embed_pci(device->embed)->bars[bar % PCI_BARS];

	if (bar >= PCI_BARS || !at->size)
		return 0;
	if (flags)
		*flags = (at->io ? ANYNIC_BAR_IO : 0u) | (at->wide ? ANYNIC_BAR_64 : 0u) |
			 (at->prefetch ? ANYNIC_BAR_PREFETCH : 0u);
	return at->size;
}

uint64_t anynic_bar_address(const struct anynic_device *device, unsigned bar)
{
	return bar < PCI_BARS ? pci_bar_address(embed_pci(device->embed), bar) : 0;
}

char *anynic_device_stats(const struct anynic_device *device)
{
	json_object *stats = instance_stats(device->instance);
	char *text = strdup(json_object_to_json_string(stats));

	json_object_put(stats);
	return text;
}
