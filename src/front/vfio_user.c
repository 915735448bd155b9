/* SPDX-License-Identifier: Apache-2.0 */

/*
 *   listening --accept--> serving --end of file, error--> listening
 *
 * While a client is served the listener stays open but is not looked at: the
 * next client waits in the backlog and is served when this one has gone.
 */
#include "base/guard.h"
#include "base/log.h"
#include "base/socket.h"
#include "front/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void client_faults(struct vfio_user *front)
{
	uint64_t before = front->stats.memory_faults;

	if (front->faults_seen == guard_faults())
		return;
	front->faults_seen = guard_faults();
	front->stats.memory_faults = dma_faults(front->config.dma);
	if (front->stats.memory_faults == before || front->told_of_faults)
		return;
	front->told_of_faults = true;
	log_warn("client: memory that it handed over is gone: its file was cut short; zeros are "
		 "read there");
}

static void client_gone(struct vfio_user *front)
{
	loop_remove(front->config.loop, &front->client);
	close(front->client.fd);
	front->client.fd = -1;
	irqs_release(front);
	message_drop(front);
	client_faults(front);
	dma_unmap_all(front->config.dma);
	dma_channel_stop(front);
	front->broken = front->versioned = front->told_of_faults = false;
	front->config.session(front->config.context, false);
	if (front->listener.fd >= 0)
		loop_modify(front->config.loop, &front->listener, EPOLLIN);
}

static void client_ready(struct loop_fd *fd, uint32_t events)
{
	struct vfio_user *front = fd->context;

	if (events & EPOLLOUT)
		message_flush(front);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		message_input(front);
	if (front->broken)
		client_gone(front);
}

static bool client_look(struct loop_fd *fd)
{
	struct vfio_user *front = fd->context;
	bool found = message_input(front);

	if (front->broken)
		client_gone(front);
	return found;
}

bool vfio_user_look(struct vfio_user *front)
{
	return front->client.fd >= 0 && client_look(&front->client);
}

static int client_serve(struct vfio_user *front, int fd)
{
	int result;

	front->client.fd = fd;
	result = loop_add(front->config.loop, &front->client, EPOLLIN);
	if (result < 0)
		return result;
	dma_channel_init(front);
	front->config.session(front->config.context, true);
	return 0;
}

static void listener_ready(struct loop_fd *fd, uint32_t events)
{
	struct vfio_user *front = fd->context;
	int client = accept4(fd->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (client < 0)
		return;
	if (client_serve(front, client) < 0) {
		close(client);
		front->client.fd = -1;
		return;
	}
	loop_modify(front->config.loop, &front->listener, 0);
}

/* A descriptor that was handed over may be anything: a client, or where clients come. */
static int inherited_serve(struct vfio_user *front, int fd, struct error *err)
{
	socklen_t length = sizeof(struct sockaddr_storage);
	struct sockaddr_storage peer;
	int result;

	if (unix_listens(fd)) {
		front->listener.fd = fd;
		fcntl(fd, F_SETFL, O_NONBLOCK);
		return loop_add(front->config.loop, &front->listener, EPOLLIN);
	}
	if (getpeername(fd, (struct sockaddr *)&peer, &length) < 0)
		return error_set(err, -errno, "descriptor %d: %s", fd,
				 errno == ENOTCONN ? "neither connected nor listening"
						   : strerror(errno));
	if (peer.ss_family != AF_UNIX)
		return error_set(err, -ENOTSOCK, "descriptor %d: not a Unix socket", fd);
	result = client_serve(front, fd);
	if (result < 0)
		return error_set(err, result, "descriptor %d: %s", fd, strerror(-result));
	return 0;
}

static int front_start(struct vfio_user *front, struct error *err)
{
	const struct vfio_user_config *config = &front->config;

	if (config->fd >= 0)
		return inherited_serve(front, config->fd, err);
	front->listener.fd = unix_listen(config->socket_path, err);
	if (front->listener.fd < 0)
		return front->listener.fd;
	strcpy(front->path, config->socket_path);
	return loop_add(config->loop, &front->listener, EPOLLIN);
}

struct vfio_user *vfio_user_new(const struct vfio_user_config *config, struct error *err)
{
	struct vfio_user *front = calloc(1, sizeof(*front));

	if (!front) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	front->config = *config;
	front->listener = (struct loop_fd){.fd = -1, .ready = listener_ready, .context = front};
	front->client = (struct loop_fd){.fd = -1, .context = front};
	front->client.ready = client_ready;
	front->client.look = client_look;
	message_init(front);
	irqs_init(front);
	if (front_start(front, err) < 0) {
		vfio_user_free(front);
		return NULL;
	}
	return front;
}

void vfio_user_free(struct vfio_user *front)
{
	if (!front)
		return;
	if (front->client.fd >= 0)
		client_gone(front);
	if (front->listener.fd >= 0) {
		loop_remove(front->config.loop, &front->listener);
		close(front->listener.fd);
		if (*front->path)
			unix_remove(front->path);
	}
	free(front->input);
	free(front);
}

const struct vfio_user_stats *vfio_user_stats(struct vfio_user *front)
{
	client_faults(front);
	return &front->stats;
}
