/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/instance_internal.h"

#include "front/embed.h"
#include "front/vfio_user.h"
#include "instance/snapshot.h"
#include "module/module.h"
#include "nic/nic.h"
#include "nic/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMAND_BUS_MASTER = 4, COMMAND_LINE_OFF = 0x400 };
enum { LOOKS = 16 }; /* for what a client has sent: more than a socket holds */

/* ---- what the NIC asks of the machine ---- */

static void bus_line(void *context, bool level)
{
	struct instance *instance = context;

	pci_line(&instance->pci, level);
	pic_line(&instance->pic, level);
}

static void bus_message(void *context, unsigned vector)
{
	struct instance *instance = context;

	pic_message(&instance->pic, vector);
}

static void bus_schedule(void *context)
{
	struct instance *instance = context;

	instance->wanted = true;
	if (!instance->accessing)
		loop_schedule(instance->loop, &instance->work);
}

static void bus_settle(void *context)
{
	struct instance *instance = context;

	if (instance->connected)
		loop_schedule(instance->loop, &instance->settle);
}

static bool settle_run(struct loop_work *work)
{
	struct instance *instance = work->context;

	vfio_user_look(instance->front);
	return false;
}

/* ---- what the machine asks of the NIC ---- */

static uint64_t owner_read(void *context, unsigned bar, uint64_t offset, unsigned width)
{
	struct instance *instance = context;

	nic_go_on(instance->nic); /* its driver turns to it */
	return nic_bar_read(instance->nic, bar, offset, width);
}

static void owner_write(void *context, unsigned bar, uint64_t offset, unsigned width,
			uint64_t value)
{
	struct instance *instance = context;

	nic_go_on(instance->nic);
	instance->accessing = true;
	nic_bar_write(instance->nic, bar, offset, width, value);
	instance->accessing = false;
}

static uint32_t owner_config_read(void *context, unsigned offset, unsigned width, bool effects)
{
	struct instance *instance = context;

	return nic_config_read(instance->nic, offset, width, effects);
}

static void owner_config_write(void *context, unsigned offset, unsigned width, uint32_t value)
{
	struct instance *instance = context;

	nic_go_on(instance->nic);
	instance->accessing = true;
	nic_config_write(instance->nic, offset, width, value);
	instance->accessing = false;
}

static void owner_reset(void *context)
{
	struct instance *instance = context;

	nic_go_on(instance->nic);
	nic_reset(instance->nic);
}

static void owner_command(void *context, uint16_t command)
{
	struct instance *instance = context;

	dma_enable(instance->dma, command & COMMAND_BUS_MASTER);
	pic_disable_line(&instance->pic, command & COMMAND_LINE_OFF);
	instance->wanted = true;
}

/* ---- work ---- */

static bool work_run(struct loop_work *work)
{
	struct instance *instance = work->context;

	instance->wanted = false;
	return nic_work(instance->nic) || instance->wanted;
}

static void after_request(void *context)
{
	struct instance *instance = context;

	if (instance->wanted && work_run(&instance->work))
		loop_schedule(instance->loop, &instance->work);
}

static void dma_wake(void *context)
{
	struct instance *instance = context;

	instance->wanted = true;
	loop_schedule(instance->loop, &instance->work);
}

static void looking(void *context)
{
	struct instance *instance = context;

	nic_looking(instance->nic);
}

static void looked(void *context)
{
	struct instance *instance = context;

	nic_looked(instance->nic);
}

static void session(void *context, bool connected)
{
	struct instance *instance = context;

	instance->connected = connected;
	if (connected)
		return;
	pci_reset(&instance->pci);
	if (instance->gone)
		instance->gone(instance->gone_context);
}

/* The last one added is the first of the list. Each has its place. */
static void add_capabilities(struct pci_function *pci, const struct card *card)
{
	for (unsigned i = card->capabilities_count; i-- > 0;) {
		const struct capability *capability = &card->capabilities[i];

		unsigned at = capability->at;

		if (capability->kind == CAPABILITY_POWER)
			pci_add_power(pci, at);
		else if (capability->kind == CAPABILITY_EXPRESS)
			pci_add_express(pci, at);
		else if (capability->kind == CAPABILITY_VENDOR)
			pci_add_vendor(pci, at, capability->bytes, capability->length);
		else if (capability->kind == CAPABILITY_MSI)
			pci_add_msi(pci, at, capability->vectors, capability->wide);
		else
			pci_add_msix(pci, at, capability->vectors, capability->bar,
				     capability->table, capability->pending);
	}
}

void instance_describe_function(struct instance *instance, const struct card *card)
{
	const struct pci_identity identity = {
		.vendor = card->vendor,
		.device = card->device,
		.subsystem_vendor = card->subsystem_vendor,
		.subsystem = card->subsystem,
		.revision = card->revision,
		.class_code = card->class_code,
		.interrupt_pin = card->interrupt_pin,
		.rom = (uint32_t)card->bars[CARD_ROM].size,
	};
	const struct pci_owner owner = {instance,	   owner_read,	  owner_write,
					owner_reset,	   owner_command, owner_config_read,
					owner_config_write};
	struct pci_bar bars[PCI_BARS] = {0};

	for (unsigned i = 0; i < PCI_BARS; i++)
		bars[i] = (struct pci_bar){card->bars[i].size, card->bars[i].io, card->bars[i].wide,
					   card->bars[i].prefetch};
	pci_init(&instance->pci, &identity, bars, &owner);
	for (unsigned i = 0; i < card->config_parts_count; i++)
		pci_add_window(&instance->pci, card->config_parts[i].at,
			       card->config_parts[i].size);
	add_capabilities(&instance->pci, card);
}

/* ---- putting it together ---- */

static int serve_client(struct instance *instance, const struct instance_config *config,
			struct error *err)
{
	const struct vfio_user_config front = {
		.loop = config->loop,
		.pci = &instance->pci,
		.pic = &instance->pic,
		.dma = instance->dma,
		.socket_path = config->socket_path,
		.fd = config->fd,
		.write_multiple = true,
		.after_request = after_request,
		.looking = looking,
		.looked = looked,
		.session = session,
		.context = instance,
	};

	instance->pic.clock = loop_clock(config->loop);
	instance->front = vfio_user_new(&front, err);
	return instance->front ? 0 : -EINVAL;
}

/* It is plugged into a VM of this process. */
static int serve_here(struct instance *instance, const struct instance_config *config,
		      struct error *err)
{
	const struct inprocess_function function = {
		&instance->pci, &instance->pic, instance->dma, after_request, session, instance,
	};
	int result = config->vm ? inprocess_plug(config->vm, config->device, &function)
				: embed_plug(config->embed, &function);

	if (result < 0)
		return error_set(err, result, "device %u: %s", config->device, strerror(-result));
	instance->vm = config->vm;
	instance->device = config->device;
	instance->embed = config->embed;
	return 0;
}

static int start_module(struct instance *instance, const struct card *card, struct error *err)
{
	struct hooks *hooks;
	int result;

	if (!card->module)
		return 0;
	hooks = module_instance(card->module, err);
	if (!hooks)
		return -EINVAL;
	result = nic_hooks(instance->nic, hooks);
	if (result < 0)
		error_set(err, -EINVAL, "%s: its start() says %d", hooks->name, result);
	return result;
}

static int start(struct instance *instance, const struct instance_config *config, struct error *err)
{
	const struct bus bus = {instance,
				instance->dma,
				loop_clock(config->loop),
				bus_line,
				bus_message,
				bus_schedule,
				config->vm || config->embed ? NULL : bus_settle};
	int result;

	instance->nic = nic_new(config->card, config->mac, &bus);
	if (!instance->nic)
		return error_set(err, -ENOMEM, "no memory");
	if (config->trace) {
		instance->trace = trace_open(config->trace, err);
		if (!instance->trace)
			return -EINVAL;
		nic_trace(instance->nic, instance->trace);
	}
	result = instance_start_ports(instance, config, err);
	if (result == 0)
		result = start_module(instance, config->card, err);
	if (result < 0)
		return result;
	if (config->vm || config->embed)
		return serve_here(instance, config, err);
	return serve_client(instance, config, err);
}

struct instance *instance_new(const struct instance_config *config, struct error *err)
{
	struct instance *instance = calloc(1, sizeof(*instance));

	if (!instance || !(instance->dma = dma_new())) {
		free(instance);
		if (config->port)
			config->port->ops->close(config->port);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	instance->loop = config->loop;
	instance->port = instance->host = config->port;
	instance->card = config->card;
	instance->net = config->net;
	instance->socket_path = config->socket_path;
	instance->gone = config->gone;
	instance->gone_context = config->context;
	memcpy(instance->mac, config->mac, sizeof(instance->mac));
	snprintf(instance->name, sizeof(instance->name), "%s", config->name);
	instance->work = (struct loop_work){.run = work_run, .context = instance};
	instance->settle = (struct loop_work){.run = settle_run, .context = instance};
	instance_describe_function(instance, config->card);
	pic_init(&instance->pic);
	dma_on_wake(instance->dma, dma_wake, instance);
	if (start(instance, config, err) < 0) {
		instance_free(instance);
		return NULL;
	}
	return instance;
}

void instance_free(struct instance *instance)
{
	if (!instance)
		return;
	if (instance->vm)
		inprocess_unplug(instance->vm, instance->device);
	if (instance->embed)
		embed_unplug(instance->embed);
	vfio_user_free(instance->front);
	pic_exit(&instance->pic);
	loop_unschedule(instance->loop, &instance->work);
	loop_unschedule(instance->loop, &instance->settle);
	instance_close_ports(instance);
	if (instance->nic)
		nic_trace_end(instance->nic);
	nic_free(instance->nic);
	trace_close(instance->trace);
	dma_free(instance->dma);
	free(instance);
}

/* ---- seen from outside ---- */

struct loop *instance_loop(const struct instance *instance)
{
	return instance->loop;
}

const char *instance_name(const struct instance *instance)
{
	return instance->name;
}

const char *instance_title(const struct instance *instance)
{
	return instance->card->title;
}

const char *instance_socket(const struct instance *instance)
{
	return instance->socket_path;
}

int instance_save(struct instance *instance, const char *path, struct error *err)
{
	/* A VM that was stopped may have written what nobody has read yet. */
	for (unsigned i = 0; instance->front && i < LOOKS && vfio_user_look(instance->front); i++)
		;
	return snapshot_save(instance->nic, &instance->pci, instance->card->name, path, err);
}

int instance_load(struct instance *instance, const char *path, struct error *err)
{
	return snapshot_load(instance->nic, &instance->pci, instance->card->name, path, err);
}

void instance_stand(struct instance *instance)
{
	nic_stand(instance->nic);
}
