/* SPDX-License-Identifier: Apache-2.0 */

/* Networks and who is on them, changed while all is running. */
#include "instance/host_internal.h"
#include "instance/host_net.h"
#include "instance/instance.h"

#include <errno.h>
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
	struct port *port;

	if (!nic)
		return error_set(err, -ENOENT, "no NIC \"%s\"", name);
	if (check_attach(host, nic, net, id, err) < 0)
		return err->code;
	port = host_net_port(net, nic->loop, err);
	if (!port)
		return err->code;
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
