/* SPDX-License-Identifier: Apache-2.0 */

/* The drivers with another process at the end of a socket. */
#include "machine.h"
#include "side.h"

#include "backend/backend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int far_socket(int type, bool bound)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	strcpy(at.sun_path, side.far);
	if (bound) {
		unlink(side.far);
		CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
		CHECK(type == SOCK_DGRAM || listen(fd, 1) == 0);
	}
	return fd;
}

static void far_call(int fd, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	strcpy(at.sun_path, path);
	CHECK(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
}

/* ---- stream ---- */

static void far_write(int fd, uint32_t length, uint32_t split)
{
	static uint8_t data[SIDE_LONGEST + 4];
	uint32_t big = htonl(length);

	memcpy(data, &big, 4);
	unit_fill(data + 4, length, length);
	for (uint32_t done = 0, part; done < length + 4; done += part) {
		part = length + 4 - done < split ? length + 4 - done : split;
		CHECK_EQUAL(send(fd, data + done, part, MSG_NOSIGNAL), part);
		if (split < length)
			side_turn();
	}
}

static bool far_all(int fd, void *to, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t got = recv(fd, (uint8_t *)to + done, length - done, 0);

		if (got < 0 && errno == EAGAIN) {
			side_turn();
			got = recv(fd, (uint8_t *)to + done, length - done, 0);
		}
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

/* One frame of the framing; its length, or 0. */
static uint32_t far_read(int fd)
{
	static uint8_t data[SIDE_LONGEST], wanted[SIDE_LONGEST];
	uint32_t length;

	if (!far_all(fd, &length, 4))
		return 0;
	length = ntohl(length);
	CHECK(length <= SIDE_LONGEST && far_all(fd, data, length));
	unit_fill(wanted, length, length);
	CHECK(!memcmp(data, wanted, length));
	return length;
}

static uint32_t sum_filled(uint32_t length)
{
	static uint8_t data[SIDE_LONGEST];

	unit_fill(data, length, length);
	return sum_of(data, length);
}

static void test_stream_both_ways(void)
{
	static const uint32_t lengths[] = {14, 60, 1514, 9000, 65535};
	int pair[2];

	side_begin();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	side_open("stream,fd=%d", pair[0]);
	CHECK(side.up);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQUAL(side_send(1, lengths[i]), 1);
		CHECK_EQUAL(far_read(pair[1]), lengths[i]);
		far_write(pair[1], lengths[i], SIDE_LONGEST + 4);
		side_turn();
		CHECK_EQUAL(side.count, i + 1);
		CHECK_EQUAL(side.length[i], lengths[i]);
		CHECK_EQUAL(side.sum[i], sum_filled(lengths[i]));
	}
	CHECK_EQUAL(side_send(64, 100), 64);
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQUAL(far_read(pair[1]), 100);
	for (uint32_t split = 1; split < 9; split++)
		far_write(pair[1], 64, split); /* byte by byte */
	CHECK_EQUAL(side.count, 13);
	CHECK_EQUAL(side.port->stats.rx.frames, 13);
	close(pair[1]);
	side_end();
}

static void test_stream_back_pressure(void)
{
	unsigned sent = 0, got = 0, turns = 0;
	int pair[2];

	side_begin();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	side_open("stream,fd=%d", pair[0]);
	/* out: a far end that reads now and then loses nothing, whole frames or parts */
	while (got < 3000) {
		CHECK(++turns < 10000);
		if (sent < 3000)
			sent += side_send(3000 - sent < 64 ? 3000 - sent : 64, 1500 + turns % 7);
		if (side.port->stats.stalls == 0)
			continue;
		side_turn();
		for (unsigned i = 0; i < 50 && got < 3000; i++) {
			uint32_t length = far_read(pair[1]);

			CHECK(length >= 1500 || got == sent);
			got += length != 0;
		}
	}
	CHECK(side.port->stats.stalls > 3 && side.writable > 3);
	CHECK_EQUAL(side.port->stats.tx.frames, 3000);
	/* in: what the NIC has no room for stays over there */
	side.room = 5;
	for (unsigned i = 0; i < 60; i++)
		far_write(pair[1], 1000, 2000);
	side_turn();
	CHECK_EQUAL(side.count, 5);
	CHECK(side.port->stats.rx.waits > 0);
	while (side.count < 60) {
		CHECK(++turns < 10000);
		side.room = 7;
		side.port->ops->resume(side.port);
		side_turn();
	}
	CHECK_EQUAL(side.port->stats.rx.frames, 60);
	CHECK_EQUAL(port_dropped(&side.port->stats.rx), 0);
	close(pair[1]);
	side_end();
}

static void test_stream_comes_and_goes(void)
{
	int listener, far;

	side_begin();
	side_open("stream,path=%s,reconnect=100", side.far);
	CHECK(!side.up);
	CHECK_EQUAL(side_send(3, 60), 3);
	CHECK_EQUAL(side.port->stats.tx.dropped[DROP_NOBODY], 3);
	listener = far_socket(SOCK_STREAM, true);
	clock_turn(&side.clock, 150000000);
	side_turn();
	CHECK(side.up);
	far = accept(listener, NULL, NULL);
	CHECK_EQUAL(side_send(1, 60), 1);
	CHECK_EQUAL(far_read(far), 60);
	close(far);
	close(listener);
	side_turn();
	CHECK(!side.up && side.links == 2);
	for (unsigned i = 0; i < 20; i++) {
		listener = far_socket(SOCK_STREAM, true);
		clock_turn(&side.clock, 150000000);
		side_turn();
		CHECK(side.up);
		far = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		far_write(far, 100, 200);
		CHECK_EQUAL(send(far, "\0\0\1\0abc", 7, 0), 7); /* the start of one */
		side_turn();
		CHECK_EQUAL(side.count, i + 1);
		close(listener);
		close(far);
		side_turn();
		CHECK(!side.up);
	}
	side_end();
}

static void test_stream_serves(void)
{
	int first, second;

	side_begin();
	side_open("stream,path=%s,server=on", side.near);
	CHECK(!side.up);
	first = far_socket(SOCK_STREAM, false);
	far_call(first, side.near);
	side_turn();
	CHECK(side.up);
	second = far_socket(SOCK_STREAM, false);
	far_call(second, side.near);
	side_turn();
	CHECK_EQUAL(side_send(1, 60), 1);
	CHECK_EQUAL(far_read(first), 60); /* the second waits for its turn */
	close(first);
	side_turn();
	side_turn();
	CHECK(side.up);
	CHECK_EQUAL(side_send(1, 61), 1);
	CHECK_EQUAL(far_read(second), 61);
	close(second);
	side_end();
}

static void test_stream_that_makes_no_sense(void)
{
	static const uint8_t bad[][8] = {
		{0xff, 0xff, 0xff, 0xff, 1}, {0, 1, 0x10, 1, 0}, {1, 0, 0, 0, 0}};
	int pair[2];

	for (unsigned i = 0; i < 3; i++) {
		side_begin();
		CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
		side_open("stream,fd=%d", pair[0]);
		far_write(pair[1], 60, 64);
		CHECK_EQUAL(send(pair[1], "\0\0\0\0\0\0\0\1x", 9, 0),
			    9); /* too short: passed over */
		far_write(pair[1], 61, 65);
		CHECK_EQUAL(send(pair[1], bad[i], 8, 0), 8);
		side_turn();
		CHECK(!side.up);
		CHECK_EQUAL(side.count, 2);
		CHECK_EQUAL(side.port->stats.rx.dropped[DROP_MALFORMED], 3);
		close(pair[1]);
		side_end();
	}
}

/* ---- dgram ---- */

static void test_dgram_both_ways(void)
{
	uint8_t data[2000];
	int far;

	side_begin();
	far = far_socket(SOCK_DGRAM, true);
	side_open("dgram,local=%s,remote=%s", side.near, side.far);
	CHECK(side.up);
	far_call(far, side.near);
	CHECK_EQUAL(side_send(5, 1514), 5);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQUAL(recv(far, data, sizeof(data), 0), 1514);
	CHECK_EQUAL(sum_of(data, 1514), sum_filled(1514));
	unit_fill(data, 700, 700);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQUAL(send(far, data, 700, 0), 700);
	CHECK_EQUAL(send(far, data, 13, 0), 13);
	side_turn();
	CHECK(side.count == 5 && side.sum[4] == sum_filled(700));
	CHECK_EQUAL(side.port->stats.rx.dropped[DROP_MALFORMED], 1);
	close(far);
	side_end();
}

static void test_dgram_back_pressure(void)
{
	unsigned sent = 0, got = 0, turns = 0;
	uint8_t data[2000];
	int far;

	side_begin();
	far = far_socket(SOCK_DGRAM, true);
	side_open("dgram,local=%s,remote=%s", side.near, side.far);
	while (got < 2000) {
		CHECK(++turns < 10000);
		if (sent < 2000)
			sent += side_send(2000 - sent < 64 ? 2000 - sent : 64, 1500);
		if (!side.port->stats.stalls)
			continue;
		while (recv(far, data, sizeof(data), 0) == 1500)
			got++;
		side_turn();
	}
	CHECK(side.port->stats.stalls > 3 && side.writable > 3);
	CHECK_EQUAL(port_dropped(&side.port->stats.tx), 0);
	close(far);
	side_end();
}

static void test_dgram_comes_and_goes(void)
{
	uint8_t data[100];
	int far;

	side_begin();
	side_open("dgram,local=%s,remote=%s,reconnect=100", side.near, side.far);
	CHECK(!side.up);
	for (unsigned i = 0; i < 20; i++) {
		far = far_socket(SOCK_DGRAM, true);
		clock_turn(&side.clock, 150000000);
		side_turn();
		CHECK(side.up);
		CHECK_EQUAL(side_send(1, 60), 1);
		CHECK_EQUAL(recv(far, data, sizeof(data), 0), 60);
		close(far);
		unlink(side.far);
		CHECK_EQUAL(side_send(2, 60), 2); /* refused */
		CHECK(!side.up);
		CHECK_EQUAL(side.port->stats.tx.dropped[DROP_NOBODY], 2 * (i + 1));
	}
	side_end();
}

/* Two of ours, whichever comes first. */
static void test_dgram_meets_its_like(void)
{
	struct error err = {0};
	char spec[300];
	struct port *other;

	side_begin();
	side_open("dgram,local=%s,remote=%s,reconnect=100", side.near, side.far);
	snprintf(spec, sizeof(spec), "dgram,local=%s,remote=%s", side.far, side.near);
	other = backend_open(spec, side.loop, &err);
	CHECK(other && !other->down);
	clock_turn(&side.clock, 150000000);
	CHECK(side.up);
	CHECK_EQUAL(side_send(7, 60), 7);
	side_turn();
	CHECK_EQUAL(other->stats.rx.frames, 7);
	other->ops->close(other);
	side_end();
}

UNIT_FILE(sockets, {"stream_both_ways", test_stream_both_ways},
	  {"stream_back_pressure", test_stream_back_pressure},
	  {"stream_comes_and_goes", test_stream_comes_and_goes},
	  {"stream_serves", test_stream_serves},
	  {"stream_that_makes_no_sense", test_stream_that_makes_no_sense},
	  {"dgram_both_ways", test_dgram_both_ways},
	  {"dgram_back_pressure", test_dgram_back_pressure},
	  {"dgram_comes_and_goes", test_dgram_comes_and_goes},
	  {"dgram_meets_its_like", test_dgram_meets_its_like});
