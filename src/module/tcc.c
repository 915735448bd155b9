/* SPDX-License-Identifier: Apache-2.0 */

/*
 * C source, compiled into memory by libtcc when an instance is made. The compiler
 * sees no file of the host: what it opens is the module's source, files beside it,
 * or what is compiled into this program, each as a file in memory.
 *
 *   /anynic/include/NAME    anynic/module.h, and a few of C's own
 *   /anynic/lib/libtcc1.a   what the compiler's code calls
 *   the source's path, and names beside it
 *
 * tools/tcc_object.sh makes its open(), exit() and dlsym() ours, and hides all its names but
 * those that are used here.
 */
#include "module/embedded.h"
#include "module/loader.h"

#include <errno.h>
#include <libtcc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char INCLUDE[] = "/anynic/include", LIBRARY[] = "/anynic/lib/libtcc1.a";

struct compiled {
	struct hooks hooks;
	void *code;
	size_t size;
};

/* The compiler knows no context, and keeps some of its own: one source at a time. */
static pthread_mutex_t compiler = PTHREAD_MUTEX_INITIALIZER;
static struct {
	struct module *module;
	struct error *err;
	bool failed;
	jmp_buf given_up;
} compiling;

/* ---- what the compiler calls ---- */

int module_tcc_open(const char *path, int flags, ...);
void module_tcc_exit(int status) __attribute__((noreturn));
void *module_tcc_dlsym(void *library, const char *name);

static int in_memory(const char *name, const void *bytes, size_t length)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write(fd, bytes, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

static int embedded_open(const char *name)
{
	for (unsigned i = 0; i < embedded_files_count; i++) {
		if (!strcmp(embedded_files[i].name, name))
			return in_memory(name, embedded_files[i].bytes, embedded_files[i].length);
	}
	return -1;
}

int module_tcc_open(const char *path, int flags, ...)
{
	struct module *module = compiling.module;
	const struct module_file *file = NULL;
	size_t folder = (size_t)(module->name - module->code.path);

	(void)flags;
	errno = ENOENT;
	if (!strcmp(path, module->code.path))
		return in_memory(path, module->code.bytes, module->code.length);
	if (!strcmp(path, LIBRARY))
		return embedded_open("libtcc1.a");
	if (!strncmp(path, INCLUDE, sizeof(INCLUDE) - 1))
		return embedded_open(path + sizeof(INCLUDE));
	if (!strncmp(path, module->code.path, folder))
		file = module_beside(module, path + folder);
	return file ? in_memory(path, file->bytes, file->length) : -1;
}

void module_tcc_exit(int status)
{
	(void)status;
	longjmp(compiling.given_up, 1);
}

/* What is not given to it is not there, whatever the host has. */
void *module_tcc_dlsym(void *library, const char *name)
{
	(void)library;
	(void)name;
	return NULL;
}

/* "FILE:LINE: error: TEXT"; the first counts. */
static void complaint(void *opaque, const char *message)
{
	const char *text = strstr(message, "error: "), *at = text;
	struct module *module = compiling.module;
	char file[256];
	unsigned line = 0;

	(void)opaque;
	if (!text || compiling.failed)
		return; /* a warning */
	compiling.failed = true;
	for (const char *end; (end = strchr(message, '\n')) && end < text;)
		message = end + 1; /* who included it */
	text += strlen("error: ");
	while (at > message && (at[-1] == ' ' || at[-1] == ':'))
		at--;
	while (at > message && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (sscanf(at, "%u", &line) == 1 && at > message) {
		snprintf(file, sizeof(file), "%.*s", (int)(at - 1 - message), message);
		error_at(compiling.err, -EINVAL, file, line, "%s", text);
	} else {
		error_at(compiling.err, -EINVAL, module->code.path, 0, "%s", text);
	}
}

/* ---- compiling ---- */

static void add_symbols(TCCState *tcc)
{
	static const struct {
		const char *name;
		const void *value;
	} symbols[] = {
		{"memcpy", memcpy}, {"memmove", memmove}, {"memset", memset}, {"memcmp", memcmp},
		{"strlen", strlen}, {"strcmp", strcmp},	  {"abort", abort},
	};

	for (unsigned i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		tcc_add_symbol(tcc, symbols[i].name, symbols[i].value);
}

/* Into memory that stays when the compiler has gone. */
static bool place(TCCState *tcc, struct compiled *compiled)
{
	int size = tcc_relocate(tcc, NULL);

	if (size <= 0)
		return false;
	compiled->size = (size_t)size;
	compiled->code = mmap(NULL, compiled->size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (compiled->code == MAP_FAILED) {
		compiled->code = NULL;
		error_set(compiling.err, -ENOMEM, "no memory");
		return false;
	}
	return tcc_relocate(tcc, compiled->code) == 0;
}

static bool compile(TCCState *tcc, struct module *module, struct compiled *compiled)
{
	module_entry *entry;

	if (setjmp(compiling.given_up))
		return false;
	tcc_set_error_func(tcc, NULL, complaint);
	tcc_set_options(tcc, "-nostdlib -nostdinc -xc");
	tcc_set_output_type(tcc, TCC_OUTPUT_MEMORY);
	tcc_add_sysinclude_path(tcc, INCLUDE);
	if (tcc_add_file(tcc, module->code.path) < 0)
		return false;
	tcc_set_options(tcc, "-xn");
	add_symbols(tcc);
	if (tcc_add_file(tcc, LIBRARY) < 0 || !place(tcc, compiled))
		return false;
	*(void **)&entry = tcc_get_symbol(tcc, ANYNIC_ENTRY);
	if (!entry) {
		error_set(compiling.err, -EINVAL, "%s has no function %s(), the entry of a module",
			  module->name, ANYNIC_ENTRY);
		return false;
	}
	return module_enter(module, entry, &compiled->hooks.call, compiling.err) == 0;
}

static void compiled_close(struct hooks *hooks)
{
	struct compiled *compiled = (struct compiled *)hooks;

	if (compiled->code)
		munmap(compiled->code, compiled->size);
	free(compiled);
}

static bool compile_alone(struct module *module, struct compiled *compiled, struct error *err)
{
	bool good = false;
	TCCState *tcc;

	pthread_mutex_lock(&compiler);
	tcc = tcc_new();
	compiling.module = module;
	compiling.err = err;
	compiling.failed = false;
	if (tcc && compiled)
		good = compile(tcc, module, compiled);
	else
		error_set(err, -ENOMEM, "no memory");
	if (tcc)
		tcc_delete(tcc);
	pthread_mutex_unlock(&compiler);
	return good;
}

static struct hooks *load(struct module *module, struct error *err)
{
	struct compiled *compiled;

	if (module->by_cc)
		return cc_load(module, err);
	compiled = calloc(1, sizeof(*compiled));
	if (compile_alone(module, compiled, err)) {
		compiled->hooks.name = module->name;
		compiled->hooks.close = compiled_close;
		return &compiled->hooks;
	}
	if (!*err->text)
		error_set(err, -EINVAL, "%s cannot be compiled", module->name);
	if (compiled)
		compiled_close(&compiled->hooks);
	return NULL;
}

const struct loader loader_c = {.kind = "c", .trusts = true, .load = load};
