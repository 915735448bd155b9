/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Virtual PCI: one function's configuration space, BARs and capabilities.
 * The owner behind it is {ops, context}; this layer knows no device class.
 */
enum { PCI_BARS = 6, PCI_ROM = PCI_BARS, PCI_REGIONS, PCI_CONFIG_SIZE = 256 };

struct pci_identity {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t revision;
	uint32_t class_code;   /* 24 bits */
	uint8_t interrupt_pin; /* 0 none, 1 INTA ... */
	uint32_t rom;	       /* size of the expansion ROM, 0: none; as of a BAR, at least 2 KiB */
};

struct pci_bar {
	uint64_t size; /* 0: absent; else a power of two, >= 16 (memory) or 4 (I/O) */
	bool io, wide, prefetch;
};

struct pci_owner {
	void *context;
	/* width 1, 2, 4, 8; offset + width lies inside the BAR; PCI_ROM is read like one */
	uint64_t (*read)(void *context, unsigned bar, uint64_t offset, unsigned width);
	void (*write)(void *context, unsigned bar, uint64_t offset, unsigned width, uint64_t value);
	void (*reset)(void *context);
	/* COMMAND changed: memory/I-O decoding, bus master, INTx disable */
	void (*command)(void *context, uint16_t command);
	/* bytes of configuration that are the owner's, see pci_add_window(); width 1 to 4, and
	   EFFECTS as of a register that a driver reads */
	uint32_t (*config_read)(void *context, unsigned offset, unsigned width, bool effects);
	void (*config_write)(void *context, unsigned offset, unsigned width, uint32_t value);
};

/* Whoever places the function in address spaces: its BARs or their decoding changed. */
struct pci_watch {
	void *context;
	void (*moved)(void *context);
};

struct pci_function {
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE]; /* bit 1: the driver may write it */
	uint8_t clear[PCI_CONFIG_SIZE];	   /* bit 1: writing 1 clears it */
	uint8_t initial[PCI_CONFIG_SIZE];  /* values after reset */
	uint8_t taken[PCI_CONFIG_SIZE];	   /* enum pci_taken: behind the header */
	struct pci_bar bars[PCI_REGIONS];  /* and the ROM */
	struct pci_owner owner;
	struct pci_watch watch;
	unsigned msi_vectors, msix_vectors;
};

enum pci_taken { PCI_FREE, PCI_CAPABILITY, PCI_OWNED };

void pci_init(struct pci_function *pci, const struct pci_identity *identity,
	      const struct pci_bar bars[static PCI_BARS], const struct pci_owner *owner);
/* Bytes of configuration that the owner answers, from 0x40 on. 0, or -ENOSPC. */
int pci_add_window(struct pci_function *pci, unsigned at, unsigned size);
/*
 * Adds a capability of SIZE bytes; BODY[0..1] (id, next) are filled in. AT: its
 * place, 0: the first that is free. Offset, or -ENOSPC.
 */
int pci_add_capability(struct pci_function *pci, unsigned at, uint8_t id, const uint8_t *body,
		       const uint8_t *writable, unsigned size);
/* capability.c: the kinds there are, at a place or at the first that is free. Offset, or -ENOSPC.
 */
int pci_add_power(struct pci_function *pci, unsigned at);
int pci_add_express(struct pci_function *pci, unsigned at);
int pci_add_vendor(struct pci_function *pci, unsigned at, const uint8_t *bytes, unsigned count);
int pci_add_msi(struct pci_function *pci, unsigned at, unsigned vectors, bool wide);
int pci_add_msix(struct pci_function *pci, unsigned at, unsigned vectors, unsigned bar,
		 uint32_t table, uint32_t pending);
/* Where a BAR, or the ROM, is decoded now, 0: nowhere. */
uint64_t pci_bar_address(const struct pci_function *pci, unsigned bar);
/* The capability of that id, 0: none. */
unsigned pci_capability(const struct pci_function *pci, uint8_t id);
/* A driver's access has up to 4 bytes. Longer ones look on, and leave what is the owner's. */
void pci_config_read(const struct pci_function *pci, unsigned offset, unsigned count, void *data);
void pci_config_write(struct pci_function *pci, unsigned offset, unsigned count, const void *data);
/* The ROM, wherever it is decoded: COUNT bytes, ones beyond its end. */
void pci_rom_read(struct pci_function *pci, uint64_t offset, unsigned count, void *data);
/* Unclaimed, out of range, or decoding disabled: all-ones, dropped. */
uint64_t pci_bar_read(struct pci_function *pci, unsigned bar, uint64_t offset, unsigned width);
void pci_bar_write(struct pci_function *pci, unsigned bar, uint64_t offset, unsigned width,
		   uint64_t value);
/* The function's line went up or down: configuration shows it, also where it is disabled. */
void pci_line(struct pci_function *pci, bool level);
void pci_reset(struct pci_function *pci);
