/* SPDX-License-Identifier: Apache-2.0 */

/* Three cards and a plain device on one bus; VMs beside one another. */
#include "machine.h"

#include "nic/card.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

enum { COMMAND = 4, BAR0 = 0x10, LINE = 0x3c };

struct four {
	struct machine machine;
	struct instance *cards[3];
	struct plain plain;
	uint64_t bars[4];
};

enum { FREE_RUNNING = 0x30 }; /* a register of the card that only stores */

static uint64_t bar_of(struct inprocess *vm, unsigned device, unsigned bar)
{
	return inprocess_config_read(vm, bus_bdf(0, device, 0), BAR0 + bar * 4, 4) & ~15ull;
}

static void four_new(struct four *four)
{
	machine_new(&four->machine);
	for (unsigned i = 0; i < 3; i++)
		four->cards[i] = machine_plug(&four->machine, 3 + i, test_card("e1000"), NULL);
	plain_init(&four->plain);
	CHECK(plain_plug(&four->plain, four->machine.vm, 31) == 0);
	CHECK(four->plain.connected);
	CHECK_EQUAL(inprocess_scan(four->machine.vm), 4);
	for (unsigned i = 0; i < 4; i++) {
		four->bars[i] = bar_of(four->machine.vm, i < 3 ? 3 + i : 31, 0);
		CHECK(four->bars[i] >= INPROCESS_BARS);
	}
}

static void four_free(struct four *four)
{
	for (unsigned i = 0; i < 3; i++)
		machine_unplug(four->cards[i]);
	machine_free(&four->machine);
	CHECK(!four->plain.connected);
	plain_free(&four->plain);
}

static uint64_t read_at(struct four *four, uint64_t addr, unsigned width)
{
	return inprocess_read(four->machine.vm, INPROCESS_MEMORY, addr, width);
}

static void write_at(struct four *four, uint64_t addr, unsigned width, uint64_t value)
{
	inprocess_write(four->machine.vm, INPROCESS_MEMORY, addr, width, value);
}

static void config(struct four *four, unsigned device, unsigned at, unsigned width, uint64_t value)
{
	inprocess_config_write(four->machine.vm, bus_bdf(0, device, 0), at, width, value);
}

static void test_scan(void)
{
	struct four four;
	struct inprocess *vm;

	four_new(&four);
	vm = four.machine.vm;
	for (unsigned device = 0; device < BUS_DEVICES; device++) {
		uint64_t id = inprocess_config_read(vm, bus_bdf(0, device, 0), 0, 4);

		CHECK_EQUAL(id, device >= 3 && device < 6 ? 0x100e8086
				: device == 31		  ? 0x11e81234
							  : 0xffffffff);
		CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, device, 1), 0, 4), 0xffffffff);
		CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(1, device, 0), 0, 8), UINT64_MAX);
	}
	config(&four, 9, COMMAND, 2, 7);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(four.bars[i] % (128 << 10), 0);
		CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, 3 + i, 0), COMMAND, 2), 7);
		CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, 3 + i, 0), LINE, 1), 35 + i);
	}
	CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, 31, 0), 0xfe, 4) >> 16, 0xffff);
	CHECK_EQUAL(bar_of(vm, 31, 2) % 8192, 0);
	CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, 31, 0), 0x18, 4) & 15, 4);
	CHECK_EQUAL(inprocess_config_read(vm, bus_bdf(0, 31, 0), 0, 9), UINT64_MAX);
	CHECK_EQUAL(read_at(&four, four.bars[3], 9), UINT64_MAX);
	write_at(&four, four.bars[3], 0, 1);
	four_free(&four);
}

static void test_every_access_reaches_its_owner(void)
{
	struct four four;

	four_new(&four);
	for (unsigned i = 0; i < 3; i++)
		write_at(&four, four.bars[i] + FREE_RUNNING, 4, 0x1000 + i);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQUAL(read_at(&four, four.bars[i] + FREE_RUNNING, 4), 0x1000 + i);
	CHECK_EQUAL(four.plain.accesses, 0);
	for (unsigned width = 1; width <= 8; width++) {
		uint64_t mask = width == 8 ? UINT64_MAX : (1ull << width * 8) - 1;

		write_at(&four, four.bars[3] + width * 16 + 3, width, 0x8877665544332211ull);
		CHECK_EQUAL(read_at(&four, four.bars[3] + width * 16 + 3, width),
			    0x8877665544332211ull & mask);
		/* of a card: byte lanes of its registers */
		CHECK_EQUAL(read_at(&four, four.bars[1] + FREE_RUNNING, width), 0x1001 & mask);
	}
	CHECK_EQUAL(four.plain.widths, 15);
	CHECK_EQUAL(four.plain.memory[0][16 + 3], 0x11);
	CHECK_EQUAL(four.plain.memory[2][0], 0);
	write_at(&four, bar_of(four.machine.vm, 31, 2) + 8190, 2, 0xbeef);
	CHECK_EQUAL(four.plain.memory[2][8191], 0xbe);
	four_free(&four);
}

static void test_io_space(void)
{
	struct four four;
	struct inprocess *vm;
	uint64_t ports[2];

	four_new(&four);
	vm = four.machine.vm;
	ports[0] = inprocess_config_read(vm, bus_bdf(0, 4, 0), BAR0 + 8, 4) & ~3ull;
	ports[1] = inprocess_config_read(vm, bus_bdf(0, 31, 0), BAR0 + 4, 4) & ~3ull;
	inprocess_write(vm, INPROCESS_IO, ports[0], 4, FREE_RUNNING);
	inprocess_write(vm, INPROCESS_IO, ports[0] + 4, 4, 0x77);
	CHECK_EQUAL(inprocess_read(vm, INPROCESS_IO, ports[0], 4), FREE_RUNNING);
	CHECK_EQUAL(inprocess_read(vm, INPROCESS_IO, ports[0] + 4, 4), 0x77);
	CHECK_EQUAL(inprocess_read(vm, INPROCESS_IO, ports[0] + 32, 4), 0);
	CHECK_EQUAL(read_at(&four, four.bars[1] + FREE_RUNNING, 4), 0x77);
	CHECK_EQUAL(read_at(&four, four.bars[0] + FREE_RUNNING, 4), 0);
	inprocess_write(vm, INPROCESS_IO, ports[1] + 2, 2, 0xabcd);
	CHECK_EQUAL(four.plain.memory[1][3], 0xab);
	CHECK_EQUAL(read_at(&four, ports[1] + 2, 2), 0xffff); /* not memory */
	config(&four, 31, COMMAND, 2, 2);
	CHECK_EQUAL(inprocess_read(vm, INPROCESS_IO, ports[1] + 2, 2), 0xffff);
	CHECK_EQUAL(read_at(&four, four.bars[3], 2), 0);
	four_free(&four);
}

static void test_bars_move(void)
{
	struct four four;

	four_new(&four);
	write_at(&four, four.bars[3] + 8, 4, 0x12345678);
	config(&four, 31, BAR0, 4, 0xd0000000);
	CHECK_EQUAL(read_at(&four, four.bars[3] + 8, 4), 0xffffffff);
	CHECK_EQUAL(read_at(&four, 0xd0000008, 4), 0x12345678);
	config(&four, 31, BAR0 + 1, 2, 0xe111); /* a part of it */
	CHECK_EQUAL(read_at(&four, 0xd0000008, 4), 0xffffffff);
	CHECK_EQUAL(read_at(&four, 0xd0e11008, 4), 0x12345678);
	config(&four, 31, BAR0, 4, 0);
	CHECK_EQUAL(read_at(&four, 8, 4), 0xffffffff); /* 0 is no address */
	config(&four, 31, BAR0 + 8, 8, 0x1200000000ull);
	write_at(&four, 0x1200000000ull, 1, 0x42);
	CHECK_EQUAL(four.plain.memory[2][0], 0x42);
	config(&four, 31, BAR0 + 12, 4, 0x13);
	CHECK_EQUAL(read_at(&four, 0x1200000000ull, 1), 0xff);
	CHECK_EQUAL(read_at(&four, 0x1300000000ull, 1), 0x42);
	four_free(&four);
}

static void test_bars_disabled_while_running(void)
{
	struct four four;

	four_new(&four);
	write_at(&four, four.bars[0] + FREE_RUNNING, 4, 5);
	config(&four, 3, COMMAND, 2, 5);
	CHECK_EQUAL(read_at(&four, four.bars[0] + FREE_RUNNING, 4), 0xffffffff);
	write_at(&four, four.bars[0] + FREE_RUNNING, 4, 6);
	config(&four, 3, COMMAND, 2, 7);
	CHECK_EQUAL(read_at(&four, four.bars[0] + FREE_RUNNING, 4), 5);
	inprocess_unplug(four.machine.vm, 31);
	inprocess_unplug(four.machine.vm, 31);
	CHECK_EQUAL(read_at(&four, four.bars[3], 8), UINT64_MAX);
	CHECK_EQUAL(inprocess_config_read(four.machine.vm, bus_bdf(0, 31, 0), 0, 2), 0xffff);
	CHECK(!four.plain.connected);
	CHECK_EQUAL(inprocess_scan(four.machine.vm), 3);
	four_free(&four);
}

static void test_bars_overlap(void)
{
	struct four four;

	four_new(&four);
	write_at(&four, four.bars[3] + 0x38, 4, 0xaaaaaaaa);
	write_at(&four, four.bars[0] + 0x38, 4, 0x5555);
	config(&four, 31, BAR0, 4, four.bars[0]); /* moved: last */
	CHECK_EQUAL(read_at(&four, four.bars[0] + 0x38, 4), 0x5555);
	config(&four, 3, COMMAND, 2, 0);
	CHECK_EQUAL(read_at(&four, four.bars[0] + 0x38, 4), 0xaaaaaaaa);
	CHECK_EQUAL(read_at(&four, four.bars[0] + 0x1038, 4), 0xffffffff);
	config(&four, 3, COMMAND, 2, 7);
	CHECK_EQUAL(read_at(&four, four.bars[0] + 0x38, 4), 0xaaaaaaaa);
	CHECK_EQUAL(read_at(&four, four.bars[0] + 0x1038, 4), 0); /* behind the plain one's end */
	/* across the border, the plain device's last bytes and the card's */
	write_at(&four, four.bars[0] + 0xffe, 2, 0x6666);
	CHECK_EQUAL(read_at(&four, four.bars[0] + 0xffe, 8), 0x1000306666);
	inprocess_unplug(four.machine.vm, 31);
	CHECK_EQUAL(read_at(&four, four.bars[0] + 0x38, 4), 0x5555);
	four_free(&four);
}

/* Everything a guest may do to four devices at once, a few thousand times. */
static void test_noise(void)
{
	struct four four;

	four_new(&four);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned device = unit_random() % 4, width = 1 + unit_random() % 8;
		uint64_t value = (uint64_t)unit_random() << 32 | unit_random();
		uint64_t addr = four.bars[unit_random() % 4] + unit_random() % 0x8000;

		switch (unit_random() % 8) {
		case 0:
			config(&four, device < 3 ? 3 + device : 31, unit_random() % 256, width,
			       value);
			break;
		case 1:
			config(&four, device < 3 ? 3 + device : 31, BAR0, 4, four.bars[device]);
			config(&four, device < 3 ? 3 + device : 31, COMMAND, 2, value & 0x407);
			break;
		case 2:
			inprocess_read(four.machine.vm, INPROCESS_IO, unit_random() % 0x2000,
				       width);
			break;
		case 3:
			inprocess_write(four.machine.vm, INPROCESS_IO, unit_random() % 0x2000,
					width, value);
			break;
		case 4:
		case 5:
			read_at(&four, addr, width);
			break;
		default:
			write_at(&four, addr, width, value);
		}
		if (i % 64 == 0) {
			clock_turn(&four.machine.clock, 100000);
			loop_turn(four.machine.loop, 0);
		}
	}
	four_free(&four);
}

static void test_plugging(void)
{
	const struct inprocess_config none = {0}, much = {.memory = 1ull << 40};
	struct instance_config taken = {.card = test_card("e1000"), .name = "x", .net = "null"};
	struct error err = {0};
	struct four four;
	struct plain plain;

	CHECK(!inprocess_new(&none, &err) && !inprocess_new(&much, &err));
	four_new(&four);
	plain_init(&plain);
	CHECK_EQUAL(plain_plug(&plain, four.machine.vm, 3), -EBUSY);
	CHECK_EQUAL(plain_plug(&plain, four.machine.vm, 32), -EINVAL);
	CHECK(dma_map_host(plain.dma, 4096, 4096, plain.memory, DMA_READ) == 0);
	CHECK_EQUAL(plain_plug(&plain, four.machine.vm, 7), -EEXIST);
	CHECK_EQUAL(inprocess_config_read(four.machine.vm, bus_bdf(0, 7, 0), 0, 2), 0xffff);
	plain_free(&plain);
	taken.loop = four.machine.loop;
	taken.vm = four.machine.vm;
	taken.device = 31;
	CHECK(!instance_new(&taken, &err) && strstr(err.text, "device 31"));
	inprocess_unplug(four.machine.vm, 99);
	inprocess_unmask(four.machine.vm, 99);
	CHECK(inprocess_space(four.machine.vm, INPROCESS_IO)->first);
	CHECK(inprocess_memory(four.machine.vm, MACHINE_MEMORY - 1, 1));
	CHECK(!inprocess_memory(four.machine.vm, MACHINE_MEMORY - 1, 2));
	CHECK(!inprocess_memory(four.machine.vm, UINT64_MAX, 1));
	four_free(&four);
}

/* ---- interrupts ---- */

static void count_vector(void *context, unsigned vector)
{
	((unsigned *)context)[vector]++;
}

static void test_line_is_a_level(void)
{
	struct four four;
	struct inprocess *vm;

	four_new(&four);
	vm = four.machine.vm;
	pic_line(&four.plain.pic, true);
	CHECK_EQUAL(inprocess_fired(vm, 63), 1);
	pic_line(&four.plain.pic, false);
	pic_line(&four.plain.pic, true);
	CHECK_EQUAL(inprocess_fired(vm, 63), 1); /* not looked at yet */
	inprocess_unmask(vm, 31);
	CHECK_EQUAL(inprocess_fired(vm, 63), 2); /* still high */
	pic_line(&four.plain.pic, false);
	inprocess_unmask(vm, 31);
	CHECK_EQUAL(inprocess_fired(vm, 63), 2);
	config(&four, 31, COMMAND, 2, 0x407);
	pic_line(&four.plain.pic, true);
	CHECK_EQUAL(inprocess_fired(vm, 63), 2);
	config(&four, 31, COMMAND, 2, 7);
	CHECK_EQUAL(inprocess_fired(vm, 63), 3);
	pic_mask(&four.plain.pic);
	config(&four, 31, LINE, 1, 99);
	inprocess_unmask(vm, 31);
	CHECK_EQUAL(inprocess_fired(vm, 99), 1);
	CHECK_EQUAL(inprocess_fired(vm, 99999), 0);
	four_free(&four);
}

static void test_messages(void)
{
	struct four four;
	struct inprocess *vm;
	unsigned at;

	four_new(&four);
	vm = four.machine.vm;
	pic_message(&four.plain.pic, 1); /* not enabled: nowhere */
	at = pci_capability(&four.plain.pci, 0x05);
	config(&four, 31, at + 12, 2, 0x4082);
	config(&four, 31, at + 2, 2, 0x21); /* enabled, four messages */
	for (unsigned i = 0; i < 4; i++)
		pic_message(&four.plain.pic, i);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQUAL(inprocess_fired(vm, 0x80 + i), 1);
	pic_line(&four.plain.pic, true); /* a rise is the first message */
	CHECK_EQUAL(inprocess_fired(vm, 0x80), 2);
	pic_line(&four.plain.pic, true);
	pic_line(&four.plain.pic, false);
	CHECK_EQUAL(inprocess_fired(vm, 0x80), 2);
	CHECK_EQUAL(inprocess_fired(vm, 63), 0);
	pic_message(&four.plain.pic, 6);
	CHECK_EQUAL(inprocess_fired(vm, 0x82), 2);
	config(&four, 31, at + 2, 2, 0);
	at = pci_capability(&four.plain.pci, 0x11);
	config(&four, 31, at + 2, 2, 0x8000);
	pic_message(&four.plain.pic, 5);
	pic_message(&four.plain.pic, PIC_VECTORS);
	CHECK_EQUAL(inprocess_fired(vm, 5), 1);
	CHECK_EQUAL(pci_capability(&four.plain.pci, 0x10), 0);
	four_free(&four);
}

/* Same card, same device, same vectors, in two VMs: the other one never hears of it. */
static void test_no_interrupt_crosses(void)
{
	enum { ICS = 0xc8, IMS = 0xd0, IMC = 0xd8, ICR = 0xc0 };
	struct machine machines[2];
	struct instance *cards[2];
	struct plain plains[2];
	unsigned seen[2][PIC_VECTORS] = {0}, raised[2] = {0};
	struct error err = {0};

	for (unsigned i = 0; i < 2; i++) {
		const struct inprocess_config watched = {MACHINE_MEMORY, count_vector, seen[i]};

		machine_new(&machines[i]);
		inprocess_free(machines[i].vm);
		machines[i].vm = inprocess_new(&watched, &err);
		cards[i] = machine_plug(&machines[i], 3, test_card("e1000"), NULL);
		plain_init(&plains[i]);
		CHECK(plain_plug(&plains[i], machines[i].vm, 4) == 0);
		CHECK_EQUAL(inprocess_scan(machines[i].vm), 2);
		inprocess_config_write(machines[i].vm, bus_bdf(0, 4, 0), LINE, 1, 35);
	}
	for (unsigned step = 0; step < 2000; step++) {
		unsigned i = unit_random() & 1;
		struct inprocess *vm = machines[i].vm;
		uint64_t bar = bar_of(vm, 3, 0);

		if (unit_random() & 1) {
			inprocess_write(vm, INPROCESS_MEMORY, bar + IMS, 4, 4);
			inprocess_write(vm, INPROCESS_MEMORY, bar + ICS, 4, 4);
			CHECK_EQUAL(inprocess_read(vm, INPROCESS_MEMORY, bar + ICR, 4) & 4, 4);
			inprocess_unmask(vm, 3);
		} else {
			pic_line(&plains[i].pic, true);
			pic_line(&plains[i].pic, false);
			inprocess_unmask(vm, 4);
		}
		raised[i]++;
		for (unsigned k = 0; k < 2; k++) {
			CHECK_EQUAL(seen[k][35], raised[k]);
			CHECK_EQUAL(inprocess_fired(machines[k].vm, 35), raised[k]);
		}
	}
	for (unsigned k = 0; k < 2; k++) {
		for (unsigned i = 0; i < PIC_VECTORS; i++)
			CHECK(i == 35 || !seen[k][i]);
		machine_unplug(cards[k]);
		machine_free(&machines[k]);
		plain_free(&plains[k]);
	}
}

/* An interrupt handler that runs at once, and makes work for the card within its work. */
struct handler {
	struct machine machine;
	uint64_t bar;
	unsigned calls, deep, deepest;
};

static void handle(void *context, unsigned vector)
{
	enum { ICR = 0xc0, ICS = 0xc8 };
	struct handler *handler = context;
	struct inprocess *vm = handler->machine.vm;

	CHECK_EQUAL(vector, 35);
	if (++handler->deep > handler->deepest)
		handler->deepest = handler->deep;
	inprocess_read(vm, INPROCESS_MEMORY, handler->bar + ICR, 4);
	inprocess_unmask(vm, 3);
	if (++handler->calls < 20)
		inprocess_write(vm, INPROCESS_MEMORY, handler->bar + 0x3818, 4, handler->calls + 1);
	handler->deep--;
}

static void test_handler_within_an_access(void)
{
	struct handler handler = {0};
	const struct inprocess_config config = {MACHINE_MEMORY, handle, &handler};
	struct error err = {0};
	struct instance *card;
	uint8_t *memory;
	uint64_t bar;

	machine_new(&handler.machine);
	inprocess_free(handler.machine.vm);
	handler.machine.vm = inprocess_new(&config, &err);
	card = machine_plug(&handler.machine, 3, test_card("e1000"), NULL);
	CHECK_EQUAL(inprocess_scan(handler.machine.vm), 1);
	bar = handler.bar = bar_of(handler.machine.vm, 3, 0);
	memory = inprocess_memory(handler.machine.vm, 0x1000, 1024);
	for (unsigned i = 0; i < 64; i++) /* 64 bytes from 0x8000, end of packet, report */
		memcpy(memory + i * 16, "\0\x80\0\0\0\0\0\0\x40\0\0\x09\0\0\0", 16);
	inprocess_write(handler.machine.vm, INPROCESS_MEMORY, bar + 0x3800, 4, 0x1000);
	inprocess_write(handler.machine.vm, INPROCESS_MEMORY, bar + 0x3808, 4, 1024);
	inprocess_write(handler.machine.vm, INPROCESS_MEMORY, bar + 0x400, 4, 2);
	inprocess_write(handler.machine.vm, INPROCESS_MEMORY, bar + 0xd0, 4, 1);
	inprocess_write(handler.machine.vm, INPROCESS_MEMORY, bar + 0x3818, 4, 1);
	machine_settle(&handler.machine);
	CHECK_EQUAL(handler.calls, 20);
	CHECK_EQUAL(handler.deepest, 1);
	CHECK_EQUAL(inprocess_read(handler.machine.vm, INPROCESS_MEMORY, bar + 0x3810, 4), 20);
	machine_unplug(card);
	machine_free(&handler.machine);
}

static void test_instance_from_outside(void)
{
	struct four four;
	json_object *told;
	uint64_t status;

	four_new(&four);
	CHECK(!strcmp(instance_name(four.cards[0]), "nic"));
	status = read_at(&four, four.bars[0] + 8, 4);
	instance_link(four.cards[0], false);
	CHECK_EQUAL(read_at(&four, four.bars[0] + 8, 4), status & ~2ull);
	CHECK_EQUAL(read_at(&four, four.bars[1] + 8, 4), status);
	told = instance_describe(four.cards[0]);
	CHECK(strstr(json_object_to_json_string(told), "52:54:00:12:34:56"));
	json_object_put(told);
	told = instance_stats(four.cards[0]);
	CHECK(strstr(json_object_to_json_string(told), "\"requests\": 0"));
	json_object_put(told);
	four_free(&four);
}

UNIT_FILE(bus, {"scan", test_scan},
	  {"every_access_reaches_its_owner", test_every_access_reaches_its_owner},
	  {"io_space", test_io_space}, {"bars_move", test_bars_move},
	  {"bars_disabled_while_running", test_bars_disabled_while_running},
	  {"bars_overlap", test_bars_overlap}, {"noise", test_noise}, {"plugging", test_plugging},
	  {"line_is_a_level", test_line_is_a_level}, {"messages", test_messages},
	  {"no_interrupt_crosses", test_no_interrupt_crosses},
	  {"handler_within_an_access", test_handler_within_an_access},
	  {"instance_from_outside", test_instance_from_outside});
