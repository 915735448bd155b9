/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Messages to and from one client.
 *
 * Input is read in large pieces that may hold many messages or part of one; a
 * message is handled when it is whole, so it may be split at any byte.
 * Descriptors come with the first byte of their message, and the kernel ends a
 * recvmsg() behind the write that carried them: they belong to the last message
 * that starts in what was read.
 *
 * Output is one sendmsg() per message; what the socket does not take waits in
 * a queue, whole messages in order. A client that asks and never reads is
 * dropped when the queue reaches OUTPUT_MAX.
 */
#include "base/log.h"
#include "front/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void message_init(struct vfio_user *front)
{
	front->last = &front->first;
}

static void drop_fds(struct vfio_user *front)
{
	for (unsigned i = 0; i < front->fds_count; i++)
		close(front->fds[i]);
	front->fds_count = 0;
}

void message_drop(struct vfio_user *front)
{
	drop_fds(front);
	while (front->first) {
		struct output *output = front->first;

		front->first = output->next;
		free(output);
	}
	front->last = &front->first;
	front->queued = 0;
	front->begin = front->end = 0;
}

int message_take_fd(struct vfio_user *front)
{
	int fd;

	if (!front->fds_count || front->begin != front->owner)
		return -1;
	fd = front->fds[0];
	front->fds_count--;
	memmove(front->fds, front->fds + 1, front->fds_count * sizeof(int));
	return fd;
}

/* ---- output ---- */

void message_flush(struct vfio_user *front)
{
	while (front->first) {
		struct output *output = front->first;
		ssize_t sent = send(front->client.fd, output->data + output->sent,
				    output->length - output->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EAGAIN)
			break;
		if (sent < 0) {
			front->broken = true;
			break;
		}
		output->sent += (size_t)sent;
		if (output->sent < output->length)
			continue;
		front->first = output->next;
		front->queued -= output->length;
		free(output);
	}
	if (!front->first)
		front->last = &front->first;
	loop_modify(front->config.loop, &front->client, EPOLLIN | (front->first ? EPOLLOUT : 0));
}

static int message_queue(struct vfio_user *front, const struct iovec *iov, unsigned count,
			 size_t length, size_t sent)
{
	struct output *output = NULL;
	uint8_t *at;

	if (length <= OUTPUT_MAX - front->queued)
		output = malloc(sizeof(*output) + length);
	if (!output) {
		front->broken = true;
		return -ENOMEM;
	}
	*output = (struct output){.length = length, .sent = sent};
	at = output->data;
	for (unsigned i = 0; i < count; i++) {
		if (iov[i].iov_len) /* an empty piece may have no address */
			memcpy(at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	*front->last = output;
	front->last = &output->next;
	front->queued += length;
	loop_modify(front->config.loop, &front->client, EPOLLIN | EPOLLOUT);
	return 0;
}

static int message_send(struct vfio_user *front, struct vu_header *header, const void *payload,
			size_t length, const void *data, size_t data_length)
{
	struct iovec iov[] = {
		{header, sizeof(*header)}, {(void *)payload, length}, {(void *)data, data_length}};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = data_length ? 3 : length ? 2 : 1};
	size_t whole = sizeof(*header) + length + data_length;
	ssize_t sent = 0;

	header->size = (uint32_t)whole;
	if (!front->first) {
		loop_called(front->config.loop);
		sent = sendmsg(front->client.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent == (ssize_t)whole)
			return 0;
		if (sent < 0 && errno != EAGAIN) {
			front->broken = true;
			return -errno;
		}
	}
	return message_queue(front, iov, 3, whole, sent > 0 ? (size_t)sent : 0);
}

void message_reply(struct vfio_user *front, const struct vu_header *request, const void *payload,
		   size_t length)
{
	struct vu_header header = {request->id, request->command, 0, VU_REPLY, 0};

	if (!(request->flags & VU_NO_REPLY))
		message_send(front, &header, payload, length, NULL, 0);
}

void message_error(struct vfio_user *front, const struct vu_header *request, int error)
{
	struct vu_header header = {request->id, request->command, 0, VU_REPLY | VU_ERROR,
				   (uint32_t)-error};

	front->stats.errors++;
	if (!(request->flags & VU_NO_REPLY))
		message_send(front, &header, NULL, 0, NULL, 0);
}

int message_command(struct vfio_user *front, uint16_t id, enum vu_command command,
		    const void *payload, size_t length, const void *data, size_t data_length)
{
	struct vu_header header = {id, (uint16_t)command, 0, 0, 0};

	return message_send(front, &header, payload, length, data, data_length);
}

/* ---- input ---- */

static int input_room(struct vfio_user *front, size_t wanted)
{
	uint8_t *grown;

	if (front->begin) {
		memmove(front->input, front->input + front->begin, front->end - front->begin);
		front->end -= front->begin;
		front->owner -= front->begin;
		front->begin = 0;
	}
	if (front->room >= wanted)
		return 0;
	grown = realloc(front->input, wanted);
	if (!grown)
		return -ENOMEM;
	front->input = grown;
	front->room = wanted;
	return 0;
}

static void keep_fd(struct vfio_user *front, int fd)
{
	if (front->fds_count < VU_MAX_FDS) {
		front->fds[front->fds_count++] = fd;
	} else {
		close(fd);
		front->broken = true;
	}
}

static void take_fds(struct vfio_user *front, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(fd) <= bytes; at += sizeof(fd)) {
			memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
			keep_fd(front, fd);
		}
	}
	if (message->msg_flags & MSG_CTRUNC)
		front->broken = true;
}

/* Where the last message that has begun begins. */
static size_t last_message(const struct vfio_user *front)
{
	size_t at = front->begin;
	struct vu_header header;

	while (front->end - at > sizeof(header)) {
		memcpy(&header, front->input + at, sizeof(header));
		if (header.size < sizeof(header) || header.size >= front->end - at)
			break;
		at += header.size;
	}
	return at;
}

/* Bytes read, 0 when there are none now; drops the client at its end. ALL: none are left. */
static size_t input_read(struct vfio_user *front, bool *all)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE((VU_MAX_FDS + 1) * sizeof(int))];
	} control;
	struct iovec iov = {front->input + front->end, front->room - front->end};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	unsigned held = front->fds_count;
	ssize_t got;

	front->config.looking(front->config.context);
	got = recvmsg(front->client.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	loop_called(front->config.loop);
	*all = got < 0 ? errno == EAGAIN : (size_t)got < iov.iov_len && !message.msg_controllen;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		front->broken = true;
		return 0;
	}
	take_fds(front, &message);
	front->end += (size_t)got;
	if (front->fds_count > held) {
		front->owner = last_message(front);
		front->broken |= held > 0; /* two messages' descriptors at once: not a client */
	}
	return (size_t)got;
}

/* Handles the first message if it is whole; false: wait for more. */
static bool input_message(struct vfio_user *front)
{
	size_t held = front->end - front->begin;
	struct vu_header header;

	if (held < sizeof(header))
		return false;
	memcpy(&header, front->input + front->begin, sizeof(header));
	if (header.size < sizeof(header) || header.size > VU_MAX_MESSAGE) {
		log_guest("client: a message of %u bytes, which cannot be", header.size);
		front->broken = true;
		return false;
	}
	if (held < header.size)
		return false;
	request_handle(front, &header, front->input + front->begin + sizeof(header),
		       header.size - sizeof(header));
	if (front->begin == front->owner)
		drop_fds(front); /* those it had no use for */
	front->begin += header.size;
	return true;
}

bool message_input(struct vfio_user *front)
{
	struct vu_header header;
	size_t wanted = INPUT_SIZE, got;
	bool all = false;

	if (front->end - front->begin >= sizeof(header)) {
		memcpy(&header, front->input + front->begin, sizeof(header));
		if (header.size > wanted)
			wanted = header.size;
	}
	if (input_room(front, wanted) < 0) {
		front->broken = true;
		return true;
	}
	got = input_read(front, &all);
	while (got && !front->broken && input_message(front))
		;
	if (all && !front->broken)
		front->config.looked(front->config.context);
	return got || front->broken;
}
