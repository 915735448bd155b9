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
	char *unsent; /* of an answer that did not go at once; nothing is read meanwhile */
	size_t unsent_length, unsent_at;
	struct pending *pending; /* the answer that it waits for, or NULL */
	bool last;		 /* it will say no more */
	bool failed;		 /* to take an answer */
	struct client *next;
};

struct pending {
	struct client *client; /* NULL: it has gone */
	bool later;	       /* who asked has returned */
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
	if (client->pending)
		client->pending->client = NULL;
	loop_remove(control->loop, &client->fd);
	close(client->fd.fd);
	free(client->unsent);
	free(client);
}

/* ---- answers ---- */

/* What is left goes when the client has taken some. */
static bool answer_rest(struct client *client, const char *text, size_t length)
{
	client->unsent = malloc(length);
	if (!client->unsent)
		return false;
	memcpy(client->unsent, text, length);
	client->unsent_length = length;
	client->unsent_at = 0;
	return loop_modify(client->control->loop, &client->fd, EPOLLOUT) == 0;
}

static bool answer_send(struct client *client, json_object *answer)
{
	const char *text;
	size_t length;
	ssize_t sent;
	bool done;
	char *line;

	text = json_object_to_json_string_length(answer, JSON_C_TO_STRING_PLAIN, &length);
	line = malloc(length + 1);
	if (!line)
		return false;
	memcpy(line, text, length);
	line[length++] = '\n';
	sent = send(client->fd.fd, line, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno == EAGAIN)
		sent = 0;
	done = sent == (ssize_t)length ||
	       (sent >= 0 && answer_rest(client, line + sent, length - (size_t)sent));
	free(line);
	return done;
}

/* False: the client is to go. */
static bool answer_more(struct client *client)
{
	ssize_t sent = send(client->fd.fd, client->unsent + client->unsent_at,
			    client->unsent_length - client->unsent_at, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR;
	client->unsent_at += (size_t)sent;
	if (client->unsent_at < client->unsent_length)
		return true;
	free(client->unsent);
	client->unsent = NULL;
	return loop_modify(client->control->loop, &client->fd, EPOLLIN) == 0;
}

static void client_go_on(struct client *client);

static void answered(void *context, json_object *answer)
{
	struct pending *pending = context;
	struct client *client = pending->client;
	bool later = pending->later;

	free(pending);
	if (!client)
		return;
	client->pending = NULL;
	client->failed |= !answer_send(client, answer);
	if (later)
		client_go_on(client);
}

/* Until an answer that comes later, nothing more is read. */
static bool answer_line(struct client *client, const char *line)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	json_object *request = json_tokener_parse(line);

	if (!pending) {
		json_object_put(request);
		return false;
	}
	pending->client = client;
	client->pending = pending;
	control_answer(client->control->host, request, answered, pending);
	json_object_put(request);
	if (client->pending) {
		client->pending->later = true;
		loop_modify(client->control->loop, &client->fd, 0);
	}
	return !client->failed;
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

	while (!client->unsent && !client->pending &&
	       (end = memchr(client->line, '\n', client->length))) {
		*end++ = 0;
		if (!answer_line(client, client->line))
			return false;
		client->length -= (size_t)(end - client->line);
		memmove(client->line, end, client->length);
	}
	if (client->unsent || client->pending || client->length + 1 < sizeof(client->line))
		return true;
	refuse_line(client);
	return false;
}

/* As much as it says now; false: the client is to go. */
static bool client_listen(struct client *client)
{
	size_t room = sizeof(client->line) - 1 - client->length;
	ssize_t got = recv(client->fd.fd, client->line + client->length,
			   room < TURN_MAX_BYTES ? room : TURN_MAX_BYTES, MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	/* who has said all may have left out the last line's end */
	if (got == 0 && client->length)
		client->line[client->length++] = '\n';
	client->length += (size_t)got;
	client->last = got == 0;
	return true;
}

/* What it has said already; it goes when it has said all and been told all. */
static void client_answer(struct client *client, bool stays)
{
	if (stays && !client->unsent && !client->pending)
		stays = answer_lines(client);
	if (!stays || (client->last && !client->unsent && !client->pending))
		client_drop(client);
}

static void client_go_on(struct client *client)
{
	if (!client->unsent)
		loop_modify(client->control->loop, &client->fd, EPOLLIN);
	client_answer(client, !client->failed);
}

static void client_ready(struct loop_fd *fd, uint32_t events)
{
	struct client *client = fd->context;
	bool gone = events & (EPOLLHUP | EPOLLERR);

	if (client->pending)
		client_answer(client, !gone);
	else if (client->unsent)
		client_answer(client, !gone && answer_more(client));
	else
		client_answer(client, client_listen(client));
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
		unix_remove(control->path);
	free(control->path);
	free(control);
}
