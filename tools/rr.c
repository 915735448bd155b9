/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Traffic for measuring, static so that it runs in any guest:
 *
 *   rr server PORT                    echoes one byte at a time (TCP), counts datagrams (UDP)
 *   rr tcp HOST PORT SECONDS          request-response transactions of one byte
 *   rr flood HOST PORT SECONDS BYTES  datagrams of BYTES payload, as fast as they go
 *   rr echo HOST PORT COUNT           datagrams of many sizes; each must come back the same;
 *                                     "again" are those that were sent again after a second
 *   rr join GROUP,… PORT SECONDS      joins multicast groups, counts what arrives
 *   rr frames NAME TYPE COUNT SECONDS prints frames of an Ethernet type, in hexadecimal
 *
 * The clients print one line: what was counted, and per second. The server
 * prints the datagrams of a second in which there were any.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, PAYLOAD_MAX = 9000 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
	fprintf(stderr, "rr: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_socket(int type, const char *host, const char *port, int server)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int fd = socket(AF_INET, type, 0), one = 1;

	if (fd < 0)
		die("socket");
	inet_pton(AF_INET, host, &at.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (server ? bind(fd, (void *)&at, sizeof(at)) : connect(fd, (void *)&at, sizeof(at)))
		die(server ? "bind" : "connect");
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void echo(int fd)
{
	int one = 1;
	char byte;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
		;
	exit(0);
}

static void count_datagrams(int fd, unsigned long *count)
{
	static char buffers[BATCH][PAYLOAD_MAX];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH] = { 0 };
	int got;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buffers[i], PAYLOAD_MAX };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	while ((got = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL)) > 0)
		*count += got;
}

static int serve(const char *port)
{
	int tcp = open_socket(SOCK_STREAM, "0.0.0.0", port, 1);
	int udp = open_socket(SOCK_DGRAM, "0.0.0.0", port, 1);
	unsigned long count = 0, last = 0;
	double mark = now();

	signal(SIGCHLD, SIG_IGN);
	listen(tcp, 16);
	for (;;) {
		struct pollfd fds[] = { { tcp, POLLIN, 0 }, { udp, POLLIN, 0 } };

		poll(fds, 2, 200);
		if (fds[0].revents) {
			int fd = accept(tcp, NULL, NULL);

			if (fd >= 0 && fork() == 0)
				echo(fd);
			close(fd);
		}
		if (fds[1].revents)
			count_datagrams(udp, &count);
		if (now() - mark >= 1) {
			if (count != last)
				printf("datagrams %lu\n", count - last), fflush(stdout);
			last = count;
			mark = now();
		}
	}
}

static int request(const char *host, const char *port, double seconds)
{
	int fd = open_socket(SOCK_STREAM, host, port, 0);
	double begin = now(), spent;
	unsigned long count = 0;
	char byte = 'x';

	while ((spent = now() - begin) < seconds) {
		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
			die("connection");
		count++;
	}
	printf("transactions %lu rate %.1f\n", count, count / spent);
	return 0;
}

static int flood(const char *host, const char *port, double seconds, size_t bytes)
{
	int fd = open_socket(SOCK_DGRAM, host, port, 0);
	static char payload[PAYLOAD_MAX];
	struct iovec iov = { payload, bytes };
	struct mmsghdr messages[BATCH] = { 0 };
	double begin = now(), spent;
	unsigned long count = 0;

	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1 };
	while ((spent = now() - begin) < seconds) {
		int sent = sendmmsg(fd, messages, BATCH, 0);

		if (sent > 0)
			count += sent;
	}
	printf("datagrams %lu rate %.1f\n", count, count / spent);
	return 0;
}

static void fill(unsigned char *payload, size_t bytes, unsigned seed)
{
	for (size_t i = 0; i < bytes; i++)
		payload[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
}

/*
 * Sends until the same comes back: the network may lose, but must not change.
 * What comes late answers an earlier one, which is told by its number.
 */
static int exchange(int fd, unsigned number, size_t bytes, unsigned *again)
{
	static unsigned char sent[PAYLOAD_MAX], back[PAYLOAD_MAX];
	struct pollfd ready = { fd, POLLIN, 0 };
	ssize_t got;

	fill(sent, bytes, number);
	memcpy(sent, &number, sizeof(number));
	for (int tries = 0; tries < 5; tries++) {
		*again += tries > 0;
		if (send(fd, sent, bytes, 0) < 0)
			continue;
		while (poll(&ready, 1, 1000) > 0 && (got = recv(fd, back, sizeof(back), 0)) > 0) {
			if (got == (ssize_t)bytes && !memcmp(sent, back, bytes))
				return 0;
			if (!memcmp(sent, back, sizeof(number)))
				return 1;
		}
	}
	return 1;
}

static int echo_datagrams(const char *host, const char *port, unsigned count)
{
	int fd = open_socket(SOCK_DGRAM, host, port, 0);
	unsigned wrong = 0, again = 0;

	for (unsigned i = 0; i < count; i++)
		wrong += exchange(fd, i + 1, sizeof(i) + i * 37 % 8900, &again);
	printf("datagrams %u wrong %u again %u\n", count, wrong, again);
	return wrong != 0;
}

static int join_groups(char *groups, const char *port, double seconds)
{
	int fd = open_socket(SOCK_DGRAM, "0.0.0.0", port, 1), most = 100;
	double end = now() + seconds;
	unsigned long count = 0;

	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &(int){ 0 }, sizeof(int));
	for (char *group = strtok(groups, ","); group && most--; group = strtok(NULL, ",")) {
		struct ip_mreqn wanted = { .imr_ifindex = (int)if_nametoindex("eth0") };

		inet_pton(AF_INET, group, &wanted.imr_multiaddr);
		if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &wanted, sizeof(wanted)))
			die(group);
	}
	while (now() < end) {
		struct pollfd ready = { fd, POLLIN, 0 };

		if (poll(&ready, 1, 100) > 0)
			count_datagrams(fd, &count);
	}
	printf("datagrams %lu\n", count);
	return 0;
}

/* When each came, in milliseconds, and what it was. */
static int print_frames(const char *name, const char *type, unsigned count, double seconds)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons((unsigned short)strtoul(type, NULL, 16)),
				  .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW, at.sll_protocol);
	struct pollfd ready = { fd, POLLIN, 0 };
	double begin = now();
	unsigned char frame[PAYLOAD_MAX + 64];

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 16 << 20 }, sizeof(int));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die(name);
	while (count && now() < begin + seconds) {
		ssize_t got = poll(&ready, 1, 100) > 0 ? recv(fd, frame, sizeof(frame), 0) : -1;

		if (got < 0)
			continue;
		printf("%.1f ", (now() - begin) * 1000);
		for (ssize_t i = 0; i < got; i++)
			printf("%02x", frame[i]);
		putchar('\n');
		count--;
	}
	return count != 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "server"))
		return serve(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "tcp"))
		return request(argv[2], argv[3], atof(argv[4]));
	if (argc == 6 && !strcmp(argv[1], "flood") && atoi(argv[5]) <= PAYLOAD_MAX)
		return flood(argv[2], argv[3], atof(argv[4]), atoi(argv[5]));
	if (argc == 5 && !strcmp(argv[1], "echo"))
		return echo_datagrams(argv[2], argv[3], (unsigned)atoi(argv[4]));
	if (argc == 5 && !strcmp(argv[1], "join"))
		return join_groups(argv[2], argv[3], atof(argv[4]));
	if (argc == 6 && !strcmp(argv[1], "frames"))
		return print_frames(argv[2], argv[3], (unsigned)atoi(argv[4]), atof(argv[5]));
	fputs("usage: rr server PORT | tcp HOST PORT SECONDS | flood HOST PORT SECONDS BYTES\n"
	      "       rr echo HOST PORT COUNT | join GROUP,... PORT SECONDS\n"
	      "       rr frames NAME TYPE COUNT SECONDS\n",
	      stderr);
	return 2;
}
