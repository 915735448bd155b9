/* SPDX-License-Identifier: Apache-2.0 */

/* Descriptions changed under a driver that does not know. */
#include "bare.h"
#include "driver.h"

#include "card/reader.h"
#include "nic/snapshot.h"
#include "nic/successor.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct error why;

/* ---- descriptions ---- */

static void path_of(const char *name, char *path, size_t room)
{
	snprintf(path, room, "%s/cards/%s/card.xml", unit_root, name);
}

static struct card *check_card(struct card *card, struct mistakes *mistakes)
{
	mistakes_print(mistakes, stdout);
	mistakes_free(mistakes);
	CHECK(card);
	return card;
}

static struct card *read_again(const char *name)
{
	struct mistakes mistakes = {0};
	char path[512];

	path_of(name, path, sizeof(path));
	return check_card(card_read_file(path, &mistakes), &mistakes);
}

/* cards/e1000 with other words wherever WHAT stands. */
static struct card *changed(const char *what, const char *into)
{
	struct mistakes mistakes = {0};
	char path[512], *text, *other, *at, *next;
	struct card *card;
	size_t length;
	FILE *out;

	path_of("e1000", path, sizeof(path));
	text = card_load(path, &length);
	CHECK(text);
	text[length] = 0;
	CHECK(strstr(text, what));
	out = open_memstream(&other, &length);
	for (at = text; (next = strstr(at, what)); at = next + strlen(what))
		fprintf(out, "%.*s%s", (int)(next - at), at, into);
	fputs(at, out);
	fclose(out);
	card = card_read_text("e1000", other, length, &mistakes);
	free(other);
	free(text);
	return check_card(card, &mistakes);
}

/* ---- the same description: nothing changes, whatever is in it ---- */

struct saved {
	char *text;
	size_t length;
	FILE *out;
};

static bool put_number(void *context, const char *key, uint64_t *value)
{
	fprintf(((struct saved *)context)->out, "%s=%lx\n", key, (unsigned long)*value);
	return true;
}

static bool put_bytes(void *context, const char *key, uint8_t *data, size_t length)
{
	FILE *out = ((struct saved *)context)->out;

	fprintf(out, "%s=", key);
	for (size_t i = 0; i < length; i++)
		fprintf(out, "%02x", data[i]);
	fprintf(out, "\n");
	return true;
}

static char *save(struct nic *nic)
{
	struct saved saved = {0};
	struct exchange exchange = {&saved, false, put_number, put_bytes, &why};

	saved.out = open_memstream(&saved.text, &saved.length);
	CHECK(nic_save(nic, &exchange) == 0);
	fclose(saved.out);
	return saved.text;
}

static void check_saved(const char *card, char *before, char *after)
{
	char *at = before, *other = after;

	while (*at && *at == *other)
		at++, other++;
	while (at > before && at[-1] != '\n')
		at--, other--;
	if (strcmp(before, after))
		unit_failed(__FILE__, __LINE__, "%s: %.60s is not %.60s", card, at, other);
	free(before);
	free(after);
}

static void renew(struct bare *bare, const struct card *card)
{
	struct nic *nic = nic_successor(bare->nic, card, NULL, false, &why);

	if (!nic)
		unit_failed(__FILE__, __LINE__, "%s: %s", card->name, why.text);
	nic_free(bare->nic);
	bare->nic = nic;
}

static unsigned bar_of(const struct card *card)
{
	return card->bars[0].size ? 0 : 1;
}

static void write_anything(struct bare *bare, const struct card *card)
{
	unsigned bar = bar_of(card), width = 1u << unit_random() % 3;
	uint64_t offset = unit_random() % card->bars[bar].size & ~(uint64_t)(width - 1);
	uint32_t value = unit_random() & unit_random();

	nic_bar_write(bare->nic, bar, offset, width, value);
	if (unit_random() % 4 == 0)
		clock_turn(&bare->clock, unit_random() % 100000);
}

static void check_nothing_changes(const char *name)
{
	struct card *card = read_again(name), *same = read_again(name);
	uint8_t frame[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct bare bare;

	bare_new(&bare, card, false);
	for (unsigned round = 0; round < 40; round++) {
		char *before;

		for (unsigned i = 0; i < 60; i++)
			write_anything(&bare, card);
		test_port_offer(&bare.port, frame, sizeof(frame));
		bare_settle(&bare);		   /* causes that are kept back would be told of */
		for (unsigned i = 0; i < 3; i++) { /* and what that delays */
			clock_turn(&bare.clock, 1000000000);
			bare_settle(&bare);
		}
		test_port_forget(&bare.port);
		before = save(bare.nic);
		renew(&bare, round % 2 ? card : same);
		check_saved(name, before, save(bare.nic));
	}
	bare_free(&bare);
	card_free(card);
	card_free(same);
}

static void test_the_same_changes_nothing(void)
{
	char path[512];
	DIR *folder;

	snprintf(path, sizeof(path), "%s/cards", unit_root);
	folder = opendir(path);
	CHECK(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (*entry->d_name != '.')
			check_nothing_changes(entry->d_name);
	}
	closedir(folder);
}

/* What is recorded is of the old description, and is waited for. */
static void test_guest_memory_is_waited_for(void)
{
	static const char text[] =
		"<card name='odd' title='Odd'>"
		"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
		"<bar index='0' space='memory' size='4K' bank='r'/>"
		"<bank name='r'><register name='LOAD' at='0' do='load block at 0x1000; set SEEN' "
		"do-on='any'/><register name='GOT' at='4'/><register name='SEEN' at='8'/></bank>"
		"<record name='block' size='4'><field name='value' bits='31:0' to='GOT'/></record>"
		"</card>";
	struct card *card = bare_card(text);
	struct bare bare;

	bare_new(&bare, card, true);
	*(uint32_t *)(bare.memory + 0x1000) = 0x12345678;
	nic_bar_write(bare.nic, 0, 0, 4, 1);
	CHECK(!nic_successor(bare.nic, card, NULL, false, &why) && why.code == -EAGAIN);
	bare_settle(&bare);
	renew(&bare, card);
	CHECK_EQUAL(bare_read(&bare, 4), 0x12345678);
	CHECK_EQUAL(bare_read(&bare, 8), 0xffffffff);
	bare_free(&bare);
}

/* ---- a driver at work ---- */

static void send(struct driver *driver, unsigned number)
{
	uint8_t frame[60] = {2, 0, 0, 0, 0, 1};

	memcpy(frame + 20, &number, sizeof(number));
	tx_legacy(driver, tx_copy(driver, frame, sizeof(frame)), sizeof(frame), EOP | RS, 0, 0, 0);
}

static void check_works(struct driver *driver)
{
	struct packet packet = packet_in(200);
	uint8_t frame[PACKET_MAX];
	struct received received;

	test_port_forget(&driver->port);
	for (unsigned i = 0; i < 3; i++)
		send(driver, i);
	tx_kick(driver);
	CHECK_EQUAL(driver->port.count, 3);
	CHECK_EQUAL(reg(driver, TDH), reg(driver, TDT));
	rx_fill(driver, 1);
	CHECK(test_port_offer(&driver->port, frame, packet_build(&packet, frame)));
	CHECK(rx_take(driver, &received));
}

/* As it was, at its owner's; for card_free(). */
static const struct card *reload(struct driver *driver, const struct card *card, bool reset,
				 int expected)
{
	int result = instance_reload(driver->instance, card, reset, &why);

	if (result != expected)
		unit_failed(__FILE__, __LINE__, "%d: %s", result, why.text);
	return card;
}

static void test_goes_on(void)
{
	struct driver driver;
	struct card *cards[2] = {read_again("e1000"), read_again("e1000")};

	driver_new(&driver, false);
	set(&driver, IMS, 0xff);
	set(&driver, MTA + 8, 0x1234);
	for (unsigned round = 0; round < 10; round++) {
		check_works(&driver);
		reg(&driver, ICR);
		driver_fired(&driver);
		send(&driver, 7); /* what has not been looked at yet is not lost */
		send(&driver, 8);
		tx_kick(&driver);
		driver_settle(&driver);
		CHECK(driver_fired(&driver));
		reload(&driver, cards[round % 2], false, RELOADED_CARRIED);
		CHECK(driver_fired(&driver)); /* it is still up, and goes down */
		CHECK(reg(&driver, ICR) & TXDW);
		CHECK_EQUAL(driver_fired(&driver), 0);
		CHECK_EQUAL(reg(&driver, MTA + 8), 0x1234);
		CHECK_EQUAL(reg(&driver, IMS), 0xff);
	}
	check_works(&driver);
	driver_free(&driver);
	card_free(cards[0]);
	card_free(cards[1]);
}

/* Frames that the port did not take, and one that found no room, are still on their way. */
static void test_nothing_is_lost_on_the_way(void)
{
	struct driver driver;
	struct card *card = read_again("e1000");

	driver_new(&driver, false);
	driver.port.room = 2;
	for (unsigned i = 0; i < 6; i++)
		send(&driver, i);
	tx_kick(&driver);
	CHECK_EQUAL(driver.port.count, 2);
	reload(&driver, card, false, RELOADED_CARRIED);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.count, 2);
	test_port_writable(&driver.port);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.count, 6);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQUAL(driver.port.sent[i].data[20], i);
	driver_free(&driver);
	card_free(card);
}

/* Frames that the port has not sent: each once, and told of when they have gone. */
static void test_frames_in_flight(void)
{
	struct card *cards[2] = {read_again("e1000"), read_again("e1000")};
	struct driver driver;

	driver_new(&driver, true);
	driver.port.ops.defers = true;
	for (unsigned i = 0; i < 10; i++)
		send(&driver, i);
	tx_kick(&driver);
	driver_settle(&driver);
	for (unsigned i = 0; i < 5; i++) {
		reload(&driver, cards[i % 2], false, RELOADED_CARRIED);
		driver_settle(&driver);
		CHECK_EQUAL(reg(&driver, TDH), i * 2);
		driver.port.port.peer.sent(driver.port.port.peer.context, 2);
		driver_settle(&driver);
		CHECK_EQUAL(reg(&driver, TDH), i * 2 + 2);
		CHECK_EQUAL(driver.port.count, 10);
	}
	send(&driver, 11);
	tx_kick(&driver);
	reload(&driver, cards[1], false, RELOADED_CARRIED);
	set(&driver, TCTL, 0);
	driver.port.port.peer.sent(driver.port.port.peer.context, 1);
	driver.port.ops.defers = false;
	driver_start(&driver);
	check_works(&driver);
	driver_free(&driver);
	card_free(cards[0]);
	card_free(cards[1]);
}

static void test_delayed_causes_are_told(void)
{
	struct driver driver;
	struct card *card = read_again("e1000");

	driver_new(&driver, false);
	set(&driver, IMS, TXDW);
	set(&driver, TIDV, 1000);
	tx_legacy(&driver, tx_copy(&driver, (uint8_t[60]){2}, 60), 60, EOP | RS | IDE, 0, 0, 0);
	tx_kick(&driver);
	CHECK_EQUAL(driver_fired(&driver), 0);
	reload(&driver, card, false, RELOADED_CARRIED);
	CHECK(driver_fired(&driver));
	CHECK(reg(&driver, ICR) & TXDW);
	driver_free(&driver);
	card_free(card);
}

/* ---- another description ---- */

enum { LEDCTL = 0xe00 };

static void test_reset_values_show_at_once(void)
{
	static const char led[] = "name=\"LEDCTL\" at=\"0x0e00\" reset=\"0x07068302\"";
	struct card *other = changed(led, "name=\"LEDCTL\" at=\"0x0e00\" reset=\"0x77\"");
	struct card *third = changed(led, "name=\"LEDCTL\" at=\"0x0e00\" reset=\"0x99\"");
	struct driver driver;

	driver_new(&driver, false);
	CHECK_EQUAL(reg(&driver, LEDCTL), 0x07068302);
	reload(&driver, other, false, RELOADED_CARRIED);
	CHECK_EQUAL(reg(&driver, LEDCTL), 0x77);
	check_works(&driver);
	reload(&driver, third, false, RELOADED_CARRIED);
	CHECK_EQUAL(reg(&driver, LEDCTL), 0x99);
	set(&driver, LEDCTL, 0x1);
	reload(&driver, other, false, RELOADED_CARRIED);
	CHECK_EQUAL(reg(&driver, LEDCTL), 0x1); /* the driver's */
	check_works(&driver);
	driver_free(&driver);
	card_free(other);
	card_free(third);
}

static void test_fields_go_by_name(void)
{
	static const char fields[] = "<field name=\"ASDE\" bits=\"5\"/>"
				     "<field name=\"SLU\" bits=\"6\"/>";
	static const char spare[] = "<field name=\"FRCSPD\" bits=\"11\"/>";
	struct card *moved = changed(fields, "<field name=\"ASDE\" bits=\"6\"/>"
					     "<field name=\"SLU\" bits=\"5\"/>");
	struct card *gone = changed(spare, "<field name=\"OTHER\" bits=\"11\"/>");
	struct card *nameless = changed(spare, "");
	struct driver driver;

	driver_new(&driver, false);
	set(&driver, CTRL, 1 << 0 | CTRL_SLU | 1 << 11);
	reload(&driver, moved, false, RELOADED_CARRIED);
	CHECK_EQUAL(reg(&driver, CTRL), 1 << 0 | 1 << 5 | 1 << 11);
	reload(&driver, gone, false, -ECANCELED);
	CHECK(strstr(why.text, "csr.CTRL.FRCSPD holds 0x1"));
	CHECK_EQUAL(reg(&driver, CTRL), 1 << 0 | 1 << 5 | 1 << 11);
	reload(&driver, nameless, false, RELOADED_CARRIED);
	CHECK_EQUAL(reg(&driver, CTRL), 1 << 0 | CTRL_SLU | 1 << 11);
	reload(&driver, gone, false, RELOADED_CARRIED); /* a bit that had no name */
	CHECK_EQUAL(reg(&driver, CTRL), 1 << 0 | CTRL_SLU | 1 << 11);
	check_works(&driver);
	driver_free(&driver);
	card_free(moved);
	card_free(gone);
	card_free(nameless);
}

static void test_registers_that_are_gone(void)
{
	static const char led[] = "<register name=\"LEDCTL\" at=\"0x0e00\" reset=\"0x07068302\"/>";
	static const char small[] = "<register name=\"LEDCTL\" at=\"0x0e00\" size=\"2\"/>";
	struct card *gone = changed(led, ""), *narrow = changed(led, small);
	struct driver driver;

	driver_new(&driver, false);
	reload(&driver, gone, false, RELOADED_CARRIED); /* it held nothing of its own */
	CHECK_EQUAL(reg(&driver, LEDCTL), 0);
	reload(&driver, test_card("e1000"), false, RELOADED_CARRIED);
	CHECK_EQUAL(reg(&driver, LEDCTL), 0x07068302);
	set(&driver, LEDCTL, 0x1234);
	for (unsigned i = 0; i < 2; i++) {
		reload(&driver, i ? narrow : gone, false, -ECANCELED);
		CHECK(strstr(why.text, "csr.LEDCTL holds 0x1234 and has no place"));
		check_works(&driver);
	}
	reload(&driver, gone, true, RELOADED_RESET);
	CHECK_EQUAL(reg(&driver, TCTL), 0);
	driver_start(&driver); /* as its watchdog makes it do */
	check_works(&driver);
	driver_free(&driver);
	card_free(gone);
	card_free(narrow);
}

static void test_rings_that_are_others(void)
{
	struct card *elsewhere = changed("base=\"TDBAH:TDBAL\" end=\"bytes TDLEN\"",
					 "base=\"(TDBAH:TDBAL) + 16\" end=\"bytes TDLEN\"");
	struct driver driver;

	driver_new(&driver, false);
	reload(&driver, elsewhere, false, -ECANCELED);
	CHECK(strstr(why.text, "ring tx is in use, and lies elsewhere"));
	check_works(&driver);
	set(&driver, TCTL, 0); /* stopped, it holds nothing */
	send(&driver, 1);
	reload(&driver, elsewhere, false, RELOADED_CARRIED);
	reload(&driver, test_card("e1000"), false, RELOADED_CARRIED);
	set(&driver, TCTL, TCTL_EN | TCTL_PSP);
	tx_kick(&driver);
	check_works(&driver);
	driver_free(&driver);
	card_free(elsewhere);
}

static void test_slots_that_are_others(void)
{
	static const char field[] = "<field name=\"EOP\" bits=\"97\"/><field name=\"IXSM\" "
				    "bits=\"98\"/>";
	static const char other[] = "<field name=\"EOP\" bits=\"98\"/><field name=\"IXSM\" "
				    "bits=\"97\"/>";
	static const char size[] = "<record name=\"rx-legacy\" size=\"16\">";
	struct card *moved = changed(field, other);
	struct card *larger = changed(size, "<record name=\"rx-legacy\" size=\"32\">");
	struct driver driver;

	driver_new(&driver, false);
	reload(&driver, moved, false, -ECANCELED);
	CHECK(strstr(why.text, "ring rx is in use, and its slots have another place for EOP"));
	check_works(&driver);
	reload(&driver, larger, false, -ECANCELED);
	CHECK(strstr(why.text, "ring rx is in use, and its slots are others"));
	check_works(&driver);
	set(&driver, RCTL, 0);
	reload(&driver, moved, false, RELOADED_CARRIED);
	driver_free(&driver);
	card_free(moved);
	card_free(larger);
}

static void test_what_a_vm_sees_once(void)
{
	const struct {
		const char *what, *into, *text;
	} cases[] = {
		{"device=\"0x100e\"", "device=\"0x100f\"", "another identity"},
		{"revision=\"0x02\"", "revision=\"0x03\"", "another identity"},
		{"size=\"128K\"", "size=\"256K\"", "other BARs"},
		{"\"INTA\"", "\"INTB\"", "another interrupt line"},
		{"<bank name=\"io\"", "<capability kind=\"power\"/><bank name=\"io\"",
		 "other capabilities"},
	};
	struct driver driver;

	driver_new(&driver, false);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct card *card = changed(cases[i].what, cases[i].into);

		reload(&driver, card, true, -EBUSY);
		CHECK(strstr(why.text, cases[i].text));
		check_works(&driver);
		card_free(card);
	}
	driver_free(&driver);
}

/* Without a VM anything goes. */
static void test_afresh(void)
{
	struct card *card = changed("device=\"0x100e\"", "device=\"0x100f\"");
	struct driver driver;

	driver_new(&driver, false);
	inprocess_unplug(driver.machine.vm, 3);
	reload(&driver, card, false, RELOADED_AFRESH);
	reload(&driver, test_card("e1000"), false, RELOADED_AFRESH);
	reload(&driver, card, false, RELOADED_AFRESH);
	driver_free(&driver);
	card_free(card);
}

/* ---- many times ---- */

static unsigned descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static unsigned long resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long size, pages = 0;

	CHECK(file && fscanf(file, "%lu %lu", &size, &pages) == 2);
	fclose(file);
	return pages * (unsigned long)sysconf(_SC_PAGESIZE) >> 10;
}

/* Each from its text on, with traffic between them. */
static void test_many_times(void)
{
	const char *times = getenv("UNIT_RELOADS");
	unsigned count = times ? (unsigned)atoi(times) : 400, fds = 0;
	unsigned long before = 0;
	struct card *card = NULL;
	struct driver driver;

	driver_new(&driver, false);
	for (unsigned i = 0; i < count; i++) {
		struct card *next = read_again("e1000");

		if (i == count / 4) {
			before = resident();
			fds = descriptors();
		}
		reload(&driver, next, false, RELOADED_CARRIED);
		card_free(card);
		card = next;
		driver.tx_buffer = TX_BUFFERS; /* no new pages of its memory */
		check_works(&driver);
	}
	CHECK_EQUAL(descriptors(), fds);
#ifdef __SANITIZE_ADDRESS__ /* which keeps what is freed for a while */
	before += 1 << 20;
#endif
	if (resident() > before + 1024)
		unit_failed(__FILE__, __LINE__, "%lu KiB, then %lu", before, resident());
	driver_free(&driver);
	card_free(card);
}

UNIT_FILE(reload, {"the_same_changes_nothing", test_the_same_changes_nothing},
	  {"guest_memory_is_waited_for", test_guest_memory_is_waited_for},
	  {"goes_on", test_goes_on},
	  {"nothing_is_lost_on_the_way", test_nothing_is_lost_on_the_way},
	  {"frames_in_flight", test_frames_in_flight},
	  {"delayed_causes_are_told", test_delayed_causes_are_told},
	  {"reset_values_show_at_once", test_reset_values_show_at_once},
	  {"fields_go_by_name", test_fields_go_by_name},
	  {"registers_that_are_gone", test_registers_that_are_gone},
	  {"rings_that_are_others", test_rings_that_are_others},
	  {"slots_that_are_others", test_slots_that_are_others},
	  {"what_a_vm_sees_once", test_what_a_vm_sees_once}, {"afresh", test_afresh},
	  {"many_times", test_many_times});
