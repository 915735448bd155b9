/* SPDX-License-Identifier: Apache-2.0 */

/*
 * WebAssembly: the same file on every platform.
 *
 *   FILE.wasm ── wasm2c ──► C ──┐
 *   wabt's runtime, bounds checked ├── cc ──► a shared object, kept by content (cc.c)
 *   glue/wasm.c ─────────────────┘
 *
 * The C code that comes out can only reach its own memory, with every access looked
 * at, and calls only functions of the right type. Loops and calls count ticks, so that
 * whatever does not return ends in a trap. The memory may grow up to what the
 * description gives it.
 */
#include "module/embedded.h"
#include "module/loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char RUNTIME[] = "#define WASM_RT_MEMCHECK_SIGNAL_HANDLER 0\n"
			      "#define WASM_RT_MAX_CALL_STACK_DEPTH 2000\n"
			      "#include \"/usr/share/wabt/wasm2c/wasm-rt-impl.c\"\n";

/* In front of what was generated: TICK, for loops and functions. */
static const char TICKING[] =
	"#include <time.h>\n"
	"enum { TICKING = 10000 };\n"
	"static int ticks_late; static long ticks_left; static unsigned long long ticks_end;\n"
	"static unsigned long long ticks_now(void) { struct timespec now;\n"
	"clock_gettime(CLOCK_MONOTONIC, &now);\n"
	"return now.tv_sec * 1000000000ull + now.tv_nsec; }\n"
	"static void ticks_begin(unsigned ms) { ticks_late = 0; ticks_left = TICKING;\n"
	"ticks_end = ticks_now() + ms * 1000000ull; }\n"
	"static void ticks_look(void) { ticks_left = TICKING;\n"
	"if (ticks_now() > ticks_end) { ticks_late = 1; wasm_rt_trap(WASM_RT_TRAP_EXHAUSTION); } "
	"}\n"
	"#define TICK if (__builtin_expect(--ticks_left < 0, 0)) ticks_look();\n";

/* What moves much at once counts for much. */
static const char BULK[] = "#define memory_fill(...) (ticks_left = 0, memory_fill(__VA_ARGS__))\n"
			   "#define memory_copy(...) (ticks_left = 0, memory_copy(__VA_ARGS__))\n"
			   "static bool s_module_initialized";

struct text {
	char *bytes;
	size_t length, room;
	bool failed;
};

static void add(struct text *text, const char *bytes, size_t length)
{
	if (text->length + length + 1 > text->room && !text->failed) {
		size_t room = (text->length + length + 1) * 2;
		char *grown = realloc(text->bytes, room);

		text->failed = !grown;
		text->bytes = grown ?: text->bytes;
		text->room = grown ? room : text->room;
	}
	if (text->failed)
		return;
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = 0;
}

static void add_text(struct text *text, const char *bytes)
{
	add(text, bytes, strlen(bytes));
}

/* FROM with these words replaced, wherever they stand. */
static void add_changed(struct text *text, const char *from)
{
	static const struct {
		const char *what, *by;
	} changes[] = {
		{"goto w2c_L", "TICK goto w2c_L"},
		{"  FUNC_PROLOGUE;", "  FUNC_PROLOGUE; TICK"},
		{"#include \"module.h\"", ""},
		{"static bool s_module_initialized", BULK},
	};

	while (*from) {
		const char *next = NULL;
		unsigned which = 0;

		for (unsigned i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
			const char *found = strstr(from, changes[i].what);

			if (found && (!next || found < next)) {
				next = found;
				which = i;
			}
		}
		add(text, from, next ? (size_t)(next - from) : strlen(from));
		if (!next)
			return;
		add_text(text, changes[which].by);
		from = next + strlen(changes[which].what);
	}
}

/* ---- wasm2c ---- */

struct converted {
	char folder[64];
	struct module_file source, header;
};

static int write_file(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "wxe");
	bool good = file && fwrite(bytes, 1, length, file) == length;

	if (file && fclose(file) != 0)
		good = false;
	return good ? 0 : -EIO;
}

static int convert_in(struct converted *made, const struct module *module, struct error *err)
{
	static const char *const words[] = {"wasm2c", "--no-debug-names", "-n",		 "module",
					    "-o",     "module.c",	  "module.wasm", NULL};
	char path[128], said[2048];
	int status;

	snprintf(path, sizeof(path), "%s/module.wasm", made->folder);
	if (write_file(path, module->code.bytes, module->code.length) < 0)
		return error_set(err, -EIO, "%s: %s", path, strerror(errno));
	status = program_run(made->folder, words, said, sizeof(said));
	if (status == -ENOENT)
		return error_set(err, status,
				 "kind=\"wasm\": there is no wasm2c, of the WebAssembly "
				 "binary toolkit (wabt)");
	if (status != 0)
		return error_set(err, -EINVAL, "%s is no WebAssembly that wasm2c takes: %.*s",
				 module->name, (int)strcspn(said, "\n"), said);
	snprintf(made->source.path, sizeof(made->source.path), "%s/module.c", made->folder);
	snprintf(made->header.path, sizeof(made->header.path), "%s/module.h", made->folder);
	if (!module_file_read(&made->source) || !module_file_read(&made->header))
		return error_set(err, -EINVAL, "%s: its C code is larger than %d MiB", module->name,
				 MODULE_BYTES_MAX >> 20);
	return 0;
}

static int convert(struct converted *made, const struct module *module, struct error *err)
{
	static const char *const names[] = {"module.wasm", "module.c", "module.h"};
	char path[128];
	int result;

	snprintf(made->folder, sizeof(made->folder), "/tmp/anynic-wasm-XXXXXX");
	if (!mkdtemp(made->folder))
		return error_set(err, -EIO, "%s: %s", made->folder, strerror(errno));
	result = convert_in(made, module, err);
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", made->folder, names[i]);
		unlink(path);
	}
	rmdir(made->folder);
	return result;
}

/* ---- what it may ask for ---- */

#define SERVICE_NAME(returns, name, parameters, arguments) #name,
static const char *const services[] = {ANYNIC_SERVICES(SERVICE_NAME)};

static bool is_service(const char *name, size_t length)
{
	for (unsigned i = 0; i < sizeof(services) / sizeof(*services); i++) {
		if (strlen(services[i]) == length && !memcmp(services[i], name, length))
			return true;
	}
	return false;
}

/* Its header has a line for each import and export: import: 'anynic' 'find'. */
static int imports_check(const struct module *module, const char *header, struct error *err)
{
	static const char IMPORT[] = "/* import: '";

	for (const char *at = strstr(header, IMPORT); at; at = strstr(at, IMPORT)) {
		const char *from = at += strlen(IMPORT), *name;
		size_t from_length = strcspn(from, "'"), length;

		name = from + from_length + strspn(from + from_length, "' ");
		length = strcspn(name, "'");
		if (from_length != 6 || memcmp(from, "anynic", 6) || !is_service(name, length))
			return error_set(err, -EINVAL,
					 "%s imports %.*s.%.*s, which is no service of a card",
					 module->name, (int)from_length, from, (int)length, name);
	}
	if (!strstr(header, "Z_moduleZ_memory(") || !strstr(header, "Z_moduleZ_anynic_module(") ||
	    !strstr(header, "Z_moduleZ___indirect_function_table("))
		return error_set(err, -EINVAL,
				 "%s does not export anynic_module, its memory and its table of "
				 "functions",
				 module->name);
	return 0;
}

static const char *glue(void)
{
	unsigned i = 0;

	while (strcmp(embedded_files[i].name, "wasm.c"))
		i++;
	return embedded_files[i].bytes;
}

static int put_together(const struct module *module, const struct converted *made,
			struct text *text, struct error *err)
{
	char limit[96];

	if (imports_check(module, made->header.bytes, err) < 0)
		return err->code;
	snprintf(limit, sizeof(limit), "#define IMPORTED %s\nenum { MEMORY_PAGES = %u };\n",
		 strstr(made->header.bytes, "/* import: ") ? ", 0" : "",
		 (unsigned)(module->memory >> 16 < 65536 ? module->memory >> 16 : 65536));
	add_text(text, RUNTIME);
	add_text(text, TICKING);
	add_text(text, made->header.bytes);
	add_changed(text, made->source.bytes);
	add_text(text, limit);
	add_text(text, glue());
	return text->failed ? error_set(err, -ENOMEM, "no memory") : 0;
}

/* Compiled as a module in C would be; but what is wrong there is not the author's text. */
static int compile(struct module *module, struct text *text, struct error *err)
{
	struct module source = {.loader = module->loader};

	snprintf(source.code.path, sizeof(source.code.path), "module.c");
	source.name = source.code.path;
	source.code.bytes = text->bytes;
	source.code.length = text->length;
	if (cc_build(&source, err) < 0) {
		struct error why = *err;

		*err = (struct error){0};
		return error_set(err, why.code,
				 "%s: what wasm2c makes of it cannot be compiled: %s", module->name,
				 why.text);
	}
	module->built = source.built;
	return 0;
}

static int build(struct module *module, struct error *err)
{
	struct converted made = {0};
	struct text text = {0};
	int result = convert(&made, module, err);

	if (result == 0)
		result = put_together(module, &made, &text, err);
	if (result == 0)
		result = compile(module, &text, err);
	free(text.bytes);
	free(made.source.bytes);
	free(made.header.bytes);
	return result;
}

static struct hooks *load(struct module *module, struct error *err)
{
	if (!module->built.bytes && build(module, err) < 0)
		return NULL;
	return native_load(module, module->built.bytes, module->built.length, err);
}

const struct loader loader_wasm = {.kind = "wasm", .load = load};
