/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A tap device with vnet headers: segmentation and checksums pass through it
 * whole. Frames go out straight from guest memory by writev(); they come in up
 * to 64 kB at a time. What the NIC has no room for waits here, and the tap is
 * not read until the NIC asks for more.
 */
#include "backend/backend.h"
#include "backend/inbox.h"
#include "backend/vnet.h"

#include "base/guard.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct tap {
	struct port port;
	struct loop *loop;
	struct loop_fd fd;
	bool blocked; /* the kernel's queue is full */
	struct inbox inbox;
};

static void tap_events(struct tap *tap)
{
	loop_modify(tap->loop, &tap->fd,
		    (tap->inbox.held ? 0 : EPOLLIN) | (tap->blocked ? EPOLLOUT : 0));
}

/* Guest memory that is gone: where a signal would have put zeros, the kernel says EFAULT. */
static ssize_t tap_write(struct tap *tap, const struct iovec *iov, unsigned count)
{
	ssize_t sent = writev(tap->fd.fd, iov, (int)count);

	if (sent >= 0 || errno != EFAULT)
		return sent;
	guard_touch(iov, count);
	return writev(tap->fd.fd, iov, (int)count);
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

static unsigned tap_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct tap *tap = port->context;

	for (unsigned i = 0; i < count; i++) {
		struct virtio_net_hdr header = vnet_of(&frames[i]);
		struct iovec iov[FRAME_IOVS + 1];

		iov[0] = (struct iovec){&header, sizeof(header)};
		memcpy(iov + 1, frames[i].iov, frames[i].iovs * sizeof(*iov));
		loop_called(tap->loop);
		if (tap_write(tap, iov, frames[i].iovs + 1) < 0) {
			if (errno == EAGAIN) {
				tap->blocked = true;
				port->stats.stalls++;
				tap_events(tap);
				return i;
			}
			port_drop(&port->stats.tx, tap_lost(errno), 1);
			continue;
		}
		port_count(&port->stats.tx, frames[i].length);
	}
	return count;
}

/* One frame from the tap; false: there is none now. */
static bool tap_read(struct tap *tap)
{
	struct virtio_net_hdr header;
	uint8_t *buffer = inbox_buffer(&tap->inbox);
	struct iovec iov[] = {{&header, sizeof(header)}, {buffer, INBOX_BYTES}};
	ssize_t got = readv(tap->fd.fd, iov, 2);

	loop_called(tap->loop);
	if (got < (ssize_t)sizeof(header)) {
		if (got < 0 && errno != EAGAIN && errno != EINTR)
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
	struct tap *tap = fd->context;

	if ((events & EPOLLOUT) && tap->blocked) {
		tap->blocked = false;
		tap_events(tap);
		port_writable(&tap->port);
	}
	if (!(events & EPOLLIN) || tap->inbox.held)
		return;
	while (!inbox_full(&tap->inbox) && tap_read(tap))
		;
	if (!inbox_give(&tap->inbox, &tap->port))
		tap_events(tap);
}

static void tap_resume(struct port *port)
{
	struct tap *tap = port->context;

	if (tap->inbox.held && inbox_give(&tap->inbox, port))
		tap_events(tap);
}

static void tap_close(struct port *port)
{
	struct tap *tap = port->context;

	loop_remove(tap->loop, &tap->fd);
	if (tap->fd.fd >= 0)
		close(tap->fd.fd);
	inbox_free(&tap->inbox);
	free(tap);
}

static const struct port_ops tap_ops = {
	.transmit = tap_transmit,
	.resume = tap_resume,
	.close = tap_close,
	.offloads = true,
};

static int tap_attach(int fd, const char *name, struct ifreq *request, struct error *err)
{
	if (ioctl(fd, TUNSETIFF, request) == 0)
		return 0;
	switch (errno) {
	case EINVAL:
		return error_set(err, -ENODEV, "--net tap,ifname=%s: not a tap with one queue",
				 name);
	case EBUSY:
		return error_set(err, -EBUSY, "--net tap,ifname=%s: another process has it", name);
	default:
		return error_set(err, -errno, "--net tap,ifname=%s: %s", name, strerror(errno));
	}
}

static int tap_device(const char *name, struct error *err)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd, result;

	/* the kernel would make one, which nobody has set up and which goes when we go */
	if (strlen(name) >= sizeof(request.ifr_name) || !if_nametoindex(name))
		return error_set(err, -ENODEV,
				 "--net tap,ifname=%s: no such interface; `ip tuntap add %s mode "
				 "tap` makes one",
				 name, name);
	strcpy(request.ifr_name, name);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(err, -errno, "/dev/net/tun: %s", strerror(errno));
	result = tap_attach(fd, name, &request, err);
	if (result < 0)
		close(fd);
	return result < 0 ? result : fd;
}

/* A descriptor that was handed over may be anything. */
static int tap_inherited(const char *number, struct error *err)
{
	const short wanted = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	struct ifreq request = {0};
	char *end;
	long fd = strtol(number, &end, 10);

	if (*end || end == number || fd < 0 || fd > INT_MAX)
		return error_set(err, -EINVAL, "--net tap,fd=%s: expected a number", number);
	if (fcntl((int)fd, F_SETFL, O_NONBLOCK) < 0)
		return error_set(err, -errno, "--net tap,fd=%s: %s", number, strerror(errno));
	if (ioctl((int)fd, TUNGETIFF, &request) < 0 || (request.ifr_flags & wanted) != wanted)
		return error_set(
			err, -ENODEV,
			"--net tap,fd=%s: not a tap opened with IFF_NO_PI and IFF_VNET_HDR",
			number);
	return (int)fd;
}

static int tap_descriptor(const char *spec, struct error *err)
{
	char *name = backend_option(spec, "ifname"), *number = backend_option(spec, "fd");
	int fd;

	if (!name == !number)
		fd = error_set(err, -EINVAL, "--net tap: one of ifname= and fd= must say which");
	else
		fd = number ? tap_inherited(number, err) : tap_device(name, err);
	free(name);
	free(number);
	return fd;
}

struct port *tap_open(const char *spec, struct loop *loop, struct error *err)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int size = sizeof(struct virtio_net_hdr);

	if (!tap || !inbox_init(&tap->inbox)) {
		free(tap);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	tap->port = (struct port){.ops = &tap_ops, .context = tap};
	tap->loop = loop;
	tap->fd = (struct loop_fd){.ready = tap_ready, .context = tap};
	tap->fd.fd = tap_descriptor(spec, err);
	if (tap->fd.fd < 0) {
		tap_close(&tap->port);
		return NULL;
	}
	if (ioctl(tap->fd.fd, TUNSETVNETHDRSZ, &size) < 0 ||
	    ioctl(tap->fd.fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0 ||
	    loop_add(loop, &tap->fd, EPOLLIN) < 0) {
		error_set(err, -errno, "--net %s: %s", spec, strerror(errno));
		tap_close(&tap->port);
		return NULL;
	}
	return &tap->port;
}
