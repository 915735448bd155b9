/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/instance.h"

#include "backend/backend.h"
#include "front/vfio_user.h"
#include "nic/nic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { COMMAND_BUS_MASTER = 4, COMMAND_LINE_OFF = 0x400 };

struct instance {
	struct loop *loop;
	struct nic *nic;
	struct port *port;
	struct dma *dma;
	struct pci_function pci;
	struct pic pic;
	struct vfio_user *front;
	struct loop_work work;
	bool wanted; /* work was recorded since it last ran */
};

/* ---- what the NIC asks of the machine ---- */

static void bus_line(void *context, bool level)
{
	struct instance *instance = context;

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
}

/* ---- what the machine asks of the NIC ---- */

static uint64_t owner_read(void *context, unsigned bar, uint64_t offset, unsigned width)
{
	struct instance *instance = context;

	return nic_bar_read(instance->nic, bar, offset, width);
}

static void owner_write(void *context, unsigned bar, uint64_t offset, unsigned width,
			uint64_t value)
{
	struct instance *instance = context;

	nic_bar_write(instance->nic, bar, offset, width, value);
}

static void owner_reset(void *context)
{
	struct instance *instance = context;

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

static void session(void *context, bool connected)
{
	struct instance *instance = context;

	if (!connected)
		pci_reset(&instance->pci);
}

static void describe(struct instance *instance, const struct card *card)
{
	const struct pci_identity identity = {
		.vendor = card->vendor,
		.device = card->device,
		.subsystem_vendor = card->subsystem_vendor,
		.subsystem = card->subsystem,
		.revision = card->revision,
		.class_code = card->class_code,
		.interrupt_pin = card->interrupt_pin,
	};
	const struct pci_owner owner = {instance, owner_read, owner_write, owner_reset,
					owner_command};
	struct pci_bar bars[PCI_BARS] = {0};

	for (unsigned i = 0; i < PCI_BARS; i++)
		bars[i] = (struct pci_bar){card->bars[i].size, card->bars[i].io, card->bars[i].wide,
					   card->bars[i].prefetch};
	pci_init(&instance->pci, &identity, bars, &owner);
	pic_init(&instance->pic);
}

static int start(struct instance *instance, const struct instance_config *config, struct error *err)
{
	const struct bus bus = {instance, instance->dma, loop_clock(config->loop),
				bus_line, bus_message,	 bus_schedule};
	const struct vfio_user_config front = {
		.loop = config->loop,
		.pci = &instance->pci,
		.pic = &instance->pic,
		.dma = instance->dma,
		.socket_path = config->socket_path,
		.fd = -1,
		.write_multiple = true,
		.after_request = after_request,
		.session = session,
		.context = instance,
	};

	instance->nic = nic_new(config->card, config->mac, &bus);
	if (!instance->nic)
		return error_set(err, -ENOMEM, "no memory");
	instance->port = backend_open(config->net, config->loop, err);
	if (!instance->port)
		return -EINVAL;
	nic_attach(instance->nic, instance->port);
	instance->front = vfio_user_new(&front, err);
	return instance->front ? 0 : -EINVAL;
}

struct instance *instance_new(const struct instance_config *config, struct error *err)
{
	struct instance *instance = calloc(1, sizeof(*instance));

	if (!instance || !(instance->dma = dma_new())) {
		free(instance);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	instance->loop = config->loop;
	instance->work = (struct loop_work){.run = work_run, .context = instance};
	describe(instance, config->card);
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
	vfio_user_free(instance->front);
	loop_unschedule(instance->loop, &instance->work);
	if (instance->port)
		instance->port->ops->close(instance->port);
	nic_free(instance->nic);
	dma_free(instance->dma);
	free(instance);
}
