/* SPDX-License-Identifier: Apache-2.0 */

/* 8139 mode: four transmit slots in registers, one write a frame; receive into 64 KiB of bytes. */
#include "engine.h"

enum { TSD = 0x10, TSAD = 0x20, CAPR = 0x38, STREAM = 64 << 10, HEADER = 4, FCS = 4 };

static void program(struct drive *drive)
{
	const struct write list[] = {
		{0x37, 1, 0x10}, /* CR: reset */
		{0x50, 1, 0xc0},
		{0x37, 1, 0x0c},       /* 9346CR; CR: TE, RE */
		{0x30, 4, RX_BUFFERS}, /* RBSTART */
		{0x40, 4, 0x03000700}, /* TCR */
		{0x44, 4, 0x0000ff0a}, /* RCR: 64 KiB; APM, AB */
		{0x3c, 2, 0},	       /* IMR */
		{TSAD, 4, tx_buffer(0, drive->length)},
		{TSAD + 4, 4, tx_buffer(1, drive->length)},
		{TSAD + 8, 4, tx_buffer(2, drive->length)},
		{TSAD + 12, 4, tx_buffer(3, drive->length)},
	};

	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++, drive->sent++)
		drive->write(drive, TSD + (uint32_t)(drive->sent % 4) * 4, 4, drive->length);
}

static void idle(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		drive->write(drive, TSAD + i % 4 * 4, 4, tx_buffer(i % 4, drive->length));
}

static uint32_t taken_by(const struct drive *drive)
{
	return (HEADER + drive->length + FCS + 3) & ~3u;
}

/* All that came is read up to here. */
static void room(struct drive *drive, unsigned count)
{
	drive->write(drive, CAPR, 2, (drive->position - 16) & 0xffff);
	drive->position = (drive->position + count * taken_by(drive)) % STREAM;
	drive->got = count;
}

/* The last run, which lies before the position; one frame goes over the end. */
static bool received(struct drive *drive, struct sink *sink)
{
	uint32_t at = (drive->position + STREAM - (uint32_t)drive->got * taken_by(drive)) % STREAM;

	for (unsigned i = 0; i < drive->got; i++, at = (at + taken_by(drive)) % STREAM) {
		uint32_t from = (at + HEADER) % STREAM, part = STREAM - from;

		if (load32(drive, RX_BUFFERS + at) >> 16 != drive->length + FCS)
			return false;
		part = part < drive->length ? part : drive->length;
		sink_read(sink, drive->memory + RX_BUFFERS + from, part);
		sink->bytes += drive->length - part;
		sink->sum += sink_sum(drive->memory + RX_BUFFERS, drive->length - part);
	}
	return true;
}

const struct family family_rtl8139 = {
	.name = "rtl8139",
	.model = "rtl8139",
	.bar = 1,
	.sends = {16, 16},
	.takes = {64, 32},
	.program = program,
	.send = send,
	.idle = idle,
	.room = room,
	.received = received,
};
