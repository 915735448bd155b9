/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Shared objects. Each instance is loaded from memory of its own, so that it has
 * its own variables, and so that the file may be replaced, or lie in a pack. What
 * the dynamic linker would only find out by a crash is looked at before.
 */
#include "module/loader.h"

#include "base/watch.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#else
enum { MACHINE = EM_NONE };
#endif

struct native {
	struct hooks hooks;
	void *library;
};

static void native_close(struct hooks *hooks)
{
	struct native *native = (struct native *)hooks;

	if (native->library)
		dlclose(native->library);
	free(native);
}

static bool segments_whole(const Elf64_Ehdr *head, const uint8_t *bytes, size_t length)
{
	for (unsigned i = 0; i < head->e_phnum; i++) {
		Elf64_Phdr segment;

		memcpy(&segment, bytes + head->e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC)
			continue;
		if (segment.p_offset > length || segment.p_filesz > length - segment.p_offset)
			return false;
	}
	return true;
}

static int elf_check(const struct module *module, const uint8_t *bytes, size_t length,
		     struct error *err)
{
	const char *name = module->name;
	Elf64_Ehdr head = {0};

	memcpy(&head, bytes, length < sizeof(head) ? length : sizeof(head));
	if (length < SELFMAG || memcmp(head.e_ident, ELFMAG, SELFMAG))
		return error_set(err, -EINVAL, "%s is not a shared object", name);
	if (length >= sizeof(head) &&
	    (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != MACHINE))
		return error_set(err, -EINVAL, "%s is for another machine", name);
	if (length >= sizeof(head) && head.e_type != ET_DYN)
		return error_set(err, -EINVAL, "%s is not a shared object", name);
	if (length < sizeof(head) || head.e_phentsize != sizeof(Elf64_Phdr) ||
	    head.e_phoff > length || head.e_phnum * sizeof(Elf64_Phdr) > length - head.e_phoff ||
	    !segments_whole(&head, bytes, length))
		return error_set(err, -EINVAL, "%s is cut short", name);
	return 0;
}

/*
 * The linker takes what it has by the same path for the same: each has one of its own.
 * All lead to the descriptor; the count is written in dots.
 */
static void path_make(char *path, size_t size, int fd)
{
	static _Atomic unsigned loads; /* from several threads */
	unsigned count = ++loads;
	int length = snprintf(path, size, "/proc/self/fd");

	for (unsigned bit = 0; bit < 32; bit++)
		length += snprintf(path + length, size - (size_t)length,
				   count >> bit & 1 ? "/." : "/");
	snprintf(path + length, size - (size_t)length, "/%d", fd);
}

/* Its constructors run. */
static void *library_start(const struct module *module, const char *path)
{
	struct watched before = watch_enter(module->name, "dlopen");
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	watch_leave(before);
	return library;
}

static void *library_open(const struct module *module, const void *bytes, size_t length,
			  struct error *err)
{
	int fd = memfd_create(module->name, MFD_CLOEXEC);
	void *library = NULL;
	char path[160];

	path_make(path, sizeof(path), fd);
	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
		error_set(err, -ENOMEM, "%s: %s", module->name, strerror(errno));
	else if (!(library = library_start(module, path))) {
		const char *why = dlerror() ?: "it cannot be loaded";

		/* they begin with the path, which is nobody's */
		error_set(err, -EINVAL, "%s: %s", module->name,
			  !strncmp(why, path, strlen(path)) ? why + strlen(path) + 2 : why);
	}
	if (fd >= 0)
		close(fd);
	return library;
}

static int enter(struct module *module, struct native *native, struct error *err)
{
	module_entry *entry;

	*(void **)&entry = dlsym(native->library, ANYNIC_ENTRY);
	if (!entry)
		return error_set(err, -EINVAL, "%s has no symbol %s, the entry of a module",
				 module->name, ANYNIC_ENTRY);
	return module_enter(module, entry, &native->hooks.call, err);
}

struct hooks *native_load(struct module *module, const void *bytes, size_t length,
			  struct error *err)
{
	struct native *native = calloc(1, sizeof(*native));

	if (!native) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	native->hooks.name = module->name;
	native->hooks.close = native_close;
	if (elf_check(module, bytes, length, err) == 0 &&
	    (native->library = library_open(module, bytes, length, err)) &&
	    enter(module, native, err) == 0)
		return &native->hooks;
	native_close(&native->hooks);
	return NULL;
}

static struct hooks *load(struct module *module, struct error *err)
{
	return native_load(module, module->code.bytes, module->code.length, err);
}

const struct loader loader_native = {.kind = "native", .trusts = true, .load = load};
