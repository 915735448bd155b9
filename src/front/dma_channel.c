/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Guest memory by messages: many DMA_READ and DMA_WRITE commands are under way
 * at once, each known by its 16-bit id; replies come between the client's own
 * commands. Only a client that made a map without a descriptor is ever asked:
 * any other takes our command for the reply it waits for.
 *
 * What it shares otherwise is doubted until such messages have shown it. A
 * client that leaves them unanswered must not be the worse for it.
 */
#include "base/log.h"
#include "front/internal.h"

#include <errno.h>
#include <string.h>

enum { SILENCE = 100000000 /* ns */ };
enum { REQUESTS = sizeof(((struct vfio_user *)0)->requests) / sizeof(struct dma_request) };

static void silent(struct timer *timer)
{
	struct vfio_user *front = timer->context;

	log_guest("client: it does not answer DMA messages; its memory is used as shared");
	dma_silence(front->config.dma);
}

static void silence_arm(struct vfio_user *front)
{
	struct clock *clock = loop_clock(front->config.loop);

	if (front->outstanding && dma_doubting(front->config.dma))
		timer_arm(clock, &front->silence, clock_now(clock) + SILENCE);
	else
		timer_cancel(clock, &front->silence);
}

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
	if (front->outstanding++ == 0)
		silence_arm(front);
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
	front->outstanding = 0;
	front->messages_allowed = false;
	timer_init(&front->silence, silent, front);
	dma_transport(front->config.dma, &transport);
}

void dma_channel_stop(struct vfio_user *front)
{
	timer_cancel(loop_clock(front->config.loop), &front->silence);
	dma_transport(front->config.dma, NULL);
}

void dma_channel_allow(struct vfio_user *front)
{
	if (!front->messages_allowed)
		dma_doubt(front->config.dma);
	front->messages_allowed = true;
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
	front->outstanding--;
	dma_answer(front->config.dma);
	if (request.write) {
		dma_write_done(front->config.dma, request.token, error);
	} else {
		if (!error && length != head + request.length)
			error = -EIO;
		dma_read_done(front->config.dma, request.token, error ? NULL : payload + head,
			      error ? 0 : request.length, error);
	}
	silence_arm(front);
	front->config.after_request(front->config.context);
}
