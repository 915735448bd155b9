/* SPDX-License-Identifier: Apache-2.0 */

/*
 * AF_XDP: frames between the interface's queues and ours without the host's stack.
 *
 *   program on the interface ─ what the NIC takes ─► a lane for each queue ─► NIC
 *   NIC ─► first lane ─ copied, kicked ─► interface; gone when the kernel completes it
 *
 * The guest's driver hears of a frame when the kernel has completed it. Completions come
 * with no event: they are looked for at each turn, and by a timer while frames are under way.
 * A packet socket that reads nothing asks the interface for addresses and groups.
 */
#include "backend/backend.h"
#include "backend/members.h"
#include "backend/watch.h"
#include "backend/xdp_lane.h"
#include "backend/xdp_program.h"

#include "base/log.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LANES = 16, KICKS = 8 };
enum { LOOK_AFTER = 100000 /* ns */ };

struct xdp {
	struct port port;
	struct loop *loop;
	struct watch watch;
	struct xdp_program program;
	int index; /* of the interface the lanes are on; 0: none */
	unsigned first, lanes_count;
	bool copies, all_queues, blocked;
	struct timer look; /* for completions */
	struct port_filter filter;
	struct members members;
	int member; /* packet socket */
	uint64_t missed;
	struct xdp_lane {
		struct lane lane;
		struct loop_fd fd;
		struct xdp *xdp;
	} * lanes;
};

/* ---- out ---- */

/* What has gone; true: there was some. */
static bool reap(struct xdp *xdp)
{
	struct port_way *tx = &xdp->port.stats.tx;
	unsigned gone = lane_complete(&xdp->lanes->lane);

	tx->frames += gone;
	tx->waits -= gone;
	port_sent(&xdp->port, gone);
	return gone;
}

/* And it makes room; the peer may send more from within. */
static void complete(struct xdp *xdp)
{
	if (reap(xdp) && xdp->blocked && xdp->index) {
		xdp->blocked = false;
		port_writable(&xdp->port);
	}
}

static void look_later(struct xdp *xdp)
{
	struct clock *clock = loop_clock(xdp->loop);

	if (xdp->lanes->lane.flying && !timer_armed(&xdp->look))
		timer_arm(clock, &xdp->look, clock_now(clock) + LOOK_AFTER);
}

/* The kernel sends some at a time, and says so by an error that is none. */
static void kick(struct xdp *xdp)
{
	int result = -EAGAIN;

	for (unsigned i = 0; i < KICKS && (result == -EAGAIN || result == -EBUSY); i++) {
		loop_called(xdp->loop);
		result = lane_kick(&xdp->lanes->lane);
	}
}

static void look(struct timer *timer)
{
	struct xdp *xdp = timer->context;

	if (!xdp->index)
		return;
	kick(xdp);
	complete(xdp);
	if (xdp->index)
		look_later(xdp);
}

/* How many from the front are short enough, or 1 that is too long and lost. */
static unsigned run_of(struct xdp *xdp, const struct frame *frames, unsigned count, bool *lost)
{
	uint32_t longest = lane_longest(&xdp->lanes->lane);
	unsigned run = 0;

	while (run < count && frames[run].length <= longest)
		run++;
	*lost = !run;
	return run ? run : 1;
}

static unsigned give(struct xdp *xdp, const struct frame *frames, unsigned count)
{
	struct port_way *tx = &xdp->port.stats.tx;
	unsigned taken = lane_send(&xdp->lanes->lane, frames, count);

	for (unsigned i = 0; i < taken; i++)
		tx->bytes += frames[i].length;
	tx->offered += taken;
	tx->waits += taken;
	return taken;
}

static unsigned xdp_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct xdp *xdp = port->context;
	unsigned taken = 0, gone = 0, got;
	bool lost;

	if (!xdp->index) {
		port_drop(&port->stats.tx, DROP_NOBODY, count);
		port_sent(port, count);
		return count;
	}
	while (taken < count && !xdp->blocked) {
		unsigned run = run_of(xdp, frames + taken, count - taken, &lost);

		got = lost ? 1 : give(xdp, frames + taken, run);
		if (lost)
			port_drop(&port->stats.tx, DROP_TOO_LONG, 1);
		gone += lost;
		taken += got;
		if (got == run)
			continue;
		kick(xdp);
		xdp->blocked = !reap(xdp);
		port->stats.stalls += xdp->blocked;
	}
	kick(xdp);
	port_sent(port, gone); /* out of turn: these will never go */
	if (!xdp->blocked)
		reap(xdp);
	look_later(xdp);
	watch_used(&xdp->watch);
	return taken;
}

/* ---- in ---- */

static void lane_events(struct xdp_lane *at)
{
	loop_modify(at->xdp->loop, &at->fd, at->lane.inbox.held ? 0 : EPOLLIN);
}

static void lane_give(struct xdp_lane *at)
{
	struct xdp *xdp = at->xdp;

	if (inbox_give(&at->lane.inbox, &xdp->port) && xdp->index)
		lane_taken(&at->lane);
	if (xdp->index)
		lane_events(at);
}

static void lane_ready(struct loop_fd *fd, uint32_t events)
{
	struct xdp_lane *at = fd->context;
	struct xdp *xdp = at->xdp;

	(void)events;
	if (at->lane.inbox.held)
		return;
	loop_called(xdp->loop);
	if (lane_receive(&at->lane, &xdp->port))
		lane_give(at);
	if (xdp->index)
		complete(xdp);
	watch_used(&xdp->watch);
}

static void xdp_resume(struct port *port)
{
	struct xdp *xdp = port->context;

	for (unsigned i = 0; xdp->index && i < xdp->lanes_count; i++) {
		if (xdp->lanes[i].lane.inbox.held)
			lane_give(&xdp->lanes[i]);
	}
}

/* ---- the interface ---- */

/* Frames that the kernel had no chunk for. */
static void count_missed(struct xdp *xdp)
{
	for (unsigned i = 0; xdp->index && i < xdp->lanes_count; i++) {
		uint64_t missed = lane_missed(&xdp->lanes[i].lane);

		port_drop(&xdp->port.stats.rx, DROP_NO_ROOM, (unsigned)missed);
		xdp->missed += missed;
	}
}

static void lanes_close(struct xdp *xdp)
{
	unsigned flying = xdp->lanes_count ? xdp->lanes->lane.flying : 0;

	if (xdp->index)
		count_missed(xdp);
	xdp->index = 0;
	xdp->blocked = false;
	timer_cancel(loop_clock(xdp->loop), &xdp->look);
	for (unsigned i = 0; i < xdp->lanes_count; i++) {
		inbox_drop(&xdp->lanes[i].lane.inbox, &xdp->port, DROP_NOBODY);
		loop_remove(xdp->loop, &xdp->lanes[i].fd);
		lane_close(&xdp->lanes[i].lane);
	}
	xdp_program_detach(&xdp->program);
	xdp->port.stats.tx.waits -= flying;
	xdp->port.stats.tx.dropped[DROP_NOBODY] += flying;
	port_sent(&xdp->port, flying);
}

static int lane_start(struct xdp *xdp, struct xdp_lane *at, unsigned queue)
{
	int result = -EOPNOTSUPP;

	if (xdp->program.driver && !xdp->copies)
		result = lane_open(&at->lane, xdp->watch.name, queue, xdp->watch.mtu, true);
	if (result < 0)
		result = lane_open(&at->lane, xdp->watch.name, queue, xdp->watch.mtu, false);
	if (result < 0)
		return result;
	at->fd = (struct loop_fd){.fd = lane_fd(&at->lane), .ready = lane_ready, .context = at};
	at->xdp = xdp;
	return xdp_program_socket(&xdp->program, queue, at->fd.fd)
		       ?: loop_add(xdp->loop, &at->fd, EPOLLIN);
}

static int lanes_open(struct xdp *xdp, struct error *err)
{
	int result = xdp_program_attach(&xdp->program, xdp->watch.index, &xdp->filter, err);

	for (unsigned i = 0; result == 0 && i < xdp->lanes_count; i++) {
		result = lane_start(xdp, &xdp->lanes[i], xdp->first + i);
		if (result == -EMSGSIZE)
			error_set(err, result, "its frames of %u bytes are longer than a chunk",
				  xdp->watch.mtu);
		else if (result < 0)
			error_set(err, result, "queue %u: %s", xdp->first + i, strerror(-result));
	}
	if (result < 0) {
		lanes_close(xdp);
		return result;
	}
	xdp->index = xdp->watch.index;
	return 0;
}

static void members_program(struct xdp *xdp)
{
	if (xdp->member >= 0 && xdp->index)
		members_set(&xdp->members, xdp->member, xdp->index, &xdp->filter, xdp->watch.mac);
}

static void xdp_filter(struct port *port, const struct port_filter *filter)
{
	struct xdp *xdp = port->context;
	int result;

	xdp->filter = *filter;
	if (!xdp->index)
		return;
	result = xdp_program_change(&xdp->program, filter);
	if (result < 0)
		log_guest("--net xdp: the program: %s", strerror(-result));
	members_program(xdp);
}

/* How many queues receive; 1 where the interface does not say. */
static unsigned queues_of(const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned count = 0;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0)
		count = channels.combined_count + channels.rx_count;
	if (fd >= 0)
		close(fd);
	return count ? count < LANES ? count : LANES : 1;
}

static int bring_up(struct xdp *xdp, struct error *err)
{
	int result;

	xdp->lanes_count = xdp->all_queues ? queues_of(xdp->watch.name) : 1;
	xdp->lanes = calloc(xdp->lanes_count, sizeof(*xdp->lanes));
	if (!xdp->lanes)
		return -ENOMEM;
	result = lanes_open(xdp, err);
	if (result < 0) {
		free(xdp->lanes);
		xdp->lanes = NULL;
		xdp->lanes_count = 0;
		return result;
	}
	if (xdp->member >= 0)
		close(xdp->member);
	xdp->member = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* of no protocol */
	memset(&xdp->members, 0, sizeof(xdp->members));
	members_program(xdp);
	return 0;
}

static void take_down(struct xdp *xdp)
{
	lanes_close(xdp);
	free(xdp->lanes);
	xdp->lanes = NULL;
	xdp->lanes_count = 0;
}

static void xdp_changed(struct watch *watch)
{
	struct xdp *xdp = watch->context;
	struct port_health health;
	struct error err = {0};

	if (xdp->index &&
	    (xdp->index != watch->index || watch->mtu + 18 > lane_longest(&xdp->lanes->lane)))
		take_down(xdp);
	if (watch->index && !xdp->index && bring_up(xdp, &err) < 0)
		log_guest("--net xdp,ifname=%s: %s", watch->name, err.text);
	count_missed(xdp);
	health = watch->health;
	health.rx_missed += xdp->missed;
	port_health(&xdp->port, &health);
	port_link(&xdp->port, watch->up && xdp->index);
	if (!xdp->index)
		port_writable(&xdp->port);
}

static void xdp_examine(struct port *port)
{
	struct xdp *xdp = port->context;

	watch_ask(&xdp->watch);
	count_missed(xdp);
}

static void xdp_close(struct port *port)
{
	struct xdp *xdp = port->context;

	port->peer = (struct port_peer){0};
	take_down(xdp);
	watch_close(&xdp->watch);
	if (xdp->member >= 0)
		close(xdp->member);
	free(xdp);
}

static const struct port_ops xdp_ops = {
	.transmit = xdp_transmit,
	.resume = xdp_resume,
	.filter = xdp_filter,
	.examine = xdp_examine,
	.close = xdp_close,
	.defers = true,
};

static int xdp_options(struct xdp *xdp, const char *spec, struct error *err)
{
	uint64_t queue;

	if (backend_flag(spec, "copy", &xdp->copies, err) < 0 ||
	    backend_number(spec, "queue", UINT32_MAX, 63, &queue, err) < 0)
		return err->code;
	xdp->all_queues = queue == UINT32_MAX;
	xdp->first = xdp->all_queues ? 0 : (unsigned)queue;
	return 0;
}

/* Opened by the first news of the interface; once more, for its reason. */
static int xdp_start(struct xdp *xdp, const char *name, struct error *err)
{
	struct error what = {0};

	if (!name)
		return error_set(err, -EINVAL, "--net xdp: ifname= must say which interface");
	xdp->port.down = true;
	if (watch_open(&xdp->watch, name, &what) == 0 && !xdp->index && bring_up(xdp, &what) == 0)
		port_link(&xdp->port, xdp->watch.up);
	if (xdp->index)
		return 0;
	return error_set(err, what.code, "--net xdp,ifname=%s: %s", name,
			 what.code == -ENODEV ? "no such interface" : what.text);
}

struct port *xdp_open(const char *spec, struct loop *loop, struct error *err)
{
	struct xdp *xdp = calloc(1, sizeof(*xdp));
	char *name = backend_option(spec, "ifname");

	if (!xdp) {
		free(name);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	xdp->port = (struct port){.ops = &xdp_ops, .context = xdp};
	xdp->loop = loop;
	xdp->member = -1;
	xdp->program = (struct xdp_program){.sockets = -1, .link = -1};
	xdp->watch = (struct watch){.loop = loop, .changed = xdp_changed, .context = xdp};
	timer_init(&xdp->look, look, xdp);
	if (xdp_options(xdp, spec, err) < 0 || xdp_start(xdp, name, err) < 0) {
		xdp_close(&xdp->port);
		xdp = NULL;
	}
	free(name);
	return xdp ? &xdp->port : NULL;
}
