/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/rate.h"
#include "front/inprocess.h"
#include "front/vfio_user.h"
#include "instance/instance.h"
#include "nic/nic.h"

struct instance {
	struct loop *loop;
	const struct card *card;
	char name[64];
	const char *net, *socket_path;
	uint8_t mac[6];
	bool link_down;	     /* by the operator */
	struct timer moving; /* the cable is between two ports */
	struct nic *nic;
	struct trace *trace;
	struct port *port; /* what the NIC has: HOST, or the outermost layer around it */
	struct port *host;
	struct port_stats past;	      /* of ports before HOST */
	struct layer *capture, *rate; /* around HOST, from inside; or NULL */
	char *capture_path;
	struct rate_limits limits;
	struct dma *dma;
	struct pci_function pci;
	struct pic pic;
	struct vfio_user *front; /* or */
	struct inprocess *vm;
	unsigned device;
	struct embed *embed;
	void (*gone)(void *context);
	void *gone_context;
	struct loop_work work, settle;
	bool connected;
	bool wanted;	/* work was recorded since it last ran */
	bool accessing; /* within a write to a register, which after_request follows */
};

/* instance_ports.c: HOST is there, or to be opened; what CONFIG wants is put around it */
int instance_start_ports(struct instance *instance, const struct instance_config *config,
			 struct error *err);
void instance_close_ports(struct instance *instance);

/* Configuration space of CARD, as after power-on. */
void instance_describe_function(struct instance *instance, const struct card *card);
