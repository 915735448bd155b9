/* SPDX-License-Identifier: Apache-2.0 */
#include "side.h"

#include "machine.h"

#include "backend/backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct side side;

uint32_t sum_of(const uint8_t *data, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum = sum * 31 + data[i];
	return sum;
}

static unsigned side_receive(void *context, const struct frame *frames, unsigned count)
{
	unsigned taken = count < side.room ? count : side.room;

	(void)context;
	for (unsigned i = 0; i < taken; i++) {
		CHECK(side.count < SIDE_GOT && frames[i].iovs == 1);
		side.length[side.count] = frames[i].length;
		side.sum[side.count++] = sum_of(frames[i].iov[0].iov_base, frames[i].length);
	}
	side.room -= taken;
	return taken;
}

static void side_link(void *context, bool up)
{
	(void)context;
	side.up = up;
	side.links++;
}

static void side_writable(void *context)
{
	(void)context;
	side.writable++;
}

void side_begin(void)
{
	memset(&side, 0, sizeof(side));
	clock_init(&side.clock, true);
	side.loop = loop_new(&side.clock);
	side.room = SIDE_GOT;
	strcpy(side.folder, "/tmp/anynic-unit-XXXXXX");
	CHECK(mkdtemp(side.folder));
	snprintf(side.near, sizeof(side.near), "%s/near", side.folder);
	snprintf(side.far, sizeof(side.far), "%s/far", side.folder);
}

void side_open(const char *format, ...)
{
	struct error err = {0};
	char spec[256];
	va_list list;

	va_start(list, format);
	vsnprintf(spec, sizeof(spec), format, list);
	va_end(list);
	side.port = backend_open(spec, side.loop, &err);
	if (!side.port)
		unit_failed(__FILE__, __LINE__, "%s", err.text);
	side.up = !side.port->down;
	side.port->peer = (struct port_peer){
		.receive = side_receive, .link = side_link, .writable = side_writable};
}

void side_turn(void)
{
	for (unsigned i = 0; i < 20; i++)
		CHECK(loop_turn(side.loop, 0) == 0);
}

static void adds_up(const struct port_way *way)
{
	CHECK_EQUAL(way->offered, way->frames + port_dropped(way) + way->waits);
}

void side_end(void)
{
	adds_up(&side.port->stats.tx);
	adds_up(&side.port->stats.rx);
	side.port->ops->close(side.port);
	loop_free(side.loop);
	unlink(side.far);
	CHECK(rmdir(side.folder) == 0); /* what it made there has gone with it */
}

unsigned side_send(unsigned count, uint32_t length)
{
	static uint8_t data[SIDE_LONGEST];
	static struct frame frames[64];

	CHECK(count <= 64);
	unit_fill(data, length, length);
	for (unsigned i = 0; i < count; i++) {
		uint32_t first = length < 20 ? length : 20;

		frames[i] = (struct frame){.iovs = 2, .length = length};
		frames[i].iov[0] = (struct iovec){data, first};
		frames[i].iov[1] = (struct iovec){data + first, length - first};
	}
	return side.port->ops->transmit(side.port, frames, count);
}
