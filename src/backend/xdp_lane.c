/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/xdp_lane.h"

#include "nic/offload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { HEADROOM = 256 /* that the kernel keeps before what arrives */ };

static int lane_memory(struct lane *lane)
{
	const struct xsk_umem_config config = {
		.fill_size = LANE_CHUNKS,
		.comp_size = LANE_CHUNKS,
		.frame_size = lane->chunk,
	};
	int result;

	lane->size = (size_t)lane->chunk * LANE_CHUNKS * 2;
	lane->memory =
		mmap(NULL, lane->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (lane->memory == MAP_FAILED) {
		lane->memory = NULL;
		return -ENOMEM;
	}
	result = xsk_umem__create(&lane->umem, lane->memory, lane->size, &lane->fill,
				  &lane->completion, &config);
	return result > 0 ? -result : result;
}

static int lane_socket(struct lane *lane, const char *name, unsigned queue, bool zero_copy)
{
	const struct xsk_socket_config config = {
		.rx_size = LANE_CHUNKS,
		.tx_size = LANE_CHUNKS,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags =
			(uint16_t)(XDP_USE_NEED_WAKEUP | (zero_copy ? XDP_ZEROCOPY : XDP_COPY)),
	};
	int result = xsk_socket__create(&lane->socket, name, queue, lane->umem, &lane->rx,
					&lane->tx, &config);

	lane->zero_copy = zero_copy;
	return result > 0 ? -result : result;
}

static void fill(struct lane *lane, const uint64_t *chunks, unsigned count)
{
	uint32_t at;

	if (xsk_ring_prod__reserve(&lane->fill, count, &at) != count)
		return; /* has as many places as there are chunks */
	for (unsigned i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&lane->fill, at + i) = chunks[i];
	xsk_ring_prod__submit(&lane->fill, count);
}

int lane_open(struct lane *lane, const char *name, unsigned queue, uint32_t mtu, bool zero_copy)
{
	int result;

	memset(lane, 0, sizeof(*lane));
	lane->chunk = mtu + 18 + HEADROOM <= 2048 ? 2048 : 4096;
	if (mtu + 18 + HEADROOM > lane->chunk)
		return -EMSGSIZE;
	result = lane_memory(lane);
	if (result == 0)
		result = lane_socket(lane, name, queue, zero_copy);
	if (result < 0) {
		lane_close(lane);
		return result;
	}
	for (unsigned i = 0; i < LANE_CHUNKS; i++) {
		fill(lane, &(uint64_t){(uint64_t)i * lane->chunk}, 1);
		lane->free[i] = LANE_CHUNKS + i;
	}
	lane->free_count = LANE_CHUNKS;
	return 0;
}

void lane_close(struct lane *lane)
{
	if (lane->socket)
		xsk_socket__delete(lane->socket);
	if (lane->umem)
		xsk_umem__delete(lane->umem);
	if (lane->memory)
		munmap(lane->memory, lane->size);
	memset(lane, 0, sizeof(*lane));
}

int lane_fd(const struct lane *lane)
{
	return xsk_socket__fd(lane->socket);
}

uint32_t lane_longest(const struct lane *lane)
{
	return lane->chunk - HEADROOM;
}

/* ---- out ---- */

unsigned lane_send(struct lane *lane, const struct frame *frames, unsigned count)
{
	uint32_t at;

	if (count > lane->free_count)
		count = lane->free_count;
	count = count ? xsk_ring_prod__reserve(&lane->tx, count, &at) : 0;
	for (unsigned i = 0; i < count; i++) {
		struct xdp_desc *to = xsk_ring_prod__tx_desc(&lane->tx, at + i);

		to->addr = (uint64_t)lane->free[--lane->free_count] * lane->chunk;
		to->len = (uint32_t)frame_copy(&frames[i], 0, lane->memory + to->addr,
					       frames[i].length);
		to->options = 0;
	}
	if (count)
		xsk_ring_prod__submit(&lane->tx, count);
	lane->flying += count;
	return count;
}

int lane_kick(struct lane *lane)
{
	if (!xsk_ring_prod__needs_wakeup(&lane->tx))
		return 0;
	return sendto(lane_fd(lane), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? -errno : 0;
}

unsigned lane_complete(struct lane *lane)
{
	uint32_t at;
	unsigned count = xsk_ring_cons__peek(&lane->completion, LANE_CHUNKS, &at);

	for (unsigned i = 0; i < count && lane->free_count < LANE_CHUNKS; i++) {
		uint64_t addr = *xsk_ring_cons__comp_addr(&lane->completion, at + i);

		lane->free[lane->free_count++] = (uint32_t)(addr / lane->chunk);
	}
	if (count)
		xsk_ring_cons__release(&lane->completion, count);
	lane->flying -= count < lane->flying ? count : lane->flying;
	return count;
}

/* ---- in ---- */

unsigned lane_receive(struct lane *lane, struct port *port)
{
	uint32_t at;
	unsigned count = xsk_ring_cons__peek(&lane->rx, INBOX_FRAMES, &at);

	lane->given_count = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&lane->rx, at + i);

		lane->given[lane->given_count++] = desc->addr / lane->chunk * lane->chunk;
		if (desc->addr >= lane->size || desc->len > lane->size - desc->addr ||
		    desc->len < 14)
			port_drop(&port->stats.rx, DROP_MALFORMED, 1);
		else
			inbox_put(&lane->inbox, port, lane->memory + desc->addr, desc->len);
	}
	if (count)
		xsk_ring_cons__release(&lane->rx, count);
	return count;
}

void lane_taken(struct lane *lane)
{
	fill(lane, lane->given, lane->given_count);
	lane->given_count = 0;
	if (xsk_ring_prod__needs_wakeup(&lane->fill))
		recvfrom(lane_fd(lane), NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

uint64_t lane_missed(struct lane *lane)
{
	struct xdp_statistics stats = {0};
	uint64_t before = lane->missed;

	if (getsockopt(lane_fd(lane), SOL_XDP, XDP_STATISTICS, &stats,
		       &(socklen_t){sizeof(stats)}) < 0)
		return 0;
	lane->missed = stats.rx_dropped + stats.rx_ring_full;
	return lane->missed - before;
}
