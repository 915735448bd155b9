/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/vnet.h"

struct virtio_net_hdr vnet_of(const struct frame *frame)
{
	struct virtio_net_hdr header = {0};

	if (frame->flags & FRAME_CHECKSUM) {
		header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header.csum_start = frame->checksum_start;
		header.csum_offset = frame->checksum_offset;
	}
	if (frame->flags & (FRAME_TCP4 | FRAME_TCP6)) {
		header.gso_type = (frame->flags & FRAME_TCP4) ? VIRTIO_NET_HDR_GSO_TCPV4
							      : VIRTIO_NET_HDR_GSO_TCPV6;
		header.gso_size = frame->segment_size;
		header.hdr_len = frame->header_length;
	}
	return header;
}

/* The kernel's hdr_len is a hint; the TCP header itself says where it ends. */
static void header_length(struct frame *frame)
{
	const uint8_t *data = frame->iov[0].iov_base;
	size_t tcp = frame->checksum_start;

	if (tcp + 20 <= frame->length)
		frame->header_length = (uint16_t)(tcp + (data[tcp + 12] >> 4) * 4u);
}

void vnet_to(struct frame *frame, const struct virtio_net_hdr *header, unsigned shift)
{
	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		frame->flags |= FRAME_CHECKSUM;
		frame->checksum_start = (uint16_t)(header->csum_start + shift);
		frame->checksum_offset = header->csum_offset;
	} else if (header->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		frame->flags |= FRAME_VALID;
	}
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	frame->flags |= (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV6
				? FRAME_TCP6
				: FRAME_TCP4;
	frame->segment_size = header->gso_size;
	header_length(frame);
}
