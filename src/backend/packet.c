/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A packet socket on an interface of the host.
 *
 *   NIC's filter ─► memberships: the interface receives it, besides its own
 *                └► socket filter: nothing else is handed to us, whatever the interface does
 *
 * Frames have vnet headers both ways: segmentation and checksums pass whole. A
 * socket's buffer that is full is waited for; so is a queue of the interface that says
 * ENOBUFS, for a while at a time and not forever. The interface may go down, go, and come
 * back: it is watched, and the socket is made anew when there is one of its name again.
 */
#include "backend/backend.h"
#include "backend/batch.h"
#include "backend/bpf.h"
#include "backend/members.h"
#include "backend/nat.h"
#include "backend/watch.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_BYTES = 4 << 20, FULL_TURNS = 20 };
enum { FULL_WAIT = 1000000 /* ns */, AT_ONCE = 32 };

struct translating { /* with mac-nat=on */
	struct nat nat;
	struct frame frames[AT_ONCE];
	uint8_t room[AT_ONCE][NAT_BYTES];
};

struct packet {
	struct port port;
	struct loop *loop;
	struct loop_fd fd; /* -1: the interface is not there */
	int index;	   /* that it is bound to */
	struct watch watch;
	struct inbox inbox;
	bool blocked;
	unsigned full; /* times in a row that the interface's queue was */
	struct timer wait;
	struct port_filter filter;
	struct members members;
	uint64_t missed; /* by the socket, so far */
	struct bpf bpf;
	struct translating *translating; /* or NULL */
};

static void packet_events(struct packet *packet)
{
	if (packet->fd.fd >= 0)
		loop_modify(packet->loop, &packet->fd,
			    (packet->inbox.held ? 0 : EPOLLIN) | (packet->blocked ? EPOLLOUT : 0));
}

/* ---- out ---- */

static void packet_unblock(struct packet *packet)
{
	timer_cancel(loop_clock(packet->loop), &packet->wait);
	if (!packet->blocked)
		return;
	packet->blocked = false;
	packet_events(packet);
	port_writable(&packet->port);
}

static void waited(struct timer *timer)
{
	packet_unblock(timer->context);
}

/* The interface's queue is full, and nobody tells when it is not: asked again soon. */
static bool queue_full(struct packet *packet)
{
	struct clock *clock = loop_clock(packet->loop);

	packet->port.stats.stalls++;
	if (++packet->full % FULL_TURNS == 0) {
		port_drop(&packet->port.stats.tx, DROP_NO_ROOM, 1);
		return true;
	}
	packet->blocked = true;
	timer_arm(clock, &packet->wait, clock_now(clock) + FULL_WAIT);
	return false;
}

static enum port_drop lost(int error)
{
	switch (error) {
	case ENETDOWN:
	case ENXIO:
	case ENODEV:
		return DROP_NOBODY;
	case EMSGSIZE:
		return DROP_TOO_LONG;
	default:
		return DROP_REFUSED;
	}
}

/* What came of the frame behind those that went: true: it was dropped, go on. */
static bool packet_failed(struct packet *packet, int error)
{
	if (error == ENOBUFS)
		return queue_full(packet);
	if (error != EAGAIN) {
		port_drop(&packet->port.stats.tx, lost(error), 1);
		return true;
	}
	packet->port.stats.stalls++;
	packet->blocked = true;
	packet_events(packet);
	return false;
}

static struct batch_result packet_send(struct packet *packet, const struct frame *frames,
				       unsigned count)
{
	struct translating *to = packet->translating;

	loop_called(packet->loop);
	if (!to)
		return batch_send(packet->fd.fd, frames, count, true);
	if (count > AT_ONCE)
		count = AT_ONCE;
	for (unsigned i = 0; i < count; i++)
		nat_out(&to->nat, &frames[i], &to->frames[i], to->room[i]);
	return batch_send(packet->fd.fd, to->frames, count, true);
}

static unsigned packet_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct packet *packet = port->context;
	unsigned taken = 0;

	while (taken < count && packet->fd.fd >= 0 && !packet->blocked) {
		struct batch_result result = packet_send(packet, frames + taken, count - taken);

		for (unsigned i = 0; i < result.done; i++)
			port_count(&port->stats.tx, frames[taken + i].length);
		taken += result.done;
		if (result.done)
			packet->full = 0;
		if (result.error && packet_failed(packet, result.error))
			taken++;
	}
	if (taken < count && packet->fd.fd < 0) {
		port_drop(&port->stats.tx, DROP_NOBODY, count - taken);
		taken = count;
	}
	watch_used(&packet->watch);
	return taken;
}

/* ---- in ---- */

static void packet_give(struct packet *packet)
{
	inbox_give(&packet->inbox, &packet->port);
	packet_events(packet);
}

static bool translated(void *context, const struct frame *frame)
{
	return nat_in(context, frame);
}

static void packet_ready(struct loop_fd *fd, uint32_t events)
{
	struct packet *packet = fd->context;

	if (events & EPOLLOUT)
		packet_unblock(packet);
	if (packet->fd.fd < 0 || packet->inbox.held || !(events & (EPOLLIN | EPOLLERR)))
		return;
	batch_receive(fd->fd, &packet->inbox, &packet->port, true); /* takes an error with it */
	loop_called(packet->loop);
	if (packet->translating)
		inbox_sift(&packet->inbox, &packet->port, 0, translated, &packet->translating->nat,
			   DROP_FOREIGN);
	packet_give(packet);
	watch_used(&packet->watch);
}

static void packet_resume(struct port *port)
{
	struct packet *packet = port->context;

	if (packet->inbox.held)
		packet_give(packet);
}

/* ---- the socket ---- */

/* Where one address stands for all, what is for a guest is for that one. */
static struct port_filter host_filter(const struct packet *packet)
{
	struct port_filter to = packet->filter;
	bool stations = to.all;

	if (!packet->translating)
		return to;
	to.count = 0;
	to.all = false;
	for (unsigned i = 0; i < packet->filter.count; i++) {
		uint64_t address = packet->filter.addresses[i];

		stations |= !(address & 1);
		if (address & 1)
			to.addresses[to.count++] = address;
	}
	if (stations && to.count == PORT_ADDRESSES) {
		to.all_groups = true;
		to.count--;
	}
	if (stations) {
		to.addresses[to.count] = 0;
		memcpy(&to.addresses[to.count++], packet->watch.mac, 6);
	}
	return to;
}

static void packet_program(struct packet *packet)
{
	struct port_filter filter = host_filter(packet);
	int result;

	if (packet->fd.fd < 0)
		return;
	bpf_compile(&packet->bpf, &filter);
	result = bpf_attach(&packet->bpf, packet->fd.fd);
	if (result < 0)
		log_guest("packet filter: %s", strerror(-result));
	members_set(&packet->members, packet->fd.fd, packet->index, &filter, packet->watch.mac);
}

static void packet_filter(struct port *port, const struct port_filter *filter)
{
	struct packet *packet = port->context;

	packet->filter = *filter;
	packet_program(packet);
}

/* Frames that found the socket's buffer full; the kernel counts from 0 each time. */
static void packet_missed(struct packet *packet)
{
	struct tpacket_stats stats = {0};

	if (packet->fd.fd < 0 || getsockopt(packet->fd.fd, SOL_PACKET, PACKET_STATISTICS, &stats,
					    &(socklen_t){sizeof(stats)}) < 0)
		return;
	port_drop(&packet->port.stats.rx, DROP_NO_ROOM, stats.tp_drops);
	packet->missed += stats.tp_drops;
}

static int option(int fd, int name)
{
	return setsockopt(fd, SOL_PACKET, name, &(int){1}, sizeof(int));
}

/* It hears nothing until it is bound, and has its filter by then. */
static int packet_socket(struct packet *packet)
{
	const struct sockaddr_ll at = {.sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = packet->watch.index};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;

	if (fd < 0)
		return -errno;
	option(fd, PACKET_IGNORE_OUTGOING); /* or the filter drops it */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){RECEIVE_BYTES}, sizeof(int));
	bpf_compile(&packet->bpf, &(struct port_filter){0}); /* nothing yet */
	if (option(fd, PACKET_VNET_HDR) < 0 || option(fd, PACKET_AUXDATA) < 0)
		error = errno;
	else
		error = -bpf_attach(&packet->bpf, fd);
	if (!error && bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		error = errno;
	if (error) {
		close(fd);
		return -error;
	}
	return fd;
}

static int packet_bind(struct packet *packet)
{
	int fd = packet_socket(packet);

	if (fd < 0)
		return fd;
	packet->fd.fd = fd;
	packet->index = packet->watch.index;
	memset(&packet->members, 0, sizeof(packet->members));
	packet_program(packet);
	return loop_add(packet->loop, &packet->fd, EPOLLIN);
}

static void packet_unbind(struct packet *packet)
{
	if (packet->fd.fd < 0)
		return;
	packet_missed(packet);
	loop_remove(packet->loop, &packet->fd);
	close(packet->fd.fd);
	packet->fd.fd = -1;
	packet->index = 0;
	inbox_drop(&packet->inbox, &packet->port, DROP_NOBODY);
}

static void packet_changed(struct watch *watch)
{
	struct packet *packet = watch->context;
	struct port_health health;

	if (packet->index != watch->index && packet->index)
		packet_unbind(packet);
	if (packet->index != watch->index && packet->port.ops) {
		int result = packet_bind(packet);

		if (result < 0)
			log_guest("--net packet,ifname=%s: %s", watch->name, strerror(-result));
	}
	if (packet->translating && memcmp(packet->translating->nat.host, watch->mac, 6)) {
		nat_init(&packet->translating->nat, watch->mac);
		packet_program(packet);
	}
	packet_missed(packet);
	health = watch->health;
	health.rx_missed += packet->missed;
	port_health(&packet->port, &health);
	port_link(&packet->port, watch->up && packet->fd.fd >= 0);
	if (!watch->up)
		packet_unblock(packet); /* what waits is lost rather than late */
}

static void packet_examine(struct port *port)
{
	struct packet *packet = port->context;

	watch_ask(&packet->watch);
	packet_missed(packet);
}

static void packet_close(struct port *port)
{
	struct packet *packet = port->context;

	packet_unbind(packet);
	watch_close(&packet->watch);
	timer_cancel(loop_clock(packet->loop), &packet->wait);
	inbox_free(&packet->inbox);
	free(packet->translating);
	free(packet);
}

static const struct port_ops packet_ops = {
	.transmit = packet_transmit,
	.resume = packet_resume,
	.filter = packet_filter,
	.examine = packet_examine,
	.close = packet_close,
	.offloads = true,
};

static int packet_start(struct packet *packet, const char *spec, const char *name,
			struct error *err)
{
	bool translates;
	int result;

	if (backend_flag(spec, "mac-nat", &translates, err) < 0)
		return err->code;
	if (translates && !(packet->translating = calloc(1, sizeof(*packet->translating))))
		return error_set(err, -ENOMEM, "no memory");
	if (!name)
		return error_set(err, -EINVAL, "--net packet: ifname= must say which interface");
	packet->port.down = true;
	if (watch_open(&packet->watch, name, err) < 0) {
		struct error what = *err;

		return error_set(err, what.code, "--net packet,ifname=%s: %s", name,
				 what.code == -ENODEV ? "no such interface" : what.text);
	}
	if (packet->fd.fd >= 0)
		return 0;
	result = packet_bind(packet); /* once more, for its reason */
	return error_set(err, result < 0 ? result : -EIO, "--net packet,ifname=%s: %s", name,
			 strerror(result < 0 ? -result : EIO));
}

struct port *packet_socket_open(const char *spec, struct loop *loop, struct error *err)
{
	struct packet *packet = calloc(1, sizeof(*packet));
	char *name = backend_option(spec, "ifname");

	if (!packet || !inbox_init(&packet->inbox)) {
		free(packet);
		free(name);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	packet->port = (struct port){.ops = &packet_ops, .context = packet};
	packet->loop = loop;
	packet->fd = (struct loop_fd){.fd = -1, .ready = packet_ready, .context = packet};
	packet->watch = (struct watch){.loop = loop, .changed = packet_changed, .context = packet};
	timer_init(&packet->wait, waited, packet);
	if (packet_start(packet, spec, name, err) < 0) {
		packet_close(&packet->port);
		packet = NULL;
	}
	free(name);
	return packet ? &packet->port : NULL;
}
