/* SPDX-License-Identifier: Apache-2.0 */

/* Modules that are programs of their own, and what becomes of bad ones. */
#include "modules.h"

#include "nic/nic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint8_t frame[PACKET_MAX], expected[PACKET_MAX];
static struct driver driver;
static struct card *card;

static void begin(void)
{
	card = module_card_file("examples/modules/called");
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
	begin();
	set(&driver, 0x1f004, 7);
	CHECK_EQUAL(reg(&driver, 0x1f004), 7);
	set(&driver, 0x1f004, 9);
	CHECK_EQUAL(reg(&driver, 0x1f004), 7);
	set(&driver, 0x1f004, 0);
	for (unsigned i = 0; i < 20; i++) {
		send(60 + i * 70);
		memcpy(expected, frame, 12);
		memcpy(expected + 12, "\x81\x00\x00\x64", 4);
		memcpy(expected + 16, frame + 12, 60 + i * 70 - 12);
		check_sent(&driver, i, expected, 64 + i * 70);
	}
	CHECK_EQUAL(reg(&driver, 0x1f000), 20);
	end();
}

/* Programs in Python that do SAID when they are called. */
static const char program[] =
	"import socket, struct, time, os\n"
	"link = socket.socket(fileno=3)\n"
	"def say(kind, number, *numbers):\n"
	"    link.send(struct.pack('<HHI%%dQ' %% len(numbers), kind, number, 0, *numbers))\n"
	"def hello(version=1, hooks=16):\n"
	"    say(1, 0, version, hooks)\n"
	"def call():\n"
	"    link.recv(1 << 18)\n"
	"%s\n"
	"time.sleep(100)\n";

static bool beside(void *context, const char *path, const char *name, struct found_card *found)
{
	char text[4096];

	(void)path;
	snprintf(text, sizeof(text), program, (const char *)context);
	return module_text(text, name, found);
}

static struct card *card_of(const char *said, char *why, size_t room)
{
	static const char text[] =
		"<card name='t' title='T' extends='e1000'>"
		"<module kind='process' command='python3' file='bad.py' memory='512M'/>"
		"<bank name='csr'><register name='X' at='0x1f000' module='read'/></bank></card>";

	return module_read(text, beside, (void *)said, why, room);
}

static const struct {
	const char *said, *why;
} refused[] = {
	{"raise SystemExit", "has ended"},
	{"os.kill(os.getpid(), 11)", "has ended"},
	{"hello(version=2)", "is for version 2"},
	{"hello(hooks=0)", "has no hook"},
	{"hello(hooks=1 << 20)", "hooks that this program does not know"},
	{"say(3, 0, 1, 1)", "does not begin with who it is"},
	{"say(1, 0, 1)", "does not begin with who it is"},
	{"link.send(b'x')", "wrong size"},
	{"link.close(); os.close(3)", "has ended"},
};

static void test_refused(void)
{
	for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		char why[512];

		card = card_of(refused[i].said, why, sizeof(why));
		if (card || !strstr(why, refused[i].why))
			unit_failed(__FILE__, __LINE__, "%s: %s", refused[i].said, why);
	}
}

/* They are called once, when their register is read: all ones, and so for ever. */
static const char *const stopped[] = {
	"hello(); call()",
	"hello(); call(); raise SystemExit",
	"hello(); call(); os.kill(os.getpid(), 11)",
	"hello(); call(); say(3, 5, 1)",
	"hello(); call(); say(2, 4, 1)",
	"hello(); call(); link.send(b'')",
	"hello(); call(); link.send(b'xxxx')",
	"hello(); call(); link.send(bytes(161 << 10))",
	"hello(); call(); say(4, 99)",
	"hello(); call(); say(4, 33, 1, 1, 1)",
	"hello(); call(); say(4, 0)",
	"hello(); call(); say(4, 0, 0, 1 << 60)",
	"hello(); call(); say(4, 0, 0, 5)",
	"hello(); call(); say(4, 8, 0, 1 << 40)",
	"hello(); call(); say(4, 19, 1, 1 << 40)",
	"hello(); call(); say(4, 15, 77, 0, 0, 0)",
	"hello(); call()\nwhile True: say(4, 26); call()",
	"hello(); call()\nwhile True: say(4, 26)",
	"hello(); call(); x = []\nwhile True: x.append(bytes(1 << 24))",
	"hello(); call(); link.shutdown(socket.SHUT_WR)",
	"hello(); call(); os.close(3); link.detach()",
	"hello(); call(); say(3, 4)",
	"hello(); call(); os.kill(os.getpid(), 19)",
};

static void test_stopped(void)
{
	for (unsigned i = 0; i < sizeof(stopped) / sizeof(*stopped); i++) {
		char why[512];

		card = card_of(stopped[i], why, sizeof(why));
		if (!card)
			unit_failed(__FILE__, __LINE__, "%s: %s", stopped[i], why);
		driver_new_card(&driver, card, true);
		if (reg(&driver, 0x1f000) != UINT32_MAX)
			unit_failed(__FILE__, __LINE__, "%s", stopped[i]);
		CHECK_EQUAL(reg(&driver, 8), UINT32_MAX);
		send(60);
		end();
	}
}

UNIT_FILE(process, {"registers_and_frames", test_registers_and_frames}, {"refused", test_refused},
	  {"stopped", test_stopped});
