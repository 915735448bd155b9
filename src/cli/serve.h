/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* What `run` and `exec` share: options, and serving one card until told to end. */
struct serve_options {
	const char *card, *cards, *socket_path, *net, *control, *capture;
	unsigned char mac[6];
	bool mac_given; /* else made from card and socket path */
	int fd, cpu;
	int poll_us; /* -1: as the placement wants */
	char **rest; /* what follows CARD */
};

/* CLI_OK or CLI_USAGE, with the mistake told. */
int serve_options(int argc, char **argv, struct serve_options *options);

#define serve_usage                                                                                \
	"options:\n"                                                                               \
	"  --socket-path PATH  listen here\n"                                                      \
	"  --fd N              or serve this connected socket, and end with it (run only)\n"       \
	"  --net SPEC          the host's side, user by default:\n"                                \
	"                        "                                                                 \
	"user[,net=][,host=][,dns=][,dhcpstart=][,hostname=][,restrict=on]\n"                      \
	"                        "                                                                 \
	"[,tftp=DIR][,bootfile=][,hostfwd=tcp:[host]:port-[guest]:port]…\n"                      \
	"                        tap,ifname=NAME or tap,fd=N: a tap device\n"                      \
	"                        null: nobody\n"                                                   \
	"  --mac MAC           address; default: made from card and socket path\n"                 \
	"  --cards DIR         look for cards here first\n"                                        \
	"  --control PATH      socket for `anynic ctl`\n"                                          \
	"  --capture FILE      write frames to a pcap file\n"                                      \
	"  --cpu N             run on this CPU; best the one QEMU runs on\n"                       \
	"  --poll-us N         look this long before sleeping; takes an idle CPU's time\n"

/* Serves until SIGINT or SIGTERM, or until CHILD (0: none) has ended; its status then. */
struct serve_hooks {
	/* Called once the socket listens: the VMM's process, 0 for none, -1 for failure. */
	int (*started)(const struct serve_options *options, const char *title);
};

int serve(struct serve_options *options, const struct serve_hooks *hooks);
