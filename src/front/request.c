/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The client's commands. Reply sizes are exact: one client refuses longer ones,
 * another waits for ever for the missing bytes of shorter ones and never looks
 * at the error flag, so an access that cannot be served is answered in full
 * with all-ones.
 */
#include "base/log.h"
#include "front/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int request_fn(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
		       size_t length);

static int do_version(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
		      size_t length)
{
	char reply[192] = {0};
	uint16_t major;
	int text;

	memcpy(&major, payload, sizeof(major));
	if (major != 0)
		return -EINVAL;
	/* what the client says of itself is not needed: its requests are checked one by one */
	text = snprintf(reply + 4, sizeof(reply) - 4,
			"{\"capabilities\":{\"max_msg_fds\":%d,\"max_data_xfer_size\":%d,"
			"\"max_dma_maps\":65535,\"pgsizes\":4096%s}}",
			VU_MAX_FDS, VU_MAX_DATA,
			front->config.write_multiple ? ",\"write_multiple\":true" : "");
	(void)length;
	front->versioned = true;
	message_reply(front, header, reply, 4 + (size_t)text + 1);
	return 0;
}

static int do_dma_map(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
		      size_t length)
{
	struct vu_dma_map map;
	unsigned access;
	int fd, result;

	(void)length;
	memcpy(&map, payload, sizeof(map));
	access = ((map.flags & 1) ? DMA_READ : 0) | ((map.flags & 2) ? DMA_WRITE : 0);
	fd = message_take_fd(front);
	if (fd >= 0) {
		result = dma_map_fd(front->config.dma, map.iova, map.size, fd, map.offset, access);
		close(fd);
	} else {
		result = dma_map_host(front->config.dma, map.iova, map.size, NULL, access);
		dma_channel_allow(front);
	}
	if (result == 0)
		message_reply(front, header, NULL, 0);
	return result;
}

static int do_dma_unmap(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
			size_t length)
{
	struct vu_dma_unmap unmap;
	int result = 0;

	(void)length;
	memcpy(&unmap, payload, sizeof(unmap));
	if (unmap.flags & ~(unsigned)VU_UNMAP_ALL)
		return -EINVAL; /* dirty pages are not kept */
	if (unmap.flags & VU_UNMAP_ALL) {
		if (unmap.iova || unmap.size)
			return -EINVAL;
		dma_unmap_all(front->config.dma);
	} else {
		result = dma_unmap(front->config.dma, unmap.iova, unmap.size);
	}
	if (result == 0)
		message_reply(front, header, &unmap, sizeof(unmap));
	return result;
}

static int do_info(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
		   size_t length)
{
	struct vu_info info = {sizeof(info), VU_INFO_RESET | VU_INFO_PCI, VU_REGIONS, VU_IRQS};

	(void)payload;
	(void)length;
	message_reply(front, header, &info, sizeof(info));
	return 0;
}

static int do_region_info(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
			  size_t length)
{
	struct vu_region_info info;

	(void)length;
	memcpy(&info, payload, sizeof(info));
	if (info.index >= VU_REGIONS)
		return -EINVAL;
	info = (struct vu_region_info){.argsz = sizeof(info), .index = info.index};
	if (info.index < PCI_REGIONS)
		info.size = front->config.pci->bars[info.index].size;
	else if (info.index == VU_REGION_CONFIG)
		info.size = PCI_CONFIG_SIZE;
	info.flags = !info.size ? 0 : info.index == PCI_ROM ? 1 : 3; /* read, write */
	message_reply(front, header, &info, sizeof(info));
	return 0;
}

static int do_irq_info(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
		       size_t length)
{
	struct vu_irq_info info;

	(void)length;
	memcpy(&info, payload, sizeof(info));
	if (info.index >= VU_IRQS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.count = irqs_count(front, info.index);
	/* eventfd; the line is maskable and masks itself */
	info.flags = info.index == VU_IRQ_LINE ? 7 : 1;
	message_reply(front, header, &info, sizeof(info));
	return 0;
}

static int do_set_irqs(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
		       size_t length)
{
	struct vu_set_irqs set;
	int result;

	memcpy(&set, payload, sizeof(set));
	result = irqs_set(front, &set, payload + sizeof(set), length - sizeof(set));
	if (result == 0)
		message_reply(front, header, NULL, 0);
	return result;
}

/* Reads of up to 8 bytes go to the device as they are; longer ones piece by piece. */
static void region_read(struct vfio_user *front, const struct vu_access *access, uint8_t *data)
{
	struct pci_function *pci = front->config.pci;
	uint64_t value;

	front->stats.reads++;
	memset(data, 0xff, access->count);
	if (access->region == VU_REGION_CONFIG && access->offset < PCI_CONFIG_SIZE) {
		pci_config_read(pci, (unsigned)access->offset, access->count, data);
	} else if (access->region < PCI_BARS && access->count <= 8) {
		pic_touched(front->config.pic);
		value = pci_bar_read(pci, access->region, access->offset, access->count);
		memcpy(data, &value, access->count);
	}
}

static void region_write(struct vfio_user *front, const struct vu_access *access,
			 const uint8_t *data)
{
	struct pci_function *pci = front->config.pci;
	uint64_t value = 0;

	front->stats.writes++;
	if (access->region == VU_REGION_CONFIG && access->offset < PCI_CONFIG_SIZE) {
		pci_config_write(pci, (unsigned)access->offset, access->count, data);
	} else if (access->region < PCI_BARS && access->count <= 8) {
		pic_touched(front->config.pic);
		memcpy(&value, data, access->count);
		pci_bar_write(pci, access->region, access->offset, access->count, value);
	}
}

/* All of it at once, when a client copies it for its guest. */
static int rom_read(struct vfio_user *front, const struct vu_header *header,
		    const struct vu_access *access)
{
	uint8_t *reply;

	if (access->count > VU_MAX_DATA)
		return -EINVAL;
	reply = malloc(sizeof(*access) + access->count);
	if (!reply)
		return -ENOMEM;
	front->stats.reads++;
	memcpy(reply, access, sizeof(*access));
	pci_rom_read(front->config.pci, access->offset, access->count, reply + sizeof(*access));
	message_reply(front, header, reply, sizeof(*access) + access->count);
	free(reply);
	return 0;
}

static int do_region_read(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
			  size_t length)
{
	uint8_t reply[sizeof(struct vu_access) + 4096];
	struct vu_access access;

	(void)length;
	memcpy(&access, payload, sizeof(access));
	if (access.region == PCI_ROM && front->config.pci->bars[PCI_ROM].size)
		return rom_read(front, header, &access);
	if (access.count > 4096)
		return -EINVAL;
	memcpy(reply, &access, sizeof(access));
	region_read(front, &access, reply + sizeof(access));
	message_reply(front, header, reply, sizeof(access) + access.count);
	return 0;
}

static int do_region_write(struct vfio_user *front, const struct vu_header *header,
			   uint8_t *payload, size_t length)
{
	struct vu_access access;

	memcpy(&access, payload, sizeof(access));
	if (header->flags & VU_NO_REPLY)
		front->stats.posted++;
	if (access.count == length - sizeof(access))
		region_write(front, &access, payload + sizeof(access));
	else
		log_guest("client: a write of %u bytes brought %zu", access.count,
			  length - sizeof(access));
	message_reply(front, header, &access, sizeof(access));
	return 0;
}

static int do_write_multi(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
			  size_t length)
{
	struct vu_write_multi entry;
	uint64_t count;

	memcpy(&count, payload, sizeof(count));
	if (count > VU_WRITE_MULTI_MAX || count * sizeof(entry) != length - sizeof(count))
		return -EINVAL;
	for (uint64_t i = 0; i < count; i++) {
		struct vu_access access;

		memcpy(&entry, payload + sizeof(count) + i * sizeof(entry), sizeof(entry));
		access = (struct vu_access){entry.offset, entry.region, entry.count};
		front->stats.posted++;
		if (entry.count <= sizeof(entry.data))
			region_write(front, &access, (const uint8_t *)&entry.data);
		front->config.after_request(front->config.context);
	}
	message_reply(front, header, &count, sizeof(count));
	return 0;
}

static int do_reset(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
		    size_t length)
{
	(void)payload;
	(void)length;
	dma_cancel(front->config.dma);
	pci_reset(front->config.pci);
	message_reply(front, header, NULL, 0);
	return 0;
}

static const struct request {
	request_fn *run;
	uint16_t least; /* bytes of payload without which it is not this command */
} requests[VU_COMMANDS] = {
	[VU_VERSION] = {do_version, 4},
	[VU_DMA_MAP] = {do_dma_map, sizeof(struct vu_dma_map)},
	[VU_DMA_UNMAP] = {do_dma_unmap, sizeof(struct vu_dma_unmap)},
	[VU_GET_INFO] = {do_info, 4},
	[VU_GET_REGION_INFO] = {do_region_info, sizeof(struct vu_region_info)},
	[VU_GET_IRQ_INFO] = {do_irq_info, sizeof(struct vu_irq_info)},
	[VU_SET_IRQS] = {do_set_irqs, sizeof(struct vu_set_irqs)},
	[VU_REGION_READ] = {do_region_read, sizeof(struct vu_access)},
	[VU_REGION_WRITE] = {do_region_write, sizeof(struct vu_access)},
	[VU_DEVICE_RESET] = {do_reset, 0},
	[VU_WRITE_MULTI] = {do_write_multi, sizeof(uint64_t)},
};

void request_handle(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
		    size_t length)
{
	const struct request *request =
		&requests[header->command < VU_COMMANDS ? header->command : 0];
	int result = -EINVAL;

	front->stats.requests++;
	if ((header->flags & VU_TYPE) == VU_REPLY) {
		dma_channel_reply(front, header, payload, length);
		return;
	}
	if (!request->run)
		result = -ENOTSUP;
	else if (front->versioned != (header->command == VU_VERSION) && length >= request->least)
		result = request->run(front, header, payload, length);
	if (result < 0) {
		log_guest("client: command %u refused: %s", header->command, strerror(-result));
		message_error(front, header, result);
	}
	front->config.after_request(front->config.context);
	client_faults(front);
}
