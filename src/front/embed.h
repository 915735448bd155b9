/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "front/inprocess.h"

/*
 * One function for a VMM that has a bus and memory of its own: accesses come by
 * BAR number, memory is given to it, the line is a level, and messages carry
 * what the driver has set up. Here is therefore the table of MSI-X, which other
 * clients keep themselves.
 */
struct embed;

struct embed_config {
	void *context;
	void (*line)(void *context, bool level);
	void (*message)(void *context, uint64_t address, uint32_t data);
	void (*moved)(void *context); /* or NULL */
};

struct embed *embed_new(const struct embed_config *config);
void embed_free(struct embed *embed); /* unplugs */
int embed_plug(struct embed *embed, const struct inprocess_function *function);
void embed_unplug(struct embed *embed);

uint64_t embed_config_read(struct embed *embed, unsigned offset, unsigned width);
void embed_config_write(struct embed *embed, unsigned offset, unsigned width, uint64_t value);
uint64_t embed_bar_read(struct embed *embed, unsigned bar, uint64_t offset, unsigned width);
void embed_bar_write(struct embed *embed, unsigned bar, uint64_t offset, unsigned width,
		     uint64_t value);
void embed_reset(struct embed *embed);
const struct pci_function *embed_pci(const struct embed *embed);

int embed_map(struct embed *embed, uint64_t base, uint64_t size, void *host);
int embed_unmap(struct embed *embed, uint64_t base, uint64_t size);
