/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/control.h"

#include "base/socket.h"
#include "instance/control_commands.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 65536,
	TURN_MAX_BYTES = 1024, /* of one client before the VM has its turn again */
	CLIENTS_MAX = 64,
};

struct client {
	struct loop_fd fd;
	struct control *control;
	char line[LINE_MAX_BYTES];
	size_t length;
	struct client *next;
};

struct control {
	struct loop *loop;
	struct host *host;
	struct loop_fd listener;
	char *path;
	struct client *clients;
	unsigned clients_count;
};

static void client_drop(struct client *client)
{
	struct control *control = client->control;

	for (struct client **at = &control->clients; *at; at = &(*at)->next) {
		if (*at == client) {
			*at = client->next;
			break;
		}
	}
	control->clients_count--;
	loop_remove(control->loop, &client->fd);
	close(client->fd.fd);
	free(client);
}

/* Whole, or false: one that does not read what it asked for is not waited for. */
static bool answer_send(struct client *client, json_object *answer)
{
	struct iovec parts[2] = {{0}, {"\n", 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	const char *text;
	size_t length;

	text = json_object_to_json_string_length(answer, JSON_C_TO_STRING_PLAIN, &length);
	parts[0] = (struct iovec){(char *)text, length};
	return sendmsg(client->fd.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length + 1;
}

static bool answer_line(struct client *client, const char *line)
{
	json_object *request = json_tokener_parse(line), *answer = json_object_new_object();
	bool sent;

	control_answer(client->control->host, request, answer);
	sent = answer_send(client, answer);
	json_object_put(answer);
	json_object_put(request);
	return sent;
}

static void refuse_line(struct client *client)
{
	json_object *answer = json_object_new_object();

	control_refuse(answer, "the line is too long");
	answer_send(client, answer);
	json_object_put(answer);
}

/* Answers the lines that are complete; false: the client is to go. */
static bool answer_lines(struct client *client)
{
	char *end;

	while ((end = memchr(client->line, '\n', client->length))) {
		*end++ = 0;
		if (!answer_line(client, client->line))
			return false;
		client->length -= (size_t)(end - client->line);
		memmove(client->line, end, client->length);
	}
	if (client->length + 1 < sizeof(client->line))
		return true;
	refuse_line(client);
	return false;
}

static void client_ready(struct loop_fd *fd, uint32_t events)
{
	struct client *client = fd->context;
	size_t room = sizeof(client->line) - 1 - client->length;
	ssize_t got = recv(fd->fd, client->line + client->length,
			   room < TURN_MAX_BYTES ? room : TURN_MAX_BYTES, MSG_DONTWAIT);

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* who has said all may have left out the last line's end */
	if (got == 0 && client->length)
		client->line[client->length++] = '\n';
	else if (got > 0)
		client->length += (size_t)got;
	if (!answer_lines(client) || got <= 0)
		client_drop(client);
}

/* The one that came first gives way, so that clients who stay shut nobody out. */
static void client_make_room(struct control *control)
{
	struct client *last = control->clients;

	if (control->clients_count < CLIENTS_MAX)
		return;
	while (last->next)
		last = last->next;
	client_drop(last);
}

static void listener_ready(struct loop_fd *fd, uint32_t events)
{
	struct control *control = fd->context;
	int accepted = accept4(fd->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	(void)events;
	if (accepted < 0)
		return;
	client_make_room(control);
	client = calloc(1, sizeof(*client));
	if (!client) {
		close(accepted);
		return;
	}
	client->control = control;
	client->fd = (struct loop_fd){.fd = accepted, .ready = client_ready, .context = client};
	client->next = control->clients;
	control->clients = client;
	control->clients_count++;
	if (loop_add(control->loop, &client->fd, EPOLLIN) < 0)
		client_drop(client);
}

struct control *control_new(struct loop *loop, const char *path, struct host *host,
			    struct error *err)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	control->loop = loop;
	control->host = host;
	control->listener = (struct loop_fd){.ready = listener_ready, .context = control};
	control->listener.fd = unix_listen(path, err);
	if (control->listener.fd < 0) {
		free(control);
		return NULL;
	}
	control->path = strdup(path);
	loop_add(loop, &control->listener, EPOLLIN);
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	while (control->clients)
		client_drop(control->clients);
	loop_remove(control->loop, &control->listener);
	close(control->listener.fd);
	if (control->path)
		unlink(control->path);
	free(control->path);
	free(control);
}
