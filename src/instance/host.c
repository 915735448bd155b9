/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/host_internal.h"

#include "base/crew.h"
#include "base/job.h"
#include "base/socket.h"
#include "instance/catalog.h"
#include "instance/host_net.h"
#include "instance/instance.h"
#include "instance/nic_spec.h"
#include "module/module.h"

#include <errno.h>
#include <json-c/json.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host *host_new(const struct host_config *config, struct error *err)
{
	struct host *host = calloc(1, sizeof(*host));

	if (host)
		host->config = *config;
	else
		error_set(err, -ENOMEM, "no memory");
	return host;
}

static void nic_free(struct host_nic *nic)
{
	struct loop *loop = nic->loop ?: nic->host->config.loop;

	loop_hold(loop);
	instance_free(nic->instance);
	loop_release(loop);
	loop_hold(nic->host->config.loop); /* what it has posted there is done */
	if (nic->joined)
		nic->net->users--;
	host_card_drop(nic->host, nic->card);
	for (unsigned i = 0; i < nic->files_count; i++)
		free(nic->files[i]);
	free(nic->files);
	free(nic->asked);
	free(nic->socket_path);
	free(nic->capture);
	free(nic->trace);
	free(nic);
}

void host_net_drop(struct host *host, struct host_net *gone)
{
	struct host_net **at = &host->nets;

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	host_net_free(gone);
}

void host_free(struct host *host)
{
	struct host_nic *nic;

	if (!host)
		return;
	host_watch_free(host);
	jobs_free(host->jobs);
	while ((nic = host->nics)) {
		host->nics = nic->next;
		nic_free(nic);
	}
	while (host->nets)
		host_net_drop(host, host->nets);
	free(host);
}

/* ---- networks ---- */

struct host_net *host_net_find(const struct host *host, const char *id)
{
	struct host_net *net = host->nets;

	while (net && strcmp(net->id, id))
		net = net->next;
	return net;
}

static struct host_net *net_append(struct host *host, struct host_net *net)
{
	struct host_net **last = &host->nets;

	while (*last)
		last = &(*last)->next;
	*last = net;
	return net;
}

static struct loop *loop_for_next(struct host *host)
{
	struct crew *crew = host->config.crew;

	return crew ? crew_loop(crew, host->next++ % crew_count(crew)) : host->config.loop;
}

static struct host_net *net_add(struct host *host, const char *id, const char *spec, bool shared,
				struct error *err)
{
	return net_append(host, host_net_new(id, spec, shared, loop_for_next(host), err));
}

int host_add_net(struct host *host, const char *id, const char *spec, bool shared,
		 struct error *err)
{
	if (!id_right(id))
		return error_set(err, -EINVAL, "--net %s=: expected letters and digits", id);
	if (host_net_find(host, id))
		return error_set(err, -EINVAL, "--net %s=: there are two of that name", id);
	return net_add(host, id, spec, shared, err) ? 0 : err->code;
}

int host_add_port(struct host *host, const char *id, struct port *port, struct error *err)
{
	struct host_net *net;

	if (!id_right(id) || host_net_find(host, id)) {
		port->ops->close(port);
		return error_set(err, -EINVAL, "network %s: expected letters and digits, once", id);
	}
	net = net_append(host, host_net_around(id, port, host->config.loop, err));
	return net ? 0 : err->code;
}

/* A module that may keep it waiting; so a NIC of a VMM that has us in it shares that. */
static int loop_of_its_own(struct host_nic *nic, struct error *err)
{
	struct loop *loop = nic->host->config.crew ? crew_add(nic->host->config.crew, err) : NULL;

	if (!loop && nic->host->config.crew)
		return err->code;
	nic->loop = loop ?: nic->loop;
	return 0;
}

static int net_choose(struct host_nic *nic, const struct nic_spec *spec, struct error *err)
{
	struct host *host = nic->host;

	nic->net = spec->net ? host_net_find(host, spec->net)
			     : net_add(host, "", spec->own ?: "user", false, err);
	if (nic->net) {
		/* a network of its own is where it is */
		nic->loop = spec->net ? loop_for_next(host) : nic->net->loop;
		return module_waits(nic->card->module) ? loop_of_its_own(nic, err) : 0;
	}
	if (!spec->net)
		return err->code;
	return error_set(err, -EINVAL, "net=%s: there is no --net %s=…", spec->net, spec->net);
}

/* ---- NICs ---- */

struct instance *host_nic(const struct host *host, unsigned index)
{
	const struct host_nic *nic = host->nics;

	while (nic && index--)
		nic = nic->next;
	return nic ? nic->instance : NULL;
}

struct instance *host_last(const struct host *host)
{
	const struct host_nic *nic = host->nics;

	while (nic && nic->next)
		nic = nic->next;
	return nic ? nic->instance : NULL;
}

struct host_nic **host_nic_place(struct host *host, const char *name)
{
	struct host_nic **at = &host->nics;

	while (*at && (!name || strcmp(instance_name((*at)->instance), name)))
		at = &(*at)->next;
	return at;
}

struct instance *host_find(const struct host *host, const char *name)
{
	for (const struct host_nic *nic = host->nics; nic; nic = nic->next) {
		if (!strcmp(instance_name(nic->instance), name))
			return nic->instance;
	}
	return NULL;
}

static void client_ended(struct loop_post *post)
{
	struct host_nic *nic = (struct host_nic *)((char *)post - offsetof(struct host_nic, ended));
	struct host *host = nic->host;

	nic->gone = true;
	for (nic = host->nics; nic; nic = nic->next) {
		if (!nic->inherited || !nic->gone)
			return;
	}
	if (host->config.ended)
		host->config.ended(host->config.context);
}

static void client_gone(void *context)
{
	struct host_nic *nic = context;

	if (nic->gone)
		return;
	nic->ended.run = client_ended;
	loop_post(nic->host->config.loop, &nic->ended);
}

/* What would fail or confuse later is told as what it is. */
static int check_twice(const struct host *host, const struct host_nic *new, const char *name,
		       struct error *err)
{
	for (const struct host_nic *nic = host->nics; nic; nic = nic->next) {
		const char *other = instance_name(nic->instance);

		if (!strcmp(other, name))
			return error_set(err, -EINVAL, "there are two of that name");
		if (new->socket_path && nic->socket_path &&
		    !strcmp(nic->socket_path, new->socket_path))
			return error_set(err, -EINVAL, "%s is the socket of %s", nic->socket_path,
					 other);
		if (nic->net == new->net && !memcmp(nic->mac, new->mac, sizeof(new->mac)))
			return error_set(err, -EINVAL,
					 "its address is that of %s, on the same network", other);
	}
	return 0;
}

static int nic_start(struct host_nic *nic, const struct nic_spec *spec, const char *name,
		     struct error *err)
{
	struct instance_config config = {
		.loop = nic->loop,
		.card = nic->card,
		.name = name,
		.socket_path = nic->socket_path,
		.fd = spec->fd,
		.embed = spec->embed,
		.net = *nic->net->id ? nic->net->id : nic->net->spec,
		.capture = nic->capture,
		.trace = nic->trace,
		.limits = spec->limits,
		.gone = nic->inherited ? client_gone : NULL,
		.context = nic,
	};

	memcpy(config.mac, nic->mac, sizeof(config.mac));
	nic->port = spec->port;
	memcpy(nic->port.mac, nic->mac, sizeof(nic->mac));
	snprintf(nic->port.name, sizeof(nic->port.name), "%s", name);
	config.port = host_net_port(nic->net, nic->loop, &nic->port, &nic->seat, err);
	if (!config.port)
		return err->code;
	nic->joined = true;
	nic->net->users++;
	loop_hold(nic->loop);
	nic->instance = instance_new(&config, err);
	loop_release(nic->loop);
	return nic->instance ? 0 : err->code;
}

static int nic_fill(struct host_nic *nic, const struct nic_spec *spec, const char *name,
		    struct card *card, struct error *err)
{
	nic->card = host_card_share(nic->host, card);
	if (!nic->card)
		return error_set(err, -ENOMEM, "no memory");
	nic->inherited = spec->fd >= 0 && !unix_listens(spec->fd);
	if (!spec->embed && (spec->fd >= 0) == (spec->socket_path != NULL))
		return error_set(err, -EINVAL, "one of socket= and fd= is needed, not both");
	if (!(nic->asked = strdup(spec->card)) ||
	    (spec->socket_path && !(nic->socket_path = strdup(spec->socket_path))) ||
	    (spec->capture && !(nic->capture = strdup(spec->capture))) ||
	    (spec->trace && !(nic->trace = strdup(spec->trace))))
		return error_set(err, -ENOMEM, "no memory");
	if (spec->mac_given)
		memcpy(nic->mac, spec->mac, sizeof(nic->mac));
	else
		mac_make(spec->card, spec->socket_path ?: name, nic->mac);
	return net_choose(nic, spec, err) ?: check_twice(nic->host, nic, name, err) ?:
	       nic_start(nic, spec, name, err);
}

/* A network of its own ends with it. */
static void nic_drop(struct host_nic *nic)
{
	struct host_net *own = nic->net && !*nic->net->id ? nic->net : NULL;
	struct host *host = nic->host;

	nic_free(nic);
	if (own)
		host_net_drop(host, own);
}

/* nicN by its place among the others, or the next that is free. */
static void name_choose(const struct host *host, const char *given, char *name, size_t room)
{
	unsigned i = 0;

	snprintf(name, room, "%s", given ?: "");
	if (given)
		return;
	while (host_nic(host, i))
		i++;
	do
		snprintf(name, room, "nic%u", i++);
	while (host_find(host, name));
}

int host_add_card(struct host *host, const struct nic_spec *spec, struct card *card,
		  struct mistakes *mistakes, struct error *err)
{
	struct host_nic *nic = calloc(1, sizeof(*nic));
	char name[64];
	int result;

	if (!nic) {
		card_free(card);
		return error_set(err, -ENOMEM, "no memory");
	}
	nic->host = host;
	host_nic_files(nic, mistakes, true);
	name_choose(host, spec->name, name, sizeof(name));
	result = nic_fill(nic, spec, name, card, err);
	if (result < 0) {
		nic_drop(nic);
		return result;
	}
	*host_nic_place(host, NULL) = nic;
	host_watch_update(host);
	return 0;
}

int host_add(struct host *host, const struct nic_spec *spec, struct mistakes *mistakes,
	     struct error *err)
{
	struct card *card = catalog_find(spec->card, host->config.cards, mistakes);

	return card ? host_add_card(host, spec, card, mistakes, err)
		    : error_set(err, -ENOENT, "%s", "");
}

int host_remove(struct host *host, const char *name, struct error *err)
{
	struct host_nic **at = host_nic_place(host, name), *nic = *at;

	if (!nic)
		return error_set(err, -ENOENT, "no NIC \"%s\"", name);
	*at = nic->next;
	nic_drop(nic);
	host_watch_update(host);
	return 0;
}

struct json_object *host_describe_nets(const struct host *host)
{
	json_object *list = json_object_new_array();

	for (const struct host_net *net = host->nets; net; net = net->next) {
		if (*net->id) /* else it is shown with its NIC */
			json_object_array_add(list, host_net_describe(net));
	}
	return list;
}
