/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Modules loaded, reloaded under the VM that has them, and unloaded, again and again:
 * ANYNIC_LOADS times, or as often as a test may take. ANYNIC_MODULES is a folder with
 * counter.c as it is and as counter.so, counter.wasm and the program counter.
 */
#include "machine.h"

#include "card/reader.h"
#include "vmm/bus.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	CHECK(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static long resident(void)
{
	long whole, here;
	FILE *file = fopen("/proc/self/statm", "r");

	CHECK(file && fscanf(file, "%ld %ld", &whole, &here) == 2);
	fclose(file);
	return here * sysconf(_SC_PAGESIZE) / 1024;
}

static unsigned mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned count = 0;
	int letter;

	CHECK(file);
	while ((letter = fgetc(file)) != EOF)
		count += letter == '\n';
	fclose(file);
	return count;
}

static const char *folder; /* with the modules */

static bool beside(void *context, const char *path, const char *name, struct found_card *found)
{
	(void)context;
	(void)path;
	snprintf(found->path, sizeof(found->path), "%s/%s", folder, name);
	found->text = NULL;
	return false;
}

static bool find(void *context, const char *name, struct found_card *found)
{
	(void)context;
	(void)name;
	(void)found;
	return false;
}

static struct card *card_of(const char *text)
{
	const struct finder finder = {find, beside, NULL};
	struct mistakes mistakes = {0};
	char path[512];
	struct card *card;

	snprintf(path, sizeof(path), "%s/card.xml", folder);
	card = card_read_text_among(path, text, strlen(text), &finder, &mistakes);
	mistakes_print(&mistakes, stdout);
	mistakes_free(&mistakes);
	CHECK(card);
	return card;
}

enum { DEVICE = 2 };

/* The register that takes a value only while it is free. */
static bool lock(struct machine *machine, uint32_t value, uint32_t is)
{
	uint64_t bar = inprocess_config_read(machine->vm, bus_bdf(0, DEVICE, 0), 0x10, 4) & ~15u;
	uint32_t got;

	inprocess_write(machine->vm, INPROCESS_MEMORY, bar + 4, 4, value);
	got = (uint32_t)inprocess_read(machine->vm, INPROCESS_MEMORY, bar + 4, 4);
	CHECK(got == is || got == UINT32_MAX);
	return got == is;
}

/* Loaded with a NIC, reloaded under the VM, unloaded. False: it was stopped on the way. */
static bool once(struct machine *machine, const struct card *card)
{
	struct instance *instance = machine_plug(machine, DEVICE, card, NULL);
	struct error err = {0};
	bool good;

	CHECK_EQUAL(inprocess_scan(machine->vm), 1);
	good = lock(machine, 7, 7) && lock(machine, 8, 7) &&
	       instance_reload(instance, card, false, &err) == RELOADED_CARRIED &&
	       lock(machine, 9, 7);
	machine_unplug(instance);
	return good;
}

/*
 * The description is read anew each tenth time, which takes a compiler's time for some. How
 * often it was stopped.
 */
static unsigned often(struct machine *machine, const char *text, unsigned times)
{
	struct card *card = NULL;
	unsigned stopped = 0;

	for (unsigned i = 0; i < times; i++) {
		if (i % 10 == 0) {
			card_free(card);
			card = card_of(text);
		}
		stopped += !once(machine, card);
	}
	card_free(card);
	return stopped;
}

/*
 * What is flat after a while stays so. A program is stopped when it is late, which it is once
 * in a while where others need the processor.
 */
static void live(const char *words, bool may_be_late)
{
	const char *wanted = getenv("ANYNIC_LOADS");
	unsigned loads = wanted ? (unsigned)atoi(wanted) : 60, handles, maps, stopped;
	struct machine machine;
	char text[1024];
	long before;

	snprintf(text, sizeof(text),
		 "<card name=\"m\" title=\"M\"><pci vendor=\"0x1234\" device=\"1\" "
		 "class=\"0x020000\"/><bar index=\"0\" space=\"memory\" size=\"4K\" bank=\"b\"/>"
		 "<bank name=\"b\"><register name=\"MICROSECONDS\" at=\"0\" module=\"read\"/>"
		 "<register name=\"LOCK\" at=\"4\" module=\"write\"/></bank>"
		 "<module %s/></card>",
		 words);
	machine_new(&machine);
	often(&machine, text, 60);
	malloc_trim(0);
	before = resident();
	handles = descriptors();
	maps = mappings();
	stopped = often(&machine, text, loads);
	malloc_trim(0);
	printf("%s: %u times, resident %ld KiB, then %ld; %u descriptors, then %u\n", words, loads,
	       before, resident(), handles, descriptors());
	CHECK(stopped <= (may_be_late ? 1 + loads / 100 : 0));
	CHECK_EQUAL(descriptors(), handles);
#ifdef __SANITIZE_ADDRESS__
	/* what is freed is kept for a while, and more is mapped */
	maps += 1000;
	before += 1 << 20;
#endif
	CHECK(mappings() <= maps + 2);
	CHECK(resident() <= before + 256);
	machine_free(&machine);
}

static void test_source(void)
{
	char path[512];

	folder = getenv("ANYNIC_MODULES");
	if (!folder) {
		snprintf(path, sizeof(path), "%s/examples/modules/counter", unit_root);
		folder = path;
	}
	live("kind=\"c\" file=\"counter.c\"", false);
}

/* Who runs this alone has built none. */
static void built(const char *words, bool may_be_late)
{
	folder = getenv("ANYNIC_MODULES");
	if (folder)
		live(words, may_be_late);
}

static void test_compiler(void)
{
	built("kind=\"c\" file=\"counter.c\" compiler=\"cc\"", false);
}

static void test_shared_object(void)
{
	built("kind=\"native\" file=\"counter.so\"", false);
}

static void test_webassembly(void)
{
	built("kind=\"wasm\" file=\"counter.wasm\" memory=\"1M\"", false);
}

static void test_program(void)
{
	built("kind=\"process\" file=\"counter\" memory=\"64M\"", true);
}

UNIT_FILE(module_life, {"source", test_source}, {"compiler", test_compiler},
	  {"shared_object", test_shared_object}, {"webassembly", test_webassembly},
	  {"program", test_program});
