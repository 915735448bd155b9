/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

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
	bool link_down; /* by the operator */
	struct nic *nic;
	struct trace *trace;
	struct port *port; /* what the NIC has: HOST, or a capture around it */
	struct port *host;
	struct dma *dma;
	struct pci_function pci;
	struct pic pic;
	struct vfio_user *front; /* or */
	struct inprocess *vm;
	unsigned device;
	struct embed *embed;
	void (*gone)(void *context);
	void *gone_context;
	struct loop_work work;
	bool connected;
	bool wanted;	/* work was recorded since it last ran */
	bool accessing; /* within a write to a register, which after_request follows */
};

/* Configuration space of CARD, as after power-on. */
void instance_describe_function(struct instance *instance, const struct card *card);
