/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "vmm/pci.h"

/*
 * The table of MSI-X and its pending bits, for a VM that does not keep them
 * itself: they lie in a BAR, in front of whatever the function has there.
 */
struct msix;

struct msix_sink {
	void *context;
	void (*message)(void *context, uint64_t address, uint32_t data);
};

/* NULL: the function has no MSI-X, or there is no memory. */
struct msix *msix_new(const struct pci_function *pci, const struct msix_sink *sink);
void msix_free(struct msix *msix);
void msix_reset(struct msix *msix); /* all masked, nothing pending */

bool msix_on(const struct msix *msix); /* the driver has enabled it; NULL is off */
void msix_fire(struct msix *msix, unsigned vector);
void msix_unmasked(struct msix *msix); /* the mask of the whole function may have been lifted */

/* false: the access is not to the table. Width 1 to 8. */
bool msix_read(const struct msix *msix, unsigned bar, uint64_t offset, unsigned width,
	       uint64_t *value);
bool msix_write(struct msix *msix, unsigned bar, uint64_t offset, unsigned width, uint64_t value);
