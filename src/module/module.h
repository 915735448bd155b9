/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "nic/hooks.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The module of a card: its code, read once when the card is, and an instance of it
 * for each NIC. The kinds of loader.h make instances; nobody else knows of kinds.
 */
struct module;

struct module_file {
	char path[512]; /* for people */
	char *bytes;	/* for free(), with a zero behind them */
	size_t length;
	bool foreign; /* of a pack, which may come from anywhere */
};

enum { MODULE_MEMORY = 256 << 20 }; /* where the description does not say */

struct module_source {
	const char *kind, *name; /* of its file */
	const char *compiler;	 /* or NULL */
	const char *command;	 /* or NULL */
	uint64_t memory;	 /* bytes that it may have, of kinds that have their own */
	const char *description; /* path of the file that names it */
	/* A file beside the description; false: there is none. */
	bool (*beside)(void *context, const char *description, const char *name,
		       struct module_file *file);
	void *context;
};

/* Reads the code; an instance is made to see that it can be. NULL: ERR, maybe with a place. */
struct module *module_open(const struct module_source *source, struct error *err);
/* Foreign code that shares our memory, or is a program, is refused before. */
void module_allow_foreign(void);
void module_close(struct module *module); /* after its instances; NULL: nothing */

/* What it gives; see anynic/module.h. */
const struct anynic_module *module_hooks(const struct module *module);
int module_configure(struct module *module, struct anynic_draft *draft, struct error *err);
/* For nic_hooks(), which takes it; NULL: ERR. */
struct hooks *module_instance(const struct module *module, struct error *err);

/* Its NIC is to have a thread of its own, for a hook may keep that waiting. */
bool module_waits(const struct module *module);

/* PATH is given. False: there is no such file, or it is too large. */
bool module_file_read(struct module_file *file);
