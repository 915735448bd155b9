/* SPDX-License-Identifier: Apache-2.0 */

/* A capture played to a NIC: when, in what order, and what a file may not do. */
#include "machine.h"
#include "side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MS = 1000000 };

static const struct port_filter some = {.broadcast = true};

static void put32(FILE *file, uint32_t value)
{
	CHECK_EQUAL(fwrite(&value, 1, 4, file), 4);
}

static FILE *capture_begin(uint32_t link)
{
	FILE *file = fopen(side.far, "wb");

	CHECK(file);
	put32(file, 0xa1b2c3d4); /* microseconds */
	put32(file, 2 | 4 << 16);
	put32(file, 0);
	put32(file, 0);
	put32(file, 65535);
	put32(file, link);
	return file;
}

static void capture_put(FILE *file, uint32_t at_ms, uint32_t length, uint32_t whole)
{
	static uint8_t data[SIDE_LONGEST];

	put32(file, 1000 + at_ms / 1000);
	put32(file, at_ms % 1000 * 1000);
	put32(file, length);
	put32(file, whole);
	unit_fill(data, length, length);
	CHECK_EQUAL(fwrite(data, 1, length, file), length);
}

/* COUNT frames, GAP ms apart, of 60 bytes and more. */
static void capture_write(unsigned count, unsigned gap)
{
	FILE *file = capture_begin(1);

	for (unsigned i = 0; i < count; i++)
		capture_put(file, i * gap, 60 + i, 60 + i);
	fclose(file);
}

static void play(void)
{
	side.port->ops->filter(side.port, &some);
	side_turn();
}

static void after(unsigned ms, unsigned count)
{
	clock_turn(&side.clock, (uint64_t)ms * MS);
	side_turn();
	CHECK_EQUAL(side.count, count);
}

static void test_at_its_own_pace(void)
{
	static const struct port_filter none;

	side_begin();
	capture_write(10, 20);
	side_open("pcap,file=%s,delay=50", side.far);
	side.port->ops->filter(side.port, &none);
	after(1000, 0); /* nothing before the guest takes anything */
	play();
	after(49, 0);
	after(1, 1);
	after(19, 1);
	after(1, 2);
	side.port->ops->filter(side.port, &none); /* begins once */
	side.port->ops->filter(side.port, &some);
	after(100, 7);
	after(1000, 10);
	for (unsigned i = 0; i < 10; i++)
		CHECK_EQUAL(side.length[i], 60 + i);
	side_end();
}

static void test_at_a_given_pace(void)
{
	side_begin();
	capture_write(100, 5000);
	side_open("pcap,file=%s,pace=1000", side.far);
	play();
	after(10, 11);
	after(10, 21);
	after(1000, 100);
	side_end();
}

static void test_as_fast_as_it_goes(void)
{
	side_begin();
	capture_write(500, 100000);
	side_open("pcap,file=%s,pace=max", side.far);
	side.room = 70; /* what has no room waits */
	play();
	after(1, 70);
	CHECK(side.port->stats.rx.waits > 0);
	side.room = 100;
	side.port->ops->resume(side.port);
	after(1, 170);
	side.room = 1000;
	side.port->ops->resume(side.port);
	after(1, 500);
	CHECK_EQUAL(side_send(3, 100), 3);
	side_end();
}

static void test_again_and_again(void)
{
	side_begin();
	capture_write(10, 10);
	side_open("pcap,file=%s,loop=on", side.far);
	play();
	after(1000, 112); /* the last and the first come at once */
	CHECK_EQUAL(side.length[110], 60);
	side_end();
	side_begin();
	fclose(capture_begin(1)); /* nothing, for ever */
	side_open("pcap,file=%s,loop=on,pace=max", side.far);
	play();
	after(1000, 0);
	side_end();
}

static void test_files_that_are_wrong(void)
{
	FILE *file;

	side_begin();
	file = capture_begin(1);
	capture_put(file, 100, 60, 60);
	capture_put(file, 50, 61, 61);	  /* back in time: at once */
	capture_put(file, 100, 62, 1000); /* cut short */
	capture_put(file, 100, 13, 13);	  /* no frame */
	capture_put(file, 101, 65000, 65000);
	capture_put(file, 4000000000u, 63, 63);
	put32(file, 7); /* the start of one */
	fclose(file);
	side_open("pcap,file=%s", side.far);
	play();
	after(0, 2);
	after(100, 3);
	CHECK_EQUAL(side.port->stats.rx.dropped[DROP_MALFORMED], 2);
	side_end();
}

UNIT_FILE(replay, {"at_its_own_pace", test_at_its_own_pace},
	  {"at_a_given_pace", test_at_a_given_pace},
	  {"as_fast_as_it_goes", test_as_fast_as_it_goes},
	  {"again_and_again", test_again_and_again},
	  {"files_that_are_wrong", test_files_that_are_wrong});
