/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/control.h"

#include "base/socket.h"
#include "instance/host.h"
#include "instance/instance.h"
#include "instance/nic_spec.h"

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
	char wrong[512]; /* what is said of the request under way */
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

/* ---- commands: each fills in the answer, or says what is wrong ---- */

static struct instance *nic_of(struct control *control, json_object *request)
{
	json_object *name;

	if (!json_object_object_get_ex(request, "nic", &name) ||
	    !json_object_is_type(name, json_type_string))
		return NULL;
	return host_find(control->host, json_object_get_string(name));
}

static const char *do_list(struct control *control, json_object *request, json_object *answer)
{
	json_object *list = json_object_new_array();
	struct instance *nic;

	(void)request;
	for (unsigned i = 0; (nic = host_nic(control->host, i)); i++)
		json_object_array_add(list, instance_describe(nic));
	json_object_object_add(answer, "nics", list);
	json_object_object_add(answer, "nets", host_describe_nets(control->host));
	return NULL;
}

static const char *do_stats(struct control *control, json_object *request, json_object *answer)
{
	struct instance *nic = nic_of(control, request), *only = host_nic(control->host, 0);
	json_object *stats;

	if (!nic && json_object_object_get_ex(request, "nic", &stats))
		return "no such NIC";
	if (!nic && only && !host_nic(control->host, 1))
		nic = only;
	stats = nic ? instance_stats(nic) : json_object_new_object();
	for (unsigned i = 0; !nic && (only = host_nic(control->host, i)); i++)
		json_object_object_add(stats, instance_name(only), instance_stats(only));
	json_object_object_add(answer, "stats", stats);
	return NULL;
}

static const char *with_file(struct control *control, json_object *request,
			     int (*run)(struct instance *, const char *, struct error *))
{
	struct instance *nic = nic_of(control, request);
	struct error err = {0};
	json_object *file;

	if (!nic)
		return "no such NIC";
	if (!json_object_object_get_ex(request, "file", &file) ||
	    !json_object_is_type(file, json_type_string))
		return "\"file\" is the name of a file";
	if (run(nic, json_object_get_string(file), &err) >= 0)
		return NULL;
	snprintf(control->wrong, sizeof(control->wrong), "%s", err.text);
	return control->wrong;
}

static const char *do_save(struct control *control, json_object *request, json_object *answer)
{
	(void)answer;
	return with_file(control, request, instance_save);
}

static const char *do_load(struct control *control, json_object *request, json_object *answer)
{
	(void)answer;
	return with_file(control, request, instance_load);
}

static const char *do_link(struct control *control, json_object *request, json_object *answer)
{
	struct instance *nic = nic_of(control, request);
	json_object *up;

	(void)answer;
	if (!nic)
		return "no such NIC";
	if (!json_object_object_get_ex(request, "up", &up) ||
	    !json_object_is_type(up, json_type_boolean))
		return "\"up\" is true or false";
	instance_link(nic, json_object_get_boolean(up));
	return NULL;
}

/* The text of a NIC is that of --nic. */
static const char *do_add(struct control *control, json_object *request, json_object *answer)
{
	struct mistakes mistakes = {0};
	struct error err = {0};
	struct nic_spec spec;
	json_object *text;
	char *first;
	int result;

	if (!json_object_object_get_ex(request, "nic", &text) ||
	    !json_object_is_type(text, json_type_string))
		return "\"nic\" is CARD,socket=PATH…";
	result = nic_spec_parse(&spec, json_object_get_string(text), &err);
	if (result == 0 && spec.fd >= 0)
		result = error_set(&err, -EINVAL, "fd= is of no use here");
	if (result == 0)
		result = host_add(control->host, &spec, &mistakes, &err);
	first = mistakes_first(&mistakes);
	if (result < 0)
		snprintf(control->wrong, sizeof(control->wrong), "%s", first ?: err.text);
	free(first);
	mistakes_free(&mistakes);
	nic_spec_free(&spec);
	if (result < 0)
		return control->wrong;
	json_object_object_add(answer, "nic", instance_describe(host_last(control->host)));
	return NULL;
}

static const char *do_remove(struct control *control, json_object *request, json_object *answer)
{
	struct instance *nic = nic_of(control, request);
	struct error err = {0};

	(void)answer;
	if (!nic || host_remove(control->host, instance_name(nic), &err) < 0)
		return "no such NIC";
	return NULL;
}

static const struct control_command {
	const char *name;
	const char *(*run)(struct control *control, json_object *request, json_object *answer);
} commands[] = {
	{"list", do_list},     {"stats", do_stats}, {"link", do_link}, {"add", do_add},
	{"remove", do_remove}, {"save", do_save},   {"load", do_load},
};

static const char *run_command(struct control *control, json_object *request, json_object *answer)
{
	json_object *name;

	if (!json_object_is_type(request, json_type_object) ||
	    !json_object_object_get_ex(request, "command", &name) ||
	    !json_object_is_type(name, json_type_string))
		return "expected {\"command\": …}";
	for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(commands[i].name, json_object_get_string(name)))
			return commands[i].run(control, request, answer);
	}
	return "no such command; there is list, stats, link, add, remove, save, load";
}

/* Whole, or false: one that does not read what it asked for is not waited for. */
static bool answer_send(struct client *client, json_object *answer, const char *wrong)
{
	struct iovec parts[2] = {{0}, {"\n", 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	const char *text;
	size_t length;

	json_object_object_add(answer, "ok", json_object_new_boolean(!wrong));
	if (wrong)
		json_object_object_add(answer, "error", json_object_new_string(wrong));
	text = json_object_to_json_string_length(answer, JSON_C_TO_STRING_PLAIN, &length);
	parts[0] = (struct iovec){(char *)text, length};
	return sendmsg(client->fd.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length + 1;
}

static bool answer_line(struct client *client, const char *line)
{
	json_object *request = json_tokener_parse(line), *answer = json_object_new_object();
	const char *wrong = run_command(client->control, request, answer);
	bool sent = answer_send(client, answer, wrong);

	json_object_put(answer);
	json_object_put(request);
	return sent;
}

static void refuse_line(struct client *client)
{
	json_object *answer = json_object_new_object();

	answer_send(client, answer, "the line is too long");
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
