/* SPDX-License-Identifier: Apache-2.0 */
#include "front/embed.h"

#include "vmm/msix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MSI = 0x05, MSI_ENABLE = 1, MSI_WIDE = 0x80 };

struct embed {
	struct embed_config config;
	struct inprocess_function function; /* pci NULL: nothing is plugged in */
	struct msix *msix;		    /* or NULL */
	bool working, again;		    /* again: an access came from within the work */
};

/* ---- interrupts ---- */

static void fire_msi(struct embed *embed, unsigned message)
{
	const uint8_t *config = embed->function.pci->config;
	unsigned at = pci_capability(embed->function.pci, ID_MSI);
	bool wide = config[at + 2] & MSI_WIDE;
	unsigned count = 1u << (config[at + 2] >> 4 & 7);
	uint64_t address = 0;
	uint16_t data;

	memcpy(&address, config + at + 4, wide ? 8 : 4);
	memcpy(&data, config + at + (wide ? 12 : 8), sizeof(data));
	embed->config.message(embed->config.context, address,
			      (data & ~(count - 1)) | (message & (count - 1)));
}

static void fire(void *context, enum pic_kind kind, unsigned vector)
{
	struct embed *embed = context;

	if (kind == PIC_MSI)
		fire_msi(embed, vector);
	else if (kind == PIC_MSIX)
		msix_fire(embed->msix, vector);
}

static void level(void *context, bool high)
{
	struct embed *embed = context;

	embed->config.line(embed->config.context, high);
}

static void messages_update(struct embed *embed)
{
	const struct pci_function *pci = embed->function.pci;
	unsigned msi = pci_capability(pci, ID_MSI);
	enum pic_kind kind = PIC_LINE;

	if (msi && (pci->config[msi + 2] & MSI_ENABLE))
		kind = PIC_MSI;
	if (msix_on(embed->msix))
		kind = PIC_MSIX;
	pic_use(embed->function.pic, kind);
	msix_unmasked(embed->msix);
}

/* ---- accesses ---- */

static void after_access(struct embed *embed)
{
	embed->again = true;
	if (embed->working)
		return;
	embed->working = true;
	while (embed->again) {
		embed->again = false;
		embed->function.after_request(embed->function.context);
	}
	embed->working = false;
}

static bool width_good(unsigned width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

static uint64_t cut(uint64_t value, unsigned width)
{
	return width < 8 ? value & ((1ull << width * 8) - 1) : value;
}

uint64_t embed_config_read(struct embed *embed, unsigned offset, unsigned width)
{
	uint64_t value = 0;

	if (!width_good(width))
		return UINT64_MAX;
	pci_config_read(embed->function.pci, offset, width, &value);
	return value;
}

void embed_config_write(struct embed *embed, unsigned offset, unsigned width, uint64_t value)
{
	if (!width_good(width))
		return;
	pci_config_write(embed->function.pci, offset, width, &value);
	messages_update(embed);
	after_access(embed);
}

static bool decoded(const struct embed *embed, unsigned bar)
{
	return bar < PCI_BARS && pci_bar_address(embed->function.pci, bar);
}

uint64_t embed_bar_read(struct embed *embed, unsigned bar, uint64_t offset, unsigned width)
{
	uint64_t value;

	if (!width_good(width))
		return UINT64_MAX;
	if (!decoded(embed, bar) || !msix_read(embed->msix, bar, offset, width, &value))
		value = pci_bar_read(embed->function.pci, bar, offset, width);
	after_access(embed);
	return cut(value, width);
}

void embed_bar_write(struct embed *embed, unsigned bar, uint64_t offset, unsigned width,
		     uint64_t value)
{
	if (!width_good(width))
		return;
	if (!decoded(embed, bar) || !msix_write(embed->msix, bar, offset, width, value))
		pci_bar_write(embed->function.pci, bar, offset, width, value);
	after_access(embed);
}

void embed_reset(struct embed *embed)
{
	pci_reset(embed->function.pci);
	msix_reset(embed->msix);
	messages_update(embed);
	after_access(embed);
}

const struct pci_function *embed_pci(const struct embed *embed)
{
	return embed->function.pci;
}

/* ---- memory ---- */

int embed_map(struct embed *embed, uint64_t base, uint64_t size, void *host)
{
	return host ? dma_map_host(embed->function.dma, base, size, host, DMA_READ | DMA_WRITE)
		    : -EINVAL;
}

int embed_unmap(struct embed *embed, uint64_t base, uint64_t size)
{
	return dma_unmap(embed->function.dma, base, size);
}

/* ---- life ---- */

struct embed *embed_new(const struct embed_config *config)
{
	struct embed *embed = calloc(1, sizeof(*embed));

	if (embed)
		embed->config = *config;
	return embed;
}

static void moved(void *context)
{
	struct embed *embed = context;

	embed->config.moved(embed->config.context);
}

int embed_plug(struct embed *embed, const struct inprocess_function *function)
{
	const struct msix_sink sink = {embed->config.context, embed->config.message};

	if (embed->function.pci)
		return -EBUSY;
	embed->msix = msix_new(function->pci, &sink);
	if (!embed->msix && function->pci->msix_vectors)
		return -ENOMEM;
	embed->function = *function;
	if (embed->config.moved)
		function->pci->watch = (struct pci_watch){embed, moved};
	function->pic->sink = (struct pic_sink){embed, fire, level};
	function->session(function->context, true);
	return 0;
}

void embed_unplug(struct embed *embed)
{
	struct inprocess_function function = embed->function;

	if (!function.pci)
		return;
	function.pci->watch = (struct pci_watch){0};
	function.pic->sink = (struct pic_sink){0};
	function.pic->messages = PIC_LINE;
	embed->function.pci = NULL;
	msix_free(embed->msix);
	embed->msix = NULL;
	dma_unmap_all(function.dma);
	function.session(function.context, false);
}

void embed_free(struct embed *embed)
{
	if (!embed)
		return;
	embed_unplug(embed);
	free(embed);
}
