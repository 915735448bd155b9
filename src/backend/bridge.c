/* SPDX-License-Identifier: Apache-2.0 */

/*
 *     NIC's loop (near)                          network's loop (far)
 *
 *   NIC ─ transmit ─► port ─ put ─► [up] ─ look ─ transmit ─► far port
 *   NIC ◄─ receive ─ near side ◄─ look ─ [down] ◄─ put ◄─ receive ─ far port
 *
 * Each side has an eventfd that the other writes to when there is something to
 * read, or room again, for who sleeps (bridge_ring.h). What is no frame (link,
 * filter, health) is posted to the other loop, in order.
 *
 * Closing goes there and back, so that posts under way meet a bridge that is
 * still there:   near: closed ─post─► far: closes its port ─post─► near: frees.
 */
#include "backend/bridge.h"

#include "backend/bridge_ring.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct side {
	struct loop *loop;
	struct loop_fd woken;
	struct loop_work work;
	bool blocked; /* who takes frames here took fewer, and will say when he can again */
	bool waits;   /* who puts frames here had no room */
};

struct bridge {
	struct port port;
	struct port *far_port;
	struct side near, far;
	struct bridge_ring up, down;
	bool closed; /* near has */
	struct loop_post closing;
};

static void side_wake(const struct side *side)
{
	eventfd_write(side->woken.fd, 1);
}

/* ---- near: what the NIC has ---- */

static unsigned bridge_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct bridge *bridge = port->context;
	unsigned taken = bridge_ring_put(&bridge->up, frames, count);

	for (unsigned i = 0; i < taken; i++)
		port_count(&port->stats.tx, frames[i].length);
	if (taken && bridge_ring_wakes_reader(&bridge->up))
		side_wake(&bridge->far);
	bridge->near.waits |= taken < count;
	return taken;
}

static void near_deliver(struct bridge *bridge, const struct frame *frames, unsigned count)
{
	unsigned taken;

	bridge->near.blocked = true; /* it may say already within that it can take again */
	taken = port_receive(&bridge->port, frames, count);
	if (taken == count)
		bridge->near.blocked = false;
	for (unsigned i = 0; i < taken; i++)
		port_count(&bridge->port.stats.rx, frames[i].length);
	bridge_ring_take(&bridge->down, taken);
	if (taken && bridge_ring_wakes_writer(&bridge->down))
		side_wake(&bridge->far);
}

static bool near_run(struct loop_work *work)
{
	struct bridge *bridge = work->context;
	struct frame frames[BRIDGE_BATCH];
	unsigned count;

	if (bridge->near.waits) {
		bridge->near.waits = false;
		port_writable(&bridge->port);
	}
	if (bridge->near.blocked)
		return false;
	count = bridge_ring_look(&bridge->down, frames);
	if (count)
		near_deliver(bridge, frames, count);
	return count && !bridge->near.blocked;
}

static void bridge_resume(struct port *port)
{
	struct bridge *bridge = port->context;

	bridge->near.blocked = false;
	loop_schedule(bridge->near.loop, &bridge->near.work);
}

/* ---- far: what the network's port has for a NIC ---- */

static unsigned far_receive(void *context, const struct frame *frames, unsigned count)
{
	struct bridge *bridge = context;
	unsigned taken = bridge_ring_put(&bridge->down, frames, count);

	if (taken && bridge_ring_wakes_reader(&bridge->down))
		side_wake(&bridge->near);
	bridge->far.waits |= taken < count;
	return taken;
}

static void far_writable(void *context)
{
	struct bridge *bridge = context;

	bridge->far.blocked = false;
	loop_schedule(bridge->far.loop, &bridge->far.work);
}

static void far_send(struct bridge *bridge, const struct frame *frames, unsigned count)
{
	unsigned taken;

	bridge->far.blocked = true;
	taken = bridge->far_port->ops->transmit(bridge->far_port, frames, count);
	if (taken == count)
		bridge->far.blocked = false;
	bridge_ring_take(&bridge->up, taken);
	if (taken && bridge_ring_wakes_writer(&bridge->up))
		side_wake(&bridge->near);
}

static bool far_run(struct loop_work *work)
{
	struct bridge *bridge = work->context;
	struct frame frames[BRIDGE_BATCH];
	unsigned count;

	if (bridge->far.waits) {
		bridge->far.waits = false;
		if (bridge->far_port->ops->resume)
			bridge->far_port->ops->resume(bridge->far_port);
	}
	if (bridge->far.blocked)
		return false;
	count = bridge_ring_look(&bridge->up, frames);
	if (count)
		far_send(bridge, frames, count);
	return count && !bridge->far.blocked;
}

/* ---- news ---- */

struct news {
	struct loop_post post;
	struct bridge *bridge;
	enum { NEWS_LINK, NEWS_HEALTH, NEWS_FILTER, NEWS_EXAMINE } what;
	union {
		bool up;
		struct port_health health;
		struct port_filter filter;
	};
};

static void news_arrive(struct loop_post *post)
{
	struct news *news = (struct news *)post;
	struct bridge *bridge = news->bridge;
	struct port *far = bridge->far_port;

	if (news->what == NEWS_FILTER)
		far->ops->filter(far, &news->filter);
	else if (news->what == NEWS_EXAMINE)
		far->ops->examine(far);
	else if (bridge->closed)
		; /* it is for nobody any more */
	else if (news->what == NEWS_LINK)
		port_link(&bridge->port, news->up);
	else
		port_health(&bridge->port, &news->health);
	free(news);
}

/* Without memory the other side stays with what it knew. */
static void tell(struct bridge *bridge, struct loop *loop, const struct news *what)
{
	struct news *news = malloc(sizeof(*news));

	if (!news)
		return;
	*news = *what;
	news->post.run = news_arrive;
	news->bridge = bridge;
	loop_post(loop, &news->post);
}

static void bridge_filter(struct port *port, const struct port_filter *filter)
{
	struct bridge *bridge = port->context;

	if (bridge->far_port->ops->filter)
		tell(bridge, bridge->far.loop,
		     &(struct news){.what = NEWS_FILTER, .filter = *filter});
}

static void bridge_examine(struct port *port)
{
	struct bridge *bridge = port->context;

	if (bridge->far_port->ops->examine)
		tell(bridge, bridge->far.loop, &(struct news){.what = NEWS_EXAMINE});
}

static void far_link(void *context, bool up)
{
	struct bridge *bridge = context;

	tell(bridge, bridge->near.loop, &(struct news){.what = NEWS_LINK, .up = up});
}

static void far_health(void *context, const struct port_health *health)
{
	struct bridge *bridge = context;

	tell(bridge, bridge->near.loop, &(struct news){.what = NEWS_HEALTH, .health = *health});
}

/* ---- life ---- */

static void woken(struct loop_fd *fd, uint32_t events)
{
	struct side *side = fd->context;
	eventfd_t count;

	(void)events;
	eventfd_read(fd->fd, &count);
	loop_schedule(side->loop, &side->work);
}

static void bridge_free(struct bridge *bridge)
{
	if (bridge->near.woken.fd >= 0)
		close(bridge->near.woken.fd);
	if (bridge->far.woken.fd >= 0)
		close(bridge->far.woken.fd);
	bridge_ring_free(&bridge->up);
	bridge_ring_free(&bridge->down);
	free(bridge);
}

static void closed_far(struct loop_post *post)
{
	bridge_free((struct bridge *)((char *)post - offsetof(struct bridge, closing)));
}

static void side_leave(struct side *side)
{
	loop_remove(side->loop, &side->woken);
	loop_unschedule(side->loop, &side->work);
}

static void far_close(struct loop_post *post)
{
	struct bridge *bridge = (struct bridge *)((char *)post - offsetof(struct bridge, closing));

	side_leave(&bridge->far);
	bridge->far_port->ops->close(bridge->far_port);
	bridge->closing.run = closed_far;
	loop_post(bridge->near.loop, &bridge->closing);
}

static void bridge_close(struct port *port)
{
	struct bridge *bridge = port->context;

	side_leave(&bridge->near);
	bridge->closed = true;
	bridge->closing.run = far_close;
	loop_post(bridge->far.loop, &bridge->closing);
}

static const struct port_ops plain_ops = {
	.transmit = bridge_transmit,
	.resume = bridge_resume,
	.filter = bridge_filter,
	.examine = bridge_examine,
	.close = bridge_close,
};

static const struct port_ops offloading_ops = {
	.transmit = bridge_transmit,
	.resume = bridge_resume,
	.filter = bridge_filter,
	.examine = bridge_examine,
	.close = bridge_close,
	.offloads = true,
};

static int side_init(struct side *side, struct loop *loop, bool (*run)(struct loop_work *work),
		     struct bridge *bridge)
{
	side->loop = loop;
	side->work = (struct loop_work){.run = run, .context = bridge};
	side->woken = (struct loop_fd){.ready = woken, .context = side};
	side->woken.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return side->woken.fd < 0 ? -errno : loop_add(loop, &side->woken, EPOLLIN);
}

/* With the far loop held: from here on its port may give us frames. */
static void far_begin(struct bridge *bridge)
{
	bridge->far_port->peer = (struct port_peer){
		.context = bridge,
		.receive = far_receive,
		.link = far_link,
		.writable = far_writable,
		.health = far_health,
	};
	if (bridge->far_port->down)
		far_link(bridge, false);
}

struct port *bridge_new(struct port *far, struct loop *far_loop, struct loop *near_loop,
			struct error *err)
{
	struct bridge *bridge = calloc(1, sizeof(*bridge));
	int result = bridge ? 0 : -ENOMEM;

	if (bridge) {
		bridge->near.woken.fd = bridge->far.woken.fd = -1;
		bridge->far_port = far;
		bridge->port.ops = far->ops->offloads ? &offloading_ops : &plain_ops;
		bridge->port.context = bridge;
		result = bridge_ring_init(&bridge->up) ?: bridge_ring_init(&bridge->down);
	}
	if (result == 0)
		result = side_init(&bridge->near, near_loop, near_run, bridge)
				 ?: side_init(&bridge->far, far_loop, far_run, bridge);
	if (result == 0) {
		far_begin(bridge);
		return &bridge->port;
	}
	if (bridge)
		bridge_free(bridge); /* closing an eventfd takes it from its loop */
	far->ops->close(far);
	error_set(err, result, "two loops: %s", strerror(-result));
	return NULL;
}
