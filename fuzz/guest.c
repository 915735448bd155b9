/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A guest and a network without manners, for a card that nobody has seen: the
 * same walk over all it shows, then eight bytes a step as the input says.
 */
#include "fuzz.h"

#include "base/loop.h"
#include "front/inprocess.h"
#include "instance/instance.h"
#include "nic/port.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY = 1 << 20, DEVICE = 3, STEP = 8, STEPS_MAX = 512, SURVEY = 256, PLACES = 1024 };

enum step_kind {
	STEP_WRITE,
	STEP_WRITE_ADDRESS,
	STEP_READ,
	STEP_FRAME,
	STEP_TIME,
	STEP_MEMORY,
	STEP_SURROUNDINGS,
	STEP_SETTLE,
	STEP_KINDS,
};

struct place { /* where a register is seen */
	uint8_t bar, bytes;
	uint32_t at;
};

struct guest {
	struct clock clock;
	struct loop *loop;
	struct inprocess *vm;
	struct instance *instance;
	struct port port;
	unsigned room; /* frames that the network takes before it is full */
	uint32_t sum;  /* of all bytes sent: they were there to be read */
	const struct card *card;
	uint64_t bars[PCI_BARS];
	struct place places[PLACES];
	unsigned places_count;
	bool saved; /* once is enough: there may be much of it */
};

static unsigned port_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct guest *guest = port->context;
	unsigned taken = count < guest->room ? count : guest->room;

	for (unsigned i = 0; i < taken; i++) {
		size_t held = 0;

		for (unsigned k = 0; k < frames[i].iovs; k++) {
			const uint8_t *data = frames[i].iov[k].iov_base;

			held += frames[i].iov[k].iov_len;
			for (size_t n = 0; n < frames[i].iov[k].iov_len; n++)
				guest->sum += data[n];
		}
		if (held != frames[i].length)
			abort();
	}
	guest->room -= taken;
	return taken;
}

static void port_nothing(struct port *port)
{
	(void)port;
}

static bool guest_start(struct guest *guest, const struct card *card, bool offloads, bool trace)
{
	static const struct port_ops ops[2] = {
		{.transmit = port_transmit, .resume = port_nothing, .close = port_nothing},
		{.transmit = port_transmit,
		 .resume = port_nothing,
		 .close = port_nothing,
		 .offloads = true},
	};
	const struct inprocess_config machine = {.memory = MEMORY};
	struct error err = {0};
	struct instance_config config = {
		.card = card,
		.name = "fuzzed",
		.device = DEVICE,
		.fd = -1,
		.port = &guest->port,
		.trace = trace ? "registers,rings,frames,interrupts:/dev/null" : NULL,
		.mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
	};

	*guest = (struct guest){.card = card, .room = 1000};
	clock_init(&guest->clock, true);
	config.loop = guest->loop = loop_new(&guest->clock);
	config.vm = guest->vm = inprocess_new(&machine, &err);
	guest->port = (struct port){.ops = &ops[offloads], .context = guest};
	guest->instance = instance_new(&config, &err);
	return guest->instance != NULL;
}

static void guest_end(struct guest *guest)
{
	if (guest->instance)
		instance_free(guest->instance);
	inprocess_free(guest->vm);
	loop_free(guest->loop);
}

/* The registers of a bank that a part of a BAR shows, but for the later ones of an array. */
static void guest_learn(struct guest *guest, unsigned bar, const struct bar_part *part)
{
	const struct bank *bank = &guest->card->banks[part->bank];

	for (unsigned i = 0; i < bank->regs_count && guest->places_count < PLACES; i++) {
		const struct reg *reg = &bank->regs[i];
		uint64_t at =
			part->stride ? reg->at / bank->unit * (uint64_t)part->stride : reg->at;

		if (at + reg->bytes <= part->size)
			guest->places[guest->places_count++] =
				(struct place){(uint8_t)bar, reg->bytes, part->at + (uint32_t)at};
	}
}

static void guest_find(struct guest *guest)
{
	uint32_t bdf = bus_bdf(0, DEVICE, 0);

	inprocess_scan(guest->vm);
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct bar *bar = &guest->card->bars[i];

		guest->bars[i] =
			inprocess_config_read(guest->vm, bdf, 0x10 + i * 4, 4) & ~UINT64_C(15);
		for (unsigned k = 0; k < bar->parts_count; k++) {
			if (!bar->parts[k].memory)
				guest_learn(guest, i, &bar->parts[k]);
		}
	}
}

/* Of a register, as its driver would, or of some bytes of a BAR. */
static void guest_access(struct guest *guest, unsigned which, unsigned at, bool write,
			 uint64_t value)
{
	unsigned index = which % PCI_BARS, width = 1u << (which >> 4 & 3);
	const struct bar *bar;
	enum inprocess_space space;
	uint64_t addr;

	if (!(which & 0x80) && guest->places_count) {
		const struct place *place = &guest->places[at % guest->places_count];

		index = place->bar;
		width = place->bytes;
		at = place->at;
	}
	bar = &guest->card->bars[index];
	space = bar->io ? INPROCESS_IO : INPROCESS_MEMORY;
	addr = guest->bars[index] + (bar->size ? at % bar->size & ~(width - 1ull) : 0);
	if (!bar->size) /* configuration, then, but for what would hide the BARs for good */
		inprocess_config_write(guest->vm, bus_bdf(0, DEVICE, 0), 0x40 | (at & 0xbc), 4,
				       value);
	else if (write)
		inprocess_write(guest->vm, space, addr, width, value);
	else
		inprocess_read(guest->vm, space, addr, width);
}

/* An Ethernet frame for somebody: to the card, a group, all, or VALUE's bytes. */
static void guest_frame(struct guest *guest, unsigned which, unsigned length, uint32_t value)
{
	static const uint8_t to[4][6] = {{0x52, 0x54, 0, 0x12, 0x34, 0x56},
					 {255, 255, 255, 255, 255, 255},
					 {1, 0, 0x5e},
					 {2}};
	static const uint8_t ip[] = {8, 0, 0x45, 0, 0, 60, 0, 1, 0, 0, 64, 6};
	static uint8_t data[16384];
	struct frame frame = {.iovs = 1, .length = length % sizeof(data)};

	memset(data, (int)value, frame.length);
	memcpy(data, to[which & 3], 6);
	memcpy(data + 6, &value, sizeof(value));
	if (which & 4)
		memcpy(data + 12, ip, sizeof(ip));
	if (which & 8) {
		frame.flags = FRAME_CHECKSUM | FRAME_TCP4;
		frame.header_length = 54;
		frame.segment_size = (uint16_t)(value ? value : 1);
		frame.checksum_start = 34;
		frame.checksum_offset = 16;
		memcpy(data + 12, ip, sizeof(ip));
		frame.length = frame.length < 60 ? 60 : frame.length;
	}
	if (!frame.length)
		return;
	frame.iov[0] = (struct iovec){data, frame.length};
	guest->port.peer.receive(guest->port.peer.context, &frame, 1);
}

/* What is saved can be loaded. */
static void guest_snapshot(struct guest *guest)
{
	int fd = memfd_create("snapshot", 0);
	struct error err = {0};
	char path[64];

	guest->saved = true;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!instance_save(guest->instance, path, &err) &&
	    instance_load(guest->instance, path, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	close(fd);
}

static void guest_surroundings(struct guest *guest, unsigned which, uint32_t value)
{
	if (which & 1)
		guest->port.peer.link(guest->port.peer.context, value & 1);
	if (which & 2)
		guest->room = value & 0xff;
	if (which & 4 && guest->room)
		guest->port.peer.writable(guest->port.peer.context);
	if (which & 8 && !guest->saved)
		guest_snapshot(guest);
}

static void guest_settle(struct guest *guest)
{
	for (unsigned i = 0; i < 4; i++)
		loop_turn(guest->loop, 0);
}

static void guest_step(struct guest *guest, const uint8_t step[STEP])
{
	uint16_t at;
	uint32_t value, *memory;

	memcpy(&at, step + 2, sizeof(at));
	memcpy(&value, step + 4, sizeof(value));
	switch (step[0] % STEP_KINDS) {
	case STEP_WRITE:
	case STEP_READ:
		guest_access(guest, step[1], at, step[0] % STEP_KINDS == STEP_WRITE, value);
		break;
	case STEP_WRITE_ADDRESS:
		guest_access(guest, step[1], at, true, value % MEMORY & ~63u);
		break;
	case STEP_FRAME:
		guest_frame(guest, step[1], at, value);
		break;
	case STEP_TIME:
		clock_turn(&guest->clock, value >> (step[1] & 31));
		break;
	case STEP_MEMORY:
		memory = inprocess_memory(guest->vm, (uint32_t)at * 4, 4);
		*memory = value;
		break;
	case STEP_SURROUNDINGS:
		guest_surroundings(guest, step[1], value);
		break;
	default:
		guest_settle(guest);
	}
}

/* Memory in which everything may be a descriptor, or point to one. */
static void guest_memory(struct guest *guest, const uint8_t *steps, size_t size)
{
	uint32_t *memory = inprocess_memory(guest->vm, 0, 64 << 10);

	for (unsigned i = 0; i < (64 << 10) / 4; i++) {
		memory[i] = i * 2654435761u >> 12;
		if (size >= 4 && i % 4 == 3)
			memcpy(&memory[i], steps + (i % (size - 3)), 4);
	}
}

static void guest_survey(struct guest *guest)
{
	uint32_t noise = 1;

	for (unsigned i = 0; i < SURVEY; i++) {
		uint8_t step[STEP];

		for (unsigned k = 0; k < STEP; k++) {
			noise = noise * 1664525 + 1013904223;
			step[k] = (uint8_t)(noise >> 24);
		}
		guest_step(guest, step);
	}
}

void guest_run(const struct card *card, const uint8_t *steps, size_t size)
{
	static struct guest guest;

	if (guest_start(&guest, card, size & 1, size & 2)) {
		guest_find(&guest);
		guest_memory(&guest, steps, size);
		guest_survey(&guest);
		for (size_t i = 0; i < STEPS_MAX && (i + 1) * STEP <= size; i++)
			guest_step(&guest, steps + i * STEP);
		guest_settle(&guest);
	}
	guest_end(&guest);
}
