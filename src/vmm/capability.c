/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Capabilities of a function, as bytes of configuration space. Power management
 * and PCI Express are identity: their switches can be set and do nothing. Which
 * vectors are enabled is told by the client, so that MSI and MSI-X are bytes too.
 */
#include "vmm/pci.h"

#include <errno.h>

enum {
	ID_POWER = 0x01,
	ID_MSI = 0x05,
	ID_VENDOR = 0x09,
	ID_EXPRESS = 0x10,
	ID_MSIX = 0x11,
	BODY_MAX = 0x3c,
	MSI_WIDE = 0x80,
};

struct body {
	uint8_t value[BODY_MAX], writable[BODY_MAX];
};

static void put(struct body *body, unsigned at, unsigned bytes, uint32_t value, uint32_t writable)
{
	for (unsigned i = 0; i < bytes; i++) {
		body->value[at + i] = (uint8_t)(value >> i * 8);
		body->writable[at + i] = (uint8_t)(writable >> i * 8);
	}
}

/* Version 3, no PME; D3 is entered and left without losing what the card holds. */
int pci_add_power(struct pci_function *pci, unsigned at)
{
	struct body body = {0};

	put(&body, 2, 2, 0x0003, 0);
	put(&body, 4, 2, 0x0008, 0x0003);
	return pci_add_capability(pci, at, ID_POWER, body.value, body.writable, 8);
}

/* An endpoint of version 2 behind one lane at 2.5 GT/s. */
int pci_add_express(struct pci_function *pci, unsigned at)
{
	struct body body = {0};

	put(&body, 0x02, 2, 0x0002, 0);
	put(&body, 0x04, 4, 0x00008000, 0);  /* role-based error reporting */
	put(&body, 0x08, 2, 0x2010, 0x7fff); /* device control */
	put(&body, 0x0c, 4, 0x00000011, 0);  /* link: x1 at 2.5 GT/s */
	put(&body, 0x10, 2, 0, 0x01fb);	     /* link control */
	put(&body, 0x12, 2, 0x0011, 0);
	put(&body, 0x28, 2, 0, 0x001f); /* completion timeout */
	put(&body, 0x30, 2, 0x0001, 0);
	return pci_add_capability(pci, at, ID_EXPRESS, body.value, body.writable, BODY_MAX);
}

/* What stands behind the length byte; nobody can write it. */
int pci_add_vendor(struct pci_function *pci, unsigned at, const uint8_t *bytes, unsigned count)
{
	struct body body = {0};

	if (count > BODY_MAX - 3)
		return -ENOSPC;
	put(&body, 2, 1, count + 3, 0);
	for (unsigned i = 0; i < count; i++)
		put(&body, 3 + i, 1, bytes[i], 0);
	return pci_add_capability(pci, at, ID_VENDOR, body.value, body.writable, count + 3);
}

int pci_add_msi(struct pci_function *pci, unsigned at, unsigned vectors, bool wide)
{
	struct body body = {0};
	unsigned log = 0;
	int place;

	while (1u << log < vectors)
		log++;
	put(&body, 2, 2, log << 1 | (wide ? MSI_WIDE : 0u), 0x0071);
	put(&body, 4, 4, 0, 0xfffffffc);
	put(&body, 8, 4, 0, wide ? UINT32_MAX : 0xffff);
	put(&body, 12, 2, 0, 0xffff);
	place = pci_add_capability(pci, at, ID_MSI, body.value, body.writable, wide ? 14 : 10);
	if (place >= 0)
		pci->msi_vectors = vectors;
	return place;
}

int pci_add_msix(struct pci_function *pci, unsigned at, unsigned vectors, unsigned bar,
		 uint32_t table, uint32_t pending)
{
	struct body body = {0};
	int place;

	put(&body, 2, 2, vectors - 1, 0xc000);
	put(&body, 4, 4, table | bar, 0);
	put(&body, 8, 4, pending | bar, 0);
	place = pci_add_capability(pci, at, ID_MSIX, body.value, body.writable, 12);
	if (place >= 0)
		pci->msix_vectors = vectors;
	return place;
}
