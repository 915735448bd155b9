/* SPDX-License-Identifier: Apache-2.0 */

/* Memory on the card, by port I/O: one frame there that is sent again and again, a ring of pages.
 */
#include "engine.h"

#include <stdlib.h>

enum { CR = 0, BNRY = 3, ISR = 7, DATA = 0x10 };
enum { TX_PAGE = 0x40, FIRST_PAGE = 0x46, STOP_PAGE = 0x80, PAGES = STOP_PAGE - FIRST_PAGE };
enum { STA = 2, TXP = 4, DMA_READ_ON = 8, DMA_WRITE_ON = 0x10, DMA_OFF = 0x20 };

static void remote(struct drive *drive, uint32_t at, uint32_t length, uint32_t command)
{
	const struct write list[] = {
		{CR, 1, STA | DMA_OFF}, {0x0a, 1, length & 0xff}, {0x0b, 1, length >> 8},
		{0x08, 1, at & 0xff},	{0x09, 1, at >> 8},	  {CR, 1, STA | command},
	};

	writes(drive, list, sizeof(list) / sizeof(*list));
}

static void program(struct drive *drive)
{
	const struct write list[] = {
		{CR, 1, 0x21},			     /* stop, page 0 */
		{0x0e, 1, 0x49},		     /* DCR: words */
		{0x0c, 1, 0x04},       {0x0d, 1, 0}, /* RCR: AB; TCR */
		{1, 1, FIRST_PAGE},    {2, 1, STOP_PAGE},      {BNRY, 1, STOP_PAGE - 1},
		{ISR, 1, 0xff},	       {0x0f, 1, 0}, /* no interrupts */
		{CR, 1, 0x61},			     /* page 1 */
		{1, 1, engine_mac[0]}, {2, 1, engine_mac[1]},  {3, 1, engine_mac[2]},
		{4, 1, engine_mac[3]}, {5, 1, engine_mac[4]},  {6, 1, engine_mac[5]},
		{7, 1, FIRST_PAGE},    {CR, 1, STA | DMA_OFF},
	};
	const uint8_t *frame = drive->memory + tx_buffer(0, drive->length);

	writes(drive, list, sizeof(list) / sizeof(*list));
	remote(drive, TX_PAGE << 8, drive->length, DMA_WRITE_ON);
	for (uint32_t i = 0; i < drive->length; i += 2)
		drive->write(drive, DATA, 2, frame[i] | (uint32_t)frame[i + 1] << 8);
	drive->write(drive, 4, 1, TX_PAGE);
	drive->write(drive, 5, 1, drive->length & 0xff);
	drive->write(drive, 6, 1, drive->length >> 8);
	drive->position = 0;
}

static void send(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		drive->write(drive, CR, 1, STA | DMA_OFF | TXP);
}

static void idle(struct drive *drive, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		drive->write(drive, CR, 1, STA | DMA_OFF);
}

static uint32_t pages_of(const struct drive *drive)
{
	return (drive->length + 4 + 4 + 255) / 256; /* header and FCS */
}

static void room(struct drive *drive, unsigned count)
{
	drive->write(drive, BNRY, 1, FIRST_PAGE + (drive->position + PAGES - 1) % PAGES);
	drive->position = (drive->position + count * pages_of(drive)) % PAGES;
	drive->got = count;
}

/* Out of the card by its data port, once round its end. */
static void fetch(struct drive *drive, uint32_t page, uint8_t *to, uint32_t length)
{
	remote(drive, (FIRST_PAGE + page) << 8, length, DMA_READ_ON);
	for (uint32_t i = 0; i < length; i += 2) {
		uint32_t word = drive->read(drive, DATA, 2);

		memcpy(to + i, &word, 2);
	}
}

static bool received(struct drive *drive, struct sink *sink)
{
	uint32_t page = drive->position + PAGES * 8 - (uint32_t)drive->got * pages_of(drive);
	uint8_t data[2048];

	for (unsigned i = 0; i < drive->got; i++, page += pages_of(drive)) {
		fetch(drive, page % PAGES, data, drive->length + 4);
		if ((data[2] | data[3] << 8) != (int)drive->length + 4)
			return false;
		sink_read(sink, data + 4, drive->length);
	}
	return true;
}

const struct family family_ne2000 = {
	.name = "ne2000",
	.model = "ne2k_pci",
	.bar = 0,
	.io = true,
	.sends = {32, 8},
	.takes = {32, 8},
	.program = program,
	.send = send,
	.idle = idle,
	.room = room,
	.received = received,
};
