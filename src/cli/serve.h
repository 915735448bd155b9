/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "instance/nic_spec.h"

#include <stdbool.h>

struct host;

enum { SERVE_NICS = 512, SERVE_NETS = 256 };

/* What `run` and `exec` share: options, and serving cards until told to end. */
struct serve_options {
	const char *cards, *control;
	struct nic_spec nics[SERVE_NICS]; /* of the short form: the first */
	const char *nets[SERVE_NETS];	  /* of the short form: SPEC; else ID=SPEC */
	unsigned nics_count, nets_count;
	bool many;		  /* by --nic */
	bool watch, watch_resets; /* descriptions that change */
	bool capabilities;	  /* are to be printed, and nothing else is asked */
	int cpu;
	unsigned workers;
	int poll_us; /* -1: as the placement wants */
	char **rest; /* what follows the options */
};

/* CLI_OK or CLI_USAGE, with the mistake told. */
int serve_options(int argc, char **argv, struct serve_options *options);
void serve_options_free(struct serve_options *options);

#define serve_usage                                                                                \
	"options:\n"                                                                               \
	"  --socket-path PATH  listen here\n"                                                      \
	"  --fd N              or serve this socket (run only): a client, and end with it; or "    \
	"one\n"                                                                                    \
	"                      that somebody else listens on\n"                                    \
	"  --net SPEC          the host's side, user by default:\n"                                \
	"                        "                                                                 \
	"user[,net=][,host=][,dns=][,dhcpstart=][,hostname=][,restrict=on]\n"                      \
	"                        "                                                                 \
	"[,tftp=DIR][,bootfile=][,hostfwd=tcp:[host]:port-[guest]:port]…\n"                      \
	"                        tap,ifname=NAME[,queues=N][,plain=on] or tap,fd=N: a tap\n"       \
	"                        packet,ifname=NAME[,mac-nat=on]: an interface of the host\n"      \
	"                        xdp,ifname=NAME[,queue=N][,copy=on]: its queues, by AF_XDP\n"     \
	"                        stream,path=PATH[,server=on][,reconnect=MS] or stream,fd=N,\n"    \
	"                        dgram,local=PATH,remote=PATH[,reconnect=MS]: another process\n"   \
	"                        pcap,file=FILE[,pace=own|max|N][,delay=MS][,loop=on]: a "         \
	"capture\n"                                                                                \
	"                        null: nobody\n"                                                   \
	"                        switch[,uplink=SPEC]: a switch for many NICs\n"                   \
	"  --mac MAC           address; default: made from card and socket path\n"                 \
	"  --cards PLACE       a folder of cards or a pack; look there first\n"                    \
	"  --allow-programs    modules of cards in packs may run, which may do anything\n"         \
	"  --like SLOT         in place of CARD: one like PCI device 0000:03:00.0 of the host\n"   \
	"  --control PATH      socket for `anynic ctl`\n"                                          \
	"  --watch[=reset]     take a card's description anew when its files change, if its "      \
	"driver\n"                                                                                 \
	"                      need not notice; or else as a reset of the card\n"                  \
	"  --capture FILE      write frames to a pcap file\n"                                      \
	"  --trace WHAT[:FILE]  say what the driver does; WHAT is a list of registers, rings,\n"   \
	"                      frames and interrupts, as in registers,rings:trace.txt\n"           \
	"  --cpu N             run on this CPU; best the one QEMU runs on\n"                       \
	"  --poll-us N         look this long before sleeping; takes an idle CPU's time\n"         \
	"  --workers N         spread cards and networks over N threads; with --cpu, on the\n"     \
	"                      CPUs from that one on\n"                                            \
	"  --print-capabilities  what this program can do, for a manager; nothing else\n"          \
	"many cards, each for a VM of its own, in place of CARD and its options:\n"                \
	"  --nic CARD,socket=PATH|fd=N[,net=ID][,mac=MAC][,name=NAME][,capture=FILE]\n"            \
	"        [,trace=WHAT[:FILE]][,rate-tx-bits=N][,rate-tx-frames=N][,rate-rx-…]\n"         \
	"        [,isolated=on][,spoofchk=on][,vlan=N][,trunk=N-M]…  (at a switch)\n"            \
	"  --net ID=SPEC       a network; one that several NICs name is a switch\n"

/* Serves until SIGINT or SIGTERM, or until CHILD (0: none) has ended; its status then. */
struct serve_hooks {
	/* Called once the sockets listen: the VMM's process, 0 for none, -1 for failure. */
	int (*started)(const struct serve_options *options, const struct host *host);
};

int serve(struct serve_options *options, const struct serve_hooks *hooks);
