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

/* What stands in <card> besides PCI and BANK, and what is said of it. */
static const struct {
	const char *body, *told;
} wrongs[] = {
	{"<nonsense/>", "not a word of the language"},
	{"<bar size='64'/>", "needs index="},
	{"<bar index='0' space='io' size='64' bank='r' color='red'/>", "no attribute color="},
	{"<field name='x' bits='1'/>", "stands in"},
	{"text", "text between elements"},
	{"<bar index='9' space='io' size='64' bank='r'/>", "above the limit"},
	{"<bar index='0' space='io' size='60' bank='r'/>", "not a power of two"},
	{"<bar index='0' space='io' size='x' bank='r'/>", "is not a number"},
	{"<bar index='0' space='io' size='99999999999999999999' bank='r'/>", "is not a number"},
	{"<bar index='0' space='io' size='0xfffffffffffffffM' bank='r'/>", "is not a number"},
	{"<bar index='0' space='io' size='64' bank='none'/>", "no bank has this name"},
	{"<bar index='0' space='io' size='64' bank='r'/><bar index='0' space='io' size='64' "
	 "bank='r'/>",
	 "described twice"},
	{"<bar index='0' space='io' size='64'><index-data index='0' data='0' register='X' "
	 "bank='r'/></bar>",
	 "are two places"},
	{"<bar index='0' space='io' size='64'><index-data index='0' data='4' register='Y' "
	 "bank='r'/></bar>",
	 "not a register"},
	{PCI, "exactly one <pci>"},
	{"<bank name='b' width='20'/>", "width is 8, 16, 32 or 64"},
	{"<bank name='b'><register name='Y' at='0' size='3'/></bank>", "size is 1, 2, 4 or 8"},
	{"<bank name='b'><register name='Y' at='0' count='0'/></bank>", "at least once"},
	{"<bank name='b'><register name='Y' at='0' stride='2' count='2'/></bank>", "stride"},
	{"<bank name='b'><register name='X' at='0'/></bank>", "this name is taken"},
	{"<bank name='b'><register name='Y' at='0'><field name='f' bits='40'/></register></bank>",
	 "does not lie in the 32 bits"},
	{"<bank name='b'><register name='Y' at='0'><field name='f' bits='a'/></register></bank>",
	 "neither a bit nor"},
	{"<bank name='b'><register name='Y' at='0'><field name='f' bits='1:2'/></register></bank>",
	 "high part first"},
	{"<bank name='b'><register name='Y' at='0'><field name='f' bits='1'/><field name='f' "
	 "bits='2'/></register></bank>",
	 "has a field f already"},
	{"<bank name='b'><register name='Y' at='0' access='rx'/></bank>", "no such access word"},
	{"<bank name='b'><register name='Y' at='0' alias='Z'/></bank>", "alias="},
	{"<bank name='b'><register name='Y' at='0' reset='0x100000000'/></bank>",
	 "above the limit"},
	{"<bank name='b'><register name='Y' at='0xfffff' count='4096' stride='64K'/></bank>",
	 "larger than 1 MiB"},
	{"<bank name='b' width='8'>" TEN("<register name='Y' at='0' count='4096'/>")
		 TEN("<register name='Z' at='0' count='4096'/>") "</bank>",
	 "more state than"},
	{"<eeprom words='64'><word at='64' value='1'/></eeprom>", "above the limit"},
	{"<eeprom words='0'><word at='5' value='1'/></eeprom>", "words="},
	{"<eeprom words='64'><mac words='62-66'/></eeprom>", "FIRST-LAST"},
	{"<eeprom words='64'>" TEN("<mac words='0-2'/>") "</eeprom>", "<mac>"},
	{"<eeprom words='64'><sum word='99' total='1'/></eeprom>", "above the limit"},
	{"<window to='none' index='X' data='X' read-when='X'/>", "no bank has this name"},
	{"<window to='r' index='X' data='X'/>", "a window needs"},
	{"<window to='r' index='X' data='X' read-when='(X)'/>", "not a register"},
	{"<pins of='X' to='r' clock='0' select='1' in='2' out='3'/>", "words of an <eeprom>"},
	{"<eeprom words='64'/><pins of='X' to='eeprom' clock='0' select='1' in='2' out='3' "
	 "address-bits='1'/>",
	 "address-bits is 2 to 12"},
	{"<reset name='r1' clears='nothing'/>", "nothing has the name"},
	{"<reset name='r1' do='reset r2'/>", "no reset list has the name"},
	{"<bank name='b'><counter name='Y' at='0' counts='tx.nothing'/></bank>", "no such event"},
	{"<on event='fire' do='X = 1'/>", "expected link"},
	{"<on event='link' do='X'/>", "neither a verb"},
	{"<on event='link' do='set Z'/>", "not a register"},
	{"<on event='link' do='set X.F'/>", "has no field"},
	{"<on event='link' do='set X[40]'/>", "not a part of"},
	{"<on event='link' do='set X[3:5]'/>", "not a part of"},
	{"<on event='link' do='set ARR'/>", "is an array"},
	{"<on event='link' do='set ARR[   ]'/>", "expected a value"},
	{"<on event='link' do='set ARR[Z]'/>", "no register"},
	{"<on event='link' do='X = 1 if Z'/>", "no register"},
	{"<on event='link' do='wake none'/>", "no ring has the name"},
	{"<on event='link' do='arm none'/>", "no timer has the name"},
	{"<on event='link' do='copy X'/>", "expected A[k] to B[k]"},
	{"<on event='link' do='copy ARR[X] to X count 1'/>", "given by numbers"},
	{"<on event='link' do='copy X to ARR[0] count 60000'/>", "goes beyond"},
	{"<on event='link' do='" TEN(TEN("X = 1;")) "'/>", "more than 64 actions"},
	{"<on event='link' do='X = '/>", "neither a verb"},
	{"<on event='link' do='X = 1 + '/>", "expected a value"},
	{"<on event='link' do='X = (1'/>", "expected )"},
	{"<on event='link' do='X = 1 1'/>", "left over"},
	{"<on event='link' do='X = 0x'/>", "not a number"},
	{"<on event='link' do='X = Z'/>", "no register, field"},
	{"<on event='link' do='X = X.F'/>", "no such field"},
	{"<on event='link' do='X = ARR'/>", "expected ["},
	{"<on event='link' do='X = ARR[4]'/>", "beyond the end"},
	{"<on event='link' do='X = X[a]'/>", "a bit or HIGH:LOW"},
	{"<on event='link' do='X = X[70]'/>", "no such bits"},
	{"<on event='link' do='X = X:1'/>", "no known width"},
	{"<on event='link' do='X = min(1)'/>", "wrong number of arguments"},
	{"<on event='link' do='X = slot.a'/>", "no record is at hand"},
	{"<on event='link' do='X = first.a'/>", "no record is at hand"},
	{"<on event='link' do='X = context[0].a'/>", "no record is at hand"},
	{"<on event='link' do='X = " TEN("((((((((((") "'/>", "nested too deep"},
	{"<on event='link' do='X = " TEN(TEN("- ~ not ")) "1'/>", "nested too deep"},
	{"<on event='link' do='X = " TEN("1 + (") TEN("1 + (") "1'/>", "too long"},
	{"<on event='link' do='X = 1" TEN(TEN(" + 1")) "'/>", "too long"},
	{"<record name='t' size='0'/>", "size="},
	{"<record name='t' size='8'><field name='a' bits='64'/></record>", "64 bits"},
	{TEN(TEN("<record name='t' size='8'/>")), "more than 32 records"},
	{RING("end='slots X' ready='until X' cursor='X' when='X'", USE), "expected \"bytes EXPR\""},
	{RING("end='bytes X' ready='own X' cursor='X' when='X'", USE), "expected \"until EXPR\""},
	{RING("end='bytes X' ready='until X' cursor='Z' when='X'", USE), "not a register"},
	{RING(GOOD_RING, ""), "a ring needs a <use>"},
	{RING(GOOD_RING, "<use record='none' as='data'/>"), "no record has this name"},
	{RING(GOOD_RING, "<use record='t' as='data'/>"), "needs a <buffer"},
	{RING(GOOD_RING, TEN(USE)), "more than 8 kinds of slot"},
	{RING(GOOD_RING,
	      USE "<use record='u' as='data'>" BUFFER "</use>") "<record name='u' size='32'>"
								"<field name='a' bits='9'/>"
								"</record>",
	 "one size"},
	{RING(GOOD_RING, USE TEN("<complete/>")), "more than 8 results"},
	{RING(GOOD_RING, USE "<complete write='z = 1'/>"), "expected FIELD = value"},
	{RING(GOOD_RING, USE "<complete write='a'/>"), "expected FIELD = value"},
	{RING(GOOD_RING, USE "<vlan when='1'/>"), "tci= must say which"},
	{RING(GOOD_RING, "<use record='t' as='data'>" BUFFER "<checksum of='range'/></use>"),
	 "needs start= and put="},
	{RING(GOOD_RING, "<use record='t' as='data'>" BUFFER TEN("<checksum of='range' start='1' "
								 "put='2'/>") "</use>"),
	 "more than 3 checksums"},
	{RING(GOOD_RING, "<use record='t' as='data' when='slot.z'>" BUFFER "</use>"),
	 "the record has no such field"},
	{TEN(TEN("<ring name='o' for='transmit' base='X' next='array' " GOOD_RING "/>")),
	 "more than 32"},
	{TEN(TEN(TEN("<window to='r' index='X' data='X' read-when='X'/>"))), "more than 64"},
	{TEN(TEN(TEN("<timer name='t' every='1' do='X = 1'/>"))), "more than 64"},
	{TEN(TEN(TEN("<reset name='z' clears='X'/>"))), "more than 64"},
	{TEN(TEN(TEN("<interrupt line='INTA' cause='X' mask='X'/>"))), "more than 64"},
	{"<receive rings='o'><accept class='some'/></receive>", "expected all, broadcast"},
	{"<receive rings='o'><accept class='hash'/></receive>", "needs a table="},
	{"<receive rings='o'><accept class='hash' table='Z' index='1'/></receive>",
	 "no register has this name"},
	{"<receive rings='o'><accept class='hash' table='ARR'/></receive>", "needs an index="},
	{"<interrupt line='INTA' cause='Z' mask='X'/>", "not a register"},
	{"<interrupt line='INTA' cause='X' mask='X'>" TEN(
		 "<moderate interval='1'/>") "</interrupt>",
	 "more than 4 moderations"},
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

static void test_mistakes(void)
{
	static char text[1 << 20];

	for (unsigned i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		snprintf(text, sizeof(text),
			 "<card name='c' title='C'>\n" PCI "\n" BANK BANK_END "\n%s\n</card>",
			 wrongs[i].body);
		check_wrong(text, wrongs[i].told);
	}
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
	check_wrong("<bank name='x'/>", "stands in");
	check_wrong("<!DOCTYPE card><card/>", "no document type");
	check_wrong("<card name='x' title='y'/>", "exactly one <pci>");
	check_wrong("<card name='c' title='C'><pci vendor='1' device='1' class='1' "
		    "interrupt='INTE'/></card>",
		    "INTA to INTD");
	check_wrong("<card name='c' title='C'><pci vendor='65536' device='1' class='1'/></card>",
		    "above the limit");
	for (unsigned i = 0; i < 100; i++)
		at += (size_t)sprintf(deep + at, "<bank name='b'>");
	for (unsigned i = 0; i < 100; i++)
		at += (size_t)sprintf(deep + at, "</bank>");
	check_wrong(deep, "nest deeper");
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
	CHECK(good > 20);
	free(whole);
	free(text);
}

UNIT_FILE(reader, {"mistakes", test_mistakes},
	  {"what_is_no_description", test_what_is_no_description}, {"files", test_files},
	  {"thousands_of_mistakes", test_thousands_of_mistakes}, {"noise", test_noise});
