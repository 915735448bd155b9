/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/switch.h"
#include "instance/host.h"

struct host_nic {
	struct host *host;
	struct card *card;
	struct instance *instance;
	struct loop *loop;
	struct loop_post ended; /* its client has: told to the host's loop */
	struct host_net *net;
	char *asked;			     /* what the card was asked for by */
	char *socket_path, *capture, *trace; /* or NULL */
	char **files;			     /* that its description is made of */
	unsigned files_count;
	unsigned tries;	       /* to reload while it was busy */
	bool changed, reading; /* its files have; and they are read */
	uint8_t mac[6];
	struct switch_port port; /* what it is to be at a switch */
	struct port *seat;	 /* there, or NULL */
	bool joined;
	bool inherited, gone; /* on a descriptor that was handed over; its client has gone */
	struct host_nic *next;
};

struct host_card;

struct host {
	struct host_config config;
	struct host_nic *nics;
	struct host_net *nets;
	struct host_card *cards;
	unsigned next;	     /* loop of the crew, for who comes next */
	struct jobs *jobs;   /* or NULL: nothing was read yet */
	struct watch *watch; /* or NULL */
	bool watch_resets;
	struct timer settle; /* files may still be changing */
};

/* Where the NIC of that name is, or NULL would be: the end. */
struct host_nic **host_nic_place(struct host *host, const char *name);
struct host_net *host_net_find(const struct host *host, const char *id);
void host_net_drop(struct host *host, struct host_net *gone);

/* host_cards.c: CARD, or the same one that a NIC has already; NULL: no memory */
struct card *host_card_share(struct host *host, struct card *card);
void host_card_drop(struct host *host, const struct card *card);

/* host_reload.c */
void host_nic_files(struct host_nic *nic, struct mistakes *mistakes, bool all);
void host_watch_update(struct host *host); /* NICs came, went or have other files */
void host_watch_free(struct host *host);
