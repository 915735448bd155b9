/* SPDX-License-Identifier: Apache-2.0 */

/* The program of an interface: run by the kernel on frames of ours. */
#include "unit.h"

#include "backend/xdp_program.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REDIRECTED = XDP_DROP }; /* to a queue that has no socket */

static int verdict(int program, const uint8_t *frame, unsigned length)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = length, .repeat = 1);

	CHECK_EQUAL(bpf_prog_test_run_opts(program, &run), 0);
	return (int)run.retval;
}

static void check_all(int sockets, const struct port_filter *filter, unsigned frames)
{
	int program = xdp_program_load(sockets, filter, REDIRECTED);
	uint8_t frame[60] = {0};

	CHECK(program >= 0);
	for (unsigned i = 0; i < frames; i++) {
		uint32_t random = unit_random();

		memset(frame, 0, sizeof(frame));
		if (i % 5 == 0)
			memset(frame, 255, 6 - (random & 1));
		else if (i % 2 && filter->count)
			memcpy(frame, &filter->addresses[random % filter->count], 6);
		else
			memcpy(frame, &random, 4);
		if (i % 3 == 0) {
			frame[12] = 0x81;
			frame[14] = (uint8_t)(random >> 8);
			frame[15] = (uint8_t)(random >> 16);
		}
		CHECK_EQUAL(verdict(program, frame, sizeof(frame)),
			    port_filter_takes(filter, frame, sizeof(frame)) ? REDIRECTED
									    : XDP_PASS);
	}
	close(program);
}

static void test_programs(void)
{
	struct port_filter filter = {.all_vlans = true};
	int sockets = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "unit", 4, 4, 4, NULL);

	if (sockets < 0 && (errno == EPERM || errno == ENOSYS)) {
		printf("  no right to load programs: not looked at\n");
		return;
	}
	check_all(sockets, &filter, 10); /* nothing */
	for (unsigned turn = 0; turn < 64; turn++) {
		filter.all = turn & 1;
		filter.all_groups = turn & 2;
		filter.broadcast = turn & 4;
		filter.all_vlans = turn & 8;
		filter.count = (uint16_t)(turn >> 4) * (PORT_ADDRESSES / 3);
		for (unsigned i = 0; i < filter.count; i++)
			filter.addresses[i] = unit_random() & 0xffffff;
		for (unsigned i = 0; i < 8; i++)
			filter.vlans[i * 7] = unit_random();
		check_all(sockets, &filter, 40);
	}
	for (unsigned count = 0; count <= 64; count += 8) { /* of VLANs */
		memset(filter.vlans, 255, count * 8);
		check_all(sockets, &filter, 10);
	}
	close(sockets);
}

UNIT_FILE(filters_xdp, {"programs", test_programs});
