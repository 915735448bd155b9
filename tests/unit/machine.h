/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/loop.h"
#include "front/inprocess.h"
#include "instance/instance.h"
#include "nic/nic.h"
#include "unit.h"

/* What stands around a card under test: a clock turned by hand, a VM, and a network. */

/* ---- a port that keeps what is sent and offers what it is told to ---- */

enum { SENT_MAX = 512, SENT_BYTES = 4 << 20 };

struct sent {
	uint8_t *data;
	uint32_t length;
	uint16_t flags, header_length, segment_size, checksum_start, checksum_offset;
};

struct test_port {
	struct port port;
	struct port_ops ops;
	struct sent sent[SENT_MAX];
	unsigned count;
	uint8_t *bytes;
	size_t used;
	unsigned room; /* frames it takes before it is full */
	unsigned resumed;
	struct port_filter filter; /* as told last */
	unsigned filters;	   /* how often */
	bool closed;
};

void test_port_init(struct test_port *port, bool offloads);
void test_port_free(struct test_port *port);
void test_port_forget(struct test_port *port); /* what was sent */
/* A frame from the network; true: taken. Cut into PIECES iovecs. */
bool test_port_offer(struct test_port *port, const void *data, uint32_t length);
bool test_port_offer_frame(struct test_port *port, const struct frame *frame);
void test_port_writable(struct test_port *port); /* there is room again */

/* ---- a machine: VMs with cards ---- */

extern const uint8_t test_mac[6]; /* 52:54:00:12:34:56 */

struct machine {
	struct clock clock;
	struct loop *loop;
	struct inprocess *vm;
};

enum { MACHINE_MEMORY = 8 << 20 };

void machine_new(struct machine *machine);
void machine_free(struct machine *machine);
void machine_settle(struct machine *machine); /* runs what work is left */

struct card;
struct card *test_card(const char *name); /* cards/NAME/card.xml through the reader; shared */
struct instance *machine_plug(struct machine *machine, unsigned device, const struct card *card,
			      struct test_port *port);
struct instance *machine_plug_port(struct machine *machine, unsigned device,
				   const struct card *card, struct port *port);
void machine_unplug(struct instance *instance); /* and what it counted adds up */
void check_sums(const struct nic_sums *sums);

/* ---- a plain device: 4 KiB of memory BAR 0, 16 bytes of I/O BAR 1, 8 KiB of wide BAR 2 ---- */

struct plain {
	struct pci_function pci;
	struct pic pic;
	struct dma *dma;
	uint8_t memory[3][8192];
	unsigned accesses, widths; /* widths: those seen, or-ed */
	uint16_t command;
	bool connected;
};

void plain_init(struct plain *plain);
int plain_plug(struct plain *plain, struct inprocess *vm, unsigned device);
void plain_free(struct plain *plain);
