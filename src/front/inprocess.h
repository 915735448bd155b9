/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/dma.h"
#include "base/error.h"
#include "vmm/bus.h"
#include "vmm/pic.h"

/*
 * A VM inside this process, for tests and embedders: guest memory from address
 * 0, a memory and an I/O space, one PCI bus, and interrupts by vector number.
 * The guest is whoever calls: it reads and writes addresses and configuration,
 * and looks at guest memory as the driver would.
 *
 * After each access every function gets one budget of its recorded work, as a
 * client's request does. What is left then runs on the loop.
 */
struct inprocess;

enum inprocess_space { INPROCESS_MEMORY, INPROCESS_IO };

struct inprocess_config {
	uint64_t memory; /* bytes; at most INPROCESS_BARS */
	/*
	 * An interrupt of a vector is delivered; may be NULL, they are counted
	 * anyway. It may access the VM; what that makes functions do follows when
	 * they are done with what they do.
	 */
	void (*interrupt)(void *context, unsigned vector);
	void *context;
};

/* What is plugged in; the same that the vfio-user server serves. */
struct inprocess_function {
	struct pci_function *pci;
	struct pic *pic;
	struct dma *dma;
	void (*after_request)(void *context);
	void (*session)(void *context, bool connected); /* plugged, unplugged */
	void *context;
};

/* Where inprocess_scan() puts memory BARs, and I/O BARs. */
#define INPROCESS_BARS 0xc0000000u
#define INPROCESS_PORTS 0x1000u

struct inprocess *inprocess_new(const struct inprocess_config *config, struct error *err);
void inprocess_free(struct inprocess *vm); /* unplugs what is left */
int inprocess_plug(struct inprocess *vm, unsigned device,
		   const struct inprocess_function *function);
void inprocess_unplug(struct inprocess *vm, unsigned device);

/* What firmware does: finds functions, sizes and places BARs, enables. How many there are. */
unsigned inprocess_scan(struct inprocess *vm);

uint64_t inprocess_read(struct inprocess *vm, enum inprocess_space space, uint64_t addr,
			unsigned width);
void inprocess_write(struct inprocess *vm, enum inprocess_space space, uint64_t addr,
		     unsigned width, uint64_t value);
uint64_t inprocess_config_read(struct inprocess *vm, uint32_t bdf, unsigned offset, unsigned width);
void inprocess_config_write(struct inprocess *vm, uint32_t bdf, unsigned offset, unsigned width,
			    uint64_t value);
/* Guest memory; NULL: not there. */
void *inprocess_memory(struct inprocess *vm, uint64_t addr, uint64_t length);
/* The space itself, for devices that are not on the bus. */
struct space *inprocess_space(struct inprocess *vm, enum inprocess_space space);

/*
 * The line's vector is what configuration holds as interrupt line, an MSI's
 * comes from the message data, an MSI-X's is its index. A line is delivered
 * once and then masked until its device's line is unmasked, as by a PIC's EOI.
 */
uint64_t inprocess_fired(const struct inprocess *vm, unsigned vector);
void inprocess_unmask(struct inprocess *vm, unsigned device);
