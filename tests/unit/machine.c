/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include "card/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t test_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

/* ---- the port ---- */

static void keep(struct test_port *port, const struct frame *frame)
{
	struct sent *sent = &port->sent[port->count];
	size_t held = 0;

	CHECK(port->count < SENT_MAX && port->used + frame->length <= SENT_BYTES);
	*sent = (struct sent){port->bytes + port->used, frame->length,	     frame->flags,
			      frame->header_length,	frame->segment_size, frame->checksum_start,
			      frame->checksum_offset};
	for (unsigned i = 0; i < frame->iovs; i++) {
		CHECK(held + frame->iov[i].iov_len <= frame->length);
		memcpy(sent->data + held, frame->iov[i].iov_base, frame->iov[i].iov_len);
		held += frame->iov[i].iov_len;
	}
	CHECK_EQUAL(held, frame->length);
	port->used += held;
	port->count++;
}

static unsigned port_transmit(struct port *base, const struct frame *frames, unsigned count)
{
	struct test_port *port = base->context;
	unsigned taken = count < port->room ? count : port->room;

	CHECK(count > 0);
	for (unsigned i = 0; i < taken; i++) {
		keep(port, &frames[i]);
		port_count(&base->stats.tx, frames[i].length);
	}
	port->room -= taken;
	return taken;
}

static void port_resume(struct port *base)
{
	((struct test_port *)base->context)->resumed++;
}

static void port_filter(struct port *base, const struct port_filter *filter)
{
	struct test_port *port = base->context;

	port->filter = *filter;
	port->filters++;
}

static void port_close(struct port *base)
{
	((struct test_port *)base->context)->closed = true;
}

void test_port_init(struct test_port *port, bool offloads)
{
	*port = (struct test_port){
		.ops = {.transmit = port_transmit,
			.resume = port_resume,
			.filter = port_filter,
			.close = port_close,
			.offloads = offloads},
		.bytes = malloc(SENT_BYTES),
		.room = SENT_MAX,
	};
	port->port = (struct port){.ops = &port->ops, .context = port};
}

void test_port_free(struct test_port *port)
{
	free(port->bytes);
}

void test_port_forget(struct test_port *port)
{
	port->count = 0;
	port->used = 0;
	port->room = SENT_MAX;
}

bool test_port_offer_frame(struct test_port *port, const struct frame *frame)
{
	if (port->port.peer.receive(port->port.peer.context, frame, 1) == 0)
		return false;
	port_count(&port->port.stats.rx, frame->length);
	return true;
}

bool test_port_offer(struct test_port *port, const void *data, uint32_t length)
{
	struct frame frame = {.iov = {{(void *)data, length}}, .iovs = 1, .length = length};

	return test_port_offer_frame(port, &frame);
}

void test_port_writable(struct test_port *port)
{
	port->room = SENT_MAX;
	port->port.peer.writable(port->port.peer.context);
}

/* ---- the machine ---- */

void machine_new(struct machine *machine)
{
	const struct inprocess_config config = {.memory = MACHINE_MEMORY};
	struct error err = {0};

	clock_init(&machine->clock, true);
	machine->loop = loop_new(&machine->clock);
	machine->vm = inprocess_new(&config, &err);
	CHECK(machine->loop && machine->vm);
}

void machine_free(struct machine *machine)
{
	inprocess_free(machine->vm);
	loop_free(machine->loop);
}

void machine_settle(struct machine *machine)
{
	for (unsigned i = 0; i < 64; i++)
		CHECK(loop_turn(machine->loop, 0) == 0);
}

struct card *test_card(const char *name)
{
	static struct card *cards[16];
	static char names[16][64];
	struct mistakes mistakes = {0};
	char path[512];
	unsigned i = 0;

	for (; i < 16 && cards[i]; i++) {
		if (!strcmp(names[i], name))
			return cards[i];
	}
	CHECK(i < 16);
	snprintf(names[i], sizeof(names[i]), "%s", name);
	snprintf(path, sizeof(path), "%s/cards/%s/card.xml", unit_root, name);
	cards[i] = card_read_file(path, &mistakes);
	mistakes_print(&mistakes, stdout);
	mistakes_free(&mistakes);
	CHECK(cards[i]);
	return cards[i];
}

void check_sums(const struct nic_sums *sums)
{
	CHECK_EQUAL(sums->tx, 0);
	CHECK_EQUAL(sums->rx, 0);
	CHECK_EQUAL(sums->loop, 0);
	CHECK_EQUAL(sums->tx_slots, 0);
	CHECK_EQUAL(sums->rx_slots, 0);
}

void machine_unplug(struct instance *instance)
{
	struct nic_sums sums;

	instance_sums(instance, &sums);
	check_sums(&sums);
	instance_free(instance);
}

struct instance *machine_plug(struct machine *machine, unsigned device, const struct card *card,
			      struct test_port *port)
{
	return machine_plug_port(machine, device, card, port ? &port->port : NULL);
}

struct instance *machine_plug_port(struct machine *machine, unsigned device,
				   const struct card *card, struct port *port)
{
	struct instance_config config = {
		.loop = machine->loop,
		.card = card,
		.name = "nic",
		.vm = machine->vm,
		.device = device,
		.fd = -1,
		.port = port,
		.net = "null",
	};
	struct instance *instance;
	struct error err = {0};

	memcpy(config.mac, test_mac, sizeof(config.mac));
	instance = instance_new(&config, &err);
	if (!instance)
		unit_failed(__FILE__, __LINE__, "%s", err.text);
	return instance;
}

/* ---- the plain device ---- */

static uint64_t plain_read(void *context, unsigned bar, uint64_t offset, unsigned width)
{
	struct plain *plain = context;
	uint64_t value = 0;

	plain->accesses++;
	plain->widths |= width;
	memcpy(&value, plain->memory[bar] + offset, width);
	return value;
}

static void plain_write(void *context, unsigned bar, uint64_t offset, unsigned width,
			uint64_t value)
{
	struct plain *plain = context;

	plain->accesses++;
	plain->widths |= width;
	memcpy(plain->memory[bar] + offset, &value, width);
}

static void plain_reset(void *context)
{
	struct plain *plain = context;

	memset(plain->memory, 0, sizeof(plain->memory));
	pic_line(&plain->pic, false);
}

static void plain_command(void *context, uint16_t command)
{
	struct plain *plain = context;

	plain->command = command;
	dma_enable(plain->dma, command & 4);
	pic_disable_line(&plain->pic, command & 0x400);
}

static void plain_after(void *context)
{
	(void)context;
}

static void plain_session(void *context, bool connected)
{
	struct plain *plain = context;

	plain->connected = connected;
	if (!connected)
		pci_reset(&plain->pci);
}

/* MSI with 4 messages, 64-bit addresses; MSI-X with 8 vectors. */
static void plain_capabilities(struct plain *plain)
{
	static const uint8_t msi[14] = {0, 0, 0x84}, msix[12] = {0, 0, 7};
	static const uint8_t msi_writable[14] = {0,    0,    0x71, 0,	 0xfc, 0xff, 0xff,
						 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t msix_writable[12] = {0, 0, 0, 0xc0};

	CHECK(pci_add_capability(&plain->pci, 0, 0x05, msi, msi_writable, sizeof(msi)) > 0);
	CHECK(pci_add_capability(&plain->pci, 0, 0x11, msix, msix_writable, sizeof(msix)) > 0);
	plain->pci.msi_vectors = 4;
	plain->pci.msix_vectors = 8;
}

void plain_init(struct plain *plain)
{
	static const struct pci_identity identity = {
		.vendor = 0x1234, .device = 0x11e8, .class_code = 0xff0000, .interrupt_pin = 1};
	static const struct pci_bar bars[PCI_BARS] = {
		{.size = 4096}, {.size = 16, .io = true}, {.size = 8192, .wide = true}};
	const struct pci_owner owner = {.context = plain,
					.read = plain_read,
					.write = plain_write,
					.reset = plain_reset,
					.command = plain_command};

	*plain = (struct plain){.dma = dma_new()};
	pci_init(&plain->pci, &identity, bars, &owner);
	pic_init(&plain->pic);
	plain_capabilities(plain);
}

int plain_plug(struct plain *plain, struct inprocess *vm, unsigned device)
{
	const struct inprocess_function function = {&plain->pci, &plain->pic,	plain->dma,
						    plain_after, plain_session, plain};

	return inprocess_plug(vm, device, &function);
}

void plain_free(struct plain *plain)
{
	dma_free(plain->dma);
}
