/* SPDX-License-Identifier: Apache-2.0 */

/* Modules in WebAssembly: what they do, and that they reach nothing but their own memory. */
#include "modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint8_t frame[PACKET_MAX], expected[PACKET_MAX];
static struct driver driver;
static struct card *card;
static char folder[64];

static void file_put(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	CHECK(file && fputs(text, file) >= 0);
	fclose(file);
}

static bool tools(void)
{
	return system("command -v clang wasm-ld wasm2c cc >/dev/null 2>&1") == 0;
}

/* SOURCE, a file or a text, as module.wasm in FOLDER. */
static void compile(const char *source)
{
	char command[1024];

	strcpy(folder, "/tmp/anynic-sandbox-XXXXXX");
	CHECK(mkdtemp(folder));
	file_put("module.c", source);
	snprintf(command, sizeof(command),
		 "root=$(realpath %s); cd %s && clang --target=wasm32 -mbulk-memory -nostdlib -O1 "
		 "-w -I "
		 "$root/include -I $root/src/module/include -Wl,--no-entry -Wl,--export-table "
		 "module.c -o module.wasm",
		 unit_root, folder);
	CHECK_EQUAL(system(command), 0);
}

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK_EQUAL(system(command), 0);
}

static bool beside(void *context, const char *path, const char *name, struct found_card *found)
{
	(void)path;
	(void)context;
	if (snprintf(found->path, sizeof(found->path), "%s/%s", folder, name) < 0)
		return false;
	found->built_in = true;
	found->text = card_load(found->path, &found->length);
	return found->text;
}

static struct card *card_of(const char *xml, char *why, size_t room)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "<card name='t' title='T' extends='e1000'>"
		 "<module kind='wasm' file='module.wasm' memory='8M'/>%s</card>",
		 xml);
	return module_read(text, beside, NULL, why, room);
}

static const char registers[] =
	"<bank name='csr'><register name='X' at='0x1f000' module='read'/></bank>";

static void begin(const char *source)
{
	char why[512];

	compile(source);
	card = card_of(registers, why, sizeof(why));
	clean();
	if (!card)
		unit_failed(__FILE__, __LINE__, "%s", why);
	driver_new_card(&driver, card, true);
}

static void end(void)
{
	driver_free(&driver);
	card_free(card);
}

static void send(uint32_t length)
{
	unit_fill(frame, length, length);
	tx_legacy(&driver, tx_copy(&driver, frame, length), length, EOP | IFCS | RS, 0, 0, 0);
	tx_kick(&driver);
	driver_settle(&driver);
}

static void test_registers_and_frames(void)
{
	CHECK(tools());
	begin("#include <anynic/module.h>\n"
	      "static uint32_t sent; static int32_t x;\n"
	      "static int32_t start(struct anynic_nic *nic) {"
	      " x = anynic_find(nic, ANYNIC_PLACE, \"X\"); return x < 0 ? x : 0; }\n"
	      "static uint64_t read(struct anynic_nic *nic, uint32_t place, uint32_t index,"
	      " uint64_t value) { return place == x ? sent : 99; }\n"
	      "static void transmit(struct anynic_nic *nic, uint32_t ring, uint32_t queue,"
	      " struct anynic_frame *frames, uint32_t count) {\n"
	      " for (uint32_t i = 0; i < count; i++, sent++) {"
	      "  if (frames[i].length == 61) frames[i].verdict = ANYNIC_DROP;\n"
	      "  else anynic_edit(nic, &frames[i], 12, 0, \"\\x81\\x00\\x00\\x64\", 4); } }\n"
	      "ANYNIC_MODULE(.start = start, .read = read, .transmit = transmit)\n");
	send(61);
	for (unsigned i = 0; i < 20; i++) {
		send(60 + i * 70);
		memcpy(expected, frame, 12);
		memcpy(expected + 12, "\x81\x00\x00\x64", 4);
		memcpy(expected + 16, frame + 12, 60 + i * 70 - 12);
		check_sent(&driver, i, expected, 64 + i * 70);
	}
	CHECK_EQUAL(reg(&driver, 0x1f000), 21);
	end();
}

/* What read() does; each ends in a trap, and the card answers all ones from then on. */
static const char *const attempts[] = {
	"volatile uint8_t *at = (uint8_t *)0x7fffffff; value = *at;",
	"volatile uint8_t *at = (uint8_t *)0xffffffff; *at = 1;",
	"volatile uint64_t *at = (uint64_t *)(__builtin_wasm_memory_size(0) * 65536 - 7); *at = 1;",
	"volatile uint8_t *at = (uint8_t *)(__builtin_wasm_memory_size(0) * 65536); value = *at;",
	"anynic_read(nic, 0, (void *)(__builtin_wasm_memory_size(0) * 65536 - 3), 4);",
	"anynic_read(nic, 0, (void *)16, 0xfffffff0);",
	"anynic_write(nic, 0, (void *)0xfffffff0, 0xffffffff);",
	"anynic_log(nic, 0, (char *)0xfffffff0);",
	"uint32_t end = __builtin_wasm_memory_size(0) * 65536;"
	"__builtin_memset((char *)end - 9, 'x', 9); anynic_log(nic, 0, (char *)end - 9);",
	"anynic_find(nic, 0, (char *)0x80000000);",
	"anynic_send(nic, 0, (void *)0xffffff00, (void *)0, 10);",
	"anynic_gather(nic, 0, (void *)0xffffff00, 64);",
	"((void (*)(void))77)();",
	"((void (*)(double))1)(1.0);",
	"for (;;) anynic_now(nic);",
	"for (volatile int i = 0;; i++) ;",
	"value = read(nic, place, index + 1, value) + 1;",
	"__builtin_trap();",
	"for (;;) __builtin_memset((void *)65536, 1, 65536);",
	"while ((int)__builtin_wasm_memory_grow(0, 1) > 0) ;"
	"*(volatile uint8_t *)(9 << 20) = 1;",
};

static void test_attempts(void)
{
	char text[1024];

	for (unsigned i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		snprintf(text, sizeof(text),
			 "#include <anynic/module.h>\n"
			 "static uint64_t read(struct anynic_nic *nic, uint32_t place, uint32_t "
			 "index, uint64_t value) { %s return value; }\nANYNIC_MODULE(.read = "
			 "read)\n",
			 attempts[i]);
		begin(text);
		if (reg(&driver, 0x1f000) != UINT32_MAX || reg(&driver, 8) != UINT32_MAX)
			unit_failed(__FILE__, __LINE__, "%s: goes on", attempts[i]);
		end();
	}
}

/* What is right up to the last byte. */
static void test_boundaries(void)
{
	CHECK(tools());
	begin("#include <anynic/module.h>\n"
	      "static uint64_t read(struct anynic_nic *nic, uint32_t place, uint32_t index, "
	      "uint64_t value) {\n"
	      " uint8_t *end = (uint8_t *)(__builtin_wasm_memory_size(0) * 65536);\n"
	      " end[-1] = 7; value = end[-1];\n"
	      " value += anynic_card_read(nic, 0, 0, end, 0) == ANYNIC_INVALID;\n"
	      " value += anynic_find(nic, 0, \"NONE\") == ANYNIC_NONE;\n"
	      " return value; }\nANYNIC_MODULE(.read = read)\n");
	CHECK_EQUAL(reg(&driver, 0x1f000), 9);
	CHECK_EQUAL(reg(&driver, 0x1f000), 9);
	end();
}

static const struct {
	const char *source, *why;
} refused[] = {
	{"int nothing;", "does not export"},
	{"#include <anynic/module.h>\nANYNIC_MODULE(0)", "has no hook"},
	{"__attribute__((import_module(\"env\"), import_name(\"system\"))) int system(char *);\n"
	 "#include <anynic/module.h>\nstatic int32_t start(struct anynic_nic *nic) "
	 "{ return system(\"x\"); }\nANYNIC_MODULE(.start = start)",
	 "imports env.system"},
	{"__attribute__((import_module(\"anynic\"), import_name(\"find\"))) int other(float);\n"
	 "#include <anynic/module.h>\nstatic int32_t start(struct anynic_nic *nic) "
	 "{ return other(1); }\nANYNIC_MODULE(.start = start)",
	 "cannot be compiled"},
	{"#define ANYNIC_HOST\n#include <anynic/module.h>\n"
	 "__attribute__((export_name(\"anynic_module\"))) int entry(int x) { return 0x7ffffff0; }",
	 "gave nothing"},
	{"#define ANYNIC_HOST\n#include <anynic/module.h>\nstatic int bad[] = {16, 2, 0, 0};\n"
	 "__attribute__((export_name(\"anynic_module\"))) void *entry(int x) { return bad; }",
	 "is for version 2"},
	{"#define ANYNIC_HOST\n#include <anynic/module.h>\nstatic int bad[] = {17, 1, 0, 0};\n"
	 "__attribute__((export_name(\"anynic_module\"))) void *entry(int x) { return bad; }",
	 "which is none"},
	{"#include <anynic/module.h>\nstatic int32_t configure(struct anynic_draft *draft) "
	 "{ for (;;) ; }\nANYNIC_MODULE(.configure = configure)",
	 "does not return in time"},
	{"#include <anynic/module.h>\nstatic int32_t configure(struct anynic_draft *draft) "
	 "{ return anynic_wrong(draft, \"not today\"), -3; }\nANYNIC_MODULE(.configure = "
	 "configure)",
	 "not today"},
};

static void test_refused(void)
{
	char why[512];

	for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		compile(refused[i].source);
		card = card_of("", why, sizeof(why));
		if (card || !strstr(why, refused[i].why))
			unit_failed(__FILE__, __LINE__, "%s: %s", refused[i].source, why);
		clean();
	}
}

UNIT_FILE(sandbox, {"registers_and_frames", test_registers_and_frames}, {"attempts", test_attempts},
	  {"boundaries", test_boundaries}, {"refused", test_refused});
