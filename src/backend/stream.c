/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A Unix stream socket in the framing of QEMU's netdevs, which passt has too:
 *
 *   length, 4 bytes, big endian | that many bytes of a frame | length | …
 *
 * Frames are read where they arrived; what is left of the last one moves to the front
 * of the buffer when the ones before it have been taken. A batch goes out as one
 * message from guest memory. Of a frame that went halfway the rest is copied, and
 * goes before anything else. A length that nobody sends means that the two ends no
 * longer agree on where frames begin: that end is hung up on.
 */
#include "backend/backend.h"
#include "backend/inbox.h"
#include "backend/peer.h"

#include "base/guard.h"
#include "base/log.h"
#include "base/socket.h"
#include "nic/offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM_FRAME = 4096 + 65536, STREAM_ROOM = 3 * (STREAM_FRAME + 4), STREAM_IOVS = 512 };

struct stream {
	struct port port;
	struct peer peer;
	struct loop *loop;
	struct loop_fd listener;
	char *path, *name;
	struct inbox inbox;  /* frames in the buffer */
	uint32_t begin, end; /* bytes of it that were not looked at */
	uint32_t rest_at, rest;
	uint8_t *left; /* of a frame that went halfway: [rest_at, rest) */
	uint8_t buffer[STREAM_ROOM];
};

/* ---- in ---- */

/* The frames that are whole; false: this makes no sense. */
static bool stream_parse(struct stream *stream)
{
	while (stream->end - stream->begin >= 4 && !inbox_full(&stream->inbox)) {
		uint8_t *at = stream->buffer + stream->begin;
		uint32_t length;

		memcpy(&length, at, 4);
		length = ntohl(length);
		if (length > STREAM_FRAME) {
			port_drop(&stream->port.stats.rx, DROP_MALFORMED, 1);
			return false;
		}
		if (stream->end - stream->begin - 4 < length)
			break;
		stream->begin += 4 + length;
		if (length < 14)
			port_drop(&stream->port.stats.rx, DROP_MALFORMED, 1);
		else
			inbox_put(&stream->inbox, &stream->port, at + 4, length);
	}
	return true;
}

/* Everything before BEGIN has been taken. */
static void stream_compact(struct stream *stream)
{
	if (stream->begin)
		memmove(stream->buffer, stream->buffer + stream->begin,
			stream->end - stream->begin);
	stream->end -= stream->begin;
	stream->begin = 0;
}

/* What is in the buffer goes to the NIC, as far as it takes it. */
static void stream_give(struct stream *stream)
{
	bool more = true, sane = true;

	while (more && sane) {
		sane = stream_parse(stream);
		more = inbox_full(&stream->inbox); /* there may be more behind */
		more &= inbox_give(&stream->inbox, &stream->port);
	}
	if (!sane) {
		peer_lost(&stream->peer, EPROTO);
		return;
	}
	stream->peer.held = stream->inbox.held;
	if (!stream->inbox.held)
		stream_compact(stream);
	peer_events(&stream->peer);
}

static void stream_read(struct stream *stream)
{
	ssize_t got = recv(stream->peer.fd.fd, stream->buffer + stream->end,
			   sizeof(stream->buffer) - stream->end, MSG_DONTWAIT);

	loop_called(stream->loop);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		peer_lost(&stream->peer, got < 0 ? errno : 0);
		return;
	}
	stream->end += (uint32_t)got;
	stream_give(stream);
}

/* ---- out ---- */

static void stream_blocked(struct stream *stream)
{
	if (!stream->peer.blocked)
		stream->port.stats.stalls++;
	stream->peer.blocked = true;
	peer_events(&stream->peer);
}

/* What is left of a frame that went halfway; false: some of it still is. */
static bool stream_flush(struct stream *stream)
{
	while (stream->rest_at < stream->rest) {
		ssize_t sent = send(stream->peer.fd.fd, stream->left + stream->rest_at,
				    stream->rest - stream->rest_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		loop_called(stream->loop);
		if (sent < 0)
			return false;
		stream->rest_at += (uint32_t)sent;
	}
	return true;
}

/* The rest of a frame of which DONE bytes, its length among them, have gone. */
static void stream_keep(struct stream *stream, const struct frame *frame, size_t done)
{
	uint32_t length = htonl(frame->length);
	uint8_t whole[4];

	memcpy(whole, &length, 4);
	stream->rest = 0;
	if (done < 4) {
		memcpy(stream->left, whole + done, 4 - done);
		stream->rest = (uint32_t)(4 - done);
		done = 4;
	}
	stream->rest += (uint32_t)frame_copy(frame, done - 4, stream->left + stream->rest,
					     frame->length - (done - 4));
	stream->rest_at = 0;
}

struct message {
	struct iovec iov[STREAM_IOVS];
	uint32_t lengths[STREAM_IOVS];
	unsigned iovs, frames;
};

static void message_put(struct message *message, const struct frame *frames, unsigned count)
{
	message->iovs = message->frames = 0;
	for (; message->frames < count; message->frames++) {
		const struct frame *frame = &frames[message->frames];
		uint32_t *length = &message->lengths[message->frames];

		if (message->iovs + 1 + frame->iovs > STREAM_IOVS)
			break;
		*length = htonl(frame->length);
		message->iov[message->iovs++] = (struct iovec){length, 4};
		memcpy(message->iov + message->iovs, frame->iov, frame->iovs * sizeof(*frame->iov));
		message->iovs += frame->iovs;
	}
}

static ssize_t message_send(struct stream *stream, struct message *message)
{
	struct msghdr header = {.msg_iov = message->iov, .msg_iovlen = message->iovs};
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	ssize_t sent = sendmsg(stream->peer.fd.fd, &header, flags);

	loop_called(stream->loop);
	if (sent < 0 && errno == EFAULT) {
		guard_touch(message->iov, message->iovs);
		sent = sendmsg(stream->peer.fd.fd, &header, flags);
	}
	return sent < 0 ? -errno : sent;
}

/* Of SENT bytes: how many frames are taken. */
static unsigned stream_account(struct stream *stream, const struct frame *frames, unsigned count,
			       size_t sent)
{
	unsigned taken = 0;

	for (; taken < count && sent; taken++) {
		const struct frame *frame = &frames[taken];

		if (sent < 4 + (size_t)frame->length) {
			stream_keep(stream, frame, sent);
			sent = 4 + (size_t)frame->length;
		}
		sent -= 4 + (size_t)frame->length;
		port_count(&stream->port.stats.tx, frame->length);
	}
	return taken;
}

static unsigned stream_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct stream *stream = port->context;
	struct message message;
	unsigned taken = 0;
	ssize_t sent;

	while (taken < count && peer_there(&stream->peer)) {
		if (stream->peer.blocked)
			return taken;
		message_put(&message, frames + taken, count - taken);
		sent = message_send(stream, &message);
		if (sent < 0 && sent != -EAGAIN) {
			peer_lost(&stream->peer, (int)-sent);
			continue;
		}
		taken += stream_account(stream, frames + taken, message.frames,
					sent > 0 ? (size_t)sent : 0);
		if (sent < 0 || stream->rest_at < stream->rest)
			stream_blocked(stream);
	}
	if (taken < count)
		port_drop(&port->stats.tx, DROP_NOBODY, count - taken);
	return count;
}

static void stream_ready(struct loop_fd *fd, uint32_t events)
{
	struct stream *stream = fd->context;

	if ((events & EPOLLOUT) && stream->peer.blocked && stream_flush(stream)) {
		stream->peer.blocked = false;
		peer_events(&stream->peer);
		port_writable(&stream->port);
	}
	if (!peer_there(&stream->peer) || &stream->peer.fd != fd)
		return;
	if (events & EPOLLIN && !stream->inbox.held)
		stream_read(stream);
	else if (events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN))
		peer_lost(&stream->peer, 0);
}

static void stream_resume(struct port *port)
{
	struct stream *stream = port->context;

	if (stream->inbox.held)
		stream_give(stream);
}

/* ---- the other end ---- */

static void stream_lost(struct peer *peer)
{
	struct stream *stream = peer->fd.context;

	inbox_drop(&stream->inbox, &stream->port, DROP_NOBODY);
	stream->begin = stream->end = stream->rest = stream->rest_at = 0;
}

static int stream_call(struct peer *peer)
{
	struct stream *stream = peer->fd.context;

	return unix_connect(stream->path, SOCK_STREAM);
}

/* One at a time: who comes while somebody is there waits until he has gone. */
static int stream_await(struct peer *peer)
{
	struct stream *stream = peer->fd.context;

	loop_modify(stream->loop, &stream->listener, EPOLLIN);
	return -EAGAIN;
}

static void stream_called(struct loop_fd *fd, uint32_t events)
{
	struct stream *stream = fd->context;
	int accepted = accept4(fd->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (accepted < 0)
		return;
	loop_modify(stream->loop, fd, 0);
	peer_found(&stream->peer, accepted);
}

static int stream_inherited(struct peer *peer)
{
	(void)peer;
	return -EAGAIN; /* there is no other */
}

static void stream_close(struct port *port)
{
	struct stream *stream = port->context;

	peer_free(&stream->peer);
	loop_remove(stream->loop, &stream->listener);
	if (stream->listener.fd >= 0) {
		close(stream->listener.fd);
		unix_remove(stream->path);
	}
	free(stream->left);
	free(stream->path);
	free(stream->name);
	free(stream);
}

static const struct port_ops stream_ops = {
	.transmit = stream_transmit,
	.resume = stream_resume,
	.close = stream_close,
};

static int stream_serve(struct stream *stream, struct error *err)
{
	stream->listener.fd = unix_listen(stream->path, err);
	if (stream->listener.fd < 0)
		return err->code;
	stream->peer.dial = stream_await;
	return loop_add(stream->loop, &stream->listener, EPOLLIN);
}

static int stream_connect(struct stream *stream, const char *spec, struct error *err)
{
	uint64_t ms;

	if (backend_number(spec, "reconnect", 1000, 3600000, &ms, err) < 0)
		return err->code;
	stream->peer.dial = stream_call;
	stream->peer.again = ms * 1000000;
	peer_dial(&stream->peer);
	if (peer_there(&stream->peer))
		return 0;
	if (!ms || stream->peer.why == ENAMETOOLONG)
		return error_set(err, -stream->peer.why, "--net stream,path=%s: %s", stream->path,
				 strerror(stream->peer.why));
	log_info("--net stream,path=%s: %s; tried again every %u ms", stream->path,
		 strerror(stream->peer.why), (unsigned)ms);
	return 0;
}

static int stream_start(struct stream *stream, const char *spec, struct error *err)
{
	bool server;
	int fd;

	if (backend_flag(spec, "server", &server, err) < 0)
		return err->code;
	fd = backend_descriptor(spec, SOCK_STREAM, err);
	if (fd == -ENOENT && !stream->path)
		return error_set(err, -EINVAL, "--net stream: one of path= and fd= must say which");
	if (fd != -ENOENT && (stream->path || server))
		return error_set(err, -EINVAL, "--net stream: fd= goes with nothing else");
	if (fd < 0 && fd != -ENOENT)
		return err->code;
	if (fd < 0)
		return server ? stream_serve(stream, err) : stream_connect(stream, spec, err);
	stream->peer.dial = stream_inherited;
	peer_found(&stream->peer, fd);
	return 0;
}

struct port *stream_open(const char *spec, struct loop *loop, struct error *err)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream || !(stream->left = malloc(4 + FRAME_MAX)) || !(stream->name = strdup(spec))) {
		error_set(err, -ENOMEM, "no memory");
		if (stream)
			free(stream->left);
		free(stream);
		return NULL;
	}
	stream->port = (struct port){.ops = &stream_ops, .context = stream};
	stream->loop = loop;
	stream->path = backend_option(spec, "path");
	stream->listener = (struct loop_fd){.fd = -1, .ready = stream_called, .context = stream};
	stream->peer.fd = (struct loop_fd){.ready = stream_ready, .context = stream};
	stream->peer.lost = stream_lost;
	peer_init(&stream->peer, &stream->port, loop, stream->name);
	if (stream_start(stream, spec, err) < 0) {
		stream_close(&stream->port);
		return NULL;
	}
	return &stream->port;
}
