/* SPDX-License-Identifier: Apache-2.0 */

/* Modules in C: frames through them, and the registers, timers and actions they have a say in. */
#include "modules.h"

#include "card/reader.h"
#include "instance/catalog.h"
#include "nic/nic.h"

#include <stdio.h>
#include <string.h>

static uint8_t frame[PACKET_MAX], expected[PACKET_MAX];
static struct driver driver;
static struct card *card;

static void begin(const char *xml, const char *source, bool offloads)
{
	char text[8192];

	snprintf(text, sizeof(text), "#include <anynic/module.h>\n#include <string.h>\n%s", source);
	card = module_card(xml, text);
	driver_new_card(&driver, card, offloads);
}

static void begin_file(const char *directory, bool offloads)
{
	card = module_card_file(directory);
	driver_new_card(&driver, card, offloads);
}

static void end(void)
{
	driver_free(&driver);
	card_free(card);
}

static void send(const void *data, uint32_t length)
{
	tx_legacy(&driver, tx_copy(&driver, data, length), length, EOP | IFCS | RS, 0, 0, 0);
	tx_kick(&driver);
	driver_settle(&driver);
}

/* An MSS of 500, and as many segments as it takes. */
static void send_large(const struct packet *packet)
{
	uint32_t length = packet_build(packet, frame), header = packet_header(packet);

	packet_open(packet, frame, false);
	tx_context(&driver, packet, TSE | (packet->v6 ? 0 : 2) | 1, length - header, header, 500);
	tx_data(&driver, tx_copy(&driver, frame, length), length, EOP | IFCS | RS | TSE,
		packet->v6 ? TXSM : TXSM | IXSM, 0);
	tx_kick(&driver);
	driver_settle(&driver);
}

/* A whole lap of frames that nobody touches. */
static void test_frames_pass(void)
{
	begin("",
	      "static void transmit(struct anynic_nic *nic, uint32_t ring, uint32_t queue, "
	      "struct anynic_frame *frames, uint32_t count) {}"
	      "static void receive(struct anynic_nic *nic, struct anynic_frame *frames, "
	      "uint32_t count) {}"
	      "ANYNIC_MODULE(.transmit = transmit, .receive = receive)",
	      true);
	rx_fill(&driver, 60);
	for (unsigned i = 0; i < 100; i++) {
		struct received received;

		unit_fill(frame, 60 + i, i);
		memcpy(frame, test_mac, 6);
		send(frame, 60 + i);
		check_sent(&driver, i, frame, 60 + i);
		CHECK(test_port_offer(&driver.port, frame, 60 + i));
		CHECK(rx_take(&driver, &received));
		CHECK_EQUAL(received.length, 60 + i);
		CHECK(!memcmp(received.data, frame, 60 + i));
		rx_fill(&driver, 1);
	}
	CHECK_EQUAL(reg(&driver, 0x4080), 100); /* GPTC */
	CHECK_EQUAL(reg(&driver, 0x4074), 100); /* GPRC */
	end();
}

/* ---- the example that tags ---- */

static void tag(uint8_t *to, const uint8_t *from, uint32_t length, uint16_t id)
{
	memcpy(to, from, 12);
	memcpy(to + 12, (uint8_t[]){0x81, 0, (uint8_t)(id >> 8), (uint8_t)id}, 4);
	memcpy(to + 16, from + 12, length - 12);
}

static void test_tagged_and_untagged(void)
{
	struct received received;

	begin_file("examples/modules/tagger", false);
	unit_fill(frame, 200, 1);
	send(frame, 200);
	tag(expected, frame, 200, 100);
	check_sent(&driver, 0, expected, 204);
	rx_fill(&driver, 8);
	memcpy(frame, test_mac, 6);
	tag(expected, frame, 200, 100);
	CHECK(test_port_offer(&driver.port, expected, 204));
	CHECK(rx_take(&driver, &received));
	CHECK_EQUAL(received.length, 200);
	CHECK(!memcmp(received.data, frame, 200));
	tag(expected, frame, 200, 101);
	CHECK(test_port_offer(&driver.port, expected, 204)); /* another VLAN, and none */
	CHECK(test_port_offer(&driver.port, frame, 200));
	CHECK(!rx_take(&driver, &received));
	end();
}

/* Checksums that are still to be made, by the engine or by the port, with the offsets moved. */
static void test_tag_moves_offloads(void)
{
	for (unsigned offloads = 0; offloads < 2; offloads++) {
		struct packet packet = packet_out(1000);
		uint32_t length;

		begin_file("examples/modules/tagger", offloads);
		tx_packet(&driver, &packet, 3);
		length = packet_build(&packet, frame);
		tag(expected, frame, length, 100);
		port_finish(&driver.port.sent[0]);
		check_sent(&driver, 0, expected, length + 4);
		end();
	}
}

/* A large frame is tagged once, whoever cuts it. */
static void test_tag_before_segments(void)
{
	for (unsigned offloads = 0; offloads < 2; offloads++) {
		struct packet packet = packet_out(1800);

		begin_file("examples/modules/tagger", offloads);
		send_large(&packet);
		if (offloads) {
			const struct sent *sent = &driver.port.sent[0];

			CHECK_EQUAL(driver.port.count, 1);
			CHECK_EQUAL(sent->header_length, packet_header(&packet) + 4);
			CHECK_EQUAL(sent->checksum_start, packet_l4(&packet) + 4);
			CHECK_EQUAL(sent->segment_size, 500);
			CHECK_EQUAL(sent->length, packet_header(&packet) + 1804);
			CHECK_EQUAL(sent->data[12] << 8 | sent->data[13], 0x8100);
		} else {
			CHECK_EQUAL(driver.port.count, 4);
			for (unsigned i = 0; i < 4; i++) {
				struct packet piece = packet;

				piece.payload += i * 500;
				piece.length = i < 3 ? 500 : 300;
				piece.sequence += i * 500;
				piece.id = (uint16_t)(packet.id + i);
				piece.tagged = true;
				piece.tci = 100;
				check_sent(&driver, i, expected, packet_build(&piece, expected));
			}
		}
		end();
	}
}

static void test_answers_arp(void)
{
	static const uint8_t question[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0,    0x12, 0x34, 0x56, 8,    6,
		0,    1,    8,	  0,	6,    4,    0,	  1,	0x52, 0x54, 0,	  0x12, 0x34, 0x56,
		10,   0,    0,	  9,	0,    0,    0,	  0,	0,    0,    10,	  0,	0,    1};
	static const uint8_t us[6] = {2, 0, 0, 0, 0, 1};
	struct received received;

	begin_file("examples/modules/tagger", false);
	rx_fill(&driver, 8);
	send(question, sizeof(question));
	CHECK_EQUAL(driver.port.count, 0);
	CHECK(rx_take(&driver, &received));
	CHECK_EQUAL(received.length, 60);
	CHECK(!memcmp(received.data, test_mac, 6));
	CHECK(!memcmp(received.data + 6, us, 6));
	CHECK_EQUAL(received.data[21], 2);
	CHECK(!memcmp(received.data + 22, us, 6));
	CHECK(!memcmp(received.data + 28, question + 38, 4));
	CHECK(!memcmp(received.data + 32, question + 22, 10));
	end();
}

/* ---- split, merge, drop, add ---- */

/* Frames of 300 bytes become two; those of 301 wait for the next one, which they go in front of. */
static const char splits[] =
	"static uint8_t kept[400]; static uint32_t length;"
	"static void transmit(struct anynic_nic *nic, uint32_t ring, uint32_t queue, "
	"struct anynic_frame *frames, uint32_t count) {"
	"uint8_t part[200];"
	"for (uint32_t i = 0; i < count; i++) {"
	"	if (length) { anynic_edit(nic, &frames[i], 0, 14, kept, length); length = 0; }"
	"	else if (frames[i].length == 300) {"
	"		anynic_peek(nic, &frames[i], 0, part, 14);"
	"		anynic_peek(nic, &frames[i], 150, part + 14, 150);"
	"		anynic_edit(nic, &frames[i], 150, 150, 0, 0);"
	"		anynic_send(nic, &frames[i], 0, part, 164);"
	"	} else if (frames[i].length == 301) {"
	"		length = anynic_peek(nic, &frames[i], 0, kept, 400);"
	"		frames[i].verdict = ANYNIC_DROP;"
	"	} else if (frames[i].length == 302) {"
	"		frames[i].verdict = ANYNIC_DROP;"
	"		for (int k = 0; k < 3; k++) { kept[60] = k; anynic_send(nic, 0, 0, kept, "
	"61); }"
	"	}"
	"}}"
	"ANYNIC_MODULE(.transmit = transmit)";

static void queue(uint32_t length, uint32_t seed)
{
	unit_fill(frame, length, seed);
	tx_legacy(&driver, tx_copy(&driver, frame, length), length, EOP | IFCS | RS, 0, 0, 0);
}

static void test_split_and_merge(void)
{
	begin("", splits, true);
	queue(100, 1);
	queue(300, 2);
	queue(100, 3);
	queue(301, 4);
	queue(200, 5);
	queue(302, 6);
	queue(100, 7);
	tx_kick(&driver);
	driver_settle(&driver);
	CHECK_EQUAL(driver.port.count, 9);
	unit_fill(expected, 100, 1);
	check_sent(&driver, 0, expected, 100);
	unit_fill(expected, 300, 2);
	check_sent(&driver, 1, expected, 150);
	memmove(expected + 14, expected + 150, 150);
	check_sent(&driver, 2, expected, 164);
	unit_fill(expected, 100, 3);
	check_sent(&driver, 3, expected, 100);
	unit_fill(expected, 301, 4);
	unit_fill(frame, 200, 5);
	memcpy(expected + 301, frame + 14, 186);
	check_sent(&driver, 4, expected, 487);
	unit_fill(expected, 100, 7); /* what has no place goes behind all that was shown */
	check_sent(&driver, 5, expected, 100);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(driver.port.sent[6 + i].length, 61);
		CHECK_EQUAL(driver.port.sent[6 + i].data[60], i);
	}
	CHECK_EQUAL(reg(&driver, TDH), driver.tx_tail);
	CHECK_EQUAL(tx_slot(&driver, 1)->high & DD, DD);
	end();
}

/* A port that is full: nothing is shown twice, lost, or out of order. */
static void test_full_port(void)
{
	unsigned sent = 0;

	begin("",
	      "static uint8_t count_of[256];"
	      "static void transmit(struct anynic_nic *nic, uint32_t ring, uint32_t queue, "
	      "struct anynic_frame *frames, uint32_t count) {"
	      "for (uint32_t i = 0; i < count; i++) {"
	      "	uint8_t c; anynic_peek(nic, &frames[i], 20, &c, 1);"
	      "	count_of[c]++; anynic_edit(nic, &frames[i], 21, 1, &count_of[c], 1); }}"
	      "ANYNIC_MODULE(.transmit = transmit)",
	      true);
	for (unsigned round = 0; round < 50; round++) {
		unsigned burst = 1 + unit_random() % 20, until = sent + burst;

		test_port_forget(&driver.port);
		for (unsigned i = sent; i < until; i++) {
			unit_fill(frame, 64, i);
			frame[20] = (uint8_t)i;
			tx_legacy(&driver, tx_copy(&driver, frame, 64), 64, EOP | RS, 0, 0, 0);
		}
		driver.port.room = unit_random() % 8;
		tx_kick(&driver);
		driver_settle(&driver);
		for (unsigned turn = 0; turn < 100 && driver.port.count < burst; turn++) {
			test_port_writable(&driver.port);
			driver.port.room = driver.port.count + unit_random() % 4;
			driver_settle(&driver);
		}
		CHECK_EQUAL(driver.port.count, burst);
		for (unsigned i = 0; i < burst; i++, sent++) {
			unit_fill(frame, 64, sent);
			frame[20] = (uint8_t)sent;
			frame[21] = (uint8_t)(sent / 256 + 1);
			check_sent(&driver, i, frame, 64);
		}
		test_port_writable(&driver.port);
		driver_settle(&driver);
	}
	end();
}

/* ---- the driver's side ---- */

static void test_receive_waits(void)
{
	struct received received;
	unsigned took = 0;

	begin("",
	      "static void receive(struct anynic_nic *nic, struct anynic_frame *frames, uint32_t "
	      "count) {"
	      "uint8_t mark = 0; for (uint32_t i = 0; i < count; i++) {"
	      "	anynic_peek(nic, &frames[i], 30, &mark, 1); mark++;"
	      "	anynic_edit(nic, &frames[i], 30, 1, &mark, 1);"
	      "	anynic_deliver(nic, &frames[i], 0, "
	      "\"\\x52\\x54\\0\\x12\\x34\\x56more\\0\\0\\0\\0\", 14); }}"
	      "ANYNIC_MODULE(.receive = receive)",
	      true);
	memset(frame, 0, sizeof(frame));
	memcpy(frame, test_mac, 6);
	rx_fill(&driver, 3);
	for (unsigned i = 0; i < 5; i++)
		test_port_offer(&driver.port, frame, 100);
	while (rx_take(&driver, &received)) {
		CHECK_EQUAL(received.length, took % 2 ? 60 : 100);
		CHECK_EQUAL(received.data[30], took % 2 ? 0 : 1);
		took++;
	}
	CHECK_EQUAL(took, 3); /* the rest is dropped, as by the card itself */
	end();
}

/* ---- registers, calls, timers ---- */

static void test_registers(void)
{
	begin_file("examples/modules/counter", false);
	clock_turn(&driver.machine.clock, 5000000);
	CHECK_EQUAL(reg(&driver, 0x1f000), 5000);
	set(&driver, CTRL, CTRL_RST);
	CHECK_EQUAL(reg(&driver, 0x1f000), 0);
	set(&driver, 0x1f004, 7);
	CHECK_EQUAL(reg(&driver, 0x1f004), 7);
	set(&driver, 0x1f004, 8);
	CHECK_EQUAL(reg(&driver, 0x1f004), 7);
	set(&driver, 0x1f004, 0);
	set(&driver, 0x1f004, 8);
	CHECK_EQUAL(reg(&driver, 0x1f004), 8);
	end();
}

static const char extra[] =
	"<bank name='csr'>"
	"<register name='SUM' at='0x1f000'/>"
	"<register name='ADD' at='0x1f004' access='wo' do='call add with new'/>"
	"<register name='COPY' at='0x1f008' access='wo' do='kick copy with new'/>"
	"<register name='ARM' at='0x1f00c' access='wo' do='call arm with new' do-on='any'/>"
	"<register name='TICKS' at='0x1f010'><field name='LOW' bits='7:0'/><field name='HIGH' "
	"bits='15:8'/></register>"
	"<register name='LATER' at='0x1f014' access='wo' do='command twice with new; SUM = 99'/>"
	"<register name='LIST' at='0x1f018' count='4'/>"
	"</bank><timer name='tick' after='1ms'/>"
	"<record name='pair' size='8'><field name='a' bits='31:0' to='SUM'/><field name='b' "
	"bits='35:32' value='TICKS.LOW'/></record>";

static const char acts[] =
	"static int32_t sum, low, tick, add, arm, copy, list, pair, b;"
	"static int32_t start(struct anynic_nic *nic) {"
	"	sum = anynic_find(nic, ANYNIC_PLACE, \"SUM\");"
	"	low = anynic_find(nic, ANYNIC_PLACE, \"TICKS.HIGH\");"
	"	list = anynic_find(nic, ANYNIC_PLACE, \"LIST\");"
	"	tick = anynic_find(nic, ANYNIC_TIMER, \"tick\");"
	"	add = anynic_find(nic, ANYNIC_CALLED, \"add\");"
	"	arm = anynic_find(nic, ANYNIC_CALLED, \"arm\");"
	"	copy = anynic_find(nic, ANYNIC_CALLED, \"copy\");"
	"	pair = anynic_find(nic, ANYNIC_RECORD, \"pair\");"
	"	b = anynic_find(nic, ANYNIC_FIELD, \"pair.b\");"
	"	if (anynic_find(nic, ANYNIC_PLACE, \"SUMS\") != ANYNIC_NONE ||"
	"	    anynic_find(nic, ANYNIC_PLACE, \"TICKS.MIDDLE\") != ANYNIC_NONE ||"
	"	    anynic_find(nic, 99, \"SUM\") != ANYNIC_INVALID ||"
	"	    anynic_find(nic, ANYNIC_RING, \"tx\") < 0 ||"
	"	    anynic_offset(nic, list, 3) != 0x1f024 ||"
	"	    anynic_offset(nic, list, 4) != ANYNIC_INVALID ||"
	"	    anynic_set(nic, list, 4, 1) != ANYNIC_INVALID ||"
	"	    anynic_get(nic, -1, 0) || anynic_get(nic, 0x7fffffff, 0) ||"
	"	    anynic_read(nic, 0, &b, 4) != ANYNIC_LATER ||"
	"	    anynic_message(nic, 0) != ANYNIC_INVALID)"
	"		return ANYNIC_INVALID;"
	"	return sum < 0 || low < 0 || tick < 0 || add < 0 || arm < 0 || copy < 0 || list < "
	"0 || "
	"pair < 0 || b < 0; }"
	"static void call(struct anynic_nic *nic, uint32_t called, uint32_t index, uint64_t value) "
	"{"
	"	if (called == add) anynic_set(nic, sum, 0, anynic_get(nic, sum, 0) + value);"
	"	else if (value) anynic_timer_arm(nic, tick, value * 1000);"
	"	else anynic_timer_cancel(nic, tick); }"
	"static void timer(struct anynic_nic *nic, uint32_t timer) {"
	"	anynic_set(nic, low, 0, anynic_get(nic, low, 0) + 1); }"
	"static int32_t kick(struct anynic_nic *nic, uint32_t called, uint64_t value) {"
	"	uint8_t bytes[16]; int32_t result = anynic_read(nic, value, bytes, 16);"
	"	if (result < 0) return result;"
	"	for (int i = 0; i < 16; i++) bytes[i] ^= 0xff;"
	"	anynic_field_set(nic, b, bytes, 8, 5);"
	"	if (anynic_field(nic, b, bytes, 8) != 5 || anynic_field(nic, b, bytes, 4)) return "
	"-9;"
	"	return anynic_write(nic, value + 16, bytes, 16); }"
	"static int32_t command(struct anynic_nic *nic, uint32_t called, uint64_t value, uint32_t "
	"ring, uint32_t queue, const void *slot, uint32_t length) {"
	"	anynic_set(nic, low, 0, length);"
	"	return anynic_load(nic, pair, value); }"
	"ANYNIC_MODULE(.start = start, .call = call, .timer = timer, .kick = kick, .command = "
	"command)";

static void test_calls_and_timers(void)
{
	begin(extra, acts, false);
	set(&driver, 0x1f004, 5);
	set(&driver, 0x1f004, 6);
	CHECK_EQUAL(reg(&driver, 0x1f000), 11);
	set(&driver, 0x1f00c, 3); /* us */
	clock_turn(&driver.machine.clock, 2900);
	CHECK_EQUAL(reg(&driver, 0x1f010), 0);
	clock_turn(&driver.machine.clock, 100);
	CHECK_EQUAL(reg(&driver, 0x1f010), 0x100);
	clock_turn(&driver.machine.clock, 100000000);
	CHECK_EQUAL(reg(&driver, 0x1f010), 0x100);
	set(&driver, 0x1f00c, 3);
	set(&driver, 0x1f00c, 0);
	clock_turn(&driver.machine.clock, 100000000);
	CHECK_EQUAL(reg(&driver, 0x1f010), 0x100);
	end();
}

static void test_guest_memory(void)
{
	begin(extra, acts, false);
	unit_fill(driver.memory + 0x8000, 32, 3);
	set(&driver, 0x1f008, 0x8000);
	driver_settle(&driver);
	for (unsigned i = 0; i < 16; i++) {
		uint8_t byte = driver.memory[0x8000 + i] ^ 0xff;

		if (i == 4)
			byte = (byte & 0xf0) | 5;
		CHECK_EQUAL(driver.memory[0x8010 + i], byte);
	}
	set(&driver, 0x1f008, 0xfffff000); /* no memory: counted, and that is all */
	driver_settle(&driver);
	memcpy(driver.memory + 0x9000, "\x78\x56\x34\x12", 4);
	set(&driver, 0x1f014, 0x9000);
	driver_settle(&driver);
	CHECK_EQUAL(reg(&driver, 0x1f000), 99); /* what stands behind the command */
	CHECK_EQUAL(reg(&driver, 0x1f010), 0);
	end();
}

/* ---- a card that is nothing but configure() ---- */

static void test_configured(void)
{
	struct packet packet = packet_out(1800);
	struct received received;

	begin_file("examples/modules/configured", false);
	send_large(&packet);
	CHECK_EQUAL(driver.port.count, 4);
	for (unsigned i = 0; i < 4; i++) {
		struct packet piece = packet;

		piece.payload += i * 500;
		piece.length = i < 3 ? 500 : 300;
		piece.sequence += i * 500;
		piece.id = (uint16_t)(packet.id + i);
		check_sent(&driver, i, expected, packet_build(&piece, expected));
	}
	rx_fill(&driver, 4);
	packet = packet_in(700);
	CHECK(test_port_offer(&driver.port, frame, packet_build(&packet, frame)));
	CHECK(rx_take(&driver, &received));
	CHECK_EQUAL(received.status & (IPCS | TCPCS), IPCS | TCPCS);
	end();
}

/* ---- a card that is in the program, module and all ---- */

static void test_shipped(void)
{
	struct mistakes mistakes = {0};

	card = catalog_find("counter", NULL, &mistakes);
	mistakes_print(&mistakes, stdout);
	mistakes_free(&mistakes);
	CHECK(card && !strcmp(card->path, "counter"));
	driver_new_card(&driver, card, false);
	clock_turn(&driver.machine.clock, 5000000);
	CHECK_EQUAL(reg(&driver, 0x1f000), 5000);
	end();
}

/* ---- a module that gives up ---- */

static void test_fails(void)
{
	struct received received;

	begin("<bank name='csr'><register name='END' at='0x1f000' do='call end'/></bank>",
	      "static void call(struct anynic_nic *nic, uint32_t called, uint32_t index, "
	      "uint64_t value) { anynic_fail(nic, \"enough\\nof it\"); }"
	      "ANYNIC_MODULE(.call = call)",
	      false);
	set(&driver, 0x1f000, 1);
	CHECK_EQUAL(reg(&driver, CTRL), 0xffffffff);
	set(&driver, CTRL, CTRL_RST);
	unit_fill(frame, 60, 1);
	send(frame, 60);
	CHECK_EQUAL(driver.port.count, 0);
	CHECK(test_port_offer(&driver.port, frame, 60)); /* taken, and gone */
	CHECK(!rx_take(&driver, &received));
	end();
}

UNIT_FILE(module, {"frames_pass", test_frames_pass},
	  {"tagged_and_untagged", test_tagged_and_untagged},
	  {"tag_moves_offloads", test_tag_moves_offloads},
	  {"tag_before_segments", test_tag_before_segments}, {"answers_arp", test_answers_arp},
	  {"split_and_merge", test_split_and_merge}, {"full_port", test_full_port},
	  {"receive_waits", test_receive_waits}, {"registers", test_registers},
	  {"calls_and_timers", test_calls_and_timers}, {"guest_memory", test_guest_memory},
	  {"configured", test_configured}, {"shipped", test_shipped}, {"fails", test_fails});
