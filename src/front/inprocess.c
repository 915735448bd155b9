/* SPDX-License-Identifier: Apache-2.0 */
#include "front/inprocess.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	CONFIG_LINE = 0x3c,
	CAPABILITY_MSI = 0x05,
	CAPABILITY_MSIX = 0x11,
	MSI_ENABLE = 1,
	MSI_WIDE = 0x80,
	MSIX_ENABLE = 0x8000,
};

struct plugged {
	struct inprocess *vm;
	struct inprocess_function function; /* pci NULL: nothing is plugged in */
};

struct inprocess {
	struct inprocess_config config;
	struct space spaces[2];
	struct pci_bus bus;
	struct plugged plugged[BUS_DEVICES];
	void *memory;
	bool working, again; /* again: an access came from within the work of another */
	uint64_t fired[PIC_VECTORS];
};

/* ---- interrupts ---- */

static unsigned control_of(const struct pci_function *pci, unsigned at)
{
	return at ? pci->config[at + 2] | (unsigned)pci->config[at + 3] << 8 : 0;
}

/* The function has 2^n messages; its data's low n bits say which. */
static unsigned msi_vector(const struct pci_function *pci, unsigned message)
{
	unsigned at = pci_capability(pci, CAPABILITY_MSI), control = control_of(pci, at);
	unsigned count = 1u << (control >> 4 & 7);
	unsigned data = pci->config[at + ((control & MSI_WIDE) ? 12 : 8)];

	return (data & ~(count - 1)) | (message & (count - 1));
}

static void fire(void *context, enum pic_kind kind, unsigned vector)
{
	struct plugged *plugged = context;
	const struct pci_function *pci = plugged->function.pci;
	struct inprocess *vm = plugged->vm;

	if (kind == PIC_LINE)
		vector = pci->config[CONFIG_LINE];
	else if (kind == PIC_MSI)
		vector = msi_vector(pci, vector);
	if (vector >= PIC_VECTORS)
		return;
	vm->fired[vector]++;
	if (vm->config.interrupt)
		vm->config.interrupt(vm->config.context, vector);
}

static void messages_update(struct plugged *plugged)
{
	const struct pci_function *pci = plugged->function.pci;
	enum pic_kind kind = PIC_LINE;

	if (control_of(pci, pci_capability(pci, CAPABILITY_MSI)) & MSI_ENABLE)
		kind = PIC_MSI;
	if (control_of(pci, pci_capability(pci, CAPABILITY_MSIX)) & MSIX_ENABLE)
		kind = PIC_MSIX;
	pic_use(plugged->function.pic, kind);
}

uint64_t inprocess_fired(const struct inprocess *vm, unsigned vector)
{
	return vector < PIC_VECTORS ? vm->fired[vector] : 0;
}

void inprocess_unmask(struct inprocess *vm, unsigned device)
{
	if (device < BUS_DEVICES && vm->plugged[device].function.pci)
		pic_unmask(vm->plugged[device].function.pic);
}

/* ---- accesses ---- */

static void work(struct inprocess *vm)
{
	for (unsigned i = 0; i < BUS_DEVICES; i++) {
		const struct inprocess_function *function = &vm->plugged[i].function;

		if (function->pci)
			function->after_request(function->context);
	}
}

static void after_access(struct inprocess *vm)
{
	vm->again = true;
	if (vm->working)
		return;
	vm->working = true;
	while (vm->again) {
		vm->again = false;
		work(vm);
	}
	vm->working = false;
}

static bool width_good(unsigned width)
{
	return width >= 1 && width <= 8;
}

uint64_t inprocess_read(struct inprocess *vm, enum inprocess_space space, uint64_t addr,
			unsigned width)
{
	uint64_t value = UINT64_MAX;

	if (width_good(width))
		value = space_read(&vm->spaces[space], addr, width);
	after_access(vm);
	return value;
}

void inprocess_write(struct inprocess *vm, enum inprocess_space space, uint64_t addr,
		     unsigned width, uint64_t value)
{
	if (width_good(width))
		space_write(&vm->spaces[space], addr, width, value);
	after_access(vm);
}

uint64_t inprocess_config_read(struct inprocess *vm, uint32_t bdf, unsigned offset, unsigned width)
{
	return width_good(width) ? bus_config_read(&vm->bus, bdf, offset, width) : UINT64_MAX;
}

void inprocess_config_write(struct inprocess *vm, uint32_t bdf, unsigned offset, unsigned width,
			    uint64_t value)
{
	if (!width_good(width) || !bus_function(&vm->bus, bdf))
		return;
	bus_config_write(&vm->bus, bdf, offset, width, value);
	messages_update(&vm->plugged[bdf >> 3]);
	after_access(vm);
}

void *inprocess_memory(struct inprocess *vm, uint64_t addr, uint64_t length)
{
	if (addr > vm->config.memory || length > vm->config.memory - addr)
		return NULL;
	return (uint8_t *)vm->memory + addr;
}

struct space *inprocess_space(struct inprocess *vm, enum inprocess_space space)
{
	return &vm->spaces[space];
}

/* ---- the VM ---- */

int inprocess_plug(struct inprocess *vm, unsigned device, const struct inprocess_function *function)
{
	struct plugged *plugged = &vm->plugged[device % BUS_DEVICES];
	int result = bus_plug(&vm->bus, device, function->pci);

	if (result < 0)
		return result;
	result =
		dma_map_host(function->dma, 0, vm->config.memory, vm->memory, DMA_READ | DMA_WRITE);
	if (result < 0) {
		bus_unplug(&vm->bus, device);
		return result;
	}
	*plugged = (struct plugged){vm, *function};
	function->pic->sink = (struct pic_sink){.context = plugged, .fire = fire};
	pic_listen(function->pic, true);
	function->session(function->context, true);
	return 0;
}

void inprocess_unplug(struct inprocess *vm, unsigned device)
{
	struct plugged *plugged = &vm->plugged[device % BUS_DEVICES];
	struct inprocess_function function = plugged->function;

	if (device >= BUS_DEVICES || !function.pci)
		return;
	bus_unplug(&vm->bus, device);
	pic_listen(function.pic, false);
	function.pic->messages = PIC_LINE;
	function.pic->sink = (struct pic_sink){0};
	plugged->function.pci = NULL;
	dma_unmap_all(function.dma);
	function.session(function.context, false);
}

struct inprocess *inprocess_new(const struct inprocess_config *config, struct error *err)
{
	struct inprocess *vm;

	if (!config->memory || config->memory > INPROCESS_BARS) {
		error_set(err, -EINVAL, "guest memory: expected 1 to %u bytes", INPROCESS_BARS);
		return NULL;
	}
	vm = calloc(1, sizeof(*vm));
	if (vm)
		vm->memory = mmap(NULL, config->memory, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!vm || vm->memory == MAP_FAILED) {
		free(vm);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	vm->config = *config;
	bus_init(&vm->bus, &vm->spaces[INPROCESS_MEMORY], &vm->spaces[INPROCESS_IO]);
	return vm;
}

void inprocess_free(struct inprocess *vm)
{
	if (!vm)
		return;
	for (unsigned i = 0; i < BUS_DEVICES; i++)
		inprocess_unplug(vm, i);
	munmap(vm->memory, vm->config.memory);
	free(vm);
}
