/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A Unix datagram socket, a frame each, as QEMU's netdev of that name has it: ours is at
 * local=, the other at remote=. It is connected, so that a full queue over there can be
 * waited for, and nobody else sends to us. That the other end has died is seen by a frame
 * that is refused: then the path is looked up again.
 */
#include "backend/backend.h"
#include "backend/batch.h"
#include "backend/peer.h"

#include "base/log.h"
#include "base/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET_BYTES = 1 << 20 }; /* so much may be on its way */

struct dgram {
	struct port port;
	struct peer peer;
	struct loop *loop;
	char *local, *remote, *name;
	int bound; /* at LOCAL, and not connected yet; or -1 */
	bool ours; /* LOCAL is to be removed */
	struct inbox inbox;
};

/* ---- out ---- */

static bool gone(int error)
{
	return error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET ||
	       error == EPIPE || error == ENOENT;
}

/* What came of the frame behind those that went: true: it was dropped, go on. */
static bool dgram_failed(struct dgram *dgram, int error)
{
	if (error == EAGAIN || error == ENOBUFS) {
		dgram->port.stats.stalls++;
		dgram->peer.blocked = true;
		peer_events(&dgram->peer);
		return false;
	}
	if (gone(error)) {
		peer_lost(&dgram->peer, error);
		return false;
	}
	port_drop(&dgram->port.stats.tx, error == EMSGSIZE ? DROP_TOO_LONG : DROP_REFUSED, 1);
	return true;
}

static unsigned dgram_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct dgram *dgram = port->context;
	unsigned taken = 0, calls = 0;

	while (taken < count && peer_there(&dgram->peer) && !dgram->peer.blocked) {
		struct batch_result result =
			batch_send(dgram->peer.fd.fd, frames + taken, count - taken, false);

		loop_called(dgram->loop);
		for (unsigned i = 0; i < result.done; i++)
			port_count(&port->stats.tx, frames[taken + i].length);
		taken += result.done;
		if (result.error && dgram_failed(dgram, result.error))
			taken++;
		if (result.error && peer_there(&dgram->peer) && ++calls > count)
			break; /* an end that comes and goes is not waited for */
	}
	if (taken < count && !dgram->peer.blocked) {
		port_drop(&port->stats.tx, DROP_NOBODY, count - taken);
		taken = count;
	}
	return taken;
}

/* ---- in ---- */

static void dgram_give(struct dgram *dgram)
{
	dgram->peer.held = !inbox_give(&dgram->inbox, &dgram->port);
	peer_events(&dgram->peer);
}

static void dgram_ready(struct loop_fd *fd, uint32_t events)
{
	struct dgram *dgram = fd->context;
	struct batch_result result = {0};

	if ((events & EPOLLOUT) && dgram->peer.blocked) {
		dgram->peer.blocked = false;
		peer_events(&dgram->peer);
		port_writable(&dgram->port);
	}
	if (!peer_there(&dgram->peer) || dgram->inbox.held || !(events & (EPOLLIN | EPOLLERR)))
		return;
	result = batch_receive(fd->fd, &dgram->inbox, &dgram->port, false);
	loop_called(dgram->loop);
	dgram_give(dgram);
	if (result.error && gone(result.error))
		peer_lost(&dgram->peer, result.error);
}

static void dgram_resume(struct port *port)
{
	struct dgram *dgram = port->context;

	if (dgram->inbox.held)
		dgram_give(dgram);
}

/* ---- the other end ---- */

static void dgram_lost(struct peer *peer)
{
	struct dgram *dgram = peer->fd.context;

	inbox_drop(&dgram->inbox, &dgram->port, DROP_NOBODY);
}

static void roomy(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SOCKET_BYTES}, sizeof(int));
}

/* Ours is there while we wait, or two of a kind would never meet. */
static int dgram_bind(struct dgram *dgram, struct error *err)
{
	if (dgram->bound >= 0)
		return 0;
	if (dgram->ours)
		unix_remove(dgram->local);
	dgram->ours = false;
	dgram->bound = unix_bind(dgram->local, err);
	if (dgram->bound < 0)
		return dgram->bound == -EAGAIN ? -EBUSY : dgram->bound;
	dgram->ours = true;
	roomy(dgram->bound);
	return 0;
}

static int dgram_dial(struct peer *peer)
{
	struct dgram *dgram = peer->fd.context;
	int result = dgram_bind(dgram, NULL) ?: unix_dial(dgram->bound, dgram->remote), fd;

	if (result < 0)
		return result;
	fd = dgram->bound;
	dgram->bound = -1;
	return fd;
}

static int dgram_inherited(struct peer *peer)
{
	(void)peer;
	return -EAGAIN;
}

static void dgram_close(struct port *port)
{
	struct dgram *dgram = port->context;

	peer_free(&dgram->peer);
	if (dgram->bound >= 0)
		close(dgram->bound);
	if (dgram->ours)
		unix_remove(dgram->local);
	inbox_free(&dgram->inbox);
	free(dgram->local);
	free(dgram->remote);
	free(dgram->name);
	free(dgram);
}

static const struct port_ops dgram_ops = {
	.transmit = dgram_transmit,
	.resume = dgram_resume,
	.close = dgram_close,
};

static int dgram_connect(struct dgram *dgram, const char *spec, struct error *err)
{
	uint64_t ms;
	int why;

	if (backend_number(spec, "reconnect", 1000, 3600000, &ms, err) < 0 ||
	    dgram_bind(dgram, err) < 0)
		return err->code;
	dgram->peer.dial = dgram_dial;
	dgram->peer.again = ms * 1000000;
	peer_dial(&dgram->peer);
	why = dgram->peer.why;
	if (peer_there(&dgram->peer))
		return 0;
	if (!ms || why == ENAMETOOLONG)
		return error_set(err, -why, "--net %s: %s", dgram->name, strerror(why));
	log_info("--net %s: %s; tried again every %u ms", dgram->name, strerror(why), (unsigned)ms);
	return 0;
}

static int dgram_start(struct dgram *dgram, const char *spec, struct error *err)
{
	int fd = backend_descriptor(spec, SOCK_DGRAM, err);

	if (fd == -ENOENT && !(dgram->local && dgram->remote))
		return error_set(err, -EINVAL,
				 "--net dgram: local= and remote= are needed, or fd=");
	if (fd == -ENOENT && !strcmp(dgram->local, dgram->remote))
		return error_set(err, -EINVAL, "--net dgram: local= and remote= are the same");
	if (fd != -ENOENT && (dgram->local || dgram->remote))
		return error_set(err, -EINVAL, "--net dgram: fd= goes with nothing else");
	if (fd == -ENOENT)
		return dgram_connect(dgram, spec, err);
	if (fd < 0)
		return err->code;
	roomy(fd);
	dgram->peer.dial = dgram_inherited;
	peer_found(&dgram->peer, fd);
	return 0;
}

struct port *dgram_open(const char *spec, struct loop *loop, struct error *err)
{
	struct dgram *dgram = calloc(1, sizeof(*dgram));

	if (!dgram || !inbox_init(&dgram->inbox) || !(dgram->name = strdup(spec))) {
		error_set(err, -ENOMEM, "no memory");
		if (dgram)
			inbox_free(&dgram->inbox);
		free(dgram);
		return NULL;
	}
	dgram->port = (struct port){.ops = &dgram_ops, .context = dgram};
	dgram->loop = loop;
	dgram->bound = -1;
	dgram->local = backend_option(spec, "local");
	dgram->remote = backend_option(spec, "remote");
	dgram->peer.fd = (struct loop_fd){.ready = dgram_ready, .context = dgram};
	dgram->peer.lost = dgram_lost;
	peer_init(&dgram->peer, &dgram->port, loop, dgram->name);
	if (dgram_start(dgram, spec, err) < 0) {
		dgram_close(&dgram->port);
		return NULL;
	}
	return &dgram->port;
}
