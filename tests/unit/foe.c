/* SPDX-License-Identifier: Apache-2.0 */
#include "foe.h"

#include "card/reader.h"
#include "instance/instance_internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 5 };
#else
enum { SLOWER = 1 };
#endif
enum { PROMISED_NS = 100000000 };

/* ---- in time ---- */

static uint64_t cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void check_late(const struct foe *foe, uint64_t begin, const char *what, unsigned bar,
		       uint64_t offset)
{
	uint64_t took = cpu_now() - begin;

	if (took > (uint64_t)PROMISED_NS * SLOWER)
		unit_failed(__FILE__, __LINE__, "%s: %s BAR %u + %#lx took %lu us", foe->card->name,
			    what, bar, (unsigned long)offset, (unsigned long)took / 1000);
}

static enum inprocess_space space_of(const struct foe *foe, unsigned bar)
{
	return foe->card->bars[bar].io ? INPROCESS_IO : INPROCESS_MEMORY;
}

uint64_t foe_read(struct foe *foe, unsigned bar, uint64_t offset, unsigned width)
{
	uint64_t begin = cpu_now(), value;

	value = inprocess_read(foe->machine.vm, space_of(foe, bar), foe->bars[bar] + offset, width);
	check_late(foe, begin, "a read of", bar, offset);
	return value;
}

void foe_write(struct foe *foe, unsigned bar, uint64_t offset, unsigned width, uint64_t value)
{
	uint64_t begin = cpu_now();

	inprocess_write(foe->machine.vm, space_of(foe, bar), foe->bars[bar] + offset, width, value);
	check_late(foe, begin, "a write to", bar, offset);
}

void foe_turn(struct foe *foe)
{
	uint64_t begin = cpu_now();

	CHECK(loop_turn(foe->machine.loop, 0) == 0);
	check_late(foe, begin, "a turn of the loop;", 0, 0);
}

void foe_settle(struct foe *foe)
{
	for (unsigned i = 0; i < 16; i++)
		foe_turn(foe);
}

/* ---- a port that looks at all it gets ---- */

static void look(struct foe *foe, const struct frame *frame)
{
	size_t held = 0;

	CHECK(frame->iovs <= FRAME_IOVS && frame->length >= 14);
	for (unsigned i = 0; i < frame->iovs; i++) {
		const uint8_t *data = frame->iov[i].iov_base;

		for (size_t k = 0; k < frame->iov[i].iov_len; k++)
			foe->sum += data[k];
		held += frame->iov[i].iov_len;
	}
	CHECK_EQUAL(held, frame->length);
	if (frame->flags & FRAME_CHECKSUM)
		CHECK(frame->checksum_start + frame->checksum_offset + 2u <= frame->length);
	if (frame->flags & (FRAME_TCP4 | FRAME_TCP6))
		CHECK(frame->segment_size && frame->header_length &&
		      frame->header_length < frame->length);
}

static unsigned port_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct foe *foe = port->context;
	unsigned taken = count < foe->room ? count : foe->room;

	for (unsigned i = 0; i < taken; i++) {
		look(foe, &frames[i]);
		port_count(&port->stats.tx, frames[i].length);
	}
	foe->sent += taken;
	foe->room -= taken;
	return taken;
}

static void port_resume(struct port *port)
{
	(void)port;
}

static void port_close(struct port *port)
{
	(void)port;
}

void foe_offer(struct foe *foe, uint32_t length)
{
	static uint8_t data[65536];
	static const uint16_t types[] = {0x0800, 0x86dd, 0x8100, 0x88b5, 0x0806};
	uint16_t type = types[unit_random() % 5];
	struct frame frame = {.iov = {{data, length}}, .iovs = 1, .length = length};
	uint64_t begin = cpu_now();

	unit_fill(data, 64, unit_random());
	if (unit_random() & 1)
		memset(data, unit_random() & 1 ? 0xff : 0x01, 6);
	else
		memcpy(data, test_mac, 6);
	data[12] = (uint8_t)(type >> 8);
	data[13] = (uint8_t)type;
	data[14] = type == 0x0800 ? 0x45 : 0x60;
	if (port_receive(&foe->port, &frame, 1))
		port_count(&foe->port.stats.rx, length);
	check_late(foe, begin, "a frame;", 0, length);
}

/* ---- the machine ---- */

static void valid_words(struct foe *foe)
{
	const struct card *card = foe->card;

	foe->valid = calloc(card->words + 1u, sizeof(*foe->valid));
	for (unsigned i = 0; i < card->banks_count; i++) {
		for (unsigned k = 0; k < card->banks[i].regs_count; k++) {
			const struct reg *reg = &card->banks[i].regs[k];

			for (unsigned n = 0; n < reg->count && !reg->port && !reg->through; n++)
				foe->valid[reg->word + n] |= reg->valid;
		}
	}
}

static void find_bars(struct foe *foe)
{
	struct inprocess *vm = foe->machine.vm;
	uint32_t bdf = bus_bdf(0, FOE_DEVICE, 0);

	CHECK_EQUAL(inprocess_scan(vm), 1);
	for (unsigned i = 0; i < 6; i++)
		foe->bars[i] = inprocess_config_read(vm, bdf, 0x10 + 4 * i, 4) &
			       (foe->card->bars[i].io ? ~3ull : ~15ull);
	inprocess_config_write(vm, bdf, 0x3c, 1, 35);
}

void foe_new(struct foe *foe, const struct card *card, bool offloads)
{
	memset(foe, 0, sizeof(*foe));
	machine_new(&foe->machine);
	foe->card = card;
	foe->room = 1000;
	foe->ops = (struct port_ops){.transmit = port_transmit,
				     .resume = port_resume,
				     .close = port_close,
				     .offloads = offloads};
	foe->port = (struct port){.ops = &foe->ops, .context = foe};
	foe->instance = machine_plug_port(&foe->machine, FOE_DEVICE, card, &foe->port);
	foe->nic = foe->instance->nic;
	foe->memory = inprocess_memory(foe->machine.vm, 0, MACHINE_MEMORY);
	find_bars(foe);
	valid_words(foe);
}

void foe_free(struct foe *foe)
{
	machine_unplug(foe->instance);
	machine_free(&foe->machine);
	free(foe->valid);
}

void foe_reset(struct foe *foe)
{
	uint64_t begin = cpu_now();

	pci_reset(&foe->instance->pci);
	check_late(foe, begin, "a reset;", 0, 0);
	find_bars(foe);
	foe->room = 1000;
}

void foe_each(void (*attack)(const struct card *card))
{
	char path[512];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/cards", unit_root);
	folder = opendir(path);
	CHECK(folder);
	while ((entry = readdir(folder))) {
		struct mistakes mistakes = {0};
		struct card *card;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/cards/%s/card.xml", unit_root, entry->d_name);
		card = card_read_file(path, &mistakes);
		mistakes_free(&mistakes);
		CHECK(card);
		attack(card);
		card_free(card);
	}
	closedir(folder);
}

unsigned foe_times(unsigned usual)
{
	const char *more = getenv("ANYNIC_HOSTILE");
	unsigned times = more ? usual * (unsigned)atoi(more) : usual / SLOWER;

	return times ? times : 1;
}

/* ---- traps ---- */

uint64_t foe_address(struct foe *foe)
{
	uint64_t bar = foe->bars[unit_random() % 6] + unit_random() % 256;
	const uint64_t places[] = {
		0,	    1,		MACHINE_MEMORY - 1, MACHINE_MEMORY - 16, MACHINE_MEMORY,
		UINT32_MAX, UINT64_MAX, UINT64_MAX - 15,    1ull << 40,		 0xfee00000,
		bar,	    bar,
	};
	unsigned what = unit_random() % 24;

	return what < 12 ? places[what] : FOE_BUFFERS + unit_random() % (1 << 20);
}

uint64_t foe_number(void)
{
	static const uint64_t numbers[] = {
		0,	1,	2,	 3,	  7,	     8,		 15,	    16,
		63,	64,	65,	 255,	  256,	     1500,	 0x1000,    0x7fff,
		0x8000, 0xffff, 0x10000, 0xfffff, INT32_MAX, UINT32_MAX, UINT64_MAX};
	unsigned what = unit_random() % 32;

	return what < 23 ? numbers[what] : unit_random() >> unit_random() % 32;
}

bool foe_evil(const struct foe *foe)
{
	return unit_random() % 16 < foe->temper;
}

void foe_check(struct foe *foe)
{
	for (unsigned i = 0; i < foe->card->words; i++) {
		if (foe->valid[i] && (foe->nic->state[i] & ~foe->valid[i]))
			unit_failed(__FILE__, __LINE__, "%s: word %u is %#lx of %#lx",
				    foe->card->name, i, (unsigned long)foe->nic->state[i],
				    (unsigned long)foe->valid[i]);
	}
}

static void like_new(const struct foe *foe, const struct foe *fresh, const struct reg *reg)
{
	for (unsigned n = 0; n < reg->count && !reg->port && !reg->through; n++) {
		uint64_t is = foe->nic->state[reg->word + n],
			 was = fresh->nic->state[reg->word + n];

		if (is != was)
			unit_failed(__FILE__, __LINE__,
				    "%s: %s[%u] is %#lx after a reset, not %#lx", foe->card->name,
				    reg->name, n, (unsigned long)is, (unsigned long)was);
	}
}

void foe_like_new(const struct foe *foe, const struct foe *fresh)
{
	const struct card *card = foe->card;

	for (unsigned i = 0; i < card->banks_count; i++) {
		if (!strcmp(card->banks[i].name, "eeprom"))
			continue; /* what was written there stays */
		for (unsigned k = 0; k < card->banks[i].regs_count; k++)
			like_new(foe, fresh, &card->banks[i].regs[k]);
	}
	for (unsigned i = 0; i < card->instances; i++) {
		const struct ring_run *is = &foe->nic->rings[i], *was = &fresh->nic->rings[i];

		CHECK(is->open == was->open && is->state == was->state &&
		      is->halted == was->halted);
		CHECK(!is->waits && !is->finished && is->position == was->position);
	}
	CHECK(!foe->nic->recorded_count && !foe->nic->level);
}
