/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/rate.h"
#include "base/error.h"
#include "base/loop.h"
#include "nic/card.h"

/* One card for one VM: card, NIC, port, PCI function and front put together. */
struct embed;
struct inprocess;
struct instance;
struct json_object;
struct port;

struct instance_config {
	struct loop *loop;
	const struct card *card;
	const char *name; /* for control and statistics */
	/* in front of it: a VM of this process and a device number there, */
	struct inprocess *vm;
	unsigned device;
	struct embed *embed;	 /* or a VMM that has us in it, or a vfio-user server: */
	const char *socket_path; /* or NULL and fd */
	int fd;			 /* a connected socket, or -1 */
	/* behind it: a port, which is the instance's from then on, or one to be opened */
	struct port *port;
	const char *net;     /* "KIND[,key=value…]" */
	const char *capture; /* pcap file, or NULL */
	const char *trace;   /* see nic/trace.h, or NULL */
	struct rate_limits limits;
	uint8_t mac[6];
	void (*gone)(void *context); /* the client is; or NULL */
	void *context;
};

struct instance *instance_new(const struct instance_config *config, struct error *err);
void instance_free(struct instance *instance); /* before its VM's inprocess_free() */

/* Whoever asks it something, or tells it to do something, holds its loop meanwhile. */
struct loop *instance_loop(const struct instance *instance);
const char *instance_name(const struct instance *instance);
const char *instance_title(const struct instance *instance);  /* of its card */
const char *instance_socket(const struct instance *instance); /* path, or NULL */
/* The whole state, to a file and from one; see snapshot.h. */
int instance_save(struct instance *instance, const char *path, struct error *err);
int instance_load(struct instance *instance, const char *path, struct error *err);
/* Its VM stands: so does it, until it is loaded, or its driver turns to it or has gone. */
void instance_stand(struct instance *instance);
/*
 * Runs on CARD from now on; the one before is its owner's again. How, or: -EAGAIN,
 * the card is busy; -ECANCELED, something that it holds has no place, so that it
 * would have to be RESET; -EBUSY, the VM has to unplug the card first.
 */
enum reloaded {
	RELOADED_CARRIED, /* the driver notices nothing */
	RELOADED_RESET,	  /* as after a reset that the driver did not ask for */
	RELOADED_AFRESH,  /* no VM has it */
};
int instance_reload(struct instance *instance, const struct card *card, bool reset,
		    struct error *err);
void instance_link(struct instance *instance, bool up);
/* PATH NULL: no more. Where a new one fails the old one goes on. */
int instance_capture(struct instance *instance, const char *path, struct error *err);
int instance_rate(struct instance *instance, const struct rate_limits *limits, struct error *err);
/* Another port, which is the instance's from then on; the cable is moved there. */
void instance_attach(struct instance *instance, struct port *port, const char *net);
struct nic_stats;
struct nic_sums;
const struct nic_stats *instance_nic_stats(const struct instance *instance);
void instance_sums(const struct instance *instance, struct nic_sums *sums);
struct json_object *instance_describe_filter(struct instance *instance);
struct json_object *instance_describe(const struct instance *instance);
struct json_object *instance_stats(const struct instance *instance);
