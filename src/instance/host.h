/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"
#include "card/reader.h"

/*
 * The NICs of one process, each for a VM of its own, and the networks they are
 * on, each on some loop of a crew. What one client does, or its end, is no
 * other's concern. A host is for the thread of LOOP, which holds the others
 * while it does something with what is theirs.
 */
struct host;
struct instance;
struct json_object;
struct nic_spec;
struct port;

struct crew;

struct host_config {
	struct loop *loop;
	struct crew *crew; /* or NULL: LOOP is all there is */
	const char *cards; /* where cards are looked for first, or NULL */
	/* Or NULL: every NIC was on a descriptor that was handed over, and its client has gone. */
	void (*ended)(void *context);
	void *context;
};

struct host *host_new(const struct host_config *config, struct error *err);
void host_free(struct host *host);

/*
 * A network for NICs to name. SHARED: more than one will, so that there is a
 * switch in front of what SPEC says.
 */
int host_add_net(struct host *host, const char *id, const char *spec, bool shared,
		 struct error *err);

int host_remove_net(struct host *host, const char *id, struct error *err); /* nobody is on it */
/* The NIC goes to another network; what it had was its alone ends. */
int host_attach(struct host *host, const char *name, const char *id, struct error *err);
/* What its port of the switch is to be: "isolated=on,vlan=N…", all of them anew. */
int host_port(struct host *host, const char *name, const char *words, struct error *err);
/* What the switch has counted there; NULL: it is not on one. */
struct json_object *host_describe_port(struct host *host, const char *name);
/* One with PORT behind its switch; PORT is the network's from then on, also if this fails. */
int host_add_port(struct host *host, const char *id, struct port *port, struct error *err);

/*
 * Reads the description that ASKED names, while the cards go on. DONE has the card,
 * which is its own from then on, or NULL, and the mistakes; before this returns or
 * later. What is negative is not followed by it.
 */
typedef void host_read_done(void *context, struct card *card, struct mistakes *mistakes);
int host_read(struct host *host, const char *asked, host_read_done *done, void *context,
	      struct error *err);

/* One that was read already, with the files that it was read from; takes CARD. */
int host_add_card(struct host *host, const struct nic_spec *spec, struct card *card,
		  struct mistakes *mistakes, struct error *err);
/* MISTAKES of its description, or ERR. What SPEC points to is copied. */
int host_add(struct host *host, const struct nic_spec *spec, struct mistakes *mistakes,
	     struct error *err);
int host_remove(struct host *host, const char *name, struct error *err);

/* What the NIC's card was asked for by; NULL: no such NIC. */
const char *host_asked(struct host *host, const char *name);
/*
 * CARD, which was read anew, in the place of the one that the NIC has, or not: see
 * instance_reload(). NULL: there are MISTAKES. It is taken, and its files are.
 */
int host_reload(struct host *host, const char *name, struct card *card, bool reset,
		struct mistakes *mistakes, struct error *err);
/* From now on whenever its files change; what comes of it is told on standard error. */
int host_watch(struct host *host, bool reset, struct error *err);

/* In the order they were added; NULL: there are no more, or none of that name. */
struct instance *host_nic(const struct host *host, unsigned index);
struct instance *host_last(const struct host *host);
struct instance *host_find(const struct host *host, const char *name);

struct json_object *host_describe_nets(const struct host *host);
