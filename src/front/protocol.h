/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>
#include <stdint.h>

/* vfio-user on the wire: a 16-byte header, then the command's payload; host byte order. */
enum vu_command {
	VU_VERSION = 1,
	VU_DMA_MAP,
	VU_DMA_UNMAP,
	VU_GET_INFO,
	VU_GET_REGION_INFO,
	VU_GET_REGION_IO_FDS,
	VU_GET_IRQ_INFO,
	VU_SET_IRQS,
	VU_REGION_READ,
	VU_REGION_WRITE,
	VU_DMA_READ,
	VU_DMA_WRITE,
	VU_DEVICE_RESET,
	VU_WRITE_MULTI = 15,
	VU_COMMANDS,
};

enum {
	VU_TYPE = 0xf,
	VU_REPLY = 1,
	VU_NO_REPLY = 0x10,
	VU_ERROR = 0x20,

	VU_MAX_FDS = 16,
	VU_MAX_DATA = 1 << 20,
	VU_MAX_MESSAGE = 16 + 32 + VU_MAX_DATA,

	VU_REGIONS = 9,
	VU_REGION_CONFIG = 7,
	VU_IRQS = 5,
	VU_IRQ_LINE = 0,
	VU_IRQ_MSI = 1,
	VU_IRQ_MSIX = 2,
};

struct vu_header {
	uint16_t id, command;
	uint32_t size, flags, error;
};
static_assert(sizeof(struct vu_header) == 16, "header is 16 bytes on the wire");

struct vu_dma_map {
	uint32_t argsz, flags;
	uint64_t offset, iova, size;
};
static_assert(sizeof(struct vu_dma_map) == 32, "DMA_MAP");

struct vu_dma_unmap {
	uint32_t argsz, flags;
	uint64_t iova, size;
};
static_assert(sizeof(struct vu_dma_unmap) == 24, "DMA_UNMAP");
enum { VU_UNMAP_ALL = 2 };

struct vu_info {
	uint32_t argsz, flags, regions, irqs;
};
enum { VU_INFO_RESET = 1, VU_INFO_PCI = 2 };

struct vu_region_info {
	uint32_t argsz, flags, index, cap_offset;
	uint64_t size, offset;
};
static_assert(sizeof(struct vu_region_info) == 32, "REGION_INFO");

struct vu_irq_info {
	uint32_t argsz, flags, index, count;
};

struct vu_set_irqs {
	uint32_t argsz, flags, index, start, count;
};
static_assert(sizeof(struct vu_set_irqs) == 20, "SET_IRQS");
enum {
	VU_DATA_NONE = 1,
	VU_DATA_BOOL = 2,
	VU_DATA_EVENTFD = 4,
	VU_DATA = 7,
	VU_MASK = 8,
	VU_UNMASK = 0x10,
	VU_TRIGGER = 0x20,
};

struct vu_access {
	uint64_t offset;
	uint32_t region, count;
};
static_assert(sizeof(struct vu_access) == 16, "REGION_READ and REGION_WRITE");

struct vu_dma_access {
	uint64_t addr, count;
};

struct vu_write_multi {
	uint64_t offset;
	uint32_t region, count;
	uint64_t data;
};
static_assert(sizeof(struct vu_write_multi) == 24, "an entry of WRITE_MULTI");
enum { VU_WRITE_MULTI_MAX = 256 };
