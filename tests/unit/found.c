/* SPDX-License-Identifier: Apache-2.0 */

/* Checksums and segments of which a slot only says that they are wanted. */
#include "bare.h"
#include "packet.h"

#include "nic/nic.h"

#include <string.h>

enum { BASE = 0, KICK = 4, SLOTS = 0x1000, BUFFER = 0x10000 };
enum { IP = 1u << 16, L4 = 1u << 17, CUT = 1u << 18, END = 1u << 30, OWN = 1u << 31 };

static const char card_text[] =
	"<card name='odd' title='Odd'>"
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
	"<bar index='0' space='memory' size='256' bank='r'/>"
	"<bank name='r'><register name='BASE' at='0'/>"
	"<register name='KICK' at='4' do='wake tx' do-on='any'/></bank>"
	"<record name='d' size='16'><field name='length' bits='15:0'/><field name='IP' bits='16'/>"
	"<field name='L4' bits='17'/><field name='CUT' bits='18'/><field name='END' bits='30'/>"
	"<field name='OWN' bits='31'/><field name='mss' bits='47:32'/>"
	"<field name='address' bits='95:64'/></record>"
	"<ring name='tx' for='transmit' when='BASE != 0' next='array' base='BASE' end='bit END'"
	" ready='OWN'><use record='d' as='data'><buffer address='address' length='length'/>"
	"<segment when='CUT' mss='mss'/><checksum of='ip' when='IP'/><checksum of='l4' when='L4'/>"
	"</use><complete write='OWN = 0'/></ring></card>";

static struct bare bare;
static uint8_t payload[4000], want[PACKET_MAX];

static void begin(void)
{
	bare_new(&bare, bare_card(card_text), false);
	bare_write(&bare, BASE, SLOTS);
	unit_fill(payload, sizeof(payload), 3);
}

static void send(uint32_t length, uint32_t flags, uint32_t mss)
{
	const uint32_t slot[4] = {length | flags | OWN | END, mss, BUFFER, 0};

	memcpy(bare.memory + SLOTS, slot, sizeof(slot));
	bare_write(&bare, KICK, 1);
}

static struct packet packet_of(unsigned kind, uint32_t length)
{
	struct packet packet = {.to = {2, 0, 0, 0, 0, 1},
				.from = {2, 0, 0, 0, 0, 2},
				.v6 = kind & 1,
				.udp = kind >> 1 & 1,
				.tagged = kind >> 2 & 1,
				.tci = 7,
				.options = kind >> 3 & 1 ? 8 : 0,
				.id = 9,
				.sequence = 1000,
				.flags = TCP_ACK | TCP_PSH,
				.payload = payload,
				.length = length};

	return packet;
}

static void test_checksums(void)
{
	begin();
	for (unsigned kind = 0; kind < 16; kind++) {
		struct packet packet = packet_of(kind, 100 + kind);
		uint32_t length = packet_build(&packet, want);
		uint8_t *buffer = bare.memory + BUFFER;

		memcpy(buffer, want, length);
		if (!packet.v6) /* whatever stands there */
			memset(buffer + packet_l3(&packet) + 10, 0x55, 2);
		memset(buffer + packet_put(&packet), 0xaa, 2);
		send(length, L4 | (packet.v6 ? 0 : IP), 0);
		CHECK_EQUAL(bare.port.count, kind + 1);
		CHECK_EQUAL(bare.port.sent[kind].length, length);
		CHECK(!memcmp(bare.port.sent[kind].data, want, length));
	}
	bare_free(&bare);
}

static void test_segments(void)
{
	begin();
	for (unsigned kind = 0; kind < 8; kind += 5) {
		struct packet packet = packet_of(kind, 2500);
		uint32_t length = packet_build(&packet, want);

		test_port_forget(&bare.port);
		memcpy(bare.memory + BUFFER, want, length);
		packet_open(&packet, bare.memory + BUFFER, false);
		send(length, CUT, 1000);
		CHECK_EQUAL(bare.port.count, 3);
		for (unsigned i = 0; i < 3; i++) {
			struct packet piece = packet;

			piece.payload += i * 1000;
			piece.length = i < 2 ? 1000 : 500;
			piece.sequence += i * 1000;
			piece.id = (uint16_t)(piece.id + i);
			piece.flags = i < 2 ? TCP_ACK : TCP_ACK | TCP_PSH;
			length = packet_build(&piece, want);
			CHECK_EQUAL(bare.port.sent[i].length, length);
			CHECK(!memcmp(bare.port.sent[i].data, want, length));
		}
	}
	bare_free(&bare);
}

/* What has no such headers goes out as it is, and is no reason to stop. */
static void test_nothing_to_find(void)
{
	begin();
	for (unsigned i = 0; i < 200; i++) {
		uint32_t length = 14 + unit_random() % 200;

		unit_fill(bare.memory + BUFFER, length, i);
		if (i % 2)
			memcpy(bare.memory + BUFFER + 12, "\x08\0\x45", 3);
		send(length, i % 3 ? IP | L4 : CUT, unit_random() % 64);
		CHECK_EQUAL(bare.memory[SLOTS + 3] & 0x80, 0);
	}
	bare_free(&bare);
}

UNIT_FILE(found, {"checksums", test_checksums}, {"segments", test_segments},
	  {"nothing", test_nothing_to_find});
