/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Modules loaded and unloaded with their card and a NIC, again and again: ANYNIC_LOADS
 * times, or as often as a test may take. The shared object is ANYNIC_SHARED_OBJECT.
 */
#include "bare.h"
#include "modules.h"

#include "card/reader.h"
#include "module/module.h"
#include "nic/nic.h"

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

static const char *file_of; /* what "beside" gives */

static bool beside(void *context, const char *path, const char *name, struct found_card *found)
{
	(void)context;
	(void)path;
	(void)name;
	snprintf(found->path, sizeof(found->path), "%s", file_of);
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

static void once(const char *text)
{
	const struct finder finder = {find, beside, NULL};
	struct mistakes mistakes = {0};
	struct card *card = card_read_text_among(file_of, text, strlen(text), &finder, &mistakes);
	struct error err = {0};
	struct bare bare;
	struct hooks *hooks;

	mistakes_print(&mistakes, stdout);
	mistakes_free(&mistakes);
	CHECK(card);
	bare_new(&bare, card, false);
	hooks = module_instance(card->module, &err);
	CHECK(hooks && nic_hooks(bare.nic, hooks) == 0);
	bare_write(&bare, 4, 7);
	bare_write(&bare, 4, 8);
	CHECK_EQUAL(bare_read(&bare, 4), 7);
	bare_free(&bare);
	card_free(card);
}

static void live(const char *kind, const char *path, const char *name)
{
	const char *wanted = getenv("ANYNIC_LOADS");
	unsigned loads = wanted ? (unsigned)atoi(wanted) : 100, handles, maps;
	char text[1024];
	long before;

	file_of = path;
	snprintf(text, sizeof(text),
		 "<card name=\"m\" title=\"M\"><pci vendor=\"0x1234\" device=\"1\" "
		 "class=\"0x020000\"/><bar index=\"0\" space=\"memory\" size=\"4K\" bank=\"b\"/>"
		 "<bank name=\"b\"><register name=\"MICROSECONDS\" at=\"0\" module=\"read\"/>"
		 "<register name=\"LOCK\" at=\"4\" module=\"write\"/></bank>"
		 "<module kind=\"%s\" file=\"%s\"/></card>",
		 kind, name);
	for (unsigned i = 0; i < 50; i++)
		once(text);
	malloc_trim(0);
	before = resident();
	handles = descriptors();
	maps = mappings();
	for (unsigned i = 0; i < loads; i++)
		once(text);
	malloc_trim(0);
	printf("%s: %u times, resident %ld KiB, then %ld; %u descriptors, then %u\n", kind, loads,
	       before, resident(), handles, descriptors());
	CHECK_EQUAL(descriptors(), handles);
	CHECK(mappings() <= maps + 2);
	CHECK(resident() <= before + 256);
}

static void test_source(void)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/examples/modules/counter/card.xml", unit_root);
	live("c", path, "counter.c");
}

static void test_shared_object(void)
{
	const char *object = getenv("ANYNIC_SHARED_OBJECT");
	const char *slash = object ? strrchr(object, '/') : NULL;

	if (!slash)
		return; /* who runs this alone has built none */
	live("native", object, slash + 1);
}

UNIT_FILE(module_life, {"source", test_source}, {"shared_object", test_shared_object});
