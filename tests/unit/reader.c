/* SPDX-License-Identifier: Apache-2.0 */

/* Descriptions that are wrong: each mistake is told, with its line; none harms. */
#include "bare.h"

#include "card/reader.h"
#include "nic/nic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct card *read_text(const char *text, size_t length, char *told, size_t room)
{
	struct mistakes mistakes = {0};
	struct card *card = card_read_text("test.xml", text, length, &mistakes);
	FILE *out = fmemopen(told, room, "w");

	*told = 0;
	mistakes_print(&mistakes, out);
	fclose(out);
	CHECK((card != NULL) == (mistakes.count == 0));
	mistakes_free(&mistakes);
	return card;
}

static void check_wrong(const char *text, const char *expected)
{
	static char told[1 << 20];
	struct card *card = read_text(text, strlen(text), told, sizeof(told));

	card_free(card);
	if (card || !strstr(told, expected))
		unit_failed(__FILE__, __LINE__, "%.300s: said \"%.400s\", expected \"%s\"", text,
			    told, expected);
	CHECK(!strncmp(told, "test.xml:", 9));
}

static void test_what_is_no_description(void)
{
	static const char wide[] = "\xff\xfe<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0c\0>\0<\0c\0/\0>\0";
	static char deep[4096];
	static char told[4096];
	char *large = calloc(1, (4 << 20) + 2);
	size_t at = 0;

	check_wrong("", "test.xml");
	check_wrong("hello", "test.xml");
	check_wrong("<card", "test.xml");
	check_wrong("<a><b></a>", "test.xml");
	check_wrong("<bank name='x'/>", "a description is a <card>");
	check_wrong("<!DOCTYPE card><card/>", "no document type");
	check_wrong("<card name='x' title='y'/>", "at least one <pci>");
	check_wrong("<card name='c' title='C'><pci vendor='1' device='1' class='1' "
		    "interrupt='INTE'/></card>",
		    "none of: INTA INTB INTC INTD");
	check_wrong("<card name='c' title='C'><pci vendor='65536' device='1' class='1'/></card>",
		    "not in the range");
	for (unsigned i = 0; i < 100; i++)
		at += (size_t)sprintf(deep + at, "<bank name='b'>");
	for (unsigned i = 0; i < 100; i++)
		at += (size_t)sprintf(deep + at, "</bank>");
	check_wrong(deep, "nest");
	memset(large, ' ', (4 << 20) + 1);
	check_wrong(large, "larger than");
	free(large);
	CHECK(!read_text(wide, sizeof(wide) - 1, told, sizeof(told)));
}

static void test_files(void)
{
	struct mistakes mistakes = {0};

	CHECK(!card_read_file("/nonexistent/card.xml", &mistakes));
	CHECK(!card_read_file("/", &mistakes));
	CHECK_EQUAL(mistakes.count, 2);
	CHECK_EQUAL(mistakes.list[0].line, 0);
	mistakes_free(&mistakes);
	card_free(NULL);
}

static void test_thousands_of_mistakes(void)
{
	static char text[1 << 20], told[1 << 20];
	size_t at = (size_t)sprintf(text, "<card name='c' title='C'>");

	for (unsigned i = 0; i < 5000; i++)
		at += (size_t)sprintf(text + at, "<z%u/>\n", i);
	sprintf(text + at, "</card>");
	CHECK(!read_text(text, strlen(text), told, sizeof(told)));
	CHECK(strstr(told, "test.xml:2: error: <z1> is not a word"));
}

/* ---- noise in a good description ---- */

static char *read_whole(const char *path, size_t *length)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 17);

	CHECK(file && text);
	*length = fread(text, 1, 1 << 16, file);
	fclose(file);
	return text;
}

static void mutate(char *text, size_t *length)
{
	static const char *const words[] = {
		"0", "99999", "0xffffffffffffffff", "''", "[", "X", "-1", "EECD", "TCTL", ":",
		"(", "i"};
	size_t at = unit_random() % *length, part = unit_random() % 8;
	const char *word = words[unit_random() % 12];

	switch (unit_random() % 3) {
	case 0:
		text[at] = (char)(32 + unit_random() % 95);
		break;
	case 1: /* a number or word for another */
		while (at < *length && !strchr("0123456789", text[at]))
			at++;
		if (at + strlen(word) < *length)
			memcpy(text + at, word, strlen(word));
		break;
	default:
		if (at + part < *length) {
			memmove(text + at, text + at + part, *length - at - part);
			*length -= part;
		}
	}
}

/* A card that can be read can be used: registers, a ring that is ready, a frame. */
static void use(const struct card *card)
{
	static struct bare bare;
	uint8_t frame[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	bare_new(&bare, card, false);
	for (unsigned i = 0; i < 400; i++) {
		unsigned at =
			unit_random() % 2 ? unit_random() % 0x6000 : (unit_random() % 0x1000) * 4;

		nic_bar_write(bare.nic, 0, at, 4, unit_random() >> unit_random() % 32);
		nic_bar_read(bare.nic, 0, at, 1u << unit_random() % 4);
		if (bare.wanted)
			nic_work(bare.nic);
		if (i % 16 == 0)
			test_port_offer(&bare.port, frame, sizeof(frame));
		test_port_forget(&bare.port);
		clock_turn(&bare.clock, 1000);
	}
	bare_free(&bare);
}

static void test_noise(void)
{
	char path[512], *whole, *text = calloc(1, 1 << 17);
	static char told[1 << 16];
	unsigned good = 0;
	size_t all;

	snprintf(path, sizeof(path), "%s/cards/e1000/card.xml", unit_root);
	whole = read_whole(path, &all);
	for (unsigned i = 0; i < 1200; i++) {
		size_t length = all;
		struct card *card;

		memcpy(text, whole, all);
		for (unsigned k = 0; k <= i % 4; k++)
			mutate(text, &length);
		card = read_text(text, length, told, sizeof(told));
		if (card) {
			good++;
			use(card);
		}
		card_free(card);
	}
	CHECK(good > 5);
	free(whole);
	free(text);
}

UNIT_FILE(reader, {"what_is_no_description", test_what_is_no_description}, {"files", test_files},
	  {"thousands_of_mistakes", test_thousands_of_mistakes}, {"noise", test_noise});
