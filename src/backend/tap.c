/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A tap device with vnet headers: segmentation and checksums pass through it
 * whole. Frames go out straight from guest memory by writev(); they come in up
 * to 64 kB at a time. What the NIC has no room for waits here, and the tap is
 * not read until the NIC asks for more.
 *
 * A device with several queues: what belongs together stays on one of them. It is
 * watched by its name: while it is down the guest has no link, and when it was deleted
 * and there is one of its name again, that one is taken. One that was moved
 * to another namespace is still ours.
 *
 * With plain=on no offload passes. The kernel completes nothing for a packet socket that looks at
 * the device, so a switch that has it as a port by such a socket would send frames on unfinished.
 */
#include "backend/backend.h"
#include "backend/inbox.h"
#include "backend/tap_device.h"
#include "backend/vnet.h"
#include "backend/watch.h"

#include "base/guard.h"
#include "base/log.h"
#include "nic/offload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { QUEUES = 16, FLOW_BYTES = 38 /* to the ports of TCP and UDP */ };

struct tap {
	struct port port;
	struct loop *loop;
	struct watch watch; /* where it is known by name */
	int index;	    /* of the device that the queues are of; 0: not known */
	bool plain;
	unsigned queues_count;
	struct tap_queue {
		struct loop_fd fd; /* -1: the device is gone */
		struct tap *tap;
		bool blocked; /* the kernel's queue is full */
	} queues[QUEUES];
	struct inbox inbox;
};

static bool tap_there(const struct tap *tap)
{
	return tap->queues[0].fd.fd >= 0;
}

static void tap_events(struct tap *tap)
{
	for (unsigned i = 0; tap_there(tap) && i < tap->queues_count; i++) {
		struct tap_queue *queue = &tap->queues[i];

		loop_modify(tap->loop, &queue->fd,
			    (tap->inbox.held ? 0 : EPOLLIN) | (queue->blocked ? EPOLLOUT : 0));
	}
}

static void tap_detach(struct tap *tap)
{
	for (unsigned i = 0; i < tap->queues_count; i++) {
		struct tap_queue *queue = &tap->queues[i];

		loop_remove(tap->loop, &queue->fd);
		if (queue->fd.fd >= 0)
			close(queue->fd.fd);
		queue->fd.fd = -1;
		queue->blocked = false;
	}
	tap->index = 0;
	inbox_drop(&tap->inbox, &tap->port, DROP_NOBODY);
}

/* Its device was deleted: nothing comes of it any more. */
static void tap_gone(struct tap *tap)
{
	tap_detach(tap);
	port_link(&tap->port, false);
	port_writable(&tap->port);
}

/* ---- out ---- */

/* Guest memory that is gone: where a signal would have put zeros, the kernel says EFAULT. */
static ssize_t tap_write(int fd, const struct iovec *iov, unsigned count)
{
	ssize_t sent = writev(fd, iov, (int)count);

	if (sent >= 0 || errno != EFAULT)
		return sent;
	guard_touch(iov, count);
	return writev(fd, iov, (int)count);
}

/* A device that is down or gone says EIO or EBADFD. */
static enum port_drop tap_lost(int why)
{
	switch (why) {
	case EIO:
	case EBADFD:
		return DROP_NOBODY;
	case ENOBUFS:
	case ENOMEM:
		return DROP_NO_ROOM;
	default:
		return DROP_REFUSED;
	}
}

/* Frames of one conversation take one queue, and stay in order. */
static struct tap_queue *queue_of(struct tap *tap, const struct frame *frame)
{
	uint8_t head[FLOW_BYTES];
	uint32_t hash = 0;
	size_t held;

	if (tap->queues_count == 1)
		return tap->queues;
	held = frame_copy(frame, 0, head, sizeof(head));
	/* without lengths, identities and sums, which differ from frame to frame */
	for (size_t i = 0; i < held; i += i == 13 ? 10 : i == 23 ? 3 : 1)
		hash = (hash ^ head[i]) * 16777619u;
	return &tap->queues[(hash >> 16) % tap->queues_count];
}

static int frame_write(struct tap *tap, struct tap_queue *queue, const struct frame *frame)
{
	struct virtio_net_hdr header = vnet_of(frame);
	struct iovec iov[FRAME_IOVS + 1];

	iov[0] = (struct iovec){&header, sizeof(header)};
	memcpy(iov + 1, frame->iov, frame->iovs * sizeof(*iov));
	loop_called(tap->loop);
	return tap_write(queue->fd.fd, iov, frame->iovs + 1) < 0 ? errno : 0;
}

static unsigned tap_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct tap *tap = port->context;

	if (!tap_there(tap)) {
		port_drop(&port->stats.tx, DROP_NOBODY, count);
		return count;
	}
	if (tap->watch.index)
		watch_used(&tap->watch);
	for (unsigned i = 0; i < count; i++) {
		struct tap_queue *queue = queue_of(tap, &frames[i]);
		int error = queue->blocked ? EAGAIN : frame_write(tap, queue, &frames[i]);

		if (error == EAGAIN) {
			port->stats.stalls += !queue->blocked;
			queue->blocked = true;
			tap_events(tap);
			return i;
		}
		if (error)
			port_drop(&port->stats.tx, tap_lost(error), 1);
		else
			port_count(&port->stats.tx, frames[i].length);
	}
	return count;
}

/* ---- in ---- */

/* One frame from the tap; false: there is none now. */
static bool tap_read(struct tap *tap, int fd)
{
	struct virtio_net_hdr header;
	uint8_t *buffer = inbox_buffer(&tap->inbox);
	struct iovec iov[] = {{&header, sizeof(header)}, {buffer, INBOX_BYTES}};
	ssize_t got = readv(fd, iov, 2);

	loop_called(tap->loop);
	if (got < (ssize_t)sizeof(header)) {
		if (got < 0 && errno != EAGAIN && errno != EINTR && errno != EBADFD)
			log_guest("tap: %s", strerror(errno));
		return false;
	}
	vnet_to(inbox_put(&tap->inbox, &tap->port, buffer,
			  (uint32_t)((size_t)got - sizeof(header))),
		&header, 0);
	return true;
}

static void tap_ready(struct loop_fd *fd, uint32_t events)
{
	struct tap_queue *queue = fd->context;
	struct tap *tap = queue->tap;

	if ((events & EPOLLERR) && !tap_device_alive(fd->fd)) {
		tap_gone(tap);
		return;
	}
	if ((events & EPOLLOUT) && queue->blocked) {
		queue->blocked = false;
		tap_events(tap);
		port_writable(&tap->port);
	}
	if (!(events & EPOLLIN) || tap->inbox.held)
		return;
	while (!inbox_full(&tap->inbox) && tap_read(tap, fd->fd))
		;
	if (!inbox_give(&tap->inbox, &tap->port))
		tap_events(tap);
	if (tap->watch.index)
		watch_used(&tap->watch);
}

static void tap_resume(struct port *port)
{
	struct tap *tap = port->context;

	if (tap->inbox.held && inbox_give(&tap->inbox, port))
		tap_events(tap);
}

/* ---- the device ---- */

static int queue_add(struct tap *tap, unsigned i, int fd, struct error *err)
{
	struct tap_queue *queue = &tap->queues[i];

	if (fd < 0)
		return fd;
	queue->fd.fd = fd;
	if (loop_add(tap->loop, &queue->fd, EPOLLIN) < 0)
		return error_set(err, -errno, "--net tap: %s", strerror(errno));
	return 0;
}

static int tap_attach(struct tap *tap, struct error *err)
{
	int result = 0;

	for (unsigned i = 0; result == 0 && i < tap->queues_count; i++)
		result = queue_add(
			tap, i,
			tap_device_open(tap->watch.name, tap->queues_count > 1, tap->plain, err),
			err);
	if (result < 0)
		tap_detach(tap);
	else
		tap->index = tap->watch.index;
	return result;
}

/* The device counts what it has done: what it sent is what we received. */
static void tap_health(struct tap *tap, const struct port_health *seen)
{
	struct port_way *rx = &tap->port.stats.rx;
	uint64_t missed = seen->tx_discarded - tap->port.health.rx_missed;
	const struct port_health health = {
		.rx_missed = seen->tx_discarded,
		.rx_errors = seen->tx_errors,
		.tx_errors = seen->rx_errors,
		.tx_discarded = seen->rx_missed,
	};

	rx->offered += missed;
	rx->dropped[DROP_NO_ROOM] += missed;
	port_health(&tap->port, &health);
}

static void tap_changed(struct watch *watch)
{
	struct tap *tap = watch->context;
	struct error err = {0};

	if (tap_there(tap) && watch->index && tap->index != watch->index &&
	    tap_device_here(tap->queues[0].fd.fd, watch->name))
		tap->index = watch->index; /* it was away */
	if (tap_there(tap) && tap->index && tap->index != watch->index &&
	    !tap_device_alive(tap->queues[0].fd.fd))
		tap_gone(tap);
	if (!tap_there(tap) && watch->index && tap->port.peer.receive && tap_attach(tap, &err) < 0)
		log_guest("%s", err.text);
	if (!tap_there(tap) || tap->index != watch->index)
		return; /* it lives elsewhere, and tells nothing */
	tap_health(tap, &watch->health);
	port_link(&tap->port, watch->up);
}

static void tap_examine(struct port *port)
{
	struct tap *tap = port->context;

	if (tap->index)
		watch_ask(&tap->watch);
}

static void tap_close(struct port *port)
{
	struct tap *tap = port->context;

	tap_detach(tap);
	watch_close(&tap->watch);
	inbox_free(&tap->inbox);
	free(tap);
}

static const struct port_ops tap_ops = {
	.transmit = tap_transmit,
	.resume = tap_resume,
	.examine = tap_examine,
	.close = tap_close,
	.offloads = true,
};

static const struct port_ops plain_ops = {
	.transmit = tap_transmit,
	.resume = tap_resume,
	.examine = tap_examine,
	.close = tap_close,
};

static int tap_named(struct tap *tap, const char *name, struct error *err)
{
	struct error what = {0};
	int result;

	/* the kernel would make one, which nobody has set up and which goes when we go */
	if (watch_open(&tap->watch, name, &what) < 0)
		return error_set(err, what.code,
				 what.code == -ENODEV
					 ? "--net tap,ifname=%s: no such interface; `ip tuntap add "
					   "%s mode tap` makes one"
					 : "--net tap,ifname=%s: %s",
				 name, what.code == -ENODEV ? name : what.text);
	result = tap_attach(tap, err);
	if (result == 0)
		watch_ask(&tap->watch); /* it has a carrier now */
	return result;
}

static int tap_start(struct tap *tap, const char *spec, struct error *err)
{
	char *name = backend_option(spec, "ifname"), *number = backend_option(spec, "fd");
	uint64_t queues;
	int result;

	if (!name == !number)
		result =
			error_set(err, -EINVAL, "--net tap: one of ifname= and fd= must say which");
	else
		result = backend_number(spec, "queues", 1, QUEUES, &queues, err)
				 ?: backend_flag(spec, "plain", &tap->plain, err);
	if (result == 0 && (!queues || (number && queues > 1)))
		result = error_set(err, -EINVAL, "--net tap: queues=%u: %s", (unsigned)queues,
				   queues ? "a descriptor is of one" : "expected one or more");
	if (result == 0) {
		tap->queues_count = (unsigned)queues;
		tap->port.ops = tap->plain ? &plain_ops : &tap_ops;
		result =
			number ? queue_add(tap, 0, tap_device_inherit(number, tap->plain, err), err)
			       : tap_named(tap, name, err);
	}
	free(name);
	free(number);
	return result;
}

struct port *tap_open(const char *spec, struct loop *loop, struct error *err)
{
	struct tap *tap = calloc(1, sizeof(*tap));

	if (!tap || !inbox_init(&tap->inbox)) {
		free(tap);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	tap->port = (struct port){.ops = &tap_ops, .context = tap};
	tap->loop = loop;
	tap->watch = (struct watch){.loop = loop, .changed = tap_changed, .context = tap};
	for (unsigned i = 0; i < QUEUES; i++) {
		tap->queues[i].fd =
			(struct loop_fd){.fd = -1, .ready = tap_ready, .context = &tap->queues[i]};
		tap->queues[i].tap = tap;
	}
	if (tap_start(tap, spec, err) < 0) {
		tap_close(&tap->port);
		return NULL;
	}
	return &tap->port;
}
