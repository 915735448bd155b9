/* SPDX-License-Identifier: Apache-2.0 */
#include "module/loader.h"

#include "base/signals.h"
#include "base/watch.h"
#include "nic/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct loader *const loaders[] = {&loader_c, &loader_native, &loader_process,
					       &loader_wasm};

#define SERVICE_ENTRY(returns, name, parameters, arguments) .name = service_##name,
const struct anynic_services module_services = {sizeof(module_services), ANYNIC_VERSION,
						ANYNIC_SERVICES(SERVICE_ENTRY)};
#undef SERVICE_ENTRY

/* ---- files ---- */

bool module_file_read(struct module_file *file)
{
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat found;
	ssize_t got = -1;

	file->bytes = NULL;
	if (fd >= 0 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode) &&
	    found.st_size <= MODULE_BYTES_MAX &&
	    (file->bytes = calloc(1, (size_t)found.st_size + 1)))
		got = read(fd, file->bytes, (size_t)found.st_size);
	if (fd >= 0)
		close(fd);
	if (got >= 0) {
		file->length = (size_t)got;
		return true;
	}
	free(file->bytes);
	file->bytes = NULL;
	return false;
}

const char *module_file_name(const struct module_file *file)
{
	const char *slash = strrchr(file->path, '/');

	return slash ? slash + 1 : file->path;
}

const struct module_file *module_beside(struct module *module, const char *name)
{
	struct module_file *file = &module->files[module->files_count];
	const struct module_source *source = module->source;

	for (unsigned i = 0; i < module->files_count; i++) {
		if (!strcmp(module_file_name(&module->files[i]), name))
			return &module->files[i];
	}
	if (!source || module->files_count == MODULE_FILES_MAX ||
	    !source->beside(source->context, source->description, name, file))
		return NULL;
	module->files_count++;
	return file;
}

/* ---- what a module gives ---- */

enum { HOOKS_AT = offsetof(struct anynic_module, configure) };

/* Hooks behind those we know; a newer module may have none of them. */
static bool hooks_beyond(const struct anynic_module *from)
{
	const uint8_t *bytes = (const uint8_t *)from;

	for (uint32_t i = sizeof(*from); i < from->size; i++) {
		if (bytes[i])
			return true;
	}
	return false;
}

int module_enter(const struct module *module, module_entry *entry, struct anynic_module *to,
		 struct error *err)
{
	const char *name = module->name;
	struct watched before = watch_enter(name, ANYNIC_ENTRY);
	const struct anynic_module *from = entry(&module_services);

	watch_leave(before);
	*to = (struct anynic_module){0};
	if (!from)
		return error_set(err, -EINVAL, "%s: %s() gave nothing", name, ANYNIC_ENTRY);
	if (from->version != ANYNIC_VERSION)
		return error_set(err, -EINVAL,
				 "%s is for version %u of the module interface, this is version %d",
				 name, from->version, ANYNIC_VERSION);
	if (from->size < HOOKS_AT || from->size > 4096 || from->size % sizeof(void *))
		return error_set(err, -EINVAL,
				 "%s: its table of hooks has a size of %u, which is none", name,
				 from->size);
	if (hooks_beyond(from))
		return error_set(err, -EINVAL, "%s has hooks that this program does not know",
				 name);
	memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
	if (!memcmp((uint8_t *)to + HOOKS_AT, (uint8_t[sizeof(*to)]){0}, sizeof(*to) - HOOKS_AT))
		return error_set(err, -EINVAL, "%s has no hook", name);
	return 0;
}

/* ---- opening ---- */

bool module_waits(const struct module *module)
{
	return module && (module->loader == &loader_process || module->loader == &loader_wasm);
}

static bool foreign_allowed;

void module_allow_foreign(void)
{
	foreign_allowed = true;
}

static const struct loader *loader_of(const char *kind)
{
	for (unsigned i = 0; i < sizeof(loaders) / sizeof(*loaders); i++) {
		if (!strcmp(loaders[i]->kind, kind))
			return loaders[i];
	}
	return NULL;
}

static int read_code(struct module *module, const struct module_source *source, struct error *err)
{
	module->loader = loader_of(source->kind);
	if (!module->loader)
		return error_set(err, -EINVAL, "kind=\"%s\": this program cannot load such modules",
				 source->kind);
	if (!source->beside(source->context, source->description, source->name, &module->code))
		return error_set(err, -EINVAL, "%s: no such file of at most %d MiB",
				 module->code.path, MODULE_BYTES_MAX >> 20);
	module->name = module_file_name(&module->code);
	if (module->code.foreign && module->loader->trusts && !foreign_allowed)
		return error_set(err, -EPERM,
				 "%s is from a pack and may do anything: it runs only with "
				 "--allow-programs",
				 module->name);
	if (!module->code.length)
		return error_at(err, -EINVAL, module->code.path, 0, "empty");
	return 0;
}

struct module *module_open(const struct module_source *source, struct error *err)
{
	struct module *module = calloc(1, sizeof(*module));

	if (!module) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	signals_watch();
	module->by_cc = source->compiler && !strcmp(source->compiler, "cc");
	module->command = source->command ? strdup(source->command) : NULL;
	module->memory = source->memory;
	module->source = source;
	if (read_code(module, source, err) == 0)
		module->first = module->loader->load(module, err);
	module->source = NULL;
	if (module->first) {
		module->hooks = module->first->call;
		return module;
	}
	module_close(module);
	return NULL;
}

void module_close(struct module *module)
{
	if (!module)
		return;
	if (module->first)
		module->first->close(module->first);
	for (unsigned i = 0; i < module->files_count; i++)
		free(module->files[i].bytes);
	free(module->built.bytes);
	free(module->code.bytes);
	free((char *)module->command);
	free(module);
}

const struct anynic_module *module_hooks(const struct module *module)
{
	return &module->hooks;
}

int module_configure(struct module *module, struct anynic_draft *draft, struct error *err)
{
	struct watched before;
	int32_t result;

	if (!module->hooks.configure)
		return 0;
	before = watch_enter(module->name, "configure");
	result = module->loader->configure ? module->loader->configure(module->first, draft)
					   : module->first->call.configure(draft);
	watch_leave(before);
	module->first->close(module->first);
	module->first = NULL;
	return result < 0 ? error_set(err, -EINVAL, "%s: its configure() says %d", module->name,
				      result)
			  : 0;
}

/* A fresh one each: what configure() left behind in variables is no NIC's. */
struct hooks *module_instance(const struct module *module, struct error *err)
{
	return module->loader->load((struct module *)module, err);
}
