/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include "card/reader.h"
#include "vmm/bus.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEVICE = 4,
	COMMAND = 4,
	CAPABILITIES = 0x34,
	MSI_X = 0x11,
	LINE = 16,
	PAGE = 4096,
	SHOWN = 8,
	ON = 0x80
};

const char *unit_root;

/* machine.c looks at what must hold */
void unit_failed(const char *file, int line, const char *format, ...)
{
	va_list list;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "\n");
	exit(1);
}

/* as in the unit tests */
void unit_fill(void *data, size_t length, uint32_t seed)
{
	for (size_t i = 0; i < length; i++)
		((uint8_t *)data)[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
}

/* ---- what is seen ---- */

static uint64_t hash(const uint8_t *bytes, size_t length)
{
	uint64_t value = 0xcbf29ce484222325u;

	for (size_t i = 0; i < length; i++)
		value = (value ^ bytes[i]) * 0x100000001b3u;
	return value;
}

static void hex(FILE *log, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		fprintf(log, "%s%02x", i && i % 4 == 0 ? " " : "", bytes[i]);
	fprintf(log, "\n");
}

static bool line_changed(const struct life *life, uint32_t at)
{
	return memcmp(life->memory + at, life->shadow + at, LINE);
}

/* Lines from AT on that have changed: shown, or where there are many their hash. */
static uint32_t show_lines(struct life *life, uint32_t at)
{
	uint32_t end = at;

	while (end < LIFE_MEMORY && line_changed(life, end))
		end += LINE;
	if (end - at > SHOWN * LINE) {
		fprintf(life->log, "  memory %#x, %u bytes: hash %016llx\n", at, end - at,
			(unsigned long long)hash(life->memory + at, end - at));
		return end;
	}
	for (uint32_t i = at; i < end; i += LINE) {
		fprintf(life->log, "  memory %#x: ", i);
		hex(life->log, life->memory + i, LINE);
	}
	return end;
}

static void look_at_memory(struct life *life)
{
	for (uint32_t at = 0; at < LIFE_MEMORY;) {
		if (at % PAGE == 0 && !memcmp(life->memory + at, life->shadow + at, PAGE))
			at += PAGE;
		else
			at = line_changed(life, at) ? show_lines(life, at) : at + LINE;
	}
	memcpy(life->shadow, life->memory, LIFE_MEMORY);
}

static void look_at_frames(struct life *life)
{
	for (unsigned i = 0; i < life->port.count; i++) {
		const struct sent *sent = &life->port.sent[i];

		fprintf(life->log, "  sent %u bytes", sent->length);
		if (sent->flags)
			fprintf(life->log, ", left to do %#x: headers %u, segments %u, sum %u + %u",
				sent->flags, sent->header_length, sent->segment_size,
				sent->checksum_start, sent->checksum_offset);
		fprintf(life->log,
			", hash %016llx: ", (unsigned long long)hash(sent->data, sent->length));
		hex(life->log, sent->data, sent->length < 40 ? sent->length : 40);
	}
	test_port_forget(&life->port);
}

static void look_at_interrupts(struct life *life)
{
	for (unsigned i = 0; i < 64; i++) {
		uint64_t fired = inprocess_fired(life->machine.vm, i);

		if (fired != life->fired[i])
			fprintf(life->log, "  vector %u fires %u times\n", i,
				(unsigned)(fired - life->fired[i]));
		life->fired[i] = fired;
	}
}

static void look(struct life *life)
{
	machine_settle(&life->machine);
	look_at_memory(life);
	look_at_frames(life);
	look_at_interrupts(life);
}

/* ---- what is done ---- */

void life_note(struct life *life, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vfprintf(life->log, format, list);
	va_end(list);
	fprintf(life->log, "\n");
	memcpy(life->shadow, life->memory, LIFE_MEMORY); /* what the driver wrote itself */
}

uint32_t life_read(struct life *life, unsigned at)
{
	uint32_t value =
		(uint32_t)inprocess_read(life->machine.vm, INPROCESS_MEMORY, life->bar + at, 4);

	life_note(life, "read %#x: %#x", at, value);
	look(life);
	return value;
}

void life_write(struct life *life, unsigned at, uint32_t value)
{
	life_note(life, "write %#x: %#x", at, value);
	inprocess_write(life->machine.vm, INPROCESS_MEMORY, life->bar + at, 4, value);
	look(life);
}

void life_turn(struct life *life, uint64_t ns)
{
	life_note(life, "%llu us pass", (unsigned long long)ns / 1000);
	clock_turn(&life->machine.clock, ns);
	look(life);
}

void life_link(struct life *life, bool up)
{
	life_note(life, "the link goes %s", up ? "up" : "down");
	instance_link(life->instance, up);
	look(life);
}

void life_offer(struct life *life, const uint8_t *frame, uint32_t length)
{
	life_note(life, "from the network: %u bytes", length);
	if (!test_port_offer(&life->port, frame, length))
		fprintf(life->log, "  not taken\n");
	look(life);
}

/* ---- it begins and ends ---- */

static struct card *card_of(const char *path)
{
	struct mistakes mistakes = {0};
	struct card *card = card_read_file(path, &mistakes);

	mistakes_print(&mistakes, stderr);
	mistakes_free(&mistakes);
	if (!card)
		exit(1);
	return card;
}

static uint32_t config_read(struct life *life, unsigned at, unsigned width)
{
	return (uint32_t)inprocess_config_read(life->machine.vm, bus_bdf(0, DEVICE, 0), at, width);
}

static void enable_messages(struct life *life)
{
	unsigned at = config_read(life, CAPABILITIES, 1);

	while (at && config_read(life, at, 1) != MSI_X)
		at = config_read(life, at + 1, 1);
	if (at)
		inprocess_config_write(life->machine.vm, bus_bdf(0, DEVICE, 0), at + 3, 1, ON);
}

void life_begin(struct life *life, const char *path, bool offloads, FILE *log)
{
	memset(life, 0, sizeof(*life));
	life->log = log;
	life->card = card_of(path);
	machine_new(&life->machine);
	test_port_init(&life->port, offloads);
	life->instance = machine_plug(&life->machine, DEVICE, life->card, &life->port);
	CHECK_EQUAL(inprocess_scan(life->machine.vm), 1);
	life->bar = config_read(life, 0x10, 4) & ~15u;
	life->memory = inprocess_memory(life->machine.vm, 0, MACHINE_MEMORY);
	life->shadow = calloc(1, LIFE_MEMORY);
	CHECK(life->shadow);
	enable_messages(life);
	fprintf(log, "a card is found:");
	for (unsigned at = 0; at < 0x100; at += 4)
		fprintf(log, "%s%08x", at % 32 ? " " : "\n  ", config_read(life, at, 4));
	fprintf(log, "\n");
}

void life_end(struct life *life)
{
	fprintf(life->log, "the end; memory has the hash %016llx\n",
		(unsigned long long)hash(life->memory, MACHINE_MEMORY));
	machine_unplug(life->instance);
	machine_free(&life->machine);
	test_port_free(&life->port);
	card_free(life->card);
	free(life->shadow);
}

void life_reload(struct life *life, const char *path)
{
	struct card *card = card_of(path);
	struct error err = {0};
	int result = instance_reload(life->instance, card, false, &err);

	if (result != RELOADED_CARRIED)
		unit_failed(__FILE__, __LINE__, "not carried over: %s", err.text);
	card_free(life->card);
	life->card = card;
	life_note(life, "the card is reloaded");
	look(life);
}
