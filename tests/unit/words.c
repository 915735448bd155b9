/* SPDX-License-Identifier: Apache-2.0 */

/* Words that came with further cards, each on a card that exists here only. */
#include "bare.h"

#include "nic/nic.h"

#include <string.h>

#define CARD(body)                                                                                 \
	"<card name='odd' title='Odd'>"                                                            \
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"                      \
	"<bar index='0' space='memory' size='4K' bank='r'/>" body "</card>"

static struct bare bare;

/* A frame for all, of so many bytes. */
static void offer(unsigned length)
{
	static uint8_t data[2048];

	memset(data, 0xff, sizeof(data));
	CHECK(test_port_offer(&bare.port, data, length));
	bare_settle(&bare);
}

/* ---- counters in two places, which tell when they come to something ---- */

static const char counting[] = CARD(
	"<bank name='r'>"
	"<counter name='FRAMES' at='0' size='1' counts='rx.total' access='rc' high='UPPER.MORE'"
	" raise='CAUSE.HALF' reaches='0x200' do-read='clear CAUSE.HALF'/>"
	"<register name='UPPER' at='4' access='rc'><field name='MORE' bits='5:4'/></register>"
	"<counter name='BYTES' at='8' size='2' counts='rx.total-bytes' high='TOP' "
	"on-overflow='stick'"
	" raise='CAUSE.FULL'/>"
	"<register name='TOP' at='12' size='1'/>"
	"<register name='CAUSE' at='16'><field name='HALF' bits='3'/><field name='FULL' bits='9'/>"
	"</register><register name='MASK' at='20'/></bank>"
	"<record name='d' size='16'><field name='a' bits='63:0'/></record>"
	"<ring name='rx' for='receive' next='array' base='0x1000' end='entries 4' ready='until 0'>"
	"<use record='d' as='room'><buffer address='a' length='64'/></use></ring>"
	"<receive rings='rx'><accept class='all'/></receive>"
	"<interrupt line='INTA' cause='CAUSE' mask='MASK'/>");

enum { FRAMES = 0, UPPER = 4, BYTES = 8, TOP = 12, CAUSE = 16, MASK = 20 };

static void test_counter_parts(void)
{
	bare_new(&bare, bare_card(counting), false);
	bare_write(&bare, MASK, 0x208);
	for (unsigned i = 0; i < 0x1ff; i++)
		offer(60);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, UPPER, 4), 0x10); /* clears its own bits only */
	CHECK(!bare.level);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, FRAMES, 1), 0xff);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, FRAMES, 1), 0);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, TOP, 1), 0); /* 0x1ff * 64 */
	for (unsigned i = 0; i < 0x200; i++) {
		CHECK(!bare.level);
		offer(60);
	}
	CHECK(bare.level);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 8);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, FRAMES, 1), 0);
	CHECK(!bare.level);
	CHECK_EQUAL(bare_read(&bare, UPPER), 0x20);
	bare_free(&bare);
}

static void test_counter_sticks(void)
{
	bare_new(&bare, bare_card(counting), false);
	nic_bar_write(bare.nic, 0, BYTES, 2, 0xffff);
	nic_bar_write(bare.nic, 0, TOP, 1, 0xfe);
	offer(60);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, BYTES, 2), 0x3f);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 0);
	nic_bar_write(bare.nic, 0, BYTES, 2, 0xffc0);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, TOP, 1), 0xff);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, BYTES, 2), 0); /* reading all above clears both */
	nic_bar_write(bare.nic, 0, BYTES, 2, 0xffc0);
	nic_bar_write(bare.nic, 0, TOP, 1, 0xff);
	offer(60);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, BYTES, 2), 0xffff);
	CHECK_EQUAL(bare_read(&bare, CAUSE), 0x200);
	bare_free(&bare);
}

/* ---- the sum of a received frame; interrupts after so many ---- */

static const char summing[] = CARD(
	"<bank name='r'><register name='TAIL' at='0'/><register name='HEAD' at='4'/>"
	"<register name='FROM' at='8'/><register name='CAUSE' at='12' access='w1c'/>"
	"<register name='MASK' at='16'/><register name='FRAMES' at='20'/>"
	"<register name='TIME' at='24'/></bank>"
	"<record name='d' size='16'><field name='a' bits='63:0'/><field name='sum' bits='79:64'/>"
	"</record>"
	"<ring name='rx' for='receive' next='array' base='0x1000' end='entries 64' cursor='HEAD'"
	" ready='until TAIL'><use record='d' as='room'><buffer address='a' length='2048'/></use>"
	"<sum start='FROM'/><complete write='sum = frame.sum' do='raise CAUSE[0]'/></ring>"
	"<receive rings='rx'><accept class='all'/></receive>"
	"<interrupt line='INTA' cause='CAUSE' mask='MASK'>"
	"<moderate cause='CAUSE[0]' limit='TIME' frames='FRAMES'/></interrupt>");

static void start_summing(void)
{
	bare_new(&bare, bare_card(summing), false);
	for (unsigned i = 0; i < 64; i++) {
		uint64_t addr = 0x10000 + i * 2048;

		memcpy(bare.memory + 0x1000 + i * 16, &addr, sizeof(addr));
	}
	bare_write(&bare, 0, 63);
	bare_write(&bare, 16, 1);
}

static void test_frame_sum(void)
{
	static const unsigned froms[] = {0, 14, 15, 60, 61, 1000};
	uint8_t frame[61];

	start_summing();
	unit_fill(frame, sizeof(frame), 5);
	for (unsigned i = 0; i < 6; i++) {
		uint16_t got;
		uint32_t sum = 0;

		bare_write(&bare, 8, froms[i]);
		CHECK(test_port_offer(&bare.port, frame, sizeof(frame)));
		bare_settle(&bare);
		memcpy(&got, bare.memory + 0x1000 + i * 16 + 8, sizeof(got));
		for (unsigned k = froms[i]; k < sizeof(frame); k++)
			sum += (uint32_t)frame[k] << ((k - froms[i]) & 1 ? 0 : 8);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		CHECK_EQUAL(got, sum);
	}
	bare_free(&bare);
}

static void test_moderate_frames(void)
{
	start_summing();
	bare_write(&bare, 24, 1000000);
	bare_write(&bare, 20, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(!bare.level);
		offer(60);
	}
	CHECK(bare.level); /* that was the third */
	bare_write(&bare, 12, 1);
	offer(60);
	CHECK(!bare.level);
	clock_turn(&bare.clock, 999999);
	offer(60);
	CHECK(!bare.level);
	clock_turn(&bare.clock, 2 + CLOCK_SLACK); /* since the first */
	CHECK(bare.level);
	bare_write(&bare, 12, 1);
	offer(60);
	offer(60);
	CHECK(!bare.level); /* it counts from there on again */
	offer(60);
	CHECK(bare.level);
	bare_write(&bare, 12, 1);
	bare_write(&bare, 20, 1);
	offer(60);
	CHECK(bare.level);
	bare_write(&bare, 12, 1);
	bare_write(&bare, 20, 0); /* any number, and so the time alone */
	for (unsigned i = 0; i < 9; i++)
		offer(60);
	CHECK(!bare.level);
	bare_write(&bare, 24, 0);
	offer(60);
	CHECK(bare.level);
	bare_free(&bare);
}

/* ---- FIFOs: one port to write frames, one at the same place to read them ---- */

static const char fifos[] =
	CARD("<memory name='out' size='2K'/><memory name='in' size='4K'/>"
	     "<bank name='r'>"
	     "<register name='HEAD' at='0' access='wo' when='LEFT == 0 and not GO'"
	     " do='LENGTH = new[12:0]; AT = 0; LEFT = (new[12:0] + 3) &amp; 0x1ffc'/>"
	     "<port name='WRITE' at='0' access='wo' memory='out' address='AT' left='LEFT'"
	     " do='set GO; wake tx' when='LEFT != 0'/>"
	     "<port name='READ' at='0' access='ro' memory='in' address='RXAT' left='RXLEFT'"
	     " wrap-at='4096' wrap-to='0'/>"
	     "<register name='STATUS' at='4' access='ro'"
	     " shows='choose(RXOUT == RXIN, peek(in, RXOUT)[12:0], 0x8000)'/>"
	     "<register name='DISCARD' at='8' access='wo' do-on='any'"
	     " do='RXOUT = (RXOUT + 7 + peek(in, RXOUT)[12:0]) &amp; 0xffc; RXAT = (RXOUT + 4) "
	     "&amp; 0xfff'/>"
	     "</bank><bank name='own'><register name='LENGTH' at='0'/><register name='AT' at='4'/>"
	     "<register name='LEFT' at='8'/><register name='GO' at='12' mask='1'/>"
	     "<register name='RXIN' at='16'/><register name='RXOUT' at='20'/>"
	     "<register name='RXAT' at='24' reset='4'/><register name='RXLEFT' at='28' "
	     "reset='0xffffffff'/>"
	     "</bank>"
	     "<ring name='tx' for='transmit' next='registers' end='entries 1' ready='GO'>"
	     "<use as='data'><buffer in='out' address='0' length='LENGTH'/></use>"
	     "<complete do='clear GO'/></ring>"
	     "<record name='header' size='4'><field name='length' bits='12:0'/></record>"
	     "<ring name='rx' for='receive' next='stream' base='0' end='bytes 4096' cursor='RXIN'>"
	     "<stream in='in' header='header' align='4' read='RXOUT'/>"
	     "<complete write='length = frame.length'/></ring>"
	     "<receive rings='rx'><accept class='all'/></receive>");

static void test_fifo_out(void)
{
	uint8_t frame[64] = {0};

	bare_new(&bare, bare_card(fifos), false);
	for (unsigned n = 0; n < 3; n++) {
		unsigned length = 61 + n;

		unit_fill(frame, length, n);
		bare_write(&bare, 0, length | 0xffff0000);
		for (unsigned i = 0; i < length; i += 4) {
			uint32_t word;

			CHECK_EQUAL(bare.port.count, n); /* not before all of it is there */
			memcpy(&word, frame + i, sizeof(word));
			CHECK_EQUAL(bare_read(&bare, 0), 0); /* the other way is another port */
			bare_write(&bare, 0, word);
		}
		CHECK_EQUAL(bare.port.count, n + 1);
		CHECK_EQUAL(bare.port.sent[n].length, length);
		CHECK(!memcmp(bare.port.sent[n].data, frame, length));
	}
	bare_free(&bare);
}

static void test_fifo_in(void)
{
	uint8_t frame[1000], got[1000];
	unsigned in = 0, out = 0;

	bare_new(&bare, bare_card(fifos), false);
	for (unsigned round = 0; round < 200; round++) {
		unsigned length = 60 + round * 37 % 900;

		for (; in - out < 2; in++) { /* two wait, then the older one is read */
			unit_fill(frame, 60 + in * 37 % 900, in);
			CHECK(test_port_offer(&bare.port, frame, 60 + in * 37 % 900));
			bare_settle(&bare);
		}
		unit_fill(frame, length, out++);
		CHECK_EQUAL(bare_read(&bare, 4), length);
		for (unsigned i = 0; i < length; i += 4) {
			uint32_t word = bare_read(&bare, 0);

			memcpy(got + i, &word, sizeof(word));
		}
		CHECK(!memcmp(got, frame, length));
		bare_write(&bare, 8, 0);
	}
	bare_write(&bare, 8, 0);
	CHECK_EQUAL(bare_read(&bare, 4), 0x8000);
	bare_free(&bare);
}

/* ---- what an EEPROM may begin with ---- */

static const char eeprom[] = CARD("<bank name='r'><register name='X' at='0'/></bank>"
				  "<bar index='1' space='memory' size='64' bank='eeprom'/>"
				  "<eeprom words='16'><mac words='2-4' order='big'/>"
				  "<word at='0' value='0x0102'/><word at='1' value='0x1000'/>"
				  "<sum word='6' total='0x55' of='xor'/>"
				  "<crc word='8' bytes='4'/></eeprom>");

/* Bit by bit, as IEEE 802.3 has it. */
static uint32_t crc_of(const uint16_t *words, unsigned count)
{
	uint32_t crc = ~0u;

	for (unsigned i = 0; i < count * 16; i++) {
		bool bit = (crc ^ words[i / 16] >> i % 16) & 1;

		crc = crc >> 1 ^ (bit ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void test_eeprom_contents(void)
{
	uint16_t words[16], bytes = 0;
	uint32_t crc;

	bare_new(&bare, bare_card(eeprom), false);
	for (unsigned i = 0; i < 16; i++)
		words[i] = (uint16_t)nic_bar_read(bare.nic, 1, i * 2, 2);
	CHECK_EQUAL(words[2], 0x5254); /* 52:54:00:12:34:56 */
	CHECK_EQUAL(words[3], 0x0012);
	CHECK_EQUAL(words[4], 0x3456);
	for (unsigned i = 0; i < 7; i++)
		bytes ^= words[i] ^ words[i] >> 8;
	CHECK_EQUAL(bytes & 0xff, 0x55);
	CHECK_EQUAL(words[6] >> 8, 0);
	crc = crc_of(words, 8);
	CHECK_EQUAL(words[8], crc & 0xffff);
	CHECK_EQUAL(words[9], crc >> 16);
	bare_free(&bare);
}

/* ---- what stands in configuration space, and the ROM ---- */

static const char configured[] =
	"<card name='odd' title='Odd'>"
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'>"
	"<part bank='own' at='0x42' size='6'/></pci>"
	"<capability kind='power' at='0x80'/>"
	"<capability kind='vendor' bytes='01 00 00 00 00 04'/>"
	"<capability kind='vendor' at='0xf8' bytes='7f'/>"
	"<bar index='0' space='memory' size='4K' bank='r'/>"
	"<bar index='2' space='memory' size='8K' bank='r' wide='yes' prefetch='yes'/>"
	"<memory name='flash' size='3000'><fill at='0' from='0xaa55' bytes='2'/>"
	"<fill at='100' from='card.mac' bytes='6'/></memory><rom memory='flash'/>"
	"<bank name='r'><register name='CAUSE' at='0'/><register name='SEEN' at='4'/></bank>"
	"<bank name='own' width='16'><register name='POWER' at='0' do='SEEN = new + 1'/>"
	"<register name='TOLD' at='2' size='1' access='rc' reset='7'/>"
	"<register name='BEYOND' at='6' reset='0x1234'/></bank>"
	"<reset name='function' clears='own'/>"
	"</card>";

enum { DEVICE = 3, CONFIG_COMMAND = 4, CONFIG_ROM = 0x30, CONFIG_CAPABILITIES = 0x34 };

static struct machine machine;
static struct instance *instance;

static uint32_t config(unsigned offset, unsigned width)
{
	return (uint32_t)inprocess_config_read(machine.vm, bus_bdf(0, DEVICE, 0), offset, width);
}

static void configure(unsigned offset, unsigned width, uint32_t value)
{
	inprocess_config_write(machine.vm, bus_bdf(0, DEVICE, 0), offset, width, value);
}

static void plug(const char *text)
{
	machine_new(&machine);
	instance = machine_plug(&machine, DEVICE, bare_card(text), NULL);
	CHECK_EQUAL(inprocess_scan(machine.vm), 1);
}

static void unplug(void)
{
	machine_unplug(instance);
	machine_free(&machine);
}

static void test_config_registers(void)
{
	uint64_t bar;

	plug(configured);
	bar = config(0x10, 4) & ~15u;
	CHECK_EQUAL(config(0x40, 4), 0); /* nobody's, and ours */
	configure(0x40, 4, 0x99887766);
	CHECK_EQUAL(config(0x40, 4), 0x99880000);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, bar + 4, 4), 0x9989);
	configure(0x43, 1, 0x11);
	CHECK_EQUAL(config(0x42, 2), 0x1188);
	CHECK_EQUAL(config(0x44, 1), 7);
	CHECK_EQUAL(config(0x44, 1), 0); /* read, and cleared */
	CHECK_EQUAL(config(0x46, 2), 0);
	configure(0x48, 4, UINT32_MAX); /* the bank goes on, what is seen of it does not */
	CHECK_EQUAL(config(0x48, 4), 0x0109f809);
	unplug();
}

static void test_capability_places(void)
{
	unsigned at, found = 0;

	plug(configured);
	for (at = config(CONFIG_CAPABILITIES, 1); at && found < 9; at = config(at + 1, 1)) {
		if (found == 0)
			CHECK_EQUAL(at, 0x80);
		if (found == 1) {
			CHECK_EQUAL(at, 0x48); /* the first that is free */
			CHECK_EQUAL(config(at, 1), 9);
			CHECK_EQUAL(config(at + 2, 1), 9);
			CHECK_EQUAL(config(at + 3, 4), 0x00000001);
			CHECK_EQUAL(config(at + 7, 2), 0x0400);
			configure(at + 4, 4, UINT32_MAX);
			CHECK_EQUAL(config(at + 4, 4), 0);
		}
		if (found == 2) {
			CHECK_EQUAL(at, 0xf8);
			CHECK_EQUAL(config(at + 2, 2), 0x7f04);
		}
		found++;
	}
	CHECK_EQUAL(found, 3);
	unplug();
}

static void test_wide_bar(void)
{
	uint64_t addr;

	plug(configured);
	CHECK_EQUAL(config(0x18, 4) & 15, 12); /* 64 bits, prefetchable */
	configure(0x1c, 4, UINT32_MAX);
	CHECK_EQUAL(config(0x1c, 4), UINT32_MAX);
	configure(0x18, 4, 0x40000000);
	configure(0x1c, 4, 5);
	addr = 0x540000000;
	inprocess_write(machine.vm, INPROCESS_MEMORY, addr, 4, 0x77);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, addr, 4), 0x77);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, 0x40000000, 4), UINT32_MAX);
	unplug();
}

static void test_rom(void)
{
	uint64_t addr;

	plug(configured);
	configure(CONFIG_ROM, 4, 0xfffff800);
	CHECK_EQUAL(config(CONFIG_ROM, 4), 0xfffff000); /* 4 KiB for 3000 bytes */
	addr = 0xd0000000;
	configure(CONFIG_ROM, 4, (uint32_t)addr);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, addr, 2), 0xffff);
	configure(CONFIG_ROM, 4, (uint32_t)addr | 1);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, addr, 2), 0xaa55);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, addr + 100, 4), 0x12005452);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, addr + 3000, 4), UINT32_MAX);
	inprocess_write(machine.vm, INPROCESS_MEMORY, addr, 2, 0);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, addr, 2), 0xaa55);
	configure(CONFIG_COMMAND, 2, 0);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, addr, 2), 0xffff);
	unplug();
}

UNIT_FILE(words, {"counter_parts", test_counter_parts}, {"counter_sticks", test_counter_sticks},
	  {"frame_sum", test_frame_sum}, {"moderate_frames", test_moderate_frames},
	  {"fifo_out", test_fifo_out}, {"fifo_in", test_fifo_in},
	  {"eeprom_contents", test_eeprom_contents}, {"config_registers", test_config_registers},
	  {"capability_places", test_capability_places}, {"wide_bar", test_wide_bar},
	  {"rom", test_rom}, );
