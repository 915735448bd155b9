/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the driver does, in the card's own names, a line each:
 *
 *   write REG.field=1               one field is written that was not as it is
 *   write REG=0x8002 (one two)      several are; those that are set
 *   read REG=0x80 (one) read-clear
 *   tx[12] record address=0x1f00 length=66 end report -> done
 *   out 66 bytes to 52:54:00:12:34:56 from … type 0x0800
 *   line up, message 3
 *
 * A card without trace has a null pointer, which is tested once an access, a slot
 * on the long way, a batch and a change of the line. Tracing of rings takes all
 * slots the long way: that is where they have names. What no register answers is
 * named once each and counted; the counts follow when the trace is closed.
 */
#include "nic/trace.h"

#include "base/log.h"
#include "nic/state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRANGERS = 128, TEXT = 1024 };

struct stranger { /* an offset that no register is at */
	uint16_t bank;
	bool write;
	uint32_t offset;
	uint64_t count;
};

struct trace {
	FILE *out;
	unsigned what;
	struct stranger strangers[STRANGERS];
	unsigned strangers_count;
	char text[TEXT];
	size_t length;
	bool lost; /* a line, and that was told */
};

/* ---- a line ---- */

__attribute__((format(printf, 2, 3))) static void say(struct trace *trace, const char *format, ...)
{
	size_t room = sizeof(trace->text) - trace->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(trace->text + trace->length, room, format, args);
	va_end(args);
	if (length > 0)
		trace->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void end_line(struct nic *nic)
{
	struct trace *trace = nic->trace;
	uint64_t now = clock_now(nic->bus.clock);

	if (fprintf(trace->out, "%llu.%06llu %s\n", (unsigned long long)(now / 1000000000u),
		    (unsigned long long)(now / 1000 % 1000000), trace->text) < 0 &&
	    !trace->lost) {
		trace->lost = true;
		log_warn("trace: %s; there are lines missing", strerror(errno));
	}
	trace->length = 0;
	trace->text[0] = 0;
}

/* ---- registers ---- */

static void say_place(struct trace *trace, const struct reg *reg, unsigned k, unsigned into,
		      unsigned part)
{
	say(trace, "%s", reg->name);
	if (reg->count > 1)
		say(trace, "[%u]", k);
	if (part < reg->bytes)
		say(trace, "[%u:%u]", (into + part) * 8 - 1, into * 8);
}

static void say_value(struct trace *trace, const char *name, uint64_t value, unsigned width)
{
	if (width > 1)
		say(trace, "%s=0x%llx", name, (unsigned long long)value);
	else
		say(trace, "%s", name);
}

static uint64_t field_bits(const struct field *field)
{
	return (field->width >= 64 ? UINT64_MAX : (1ull << field->width) - 1) << field->shift;
}

/* The fields that are not 0, in parentheses. */
static void say_fields(struct trace *trace, const struct reg *reg, uint64_t value)
{
	const char *between = " (";

	for (unsigned i = 0; i < reg->fields_count; i++) {
		const struct field *field = &reg->fields[i];
		uint64_t bits = value & field_bits(field);

		if (!bits)
			continue;
		say(trace, "%s", between);
		say_value(trace, field->name, bits >> field->shift, field->width);
		between = " ";
	}
	if (*between == ' ' && !between[1])
		say(trace, ")");
}

void trace_read(struct nic *nic, const struct reg *reg, unsigned k, unsigned into, unsigned part,
		uint64_t value)
{
	struct trace *trace = nic->trace;

	if (!(trace->what & TRACE_REGISTERS))
		return;
	say(trace, "read ");
	say_place(trace, reg, k, into, part);
	say(trace, "=0x%llx", (unsigned long long)value);
	say_fields(trace, reg, value << into * 8);
	if (value << into * 8 & reg->read_clear)
		say(trace, " read-clear");
	end_line(nic);
}

/* The one field that this write is about, if it is about one. */
static const struct field *sole_field(const struct reg *reg, uint64_t about)
{
	for (unsigned i = 0; about && i < reg->fields_count; i++) {
		if (!(about & ~field_bits(&reg->fields[i])))
			return &reg->fields[i];
	}
	return NULL;
}

void trace_write(struct nic *nic, const struct reg *reg, unsigned k, unsigned into, unsigned part,
		 uint64_t value)
{
	uint64_t mask = (part >= 8 ? UINT64_MAX : (1ull << part * 8) - 1) << into * 8, about;
	const struct field *field;
	struct trace *trace = nic->trace;

	if (!(trace->what & TRACE_REGISTERS))
		return;
	about = ((value << into * 8 ^ nic->state[reg->word + k]) & mask & reg->rw) |
		(value << into * 8 & (reg->w1c | reg->w1s | reg->self_clear));
	field = reg->count == 1 && !reg->through ? sole_field(reg, about) : NULL;
	say(trace, "write ");
	if (field) {
		say(trace, "%s.%s=0x%llx", reg->name, field->name,
		    (unsigned long long)((value << into * 8 & field_bits(field)) >> field->shift));
	} else {
		say_place(trace, reg, k, into, part);
		say(trace, "=0x%llx", (unsigned long long)value);
		say_fields(trace, reg, value << into * 8);
	}
	end_line(nic);
}

static struct stranger *stranger_of(struct trace *trace, unsigned bank, uint32_t offset, bool write)
{
	struct stranger *at = trace->strangers, *end = at + trace->strangers_count;

	while (at < end && (at->bank != bank || at->offset != offset || at->write != write))
		at++;
	if (at < end)
		return at;
	if (trace->strangers_count == STRANGERS)
		return NULL;
	trace->strangers_count++;
	*at = (struct stranger){(uint16_t)bank, write, offset, 0};
	return at;
}

void trace_undeclared(struct nic *nic, unsigned bank, uint32_t offset, bool write)
{
	struct trace *trace = nic->trace;
	struct stranger *at = stranger_of(trace, bank, offset, write);

	if (!at || at->count++ || !(trace->what & TRACE_REGISTERS))
		return;
	say(trace, "%s of nothing: %s+0x%x", write ? "write" : "read", nic->card->banks[bank].name,
	    offset);
	end_line(nic);
}

/* ---- rings ---- */

/* A field that others lie within is said by them. */
static bool is_outer(const struct slot_names *names, const struct slot_field *field)
{
	for (unsigned i = 0; i < names->count; i++) {
		const struct slot_field *other = &names->fields[i];

		if (other != field && other->low >= field->low && other->width < field->width &&
		    other->low + other->width <= field->low + field->width)
			return true;
	}
	return false;
}

static uint64_t slot_field_value(const struct slot_field *field, const uint8_t *slot)
{
	return slot_bits(slot, field->low, field->width);
}

/* Those that are not 0; with BEFORE: those that were not the same. */
static void say_slot(struct trace *trace, const struct slot_names *names, const uint8_t *slot,
		     const uint8_t *before)
{
	const char *between = before ? " -> " : " ";

	for (unsigned i = 0; i < names->count; i++) {
		const struct slot_field *field = &names->fields[i];
		uint64_t value = slot_field_value(field, slot);

		if (is_outer(names, field) ||
		    (before ? value == slot_field_value(field, before) : !value))
			continue;
		say(trace, "%s", between);
		if (!value && field->width == 1)
			say(trace, "not ");
		say_value(trace, field->name, value, field->width);
		between = " ";
	}
}

void trace_slot(struct nic *nic, const struct ring_run *run, const struct use *use, uint64_t addr,
		const uint8_t *before, const uint8_t *after)
{
	const struct ring *ring = run->ring;
	uint64_t index = ring->slot_size ? (addr - run->base) / ring->slot_size : 0;
	struct trace *trace = nic->trace;

	if (!(trace->what & TRACE_RINGS))
		return;
	if (ring->counted)
		say(trace, "%s[%u] ", ring->name, run->number);
	if (ring->slot_size && addr >= run->base && index < run->entries)
		say(trace, "%s[%llu]", ring->name, (unsigned long long)index);
	else
		say(trace, "%s at 0x%llx", ring->name, (unsigned long long)addr);
	if (use && use->names) {
		say(trace, " %s", use->names->name);
		say_slot(trace, use->names, before, NULL);
		say_slot(trace, use->names, after, before);
	}
	end_line(nic);
}

/* ---- frames and interrupts ---- */

void trace_frames(struct nic *nic, const char *way, const struct frame *frames, unsigned count)
{
	struct trace *trace = nic->trace;

	for (unsigned i = 0; (trace->what & TRACE_FRAMES) && i < count; i++) {
		uint8_t at[14] = {0};

		frame_copy(&frames[i], 0, at, frames[i].length < 14 ? frames[i].length : 14);
		say(trace,
		    "%s %u bytes to %02x:%02x:%02x:%02x:%02x:%02x from "
		    "%02x:%02x:%02x:%02x:%02x:%02x type 0x%02x%02x",
		    way, frames[i].length, at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7],
		    at[8], at[9], at[10], at[11], at[12], at[13]);
		if (frames[i].segment_size)
			say(trace, " in segments of %u", frames[i].segment_size);
		end_line(nic);
	}
}

void trace_line(struct nic *nic, bool level)
{
	if (!(nic->trace->what & TRACE_INTERRUPTS))
		return;
	say(nic->trace, "line %s", level ? "up" : "down");
	end_line(nic);
}

void trace_message(struct nic *nic, unsigned vector)
{
	if (!(nic->trace->what & TRACE_INTERRUPTS))
		return;
	say(nic->trace, "message %u", vector);
	end_line(nic);
}

void nic_trace(struct nic *nic, struct trace *trace)
{
	nic->trace = trace;
	for (unsigned i = 0; (trace->what & TRACE_RINGS) && i < nic->card->rings_count; i++)
		nic->plans[i].usable = false;
}

void nic_trace_end(struct nic *nic)
{
	struct trace *trace = nic->trace;

	for (unsigned i = 0; trace && i < trace->strangers_count; i++) {
		const struct stranger *at = &trace->strangers[i];

		say(trace, "%llu %s of nothing: %s+0x%x", (unsigned long long)at->count,
		    at->write ? "writes" : "reads", nic->card->banks[at->bank].name, at->offset);
		end_line(nic);
	}
	if (trace)
		trace->strangers_count = 0;
	nic->trace = NULL;
}

/* ---- what to trace, and where to ---- */

static bool take_word(struct trace *trace, const char *word, size_t length)
{
	static const char *const words[] = {"registers", "rings", "frames", "interrupts"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strlen(words[i]) != length || memcmp(words[i], word, length))
			continue;
		trace->what |= 1u << i;
		return true;
	}
	return false;
}

static int trace_words(struct trace *trace, const char *what, struct error *err)
{
	for (const char *at = what;; at++) {
		size_t length = strcspn(at, ",:");

		if (!take_word(trace, at, length))
			return error_set(err, -EINVAL,
					 "trace: \"%.*s\" is none of: registers, rings, frames, "
					 "interrupts",
					 (int)length, at);
		at += length;
		if (*at != ',')
			return 0;
	}
}

struct trace *trace_open(const char *what, struct error *err)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	const char *file = strchr(what, ':');

	if (!trace) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	if (trace_words(trace, what, err) < 0) {
		free(trace);
		return NULL;
	}
	trace->out = file ? fopen(file + 1, "we") : stderr;
	if (!trace->out) {
		error_set(err, -errno, "--trace %s: %s", what, strerror(errno));
		free(trace);
		return NULL;
	}
	setvbuf(trace->out, NULL, _IOLBF, 0);
	return trace;
}

void trace_close(struct trace *trace)
{
	if (!trace)
		return;
	if (trace->out != stderr)
		fclose(trace->out);
	free(trace);
}
