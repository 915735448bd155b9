/* SPDX-License-Identifier: Apache-2.0 */

/* Descriptions that are wrong: each mistake is told, with its line; none harms. */
#include "bare.h"

#include "card/reader.h"
#include "nic/nic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCI "<pci vendor='0x1234' device='1' class='0x020000'/>"
#define BANK "<bank name='r'><register name='X' at='0'/><register name='ARR' at='16' count='4'/>"
#define BANK_END "</bank>"
#define RECORD "<record name='t' size='16'><field name='a' bits='63:0'/></record>"
#define RING(attributes, body)                                                                     \
	RECORD "<ring name='out' for='transmit' base='X' next='array' " attributes ">" body        \
	       "</ring>"
#define GOOD_RING "end='bytes X' ready='until X' cursor='X' when='X'"
#define USE "<use record='t' as='data'>" BUFFER "</use>"
#define BUFFER "<buffer address='a' length='4'/>"
#define TEN(text) text text text text text text text text text text

/* What stands in <card> besides PCI and BANK, and is refused. */
static const char *const wrongs[] = {
	"<nonsense/>",
	"<bar size='64'/>",
	"<bar index='0' space='io' size='64' bank='r' color='red'/>",
	"<field name='x' bits='1'/>",
	"text",
	"<bar index='9' space='io' size='64' bank='r'/>",
	"<bar index='0' space='io' size='60' bank='r'/>",
	"<bar index='0' space='io' size='x' bank='r'/>",
	"<bar index='0' space='io' size='99999999999999999999' bank='r'/>",
	"<bar index='0' space='io' size='0xfffffffffffffffM' bank='r'/>",
	"<bar index='0' space='io' size='64' bank='none'/>",
	"<bar index='0' space='io' size='64' bank='r'/><bar index='0' space='io' size='64' "
	"bank='r'/>",
	"<bar index='0' space='io' size='64'><index-data index='0' data='0' register='X' "
	"bank='r'/></bar>",
	"<bar index='0' space='io' size='64'><index-data index='0' data='4' register='Y' "
	"bank='r'/></bar>",
	PCI,
	"<bank name='b' width='20'/>",
	"<bank name='b'><register name='Y' at='0' size='3'/></bank>",
	"<bank name='b'><register name='Y' at='0' count='0'/></bank>",
	"<bank name='b'><register name='Y' at='0' stride='2' count='2'/></bank>",
	"<bank name='b'><register name='X' at='0'/></bank>",
	"<bank name='b'><register name='Y' at='0'><field name='f' bits='40'/></register></bank>",
	"<bank name='b'><register name='Y' at='0'><field name='f' bits='a'/></register></bank>",
	"<bank name='b'><register name='Y' at='0'><field name='f' bits='1:2'/></register></bank>",
	"<bank name='b'><register name='Y' at='0'><field name='f' bits='1'/><field name='f' "
	"bits='2'/></register></bank>",
	"<bank name='b'><register name='Y' at='0' access='rx'/></bank>",
	"<bank name='b'><register name='Y' at='0' alias='Z'/></bank>",
	"<bank name='b'><register name='Y' at='0' reset='0x100000000'/></bank>",
	"<bank name='b'><register name='Y' at='0xfffff' count='4096' stride='64K'/></bank>",
	"<bank name='b' width='8'>" TEN("<register name='Y' at='0' count='4096'/>")
		TEN("<register name='Z' at='0' count='4096'/>") "</bank>",
	"<eeprom words='64'><word at='64' value='1'/></eeprom>",
	"<eeprom words='0'><word at='5' value='1'/></eeprom>",
	"<eeprom words='64'><mac words='62-66'/></eeprom>",
	"<eeprom words='64'>" TEN("<mac words='0-2'/>") "</eeprom>",
	"<eeprom words='64'><sum word='99' total='1'/></eeprom>",
	"<window to='none' index='X' data='X' read-when='X'/>",
	"<window to='r' index='X' data='X'/>",
	"<window to='r' index='X' data='X' read-when='(X)'/>",
	"<pins of='X' to='r' clock='0' select='1' in='2' out='3'/>",
	"<eeprom words='64'/><pins of='X' to='eeprom' clock='0' select='1' in='2' out='3' "
	"address-bits='1'/>",
	"<reset name='r1' clears='nothing'/>",
	"<reset name='r1' do='reset r2'/>",
	"<bank name='b'><counter name='Y' at='0' counts='tx.nothing'/></bank>",
	"<on event='fire' do='X = 1'/>",
	"<on event='link' do='X'/>",
	"<on event='link' do='set Z'/>",
	"<on event='link' do='set X.F'/>",
	"<on event='link' do='set X[40]'/>",
	"<on event='link' do='set X[3:5]'/>",
	"<on event='link' do='set ARR'/>",
	"<on event='link' do='set ARR[   ]'/>",
	"<on event='link' do='set ARR[Z]'/>",
	"<on event='link' do='X = 1 if Z'/>",
	"<on event='link' do='wake none'/>",
	"<on event='link' do='arm none'/>",
	"<on event='link' do='copy X'/>",
	"<on event='link' do='copy ARR[X] to X count 1'/>",
	"<on event='link' do='copy X to ARR[0] count 60000'/>",
	"<on event='link' do='" TEN(TEN("X = 1;")) "'/>",
	"<on event='link' do='X = '/>",
	"<on event='link' do='X = 1 + '/>",
	"<on event='link' do='X = (1'/>",
	"<on event='link' do='X = 1 1'/>",
	"<on event='link' do='X = 0x'/>",
	"<on event='link' do='X = Z'/>",
	"<on event='link' do='X = X.F'/>",
	"<on event='link' do='X = ARR'/>",
	"<on event='link' do='X = ARR[4]'/>",
	"<on event='link' do='X = X[a]'/>",
	"<on event='link' do='X = X[70]'/>",
	"<on event='link' do='X = X:1'/>",
	"<on event='link' do='X = min(1)'/>",
	"<on event='link' do='X = slot.a'/>",
	"<on event='link' do='X = first.a'/>",
	"<on event='link' do='X = context[0].a'/>",
	"<on event='link' do='X = " TEN("((((((((((") "'/>",
	"<on event='link' do='X = " TEN(TEN("- ~ not ")) "1'/>",
	"<on event='link' do='X = " TEN("1 + (") TEN("1 + (") "1'/>",
	"<on event='link' do='X = 1" TEN(TEN(" + 1")) "'/>",
	"<record name='t' size='0'/>",
	"<record name='t' size='8'><field name='a' bits='64'/></record>",
	TEN(TEN("<record name='t' size='8'/>")),
	RING("end='slots X' ready='until X' cursor='X' when='X'", USE),
	RING("end='bytes X' ready='own X' cursor='X' when='X'", USE),
	RING("end='bytes X' ready='until X' cursor='Z' when='X'", USE),
	RING(GOOD_RING, ""),
	RING(GOOD_RING, "<use record='none' as='data'/>"),
	RING(GOOD_RING, "<use record='t' as='data'/>"),
	RING(GOOD_RING, TEN(USE)),
	RING(GOOD_RING,
	     USE "<use record='u' as='data'>" BUFFER "</use>") "<record name='u' size='32'>"
							       "<field name='a' bits='9'/>"
							       "</record>",
	RING(GOOD_RING, USE TEN("<complete/>")),
	RING(GOOD_RING, USE "<complete write='z = 1'/>"),
	RING(GOOD_RING, USE "<complete write='a'/>"),
	RING(GOOD_RING, USE "<vlan when='1'/>"),
	RING(GOOD_RING, "<use record='t' as='data'>" BUFFER "<checksum of='range'/></use>"),
	RING(GOOD_RING, "<use record='t' as='data'>" BUFFER TEN("<checksum of='range' start='1' "
								"put='2'/>") "</use>"),
	RING(GOOD_RING, "<use record='t' as='data' when='slot.z'>" BUFFER "</use>"),
	TEN(TEN("<ring name='o' for='transmit' base='X' next='array' " GOOD_RING "/>")),
	TEN(TEN(TEN("<window to='r' index='X' data='X' read-when='X'/>"))),
	TEN(TEN(TEN("<timer name='t' every='1' do='X = 1'/>"))),
	TEN(TEN(TEN("<reset name='z' clears='X'/>"))),
	TEN(TEN(TEN("<interrupt line='INTA' cause='X' mask='X'/>"))),
	"<receive rings='o'><accept class='some'/></receive>",
	"<receive rings='o'><accept class='hash'/></receive>",
	"<receive rings='o'><accept class='hash' table='Z' index='1'/></receive>",
	"<receive rings='o'><accept class='hash' table='ARR'/></receive>",
	"<interrupt line='INTA' cause='Z' mask='X'/>",
	"<interrupt line='INTA' cause='X' mask='X'>" TEN("<moderate interval='1'/>") "</interrupt>",
};

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

/* Refused, and each mistake has its line. */
static void check_wrong(const char *text)
{
	static char told[1 << 20];
	struct card *card = read_text(text, strlen(text), told, sizeof(told));

	card_free(card);
	if (card)
		unit_failed(__FILE__, __LINE__, "%.400s: accepted", text);
	for (const char *line = told; *line; line = strchr(line, '\n') + 1) {
		unsigned number = 0;

		if (sscanf(line, "test.xml:%u: error: ", &number) != 1 || number > 5)
			unit_failed(__FILE__, __LINE__, "%.400s: said %.200s", text, line);
	}
}

static void test_mistakes(void)
{
	static char text[1 << 20];

	for (unsigned i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		snprintf(text, sizeof(text),
			 "<card name='c' title='C'>\n" PCI "\n" BANK BANK_END "\n%s\n</card>",
			 wrongs[i]);
		check_wrong(text);
	}
}

static void test_what_is_no_description(void)
{
	static const char wide[] = "\xff\xfe<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0c\0>\0<\0c\0/\0>\0";
	static const char *const texts[] = {
		"hello",
		"<card",
		"<a><b></a>",
		"<bank name='x'/>",
		"<!DOCTYPE card><card/>",
		"<card name='x' title='y'/>",
		"<card name='c' title='C'><pci vendor='1' device='1' class='1' "
		"interrupt='INTE'/></card>",
		"<card name='c' title='C'><pci vendor='65536' device='1' class='1'/></card>",
	};
	static char deep[4096], told[4096];
	char *large = calloc(1, (4 << 20) + 2);
	size_t at = 0;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		check_wrong(texts[i]);
	for (unsigned i = 0; i < 100; i++)
		at += (size_t)sprintf(deep + at, "<bank name='b'>");
	for (unsigned i = 0; i < 100; i++)
		at += (size_t)sprintf(deep + at, "</bank>");
	check_wrong(deep);
	memset(large, ' ', (4 << 20) + 1);
	check_wrong(large);
	free(large);
	CHECK(!read_text("", 0, told, sizeof(told)));
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
	CHECK(strstr(told, "test.xml:2: error: <z1>"));
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
	for (unsigned i = 0; i < 600; i++) {
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
	free(whole);
	free(text);
	CHECK(good > 0);
}

UNIT_FILE(reader, {"mistakes", test_mistakes},
	  {"what_is_no_description", test_what_is_no_description}, {"files", test_files},
	  {"thousands_of_mistakes", test_thousands_of_mistakes}, {"noise", test_noise});
