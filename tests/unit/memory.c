/* SPDX-License-Identifier: Apache-2.0 */

/* Memory on the card, ports in front of it, parts of BARs, registers that share offsets. */
#include "bare.h"

#include "nic/nic.h"

#include <string.h>

enum {
	PAGE = 0,
	FROM = 1,
	TO = 2,
	ISR = 3,
	ADDRESS = 4,
	LEFT = 6,
	UNIT = 8,
	PORT = 0x10,
	MEMORY = 64
};

static const char card[] =
	"<card name='odd' title='Odd'>"
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
	"<bar index='0' space='memory' size='256'>"
	"  <part bank='a' size='32'/><part bank='b' at='32' size='32' stride='8'/>"
	"  <part memory='m' at='128' size='128' when='PAGE == 1'/></bar>"
	"<bar index='1' space='io' size='32' bank='a'/>"
	"<memory name='m' size='64' rom='16'>"
	"  <fill at='0' from='card.mac' bytes='6' repeat='2'/><fill at='14' from='0x57'/></memory>"
	"<bank name='a' width='8'>"
	"  <register name='PAGE' at='0'/><register name='FROM' at='1'/><register name='TO' at='2'/>"
	"  <register name='ISR' at='3' access='w1c'><field name='DONE' bits='0'/></register>"
	"  <register name='ADDRESS' at='4' size='2'/><register name='LEFT' at='6' size='2'/>"
	"  <register name='UNIT' at='8'/>"
	"  <register name='W0' at='9' access='wo' when='PAGE == 0'/>"
	"  <register name='R0' at='9' access='ro' reset='0x99' when='PAGE == 0'/>"
	"  <register name='X' at='10' access='ro' reset='0xaa' when='PAGE == 0'/>"
	"  <register name='Y' at='10' access='wo' when='PAGE == 0'/>"
	"  <register name='Z' at='11' when='PAGE == 0'/>"
	"  <register name='MANY' at='9' count='3' when='PAGE == 1'/>"
	"  <register name='W0S' at='9' access='ro' alias='W0' when='PAGE == 2'/>"
	"  <register name='YS' at='10' access='ro' alias='Y' when='PAGE == 2'/>"
	"  <register name='MASK' at='12' reset='1'/>"
	"  <port name='DATA' at='0x10' size='8' memory='m' address='ADDRESS' left='LEFT' "
	"unit='UNIT'"
	"    wrap-at='TO' wrap-to='FROM' do='raise ISR.DONE'/>"
	"</bank>"
	"<bank name='b' width='16'><register name='B' at='0' count='4'/></bank>"
	"<interrupt line='INTA' cause='ISR' mask='MASK'/></card>";

static struct bare bare;

static uint64_t in(unsigned at, unsigned width)
{
	uint64_t value = nic_bar_read(bare.nic, 0, at, width);

	return width == 8 ? value : value & ((1ull << width * 8) - 1);
}

static void out(unsigned at, unsigned width, uint64_t value)
{
	nic_bar_write(bare.nic, 0, at, width, value);
	bare_settle(&bare);
}

static void aim(unsigned address, unsigned left)
{
	out(ADDRESS, 2, address);
	out(LEFT, 2, left);
}

static void begin(void)
{
	bare_new(&bare, bare_card(card), false);
	out(FROM, 1, 16);
	out(TO, 1, 64);
}

static void test_pages(void)
{
	begin();
	out(9, 1, 0x12);
	out(10, 1, 0x34);
	CHECK_EQUAL(in(9, 1), 0x99);
	CHECK_EQUAL(in(10, 1), 0xaa); /* read-only comes first and hides nothing */
	out(11, 1, 0x56);
	CHECK_EQUAL(in(9, 4) & 0xffffff, 0x56aa99);
	out(PAGE, 1, 1);
	CHECK_EQUAL(in(9, 4) & 0xffffff, 0);
	out(9, 2, 0xbbaa);
	CHECK_EQUAL(in(9, 2), 0xbbaa);
	out(PAGE, 1, 2);
	CHECK_EQUAL(in(9, 2), 0x3412);
	CHECK_EQUAL(in(11, 1), 0);
	CHECK_EQUAL(nic_stats(bare.nic)->undeclared, 1);
	bare_free(&bare);
}

static void test_port_widths(void)
{
	begin();
	aim(16, 7);
	out(PORT, 4, 0x44332211);
	CHECK_EQUAL(in(ADDRESS, 2), 20);
	out(PORT + 3, 2, 0x6655); /* anywhere in its place */
	CHECK_EQUAL(in(ISR, 1), 0);
	out(PORT, 1, 0x77);
	CHECK_EQUAL(in(ISR, 1), 1);
	CHECK(bare.level);
	out(PORT, 1, 0x88); /* nothing is left */
	CHECK_EQUAL(in(ADDRESS, 2), 23);
	aim(16, 8);
	CHECK_EQUAL(in(PORT, 8), 0x0077665544332211);
	CHECK_EQUAL(in(PORT, 1), 0);
	/* words are the least it moves */
	out(UNIT, 1, 2);
	aim(16, 5);
	CHECK_EQUAL(in(PORT, 1), 0x11);
	CHECK_EQUAL(in(PORT, 1), 0x33);
	CHECK_EQUAL(in(PORT, 1), 0x55);
	CHECK_EQUAL(in(LEFT, 2), 0);
	bare_free(&bare);
}

static void test_port_wraps(void)
{
	begin();
	aim(62, 100);
	out(PORT, 4, 0x44332211);
	CHECK_EQUAL(in(ADDRESS, 2), 18);
	aim(16, 2);
	CHECK_EQUAL(in(PORT, 2), 0x4433);
	/* the PROM is what it was, and every byte of the address stands there twice */
	aim(0, 64);
	out(PORT, 4, 0xffffffff);
	aim(0, 16);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQUAL(in(PORT, 2), test_mac[i] * 0x101u);
	CHECK_EQUAL(in(PORT, 4), 0x570000);
	/* an end that is never met: beyond the memory there is nothing */
	out(TO, 1, 3);
	aim(60, 0xffff);
	for (unsigned i = 0; i < 0x4000; i++)
		out(PORT, 4, i);
	CHECK_EQUAL(in(LEFT, 2), 0);
	aim(64, 4);
	CHECK_EQUAL(in(PORT, 4), 0xffffffff);
	bare_free(&bare);
}

static void test_bar_parts(void)
{
	begin();
	aim(20, 4);
	out(PORT, 4, 0x44332211);
	CHECK_EQUAL(in(128, 4), 0xffffffff); /* not there */
	out(PAGE, 1, 1);
	CHECK_EQUAL(in(128 + 20, 4), 0x44332211);
	out(128 + 62, 4, 0x44332211); /* two bytes of it are */
	CHECK_EQUAL(in(128 + 60, 8), 0xffffffff22110000);
	out(128, 1, 0);
	CHECK_EQUAL(in(128, 1), test_mac[0]);
	out(PAGE, 1, 0);
	CHECK_EQUAL(in(128, 1), 0xff);
	CHECK_EQUAL(in(255, 8), UINT64_MAX);
	out(255, 8, 0);
	/* registers of two bytes, eight apart */
	out(32 + 8, 4, 0x55551234);
	out(32 + 10, 2, 0x6666);
	CHECK_EQUAL(in(32 + 8, 4), 0x1234);
	CHECK_EQUAL(in(32 + 9, 1), 0x12);
	CHECK_EQUAL(in(32 + 10, 2), 0);
	CHECK_EQUAL(in(32 + 24, 8), 0);
	/* the same bank, elsewhere */
	nic_bar_write(bare.nic, 1, UNIT, 1, 3);
	CHECK_EQUAL(in(UNIT, 1), 3);
	bare_free(&bare);
}

UNIT_FILE(memory, {"pages", test_pages}, {"port_widths", test_port_widths},
	  {"port_wraps", test_port_wraps}, {"bar_parts", test_bar_parts});
