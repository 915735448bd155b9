/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A card whose DMA method is its module: the description has registers only. Two
 * rings of 16 slots { address, length, flags }, bit 0 of flags gives a slot to the
 * card; a frame may have several pieces on its way out, bit 1 says that more follow.
 */
#include "bare.h"
#include "modules.h"
#include "packet.h"

#include "card/reader.h"
#include "module/module.h"
#include "nic/nic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char xml[] =
	"<card name='dma' title='DMA'><pci vendor='0x1234' device='1' class='0x020000' "
	"interrupt='INTA'/><bar index='0' space='memory' size='4K' bank='b'/>"
	"<bank name='b'><register name='TX' at='0x00'/><register name='RX' at='0x04'/>"
	"<register name='BELL' at='0x08' access='wo' do='kick send'/>"
	"<register name='CAUSE' at='0x0c' access='rc w1c'><field name='SENT' bits='0'/>"
	"<field name='GOT' bits='1'/></register>"
	"<register name='MASK' at='0x10'/>"
	"<register name='ROOM' at='0x14' access='wo' do='kick room'/></bank>"
	"<interrupt line='INTA' cause='CAUSE' mask='MASK'/>"
	"<module kind='c' file='module.c'/></card>";

static const char source[] =
	"#include <anynic/module.h>\n"
	"struct slot { uint64_t address; uint32_t length, flags; };\n"
	"enum { SLOTS = 16 };\n"
	"static int32_t tx, rx, sent, got, send_, room;\n"
	"static uint32_t tx_at, rx_at;\n"
	"static int32_t start(struct anynic_nic *nic)\n"
	"{\n"
	"	tx = anynic_find(nic, ANYNIC_PLACE, \"TX\");\n"
	"	rx = anynic_find(nic, ANYNIC_PLACE, \"RX\");\n"
	"	sent = anynic_find(nic, ANYNIC_PLACE, \"CAUSE.SENT\");\n"
	"	got = anynic_find(nic, ANYNIC_PLACE, \"CAUSE.GOT\");\n"
	"	send_ = anynic_find(nic, ANYNIC_CALLED, \"send\");\n"
	"	room = anynic_find(nic, ANYNIC_CALLED, \"room\");\n"
	"	return tx < 0 || rx < 0 || sent < 0 || got < 0 || send_ < 0 || room < 0;\n"
	"}\n"
	"static int32_t load(struct anynic_nic *nic, uint64_t base, uint32_t i, struct slot "
	"*slot)\n"
	"{ return anynic_read(nic, base + i % SLOTS * sizeof(*slot), slot, sizeof(*slot)); }\n"
	"static int32_t give_back(struct anynic_nic *nic, uint64_t base, uint32_t i)\n"
	"{\n"
	"	uint32_t flags = 0;\n"
	"	return anynic_write(nic, base + i % SLOTS * 16 + 12, &flags, 4);\n"
	"}\n"
	/* as many frames as there are; nothing is changed before all of one is here */
	"static int32_t send_one(struct anynic_nic *nic, uint64_t base)\n"
	"{\n"
	"	struct anynic_piece pieces[SLOTS];\n"
	"	uint32_t count = 0;\n"
	"	struct slot slot;\n"
	"	int32_t result;\n"
	"	do {\n"
	"		result = load(nic, base, tx_at + count, &slot);\n"
	"		if (result < 0) return result;\n"
	"		if (!(slot.flags & 1) || count == SLOTS) return ANYNIC_NONE;\n"
	"		pieces[count++] = (struct anynic_piece){slot.address, slot.length, 0};\n"
	"	} while (slot.flags & 2);\n"
	"	result = anynic_gather(nic, 0, pieces, count);\n"
	"	if (result == ANYNIC_AGAIN) return result;\n"
	"	for (uint32_t i = 0; i < count; i++) give_back(nic, base, tx_at++);\n"
	"	anynic_raise(nic, sent, 0, 1);\n"
	"	return ANYNIC_MORE;\n"
	"}\n"
	"static int32_t kick(struct anynic_nic *nic, uint32_t called, uint64_t value)\n"
	"{\n"
	"	int32_t result;\n"
	"	if (called != (uint32_t)send_) return ANYNIC_OK;\n"
	"	result = send_one(nic, anynic_get(nic, tx, 0));\n"
	"	return result == ANYNIC_NONE ? ANYNIC_OK : result;\n"
	"}\n"
	"static void receive(struct anynic_nic *nic, struct anynic_frame *frames, uint32_t count)\n"
	"{\n"
	"	uint64_t base = anynic_get(nic, rx, 0);\n"
	"	for (uint32_t i = 0; i < count; i++) {\n"
	"		struct slot slot;\n"
	"		if (load(nic, base, rx_at, &slot) < 0 || !(slot.flags & 1)) {\n"
	"			frames[i].verdict = ANYNIC_HOLD;\n"
	"			return;\n"
	"		}\n"
	"		frames[i].verdict = ANYNIC_DROP;\n"
	"		if (frames[i].length > slot.length) continue;\n"
	"		if (anynic_put(nic, &frames[i], 0, slot.address, frames[i].length) < 0) "
	"continue;\n"
	"		slot.length = frames[i].length;\n"
	"		slot.flags = 0;\n"
	"		anynic_write(nic, base + rx_at++ % SLOTS * 16 + 8, &slot.length, 8);\n"
	"		frames[i].verdict = ANYNIC_TAKEN;\n"
	"		anynic_raise(nic, got, 0, 1);\n"
	"	}\n"
	"}\n"
	"ANYNIC_MODULE(.start = start, .kick = kick, .receive = receive)\n";

enum { TX = 0x1000, RX = 0x2000, BUFFERS = 0x10000, STRIDE = 0x1000, SLOTS = 16 };

struct ring_slot {
	uint64_t address;
	uint32_t length, flags;
};

static struct bare bare;
static struct card *card;
static uint8_t frame[PACKET_MAX];

static bool find(void *context, const char *name, struct found_card *found)
{
	(void)context;
	(void)name;
	(void)found;
	return false;
}

static bool beside(void *context, const char *path, const char *name, struct found_card *found)
{
	(void)context;
	(void)path;
	snprintf(found->path, sizeof(found->path), "%s", name);
	found->text = strdup(source);
	found->length = strlen(source);
	return true;
}

static struct ring_slot *slot_of(uint64_t ring, unsigned i)
{
	return (struct ring_slot *)(bare.memory + ring) + i % SLOTS;
}

static void begin(bool by_messages)
{
	const struct finder finder = {find, beside, NULL};
	struct mistakes mistakes = {0};
	struct error err = {0};
	struct hooks *hooks;

	card = card_read_text_among("dma.xml", xml, strlen(xml), &finder, &mistakes);
	mistakes_print(&mistakes, stdout);
	mistakes_free(&mistakes);
	CHECK(card);
	bare_new(&bare, card, by_messages);
	hooks = module_instance(card->module, &err);
	CHECK(hooks && nic_hooks(bare.nic, hooks) == 0);
	bare_write(&bare, 0x00, TX);
	bare_write(&bare, 0x04, RX);
	bare_write(&bare, 0x10, 3);
}

static void end(void)
{
	bare_free(&bare);
	card_free(card);
}

/* A frame in three pieces into slots from I on. */
static void put_pieces(unsigned i, uint32_t length, uint32_t seed)
{
	uint32_t cuts[4] = {0, 10, length / 2, length};

	unit_fill(frame, length, seed);
	for (unsigned k = 0; k < 3; k++) {
		uint64_t at = BUFFERS + (i + k) % SLOTS * STRIDE + k;

		memcpy(bare.memory + at, frame + cuts[k], cuts[k + 1] - cuts[k]);
		*slot_of(TX, i + k) = (struct ring_slot){at, cuts[k + 1] - cuts[k], k < 2 ? 3 : 1};
	}
}

static void check_sent_frame(unsigned index, uint32_t length, uint32_t seed)
{
	unit_fill(frame, length, seed);
	CHECK(index < bare.port.count);
	CHECK_EQUAL(bare.port.sent[index].length, length);
	CHECK(!memcmp(bare.port.sent[index].data, frame, length));
}

static void send_some(bool by_messages)
{
	unsigned at = 0;

	begin(by_messages);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned k = 0; k < 5; k++, at += 3)
			put_pieces(at, 100 + round * 10 + k, round * 8 + k);
		bare_write(&bare, 0x08, 1);
		CHECK_EQUAL(bare.port.count, 5);
		for (unsigned k = 0; k < 5; k++)
			check_sent_frame(k, 100 + round * 10 + k, round * 8 + k);
		for (unsigned i = 0; i < SLOTS; i++)
			CHECK_EQUAL(slot_of(TX, i)->flags, 0);
		CHECK(bare.level);
		CHECK_EQUAL(bare_read(&bare, 0x0c), 1);
		test_port_forget(&bare.port);
	}
	end();
}

static void test_sends(void)
{
	send_some(false);
}

/* Where guest memory comes by message, a kick is done again until it is here. */
static void test_sends_by_messages(void)
{
	send_some(true);
}

static void test_waits_for_the_port(void)
{
	begin(false);
	for (unsigned k = 0; k < 5; k++)
		put_pieces(k * 3, 200, k);
	bare.port.room = 2;
	bare_write(&bare, 0x08, 1);
	CHECK_EQUAL(bare.port.count, 2);
	CHECK_EQUAL(slot_of(TX, 6)->flags, 3);
	test_port_writable(&bare.port);
	bare_settle(&bare);
	CHECK_EQUAL(bare.port.count, 5);
	for (unsigned k = 0; k < 5; k++)
		check_sent_frame(k, 200, k);
	end();
}

static void test_receives(void)
{
	unsigned at = 0;

	begin(false);
	unit_fill(frame, 1000, 7);
	CHECK(!test_port_offer(&bare.port, frame, 1000)); /* no room: it is kept */
	for (unsigned round = 0; round < 40; round++, at++) {
		*slot_of(RX, at) = (struct ring_slot){BUFFERS + at % SLOTS * STRIDE, 1000, 1};
		unit_fill(frame, 60 + round, round);
		CHECK(test_port_offer(&bare.port, frame, 60 + round));
		CHECK_EQUAL(slot_of(RX, at)->flags, 0);
		CHECK_EQUAL(slot_of(RX, at)->length, 60 + round);
		CHECK(!memcmp(bare.memory + BUFFERS + at % SLOTS * STRIDE, frame, 60 + round));
		CHECK_EQUAL(bare_read(&bare, 0x0c), 2);
	}
	bare.port.resumed = 0;
	CHECK(!test_port_offer(&bare.port, frame, 1000));
	*slot_of(RX, at) = (struct ring_slot){BUFFERS, 1000, 1};
	bare_write(&bare, 0x14, 1); /* and the port is told that there is room */
	CHECK(bare.port.resumed);
	CHECK(test_port_offer(&bare.port, frame, 1000));
	end();
}

UNIT_FILE(module_dma, {"sends", test_sends}, {"sends_by_messages", test_sends_by_messages},
	  {"waits_for_the_port", test_waits_for_the_port}, {"receives", test_receives});
