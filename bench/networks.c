/* SPDX-License-Identifier: Apache-2.0 */

/*
 * CPU time a frame of the host's side alone: one port of a kind, or a switch.
 *
 *   networks send SPEC LENGTH PEER       what transmit costs, the kernel's part with it
 *   networks receive SPEC LENGTH PEER    what it costs to get frames that PEER sends
 *   networks switch PORTS                a frame from one port to the next, in batches
 *
 * Prints nanoseconds. CPU time is this process's, so what the peer's process spends
 * (networks_peer.c) is not in it; nor is waiting.
 */
#include "networks.h"

#include "backend/backend.h"
#include "backend/switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 32, PORTS_MAX = 512, LONGEST = 1514 };
static const uint64_t LEAST_NS = 400000000; /* of CPU time, in all */
static const uint64_t PATIENCE_NS = 5000000000;

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t spent(void)
{
	return now(CLOCK_PROCESS_CPUTIME_ID);
}

static void frames_fill(struct frame *frames, uint8_t data[][LONGEST], uint32_t length)
{
	for (unsigned i = 0; i < BATCH; i++) {
		bench_frame(data[i], length);
		frames[i] = (struct frame){.length = length, .iovs = 1};
		frames[i].iov[0] = (struct iovec){data[i], length};
	}
}

/* ---- a port ---- */

static uint64_t got;

static unsigned receive(void *context, const struct frame *frames, unsigned count)
{
	(void)context;
	(void)frames;
	got += count;
	return count;
}

static struct port *port_of(const char *spec, struct loop *loop)
{
	static struct port_filter all = {
		.all = true, .all_groups = true, .broadcast = true, .all_vlans = true};
	struct error err = {0};
	struct port *port = backend_open(spec, loop, &err);

	if (!port) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	port->peer = (struct port_peer){.receive = receive};
	if (port->ops->filter)
		port->ops->filter(port, &all);
	for (unsigned i = 0; i < 50; i++) /* until who is to be there is there */
		loop_turn(loop, 10);
	return port;
}

static double cost_of_sending(struct port *port, struct loop *loop, uint32_t length)
{
	static uint8_t data[BATCH][LONGEST];
	struct frame frames[BATCH];
	uint64_t begin, sent = 0, taken, end = now(CLOCK_MONOTONIC) + PATIENCE_NS;

	frames_fill(frames, data, length);
	bench_introduce(port);
	begin = spent();
	while ((spent() - begin < LEAST_NS || sent < 1000) && now(CLOCK_MONOTONIC) < end) {
		taken = port->ops->transmit(port, frames, BATCH);
		sent += taken;
		loop_turn(loop, taken ? 0 : 1);
	}
	if (port_dropped(&port->stats.tx) > sent / 100)
		fprintf(stderr, "of %llu frames %llu were dropped\n", (unsigned long long)sent,
			(unsigned long long)port_dropped(&port->stats.tx));
	return sent ? (double)(spent() - begin) / (double)sent : 0;
}

static double cost_of_receiving(struct port *port, struct loop *loop)
{
	uint64_t begin, end = now(CLOCK_MONOTONIC) + PATIENCE_NS;

	bench_introduce(port);
	while (got < 1000 && now(CLOCK_MONOTONIC) < end)
		loop_turn(loop, 10);
	begin = spent();
	got = 0;
	while (spent() - begin < LEAST_NS && now(CLOCK_MONOTONIC) < end)
		loop_turn(loop, 10);
	return got ? (double)(spent() - begin) / (double)got : 0;
}

static double cost_of_port(bool sends, const char *spec, uint32_t length, const char *peer)
{
	struct peer_process with = peer_start(peer, sends ? 0 : length);
	struct clock clock;
	struct loop *loop;
	struct port *port;
	double cost;

	clock_init(&clock, false);
	loop = loop_new(&clock);
	port = port_of(spec, loop);
	cost = sends ? cost_of_sending(port, loop, length) : cost_of_receiving(port, loop);
	peer_stop(&with);
	port->ops->close(port);
	loop_free(loop);
	return cost;
}

/* ---- a switch ---- */

static void address(uint8_t *data, unsigned to, unsigned from)
{
	const uint8_t head[14] = {2,	0,   0, 0, (uint8_t)(to >> 8),	 (uint8_t)to,
				  2,	0,   0, 0, (uint8_t)(from >> 8), (uint8_t)from,
				  0x88, 0xb5};

	memcpy(data, head, sizeof(head));
}

static uint64_t switched(struct port *const *ports, unsigned count, struct frame *frames)
{
	uint64_t sent = 0;

	for (unsigned from = 0; from < count; from++) {
		for (unsigned i = 0; i < BATCH; i++)
			address(frames[i].iov[0].iov_base, (from + 1) % count, from);
		sent += ports[from]->ops->transmit(ports[from], frames, BATCH);
	}
	return sent;
}

static double cost_of_switch(unsigned count)
{
	static uint8_t data[BATCH][LONGEST];
	static struct port *ports[PORTS_MAX];
	struct switch_net *net;
	struct frame frames[BATCH];
	struct error err = {0};
	uint64_t begin, sent = 0;
	struct clock clock;
	struct loop *loop;
	double cost;

	clock_init(&clock, false);
	loop = loop_new(&clock);
	net = switch_new(loop, &err);
	frames_fill(frames, data, 64);
	for (unsigned i = 0; i < count; i++) {
		ports[i] = switch_join(net, NULL, &err);
		ports[i]->peer = (struct port_peer){.receive = receive};
	}
	switched(ports, count, frames); /* who is where is known then */
	got = 0;
	for (begin = spent(); spent() - begin < LEAST_NS;) {
		for (unsigned lap = 0; lap < 1024 / count + 1; lap++)
			sent += switched(ports, count, frames);
	}
	cost = (double)(spent() - begin) / (double)sent;
	if (got != sent)
		exit(fprintf(stderr, "sent to one each, %llu of %llu came\n",
			     (unsigned long long)got, (unsigned long long)sent) != 0);
	for (unsigned i = 0; i < count; i++)
		ports[i]->ops->close(ports[i]);
	switch_free(net);
	loop_free(loop);
	return cost;
}

int main(int argc, char **argv)
{
	double cost;

	if (argc == 3 && !strcmp(argv[1], "switch") && atoi(argv[2]) > 1 &&
	    atoi(argv[2]) <= PORTS_MAX)
		cost = cost_of_switch((unsigned)atoi(argv[2]));
	else if (argc == 5 && atoi(argv[3]) >= 60 && atoi(argv[3]) <= LONGEST)
		cost = cost_of_port(!strcmp(argv[1], "send"), argv[2], (uint32_t)atoi(argv[3]),
				    argv[4]);
	else
		return 2;
	printf("%.1f\n", cost);
	return cost > 0 ? 0 : 1;
}
