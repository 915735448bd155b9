/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "module/module.h"

/*
 * A kind of module. LOAD makes an instance out of the code: the hooks filled in,
 * each of them callable with SELF as nic/hooks.h has it, and with a close() that
 * frees all. Instances share nothing.
 *
 * Where code shares our memory (c, native) its hooks are called directly and its
 * services are module_services; elsewhere the loader translates in between, with
 * service_NAME() of nic/service.h on the other side.
 */
enum { MODULE_BYTES_MAX = 16 << 20, MODULE_FILES_MAX = 16 };

struct module {
	const struct loader *loader;
	struct module_file code;
	const char *name;	  /* of its file, within the path of CODE */
	bool by_cc;		  /* C source that the system compiles */
	struct module_file built; /* what came of it */
	const char *command;	  /* process: what runs it, or NULL */
	uint64_t memory;	  /* process, wasm: bytes that it may have */
	/* what its source includes, found while the first instance was made */
	struct module_file files[MODULE_FILES_MAX];
	unsigned files_count;
	const struct module_source *source; /* while that is being made, else NULL */
	struct anynic_module hooks;	    /* which there are */
	struct hooks *first;		    /* until it has configured */
};

struct loader {
	const char *kind;
	bool trusts; /* what it loads may do anything to us or to the host */
	struct hooks *(*load)(struct module *module, struct error *err);
	/* Or NULL: the hook itself. */
	int32_t (*configure)(struct hooks *hooks, struct anynic_draft *draft);
};

extern const struct loader loader_c, loader_native, loader_process, loader_wasm;

/* For code that shares our memory. */
extern const struct anynic_services module_services;

typedef const struct anynic_module *module_entry(const struct anynic_services *services);

/* Calls the entry, checks what it gives and takes it over. 0 or ERR. */
int module_enter(const struct module *module, module_entry *entry, struct anynic_module *to,
		 struct error *err);

/* Its name in its folder. */
const char *module_file_name(const struct module_file *file);

/* cc.c, native.c: C source by the system's compiler; a shared object in memory. */
int cc_build(struct module *module, struct error *err); /* fills in BUILT */
struct hooks *cc_load(struct module *module, struct error *err);
struct hooks *native_load(struct module *module, const void *bytes, size_t length,
			  struct error *err);
/* program.c: ms of the monotonic clock */
int64_t program_now(void);
/* program.c: what it said, and its status; or -errno, -ENOENT where there is no such program. */
int program_run(const char *folder, const char *const *arguments, char *said, size_t size);
/* A file beside the module's, kept with it; NULL: there is none. */
const struct module_file *module_beside(struct module *module, const char *name);
