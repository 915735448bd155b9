/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Guest memory by messages: many DMA_READ and DMA_WRITE commands are under way
 * at once, each known by its 16-bit id; replies come between the client's own
 * commands. Only a client that made a map without a descriptor is ever asked:
 * any other takes our command for the reply it waits for.
 */
#include "front/internal.h"

#include <errno.h>
#include <string.h>

enum { REQUESTS = sizeof(((struct vfio_user *)0)->requests) / sizeof(struct dma_request) };

static int channel_send(struct vfio_user *front, bool write, uint32_t token, uint64_t addr,
			const void *data, size_t length)
{
	struct vu_dma_access access = {addr, length};
	struct dma_request *request = &front->requests[front->next_id % REQUESTS];

	if (!front->messages_allowed || front->client.fd < 0)
		return -EFAULT;
	if (request->used)
		return -EBUSY;
	*request = (struct dma_request){true, write, front->next_id, token, length};
	if (write)
		front->stats.dma_writes++;
	else
		front->stats.dma_reads++;
	return message_command(front, front->next_id++, write ? VU_DMA_WRITE : VU_DMA_READ, &access,
			       sizeof(access), data, write ? length : 0);
}

static int channel_read(void *context, uint32_t token, uint64_t addr, size_t length)
{
	return channel_send(context, false, token, addr, NULL, length);
}

static int channel_write(void *context, uint32_t token, uint64_t addr, const void *data,
			 size_t length)
{
	return channel_send(context, true, token, addr, data, length);
}

void dma_channel_init(struct vfio_user *front)
{
	const struct dma_transport transport = {front, channel_read, channel_write};

	memset(front->requests, 0, sizeof(front->requests));
	front->messages_allowed = false;
	dma_transport(front->config.dma, &transport);
}

void dma_channel_reply(struct vfio_user *front, const struct vu_header *header,
		       const uint8_t *payload, size_t length)
{
	struct dma_request request = front->requests[header->id % REQUESTS];
	int error = (header->flags & VU_ERROR) ? -EFAULT : 0;
	const size_t head = sizeof(struct vu_dma_access);

	if (!request.used || request.id != header->id ||
	    header->command != (request.write ? VU_DMA_WRITE : VU_DMA_READ)) {
		front->stats.errors++;
		return;
	}
	front->requests[header->id % REQUESTS].used = false;
	if (request.write) {
		dma_write_done(front->config.dma, request.token, error);
	} else {
		if (!error && length != head + request.length)
			error = -EIO;
		dma_read_done(front->config.dma, request.token, error ? NULL : payload + head,
			      error ? 0 : request.length, error);
	}
	front->config.after_request(front->config.context);
}
