/* SPDX-License-Identifier: Apache-2.0 */
#include "networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 1514, HEADERS = 42, IN_ONE = 32 };

static const uint8_t host_mac[6] = {0x52, 0x55, 10, 0, 2, 2}, guest_mac[6] = {2, 0, 0, 0, 0, 15};

static void put16(uint8_t *data, unsigned value)
{
	data[0] = (uint8_t)(value >> 8);
	data[1] = (uint8_t)value;
}

static unsigned sum16(const uint8_t *data, unsigned length)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < length; i += 2)
		sum += (unsigned)(data[i] << 8 | data[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

void bench_frame(uint8_t *data, uint32_t length)
{
	const uint8_t ip[20] = {0x45, 0, 0,  0, 0, 0,  0x40, 0, 64, 17,
				0,    0, 10, 0, 2, 15, 10,   0, 2,  2};

	memset(data, 0x5a, length);
	memcpy(data, host_mac, 6);
	memcpy(data + 6, guest_mac, 6);
	put16(data + 12, 0x0800);
	memcpy(data + 14, ip, sizeof(ip));
	put16(data + 16, length - 14);
	put16(data + 24, ~sum16(data + 14, 20) & 0xffff);
	put16(data + 34, 1024);
	put16(data + 36, 9);
	put16(data + 38, length - 34);
	put16(data + 40, 0);
}

void bench_introduce(struct port *port)
{
	uint8_t data[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,	15, 8, 6,
			    0,	  1,	8,    0,    6,	  4,	0, 1, 2, 0, 0,	0,  0, 15,
			    10,	  0,	2,    15,   0,	  0,	0, 0, 0, 0, 10, 0,  2, 2};
	struct frame frame = {.length = 60, .iovs = 1, .iov = {{data, 60}}};

	port->ops->transmit(port, &frame, 1);
}

static int or_end(int result, const char *what)
{
	if (result >= 0)
		return result;
	perror(what);
	_exit(1);
}

static void unix_name(struct sockaddr_un *name, const char *path)
{
	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(name->sun_path, sizeof(name->sun_path), "%s", path);
}

static int packet_link(const char *interface)
{
	struct sockaddr_ll name = {.sll_family = AF_PACKET,
				   .sll_ifindex = (int)if_nametoindex(interface)};
	int link = or_end(socket(AF_PACKET, SOCK_RAW, 0), "packet");

	or_end(bind(link, (struct sockaddr *)&name, sizeof(name)), interface);
	return link;
}

static int stream_link(const char *path)
{
	int server = or_end(socket(AF_UNIX, SOCK_STREAM, 0), "stream");
	struct sockaddr_un name;

	unix_name(&name, path);
	or_end(bind(server, (struct sockaddr *)&name, sizeof(name)), path);
	or_end(listen(server, 1), path);
	return or_end(accept(server, NULL, NULL), path);
}

/* TEXT: LOCAL:REMOTE */
static int dgram_link(char *text)
{
	int link = or_end(socket(AF_UNIX, SOCK_DGRAM, 0), "dgram");
	char *remote = strchr(text, ':');
	struct sockaddr_un name;

	*remote++ = 0;
	unix_name(&name, text);
	or_end(bind(link, (struct sockaddr *)&name, sizeof(name)), text);
	unix_name(&name, remote);
	while (connect(link, (struct sockaddr *)&name, sizeof(name)) < 0)
		usleep(1000);
	return link;
}

static int udp_link(const char *port)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)atoi(port)),
				   .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int link = or_end(socket(AF_INET, SOCK_DGRAM, 0), "udp");

	or_end(connect(link, (struct sockaddr *)&name, sizeof(name)), port);
	return link;
}

static void take(int link)
{
	static uint8_t data[1 << 18];

	while (read(link, data, sizeof(data)) > 0)
		;
	_exit(0);
}

static void flood(int link, const uint8_t *data, size_t length, bool many)
{
	static uint8_t all[IN_ONE * (LONGEST + 4)];
	size_t size = 0;

	for (unsigned i = 0; i < (many ? IN_ONE : 1); i++) {
		if (many) {
			put16(all + size, 0);
			put16(all + size + 2, (unsigned)length);
			size += 4;
		}
		memcpy(all + size, data, length);
		size += length;
	}
	for (;;) {
		ssize_t wrote = 0, part;

		for (; wrote < (ssize_t)size; wrote += part) {
			part = write(link, all + wrote, size - (size_t)wrote);
			if (part < 0 && errno != ENOBUFS && errno != ECONNREFUSED)
				_exit(0);
			if (part < 0) {
				usleep(100);
				part = 0;
			}
		}
	}
}

static void peer_run(char *kind, char *where, uint32_t length)
{
	uint8_t data[LONGEST];
	bool udp = !strcmp(kind, "udp"), stream = !strcmp(kind, "stream");
	int link = udp			    ? udp_link(where)
		   : stream		    ? stream_link(where)
		   : !strcmp(kind, "dgram") ? dgram_link(where)
					    : packet_link(where);

	if (!length)
		take(link);
	bench_frame(data, length);
	memcpy(data, guest_mac, 6);
	memcpy(data + 6, host_mac, 6);
	if (udp) /* its headers are made for it */
		flood(link, data, length - HEADERS, false);
	flood(link, data, length, stream);
}

struct peer_process peer_start(const char *peer, uint32_t length)
{
	struct peer_process process = {0};
	char kind[256], *where;

	snprintf(kind, sizeof(kind), "%s", peer);
	where = strchr(kind, ':');
	if (!where)
		return process;
	*where++ = 0;
	fflush(NULL);
	process.pid = fork();
	if (process.pid)
		return process;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	peer_run(kind, where, length);
	_exit(0);
}

void peer_stop(struct peer_process *peer)
{
	if (peer->pid <= 0)
		return;
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
}
