/* SPDX-License-Identifier: Apache-2.0 */

/*
 * C source through the system's compiler, into a shared object like any other. What
 * is compiled is collected in a folder of its own first: the source, what it includes
 * from beside itself (which may be a pack), and anynic/module.h. The result is kept
 * by what went into it, in the user's cache:
 *
 *   $XDG_CACHE_HOME/anynic/modules/NUMBER.so     or below ~/.cache
 *   NUMBER: from the files by name and content, the compiler's file, how it is called
 *
 * Without a place for it, it is compiled each time. The compiler is cc, or what CC says:
 * a name, or words, for this machine.
 */
#include "module/embedded.h"
#include "module/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct making {
	struct module *module;
	struct error *err;
	char folder[384]; /* "": none yet */
	uint64_t hash[2];
};

/* ---- what is compiled ---- */

static void mix(struct making *making, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++) {
		making->hash[0] = (making->hash[0] ^ bytes[i]) * 0x100000001b3u;
		making->hash[1] = (making->hash[1] + bytes[i]) * 0x9e3779b97f4a7c15u;
		making->hash[1] ^= making->hash[1] >> 29;
	}
}

static int put_file(struct making *making, const char *name, const void *bytes, size_t length)
{
	char path[sizeof(making->folder) + 600];
	FILE *file;
	bool good;

	mix(making, name, strlen(name) + 1);
	mix(making, &length, sizeof(length));
	mix(making, bytes, length);
	snprintf(path, sizeof(path), "%s/%s", making->folder, name);
	file = fopen(path, "wxe");
	good = file && fwrite(bytes, 1, length, file) == length;
	if (file && fclose(file) != 0)
		good = false;
	return good ? 0 : error_set(making->err, -EIO, "%s: %s", path, strerror(errno));
}

/* The name in a line that is #include "NAME"; its length, or 0. */
static size_t included(const char *line, const char *end, const char **name)
{
	const char *close;

	line += strspn(line, " \t");
	if (line >= end || *line != '#')
		return 0;
	line += 1 + strspn(line + 1, " \t");
	if (strncmp(line, "include", 7))
		return 0;
	line += 7 + strspn(line + 7, " \t");
	if (line >= end || *line != '"')
		return 0;
	*name = line + 1;
	close = memchr(line + 1, '"', (size_t)(end - line - 1));
	return close ? (size_t)(close - line - 1) : 0;
}

/* Files beside it, as far as they are there; the compiler knows best what is missing. */
static void find_included(struct module *module, const char *text)
{
	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		const char *name;
		char copy[128];
		size_t length;

		end = strchrnul(line, '\n');
		length = included(line, end, &name);
		if (!length || length >= sizeof(copy))
			continue;
		snprintf(copy, sizeof(copy), "%.*s", (int)length, name);
		if (!strchr(copy, '/'))
			module_beside(module, copy);
	}
}

static const struct embedded *header(void)
{
	unsigned i = 0;

	while (i < embedded_files_count && strcmp(embedded_files[i].name, "anynic/module.h"))
		i++;
	return &embedded_files[i];
}

static int collect(struct making *making)
{
	const char *base = getenv("TMPDIR") ?: "/tmp";
	struct module *module = making->module;
	char path[sizeof(making->folder) + 16];
	int result;

	find_included(module, module->code.bytes);
	for (unsigned i = 0; i < module->files_count; i++)
		find_included(module, module->files[i].bytes);
	snprintf(making->folder, sizeof(making->folder), "%s/anynic-XXXXXX", base);
	if (!mkdtemp(making->folder)) {
		making->folder[0] = 0;
		return error_set(making->err, -EIO, "%s: %s", base, strerror(errno));
	}
	snprintf(path, sizeof(path), "%s/anynic", making->folder);
	mkdir(path, 0700);
	result = put_file(making, module->name, module->code.bytes, module->code.length)
			 ?: put_file(making, "anynic/module.h", header()->bytes, header()->length);
	for (unsigned i = 0; i < module->files_count && result == 0; i++)
		result = put_file(making, module_file_name(&module->files[i]),
				  module->files[i].bytes, module->files[i].length);
	return result;
}

static void clean(struct making *making)
{
	const struct module *module = making->module;
	char path[sizeof(making->folder) + 600];

	if (!*making->folder)
		return;
	for (unsigned i = 0; i < module->files_count; i++) {
		snprintf(path, sizeof(path), "%s/%s", making->folder,
			 module_file_name(&module->files[i]));
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/%s", making->folder, module->name);
	unlink(path);
	snprintf(path, sizeof(path), "%s/anynic/module.h", making->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/module.so", making->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/anynic", making->folder);
	rmdir(path);
	rmdir(making->folder);
}

/* ---- the cache ---- */

static bool folder_make(const char *path)
{
	struct stat found;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return false;
	return stat(path, &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == geteuid() &&
	       !(found.st_mode & (S_IWGRP | S_IWOTH));
}

/* False: there is no place for one. */
static bool cache_folder(char *path, size_t size)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int length;

	if (cache && *cache == '/')
		length = snprintf(path, size, "%s", cache);
	else if (home && *home == '/')
		length = snprintf(path, size, "%s/.cache", home);
	else
		return false;
	if (length < 0 || (size_t)length + 32 > size)
		return false;
	mkdir(path, 0700);
	strcat(path, "/anynic");
	if (!folder_make(path))
		return false;
	strcat(path, "/modules");
	return folder_make(path);
}

static bool cache_path(const struct making *making, char *path, size_t size)
{
	if (!cache_folder(path, size - 48))
		return false;
	snprintf(path + strlen(path), 48, "/%016llx%016llx.so", (unsigned long long)making->hash[0],
		 (unsigned long long)making->hash[1]);
	return true;
}

/* Readable as a whole by whoever finds it there. */
static void cache_keep(const char *path, const struct module_file *built)
{
	char made[PATH_MAX];
	FILE *file;
	bool good;

	snprintf(made, sizeof(made), "%s.%d", path, (int)getpid());
	file = fopen(made, "wxe");
	good = file && fwrite(built->bytes, 1, built->length, file) == built->length;
	if (file && fclose(file) != 0)
		good = false;
	if (!good || rename(made, path) < 0)
		unlink(made);
}

/* ---- the compiler ---- */

static const char *const options[] = {"-shared", "-fPIC", "-O2", "-std=gnu11",
				      "-w",	 "-I.",	  "-o",	 "module.so"};
enum { OPTIONS = sizeof(options) / sizeof(*options), WORDS = 8 };

/* How it is called, for the file NAME. */
struct calling {
	char words[256];
	const char *arguments[WORDS + OPTIONS + 2];
};

static void calling_make(struct calling *calling, const char *name)
{
	const char *compiler = getenv("CC");
	unsigned count = 0;
	char *rest;

	snprintf(calling->words, sizeof(calling->words), "%s", compiler ?: "");
	for (char *word = strtok_r(calling->words, " ", &rest); word && count < WORDS;
	     word = strtok_r(NULL, " ", &rest))
		calling->arguments[count++] = word;
	if (!count)
		calling->arguments[count++] = "cc";
	for (unsigned i = 0; i < OPTIONS; i++)
		calling->arguments[count++] = options[i];
	calling->arguments[count++] = name;
	calling->arguments[count] = NULL;
}

static bool mix_file(struct making *making, const char *path)
{
	struct stat found;

	if (stat(path, &found) < 0)
		return false;
	mix(making, &found.st_ino, sizeof(found.st_ino));
	mix(making, &found.st_size, sizeof(found.st_size));
	mix(making, &found.st_mtim, sizeof(found.st_mtim));
	return true;
}

/* Another compiler makes another result: by what its file is. */
static void mix_compiler(struct making *making)
{
	const char *path = getenv("PATH") ?: "/usr/bin:/bin", *name;
	struct calling calling;
	char file[PATH_MAX];

	calling_make(&calling, making->module->name);
	for (unsigned i = 0; calling.arguments[i]; i++)
		mix(making, calling.arguments[i], strlen(calling.arguments[i]) + 1);
	name = calling.arguments[0];
	if (strchr(name, '/')) {
		mix_file(making, name);
		return;
	}
	for (size_t length; *path; path += length + (path[length] == ':')) {
		length = strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, name);
		if (mix_file(making, file))
			return;
	}
}

/* "FILE:LINE:COLUMN: error: TEXT", FILE in our folder: the first of them. */
static void complaint(struct making *making, const char *said)
{
	struct module *module = making->module;
	const char *at = strstr(said, "error: "), *line = at;
	char file[512];
	unsigned number;

	if (!at) {
		error_set(making->err, -EINVAL, "%s cannot be compiled: %.*s", module->name,
			  (int)strcspn(said, "\n"), said);
		return;
	}
	while (line > said && line[-1] != '\n')
		line--;
	at += strlen("error: ");
	if (sscanf(line, "%127[^:]:%u", file, &number) == 2) {
		int folder = (int)(module->name - module->code.path);
		char path[1024];

		snprintf(path, sizeof(path), "%.*s%s", folder, module->code.path, file);
		error_at(making->err, -EINVAL, path, number, "%.*s", (int)strcspn(at, "\n"), at);
	} else {
		error_at(making->err, -EINVAL, module->code.path, 0, "%.*s", (int)strcspn(at, "\n"),
			 at);
	}
}

static int compile(struct making *making, struct module_file *built)
{
	struct calling calling;
	char said[8192];
	int status;

	calling_make(&calling, making->module->name);
	status = program_run(making->folder, calling.arguments, said, sizeof(said));
	if (status == -ENOENT)
		return error_set(making->err, status,
				 "compiler=\"cc\": there is no compiler %s; without it the one in "
				 "this program is used",
				 calling.arguments[0]);
	if (status < 0)
		return error_set(making->err, status, "%s: %s", calling.arguments[0],
				 strerror(-status));
	if (status != 0) {
		complaint(making, said);
		return -EINVAL;
	}
	snprintf(built->path, sizeof(built->path), "%s/module.so", making->folder);
	return module_file_read(built)
		       ? 0
		       : error_set(making->err, -EIO, "%s: %s", built->path, strerror(errno));
}

static int build(struct making *making, struct module_file *built)
{
	int result = collect(making);
	bool cached;

	if (result < 0)
		return result;
	mix_compiler(making);
	cached = cache_path(making, built->path, sizeof(built->path));
	if (cached && module_file_read(built))
		return 0;
	if (cached) {
		char path[sizeof(built->path)];

		strcpy(path, built->path);
		result = compile(making, built);
		if (result == 0)
			cache_keep(path, built);
		return result;
	}
	return compile(making, built);
}

/* Built once; the instances share what was built, and nothing else. */
int cc_build(struct module *module, struct error *err)
{
	struct making making = {
		.module = module, .err = err, .hash = {0xcbf29ce484222325u, 0x6a09e667f3bcc908u}};
	int result = 0;

	if (!module->built.bytes)
		result = build(&making, &module->built);
	clean(&making);
	return result;
}

struct hooks *cc_load(struct module *module, struct error *err)
{
	return cc_build(module, err) < 0
		       ? NULL
		       : native_load(module, module->built.bytes, module->built.length, err);
}
