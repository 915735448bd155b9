/* SPDX-License-Identifier: Apache-2.0 */

/* What a NIC takes, as a program that the kernel runs: asked of the kernel itself. */
#include "unit.h"

#include "backend/bpf.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];

static bool passes(const uint8_t *frame, size_t length)
{
	uint8_t got[64];

	CHECK_EQUAL(send(pair[0], frame, length, 0), length);
	return recv(pair[1], got, sizeof(got), MSG_DONTWAIT) == (ssize_t)length;
}

static void check_all(const struct port_filter *filter, unsigned frames)
{
	static struct bpf bpf;
	uint8_t frame[60] = {0};
	unsigned taken = 0;

	bpf_compile(&bpf, filter);
	CHECK(bpf.count < BPF_ROOM);
	CHECK_EQUAL(bpf_attach(&bpf, pair[1]), 0);
	for (unsigned i = 0; i < frames; i++) {
		uint32_t random = unit_random();

		memset(frame, 0, 6);
		if (i % 5 == 0)
			memset(frame, 255, 6 - (random & 1)); /* nearly to all, too */
		else if (i % 2 && filter->count)
			memcpy(frame, &filter->addresses[random % filter->count], 6);
		else
			memcpy(frame, &random, 4);
		if (random % 11 == 0)
			frame[random >> 8 & 3] ^= 0x40;
		CHECK_EQUAL(passes(frame, sizeof(frame)),
			    port_filter_takes(filter, frame, sizeof(frame)));
		taken += port_filter_takes(filter, frame, sizeof(frame));
	}
	CHECK(taken || !(filter->all || filter->all_groups || filter->broadcast || filter->count));
}

static void test_programs(void)
{
	struct port_filter filter = {.all_vlans = true};

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0);
	check_all(&filter, 50); /* nothing */
	for (unsigned turn = 0; turn < 128; turn++) {
		filter.all = turn & 1;
		filter.all_groups = turn & 2;
		filter.broadcast = turn & 4;
		filter.all_vlans = turn & 8;
		filter.count = (uint16_t)(turn >> 4) * (PORT_ADDRESSES / 7);
		for (unsigned i = 0; i < filter.count; i++)
			filter.addresses[i] = unit_random() & 0xffffff;
		check_all(&filter, 60);
	}
	close(pair[0]);
	close(pair[1]);
}

/* However many VLANs, the kernel takes the program. */
static void test_many_vlans(void)
{
	struct port_filter filter = {.count = PORT_ADDRESSES};

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0);
	for (unsigned count = 0; count <= 64; count += 4) {
		memset(filter.vlans, 255, count * 8);
		check_all(&filter, 20);
	}
	close(pair[0]);
	close(pair[1]);
}

UNIT_FILE(filters, {"programs", test_programs}, {"many_vlans", test_many_vlans});
