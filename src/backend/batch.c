/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/batch.h"

#include "backend/vnet.h"
#include "base/guard.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

enum { SEND_MESSAGES = 64, SEND_IOVS = 512, TAG = 4, TAG_AT = 12 };

struct sending {
	struct mmsghdr messages[SEND_MESSAGES];
	struct virtio_net_hdr headers[SEND_MESSAGES];
	struct iovec iov[SEND_IOVS];
	unsigned count, iovs;
};

static bool sending_put(struct sending *sending, const struct frame *frame, bool vnet)
{
	struct iovec *iov = sending->iov + sending->iovs;
	struct mmsghdr *message = &sending->messages[sending->count];
	struct virtio_net_hdr *header = &sending->headers[sending->count];

	if (sending->count == SEND_MESSAGES || sending->iovs + frame->iovs + 1 > SEND_IOVS)
		return false;
	memset(message, 0, sizeof(*message));
	message->msg_hdr.msg_iov = iov;
	if (vnet) {
		*header = vnet_of(frame);
		*iov++ = (struct iovec){header, sizeof(*header)};
	}
	memcpy(iov, frame->iov, frame->iovs * sizeof(*iov));
	message->msg_hdr.msg_iovlen = frame->iovs + (vnet ? 1 : 0);
	sending->iovs += (unsigned)message->msg_hdr.msg_iovlen;
	sending->count++;
	return true;
}

/* Guest memory that is gone: where a signal would have put zeros, the kernel says EFAULT. */
static int sending_send(struct sending *sending, int fd)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	int sent = sendmmsg(fd, sending->messages, sending->count, flags);

	if (sent >= 0 || errno != EFAULT)
		return sent;
	guard_touch(sending->iov, sending->iovs);
	return sendmmsg(fd, sending->messages, sending->count, flags);
}

struct batch_result batch_send(int fd, const struct frame *frames, unsigned count, bool vnet)
{
	struct batch_result result = {0};
	struct sending sending;
	int sent;

	while (result.done < count) {
		sending.count = sending.iovs = 0;
		while (result.done + sending.count < count &&
		       sending_put(&sending, &frames[result.done + sending.count], vnet))
			;
		sent = sending_send(&sending, fd);
		if (sent < 0) {
			result.error = errno;
			return result;
		}
		result.done += (unsigned)sent;
	}
	return result;
}

/* ---- in ---- */

struct receiving {
	struct mmsghdr messages[INBOX_FRAMES];
	struct virtio_net_hdr headers[INBOX_FRAMES];
	struct iovec iov[INBOX_FRAMES][2];
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control[INBOX_FRAMES];
};

static void receiving_begin(struct receiving *receiving, const struct inbox *inbox, bool vnet)
{
	for (unsigned i = inbox->count; i < INBOX_FRAMES; i++) {
		struct msghdr *header = &receiving->messages[i].msg_hdr;
		struct iovec *iov = receiving->iov[i];

		memset(header, 0, sizeof(*header));
		iov[0] = (struct iovec){&receiving->headers[i], sizeof(receiving->headers[i])};
		iov[1] = (struct iovec){inbox->buffers[i] + TAG, INBOX_BYTES - TAG};
		header->msg_iov = vnet ? iov : iov + 1;
		header->msg_iovlen = vnet ? 2 : 1;
		header->msg_control = vnet ? &receiving->control[i] : NULL;
		header->msg_controllen = vnet ? sizeof(receiving->control[i]) : 0;
	}
}

/* The tag that the kernel took out of the frame at DATA is put back; where it begins then. */
static uint8_t *put_tag(struct msghdr *header, uint8_t *data)
{
	struct cmsghdr *message = header->msg_controllen ? CMSG_FIRSTHDR(header) : NULL;
	struct tpacket_auxdata aux;
	uint16_t type = 0x8100;

	if (!message || message->cmsg_level != SOL_PACKET || message->cmsg_type != PACKET_AUXDATA)
		return data;
	memcpy(&aux, CMSG_DATA(message), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return data;
	if (aux.tp_status & TP_STATUS_VLAN_TPID_VALID)
		type = aux.tp_vlan_tpid;
	memmove(data - TAG, data, TAG_AT);
	data -= TAG;
	data[TAG_AT] = (uint8_t)(type >> 8);
	data[TAG_AT + 1] = (uint8_t)type;
	data[TAG_AT + 2] = (uint8_t)(aux.tp_vlan_tci >> 8);
	data[TAG_AT + 3] = (uint8_t)aux.tp_vlan_tci;
	return data;
}

static void take(struct receiving *receiving, unsigned i, struct inbox *inbox, struct port *port,
		 bool vnet)
{
	struct mmsghdr *message = &receiving->messages[i];
	uint32_t length = message->msg_len - (vnet ? sizeof(*receiving->headers) : 0);
	uint8_t *data = receiving->iov[i][1].iov_base, *begin = data;
	struct frame *frame;

	if (message->msg_hdr.msg_flags & MSG_TRUNC || message->msg_len < 14 ||
	    (vnet && message->msg_len < sizeof(*receiving->headers) + 14)) {
		port_drop(&port->stats.rx,
			  message->msg_hdr.msg_flags & MSG_TRUNC ? DROP_TOO_LONG : DROP_MALFORMED,
			  1);
		return;
	}
	if (vnet)
		begin = put_tag(&message->msg_hdr, data);
	frame = inbox_put(inbox, port, begin, length + (uint32_t)(data - begin));
	if (vnet)
		vnet_to(frame, &receiving->headers[i], (unsigned)(data - begin));
}

struct batch_result batch_receive(int fd, struct inbox *inbox, struct port *port, bool vnet)
{
	struct receiving receiving;
	unsigned first = inbox->count;
	int got;

	receiving_begin(&receiving, inbox, vnet);
	got = recvmmsg(fd, receiving.messages + first, INBOX_FRAMES - first, MSG_DONTWAIT, NULL);
	if (got < 0)
		return (struct batch_result){.error = errno};
	for (unsigned i = first; i < first + (unsigned)got; i++)
		take(&receiving, i, inbox, port, vnet);
	return (struct batch_result){.done = (unsigned)got};
}
