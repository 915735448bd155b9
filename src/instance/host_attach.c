/* SPDX-License-Identifier: Apache-2.0 */

/* Networks and who is on them, changed while all is running. */
#include "instance/host_internal.h"
#include "instance/host_net.h"
#include "instance/instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int host_remove_net(struct host *host, const char *id, struct error *err)
{
	struct host_net *net = *id ? host_net_find(host, id) : NULL;

	if (!net)
		return error_set(err, -ENOENT, "no network \"%s\"", id);
	if (net->users)
		return error_set(err, -EBUSY, "network %s is in use", id);
	host_net_drop(host, net);
	return 0;
}

/* Of another NIC with its address there. */
static const char *same_address(const struct host *host, const struct host_nic *nic,
				const struct host_net *net)
{
	for (const struct host_nic *at = host->nics; at; at = at->next) {
		if (at != nic && at->net == net && !memcmp(at->mac, nic->mac, sizeof(nic->mac)))
			return instance_name(at->instance);
	}
	return NULL;
}

static int check_attach(const struct host *host, const struct host_nic *nic,
			const struct host_net *net, const char *id, struct error *err)
{
	const char *other = net ? same_address(host, nic, net) : NULL;

	if (!net)
		return error_set(err, -ENOENT, "no network \"%s\"", id);
	if (nic->net == net)
		return error_set(err, -EINVAL, "it is on network %s already", id);
	return other ? error_set(err, -EINVAL, "its address is that of %s there", other) : 0;
}

int host_attach(struct host *host, const char *name, const char *id, struct error *err)
{
	struct host_nic *nic = *host_nic_place(host, name);
	struct host_net *net = *id ? host_net_find(host, id) : NULL, *old;
	struct port *port, *seat;

	if (!nic)
		return error_set(err, -ENOENT, "no NIC \"%s\"", name);
	if (check_attach(host, nic, net, id, err) < 0)
		return err->code;
	port = host_net_port(net, nic->loop, &nic->port, &seat, err);
	if (!port)
		return err->code;
	nic->seat = seat;
	loop_hold(nic->loop);
	instance_attach(nic->instance, port, net->id);
	loop_release(nic->loop);
	old = nic->net;
	old->users--;
	nic->net = net;
	net->users++;
	if (!*old->id)
		host_net_drop(host, old);
	return 0;
}

/* Words as those of --nic, all of them anew. */
static int words_read(struct switch_port *port, const char *text, struct error *err)
{
	char *copy = strdup(text), *rest = copy, *word;
	int known = copy ? 1 : error_set(err, -ENOMEM, "no memory");

	while (known > 0 && rest && *rest && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = 0;
		known = switch_port_word(port, word, value ?: "", err);
		if (!known)
			error_set(err, -EINVAL,
				  "no option \"%s\"; there is: isolated spoofchk vlan trunk", word);
	}
	free(copy);
	return known > 0 ? 0 : err->code;
}

int host_port(struct host *host, const char *name, const char *words, struct error *err)
{
	struct host_nic *nic = *host_nic_place(host, name);
	struct switch_port port = {0};

	if (!nic)
		return error_set(err, -ENOENT, "no NIC \"%s\"", name);
	if (!nic->seat)
		return error_set(err, -EINVAL, "it is not on a switch");
	if (words_read(&port, words, err) < 0)
		return err->code;
	memcpy(port.name, nic->port.name, sizeof(port.name));
	memcpy(port.mac, nic->port.mac, sizeof(port.mac));
	nic->port = port;
	loop_hold(nic->net->loop);
	switch_change(nic->seat, &port);
	loop_release(nic->net->loop);
	return 0;
}

struct json_object *host_describe_port(struct host *host, const char *name)
{
	const struct host_nic *nic = *host_nic_place(host, name);

	return nic && nic->seat ? host_net_describe_port(nic->net, nic->seat) : NULL;
}
