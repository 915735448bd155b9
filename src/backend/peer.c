/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/peer.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void again(struct timer *timer)
{
	peer_dial(timer->context);
}

void peer_init(struct peer *peer, struct port *port, struct loop *loop, const char *name)
{
	peer->port = port;
	peer->loop = loop;
	peer->name = name;
	peer->fd.fd = -1;
	port->down = true;
	timer_init(&peer->retry, again, peer);
}

void peer_events(struct peer *peer)
{
	if (peer_there(peer))
		loop_modify(peer->loop, &peer->fd,
			    (peer->held ? 0 : EPOLLIN) | (peer->blocked ? EPOLLOUT : 0));
}

void peer_found(struct peer *peer, int fd)
{
	peer->fd.fd = fd;
	peer->held = peer->blocked = false;
	if (loop_add(peer->loop, &peer->fd, EPOLLIN) < 0) {
		close(fd);
		peer->fd.fd = -1;
		return;
	}
	if (peer->why)
		log_guest("%s: there again", peer->name);
	peer->why = 0;
	port_link(peer->port, true);
	port_writable(peer->port);
}

void peer_dial(struct peer *peer)
{
	struct clock *clock = loop_clock(peer->loop);
	int fd = peer->dial(peer);

	if (fd >= 0) {
		peer_found(peer, fd);
		return;
	}
	peer->why = -fd;
	if (fd != -EAGAIN && peer->again)
		timer_arm(clock, &peer->retry, clock_now(clock) + peer->again);
}

static void hang_up(struct peer *peer)
{
	if (!peer_there(peer))
		return;
	loop_remove(peer->loop, &peer->fd);
	close(peer->fd.fd);
	peer->fd.fd = -1;
	if (peer->lost)
		peer->lost(peer);
}

/* What waited for room finds the link down and goes nowhere. */
void peer_lost(struct peer *peer, int why)
{
	if (!peer_there(peer))
		return;
	hang_up(peer);
	log_guest("%s: %s", peer->name, why ? strerror(why) : "the other end has gone");
	port_link(peer->port, false);
	if (peer->blocked)
		port_writable(peer->port);
	peer->held = peer->blocked = false;
	peer_dial(peer);
	if (!peer_there(peer))
		peer->why = why ? why : ECONNRESET;
}

void peer_free(struct peer *peer)
{
	timer_cancel(loop_clock(peer->loop), &peer->retry);
	hang_up(peer);
}
