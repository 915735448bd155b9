/* SPDX-License-Identifier: Apache-2.0 */

/* What descriptions can say, on cards that exist here only. */
#include "bare.h"

#include "card/reader.h"
#include "nic/nic.h"

#include <stdio.h>
#include <string.h>

#define CARD(body)                                                                                 \
	"<card name='odd' title='Odd'>"                                                            \
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"                      \
	"<bar index='0' space='memory' size='64K' bank='r'/>" body "</card>"

static struct bare bare;

/* ---- expressions ---- */

enum { A = 0, B = 4, C = 8, SHOWN = 0x100 };

static const struct {
	const char *text;
	uint32_t value; /* with A = 0x12345678, B = 5, C = 0x80000001 */
} expressions[] = {
	{"A + B", 0x1234567d},
	{"A - B", 0x12345673},
	{"A * B", 0x5b05b058},
	{"B &lt;&lt; 4", 0x50},
	{"B &lt;&lt; 64", 0},
	{"A >> 8", 0x123456},
	{"A >> 100", 0},
	{"A &amp; 0xff", 0x78},
	{"A | 0xff", 0x123456ff},
	{"A ^ 0xff", 0x12345687},
	{"not A", 0},
	{"not (A == B)", 1},
	{"-B", 0xfffffffb},
	{"~B", 0xfffffffa},
	{"A == 0x12345678", 1},
	{"A != 0x12345678", 0},
	{"A &lt; B", 0},
	{"A &lt;= B or A >= B", 1},
	{"A > B and B > C", 0},
	{"A[15:8]", 0x56},
	{"A[3]", 1},
	{"A.LOW", 0x78},
	{"A.LOW : A.HIGH", 0x7812},
	{"min(A, B)", 5},
	{"max(A, B)", 0x12345678},
	{"swap16(A)", 0x7856},
	{"swap32(A)", 0x78563412},
	{"choose(B, 1, 2, 3)", 3},
	{"choose(B - 5, 1, 2, 3)", 1},
	{"any(B)", 1},
	{"2K + 1M", 0x100800},
	{"3us + 2ns + 1ms", 1003002},
	{"MANY[B - 4]", 0xaa},
	{"MANY[1].TOP", 0xa},
	{"MANY[B].TOP", 0},
	{"card.mac[15:0]", 0x5452},
	{"link.up", 1},
	{"out.state + out.ready + out.entries + out.index", 0x80000001},
	{"ticks(1us)", 7},
	{"ticks(0)", 0},
	{"crcle(card.mac)", 0}, /* see crc_of_mac() */
	{"crc(card.mac) == crc(card.mac)", 1},
};

static uint32_t crc_of_mac(void)
{
	uint32_t crc = ~0u;

	for (unsigned i = 0; i < 48; i++)
		crc = crc >> 1 ^
		      (((crc ^ (uint32_t)(test_mac[i / 8] >> i % 8)) & 1) ? 0xedb88320u : 0);
	return crc;
}

static void test_expressions(void)
{
	enum { COUNT = sizeof(expressions) / sizeof(*expressions) };
	static char text[32768];
	size_t at = 0;

	at += (size_t)snprintf(text, sizeof(text),
			       "<card name='odd' title='Odd'><pci vendor='1' device='1' class='2'/>"
			       "<bar index='0' space='memory' size='64K' bank='r'/><bank name='r'>"
			       "<register name='A' at='0'><field name='LOW' bits='7:0'/>"
			       "<field name='HIGH' bits='31:24'/></register>"
			       "<register name='B' at='4'/><register name='C' at='8'/>"
			       "<register name='MANY' at='0x10' count='4'>"
			       "<field name='TOP' bits='7:4'/></register>");
	for (unsigned i = 0; i < COUNT; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "<register name='E%u' at='%u' shows='%s'/>", i,
				       SHOWN + i * 4, expressions[i].text);
	snprintf(text + at, sizeof(text) - at,
		 "</bank><record name='s' size='16'><field name='a' bits='63:0'/></record>"
		 "<ring name='out' for='transmit' base='0' end='entries 0' ready='until 0' "
		 "cursor='C' "
		 "next='array' when='0'><use record='s' as='data'>"
		 "<buffer address='a' length='1'/></use></ring></card>");
	bare_new(&bare, bare_card(text), false);
	clock_turn(&bare.clock, 7999);
	bare_write(&bare, A, 0x12345678);
	bare_write(&bare, B, 5);
	bare_write(&bare, C, 0x80000001);
	bare_write(&bare, 0x14, 0xaa);
	for (unsigned i = 0; i < COUNT; i++) {
		uint32_t value = expressions[i].value, got = bare_read(&bare, SHOWN + i * 4);

		if (!strncmp(expressions[i].text, "crcle", 5))
			value = crc_of_mac();
		if (got != value)
			unit_failed(__FILE__, __LINE__, "%s is %#x, expected %#x",
				    expressions[i].text, got, value);
	}
	bare_free(&bare);
}

/* ---- what registers do when they are accessed ---- */

static void test_access_words(void)
{
	bare_new(
		&bare,
		bare_card(CARD("<bank name='r'>"
			       "<register name='RW' at='0' mask='0xff0' reset='0x12345678'/>"
			       "<register name='RO' at='4' access='ro' reset='7'/>"
			       "<register name='WO' at='8' access='wo' reset='3'/>"
			       "<register name='RC' at='12' access='rc' reset='9'/>"
			       "<register name='W1C' at='16' access='w1c' reset='0xff'/>"
			       "<register name='W1S' at='20' access='w1s'/>"
			       "<register name='W0C' at='24' access='w0c' reset='0xff'/>"
			       "<register name='F' at='28' reset='0xf5'><field name='X' bits='3:0' "
			       "reset='5'/>"
			       "<field name='Y' bits='7:4' access='reserved'/></register>"
			       "<register name='SIDE' at='32' access='wo'/>"
			       "<register name='SIDE_READ' at='32' access='ro' reset='0x77'/>"
			       "<register name='PAGE' at='36'/>"
			       "<register name='P0' at='40' when='PAGE == 0'/>"
			       "<register name='P1' at='40' when='PAGE == 1' reset='0x11'/>"
			       "<register name='LOCKED' at='44' writable-when='PAGE == 1'/>"
			       "<register name='STORED' at='48' stored='new + 0x10'/>"
			       "<register name='B' at='52' size='1' reset='1'/><register name='BB' "
			       "at='53' size='1' "
			       "reset='2'/><register name='H' at='54' size='2' reset='0x304'/>"
			       "<register name='WIDE' at='56' size='8' reset='0x1122334455667788'/>"
			       "<register name='MIRROR' at='64' alias='RW'/>"
			       "<register name='PEEK' at='68' alias='RC' effects='no' access='rc'/>"
			       "<register name='ON_READ' at='72' do-read='PAGE = 1; RO = 8'/>"
			       "</bank>")),
		false);
	bare_write(&bare, 0, 0xffffffff);
	CHECK_EQUAL(bare_read(&bare, 0), 0x12345ff8);
	CHECK_EQUAL(bare_read(&bare, 64), 0x12345ff8);
	bare_write(&bare, 64, 0x10);
	bare_write(&bare, 4, 0xff);
	CHECK_EQUAL(bare_read(&bare, 4), 7);
	bare_write(&bare, 8, 0xff);
	CHECK_EQUAL(bare_read(&bare, 8), 0);
	CHECK_EQUAL(bare_read(&bare, 68), 9);
	CHECK_EQUAL(bare_read(&bare, 12), 9);
	CHECK_EQUAL(bare_read(&bare, 12), 0);
	bare_write(&bare, 16, 0x0f);
	CHECK_EQUAL(bare_read(&bare, 16), 0xf0);
	bare_write(&bare, 20, 0x0f);
	bare_write(&bare, 20, 0xf0);
	CHECK_EQUAL(bare_read(&bare, 20), 0xff);
	bare_write(&bare, 24, 0x0f);
	CHECK_EQUAL(bare_read(&bare, 24), 0x0f);
	bare_write(&bare, 28, 0xff);
	CHECK_EQUAL(bare_read(&bare, 28), 0xff);
	CHECK_EQUAL(bare_read(&bare, 32), 0x77);
	bare_write(&bare, 32, 0x99);
	CHECK_EQUAL(bare_read(&bare, 32), 0x77);
	bare_write(&bare, 40, 0x22);
	bare_write(&bare, 44, 1);
	CHECK_EQUAL(bare_read(&bare, 44), 0);
	CHECK_EQUAL(bare_read(&bare, 72), 0);
	CHECK_EQUAL(bare_read(&bare, 36), 1);
	CHECK_EQUAL(bare_read(&bare, 4), 8);
	CHECK_EQUAL(bare_read(&bare, 40), 0x11);
	bare_write(&bare, 44, 1);
	CHECK_EQUAL(bare_read(&bare, 44), 1);
	bare_write(&bare, 36, 2);
	CHECK_EQUAL(bare_read(&bare, 40), 0);
	bare_write(&bare, 48, 5);
	CHECK_EQUAL(bare_read(&bare, 48), 0x15);
	CHECK_EQUAL(bare_read(&bare, 52), 0x03040201);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 56, 8), 0x1122334455667788ull);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 60, 2), 0x3344);
	CHECK_EQUAL(nic_bar_read(bare.nic, 1, 0, 4), UINT64_MAX);
	nic_bar_write(bare.nic, 1, 0, 4, 1);
	CHECK_EQUAL(nic_stats(bare.nic)->undeclared, 2); /* page 2, and WO */
	bare_free(&bare);
}

static void test_actions(void)
{
	bare_new(&bare,
		 bare_card(CARD(
			 "<bank name='r'>"
			 "<register name='DO' at='0'>"
			 "<field name='SET' bits='0' do='set X.LOW'/>"
			 "<field name='CLEAR' bits='1' do='clear X[1]; clear X[3:2] if Y == 0'/>"
			 "<field name='VALUE' bits='3:2'><value is='1' name='one' do='Y = 1'/>"
			 "<value is='2' name='two' do='Y = 2'/></field>"
			 "<field name='COPY' bits='4' do='copy ARRAY[0] to ARRAY[2] count 2'/>"
			 "<field name='ANY' bits='5' do='COUNT = COUNT + 1' do-on='any'/>"
			 "<field name='CHANGE' bits='6' do='CHANGES = CHANGES + 1' do-on='change'/>"
			 "<field name='ARM' bits='7' access='self-clear' do='arm tick; arm once'/>"
			 "<field name='CANCEL' bits='8' access='self-clear' do='cancel tick'/>"
			 "<field name='ELEMENT' bits='9' do='ARRAY[INDEX] = 0x55'/>"
			 "<field name='RESET' bits='10' do='reset some'/>"
			 "<field name='COPY1' bits='11' do='copy Y to X count 1'/>"
			 "</register>"
			 "<register name='X' at='4' reset='0xf00'><field name='LOW' "
			 "bits='7:0'/></register>"
			 "<register name='Y' at='8'/><register name='COUNT' at='12'/>"
			 "<register name='CHANGES' at='16'/><register name='INDEX' at='20'/>"
			 "<register name='ARRAY' at='0x40' count='4' do='INDEX = i' do-on='any'/>"
			 "<register name='TICKS' at='24'/><register name='PERIOD' at='28' "
			 "reset='1000'/>"
			 "</bank>"
			 "<timer name='tick' every='PERIOD' when='Y != 3' do='TICKS = TICKS + 1'/>"
			 "<timer name='once' after='5us' do='TICKS = TICKS + 0x1000'/>"
			 "<reset name='some' clears='ARR* Y' keeps='ARRAY'/>"
			 "<on event='link' do='COUNT = 0x100 + link.up'/>")),
		 false);
	bare_write(&bare, 0, 0x20);
	CHECK_EQUAL(bare_read(&bare, 12), 1);
	bare_write(&bare, 0, 1);
	CHECK_EQUAL(bare_read(&bare, 4), 0xfff);
	bare_write(&bare, 0, 2);
	CHECK_EQUAL(bare_read(&bare, 4), 0xff1);
	CHECK_EQUAL(bare_read(&bare, 12), 3); /* any write, also of 0 */
	bare_write(&bare, 0, 4);
	CHECK_EQUAL(bare_read(&bare, 8), 1);
	bare_write(&bare, 0, 8);
	CHECK_EQUAL(bare_read(&bare, 8), 2);
	bare_write(&bare, 0, 0x801);
	CHECK_EQUAL(bare_read(&bare, 4), 2);
	bare_write(&bare, 0x44, 0x1234);
	CHECK_EQUAL(bare_read(&bare, 20), 1);
	bare_write(&bare, 0, 0x200);
	CHECK_EQUAL(bare_read(&bare, 0x44), 0x55);
	bare_write(&bare, 20, 99);
	bare_write(&bare, 0, 0x200); /* beyond the array: nothing */
	bare_write(&bare, 0, 0x10);
	CHECK_EQUAL(bare_read(&bare, 0x4c), 0x55);
	bare_write(&bare, 0, 0x40);
	bare_write(&bare, 0, 0x40);
	bare_write(&bare, 0, 0);
	CHECK_EQUAL(bare_read(&bare, 16), 2);
	bare_write(&bare, 0, 0x400);
	CHECK_EQUAL(bare_read(&bare, 8), 0);
	CHECK_EQUAL(bare_read(&bare, 0x4c), 0x55);
	bare_write(&bare, 0, 0x80);
	clock_turn(&bare.clock, 10500);
	CHECK_EQUAL(bare_read(&bare, 24), 0x100a);
	bare_write(&bare, 0, 0x100);
	clock_turn(&bare.clock, 10500);
	CHECK_EQUAL(bare_read(&bare, 24), 0x100a);
	bare_write(&bare, 0, 0x80);
	bare_write(&bare, 28, 0); /* a period of nothing must not stop time */
	clock_turn(&bare.clock, 3000);
	CHECK(bare_read(&bare, 24) < 0x1100);
	bare_write(&bare, 8, 3);
	clock_turn(&bare.clock, 100000);
	bare_write(&bare, 0, 0x80);
	nic_link(bare.nic, false);
	CHECK_EQUAL(bare_read(&bare, 12), 0x100);
	nic_reset(bare.nic);
	bare_free(&bare);
}

static void test_windows_that_take_time(void)
{
	bare_new(&bare,
		 bare_card(CARD(
			 "<bank name='r'><register name='W' at='0'><field name='D' bits='15:0'/>"
			 "<field name='N' bits='20:16'/><field name='READ' bits='30'/>"
			 "<field name='WRITE' bits='31'/></register><register name='DONE' "
			 "at='4'/></bank>"
			 "<bank name='inside' width='16'><register name='I' at='0' count='4' "
			 "size='2'/></bank>"
			 "<window to='inside' index='W.N' data='W.D' read-when='W.READ' "
			 "write-when='W.WRITE' "
			 "after='25us' done='DONE = DONE + 1'/>")),
		 false);
	bare_write(&bare, 0, 0x80020077);
	CHECK_EQUAL(bare_read(&bare, 4), 0);
	clock_turn(&bare.clock, 24999);
	CHECK_EQUAL(bare_read(&bare, 4), 0);
	clock_turn(&bare.clock, 1);
	CHECK_EQUAL(bare_read(&bare, 4), 1);
	bare_write(&bare, 0, 0x40020000);
	CHECK_EQUAL(bare_read(&bare, 0), 0x40020077);
	bare_write(&bare, 0, 0x401f0000);
	CHECK_EQUAL(bare_read(&bare, 0) & 0xffff, 0xffff);
	nic_reset(bare.nic);
	clock_turn(&bare.clock, 100000);
	CHECK_EQUAL(bare_read(&bare, 4), 1);
	bare_free(&bare);
}

/* What would never come to an end does, where the reader lets it pass. */
static void test_endless_descriptions(void)
{
	static const char endless[] =
		CARD("<bank name='r'><register name='W' at='0'/>"
		     "<register name='GO' at='4' do='reset one'/><register name='N' at='8'/></bank>"
		     "<window to='r' index='0' data='W' write-when='W' done='N = N + 1'/>"
		     "<reset name='one' do='N = N + 1; reset two'/>"
		     "<reset name='two' do='N = N + 1; reset one'/>");
	struct mistakes mistakes = {0};
	struct card *card = card_read_text("test.xml", endless, strlen(endless), &mistakes);

	mistakes_free(&mistakes);
	if (!card)
		return;
	bare_new(&bare, card, false);
	bare_write(&bare, 0, 1);
	CHECK_EQUAL(bare_read(&bare, 8), 4);
	bare_write(&bare, 4, 1);
	CHECK_EQUAL(bare_read(&bare, 8), 8);
	bare_free(&bare);
	card_free(card);
}

/* ---- rings and counters of another kind ---- */

static const char other_card[] = CARD(
	"<bank name='r'>"
	"<register name='BASE' at='0'/><register name='END' at='4'/><register name='CUR' at='8'/>"
	"<register name='TAIL' at='12' do='wake out' do-on='any'/>"
	"<register name='CTL' at='16'><field name='EN' bits='0'/><field name='RX' bits='1'/>"
	"<field name='START' bits='2' do='start out'/><field name='STOP' bits='3' do='stop out'/>"
	"<field name='CRC' bits='4'/><field name='SUM' bits='5'/></register>"
	"<register name='CAUSE' at='20' access='rc w1c'><field name='S' bits='0'/>"
	"<field name='R' bits='1'/></register><register name='MASK' at='24'/>"
	"<register name='IEN' at='28'/>"
	"<register name='RCUR' at='32'/><register name='RTAIL' at='36'/>"
	"<register name='RBASE' at='40'/>"
	"<counter name='SMALL' at='48' size='1' counts='tx.frames' access='rc'/>"
	"<counter name='STICKY' at='49' size='1' counts='tx.frames' on-overflow='stick'/>"
	"</bank>"
	"<record name='t' size='32'><field name='a' bits='63:0'/><field name='n' bits='95:64'/>"
	"<field name='more' bits='96'/><field name='sum' bits='97'/><field name='odd' "
	"bits='100:98'/>"
	"<field name='done' bits='128'/><field name='wide' bits='252:190'/>"
	"<field name='last' bits='129'/><field name='where' bits='189:160'/></record>"
	"<ring name='out' for='transmit' base='BASE' end='entries END' ready='until TAIL' "
	"cursor='CUR' next='array' when='CTL.EN'>"
	"<use record='t' as='data' last='not more'><buffer address='a' length='n'/>"
	"<checksum of='range' when='CTL.SUM' start='14' put='16'/>"
	"<checksum of='range' when='wide == 77' start='20' put='22'/>"
	"<complete write='done = 1; where = here' do='raise CAUSE.S'/>"
	"<complete at='last' write='last = 1'/></use></ring>"
	"<ring name='in' for='receive' base='RBASE' end='entries 8' ready='until RTAIL' "
	"cursor='RCUR' next='array' hold='yes' when='CTL.RX'>"
	"<use record='t' as='room' when='odd == 0'><buffer address='a' length='n'/></use>"
	"<fcs when='CTL.CRC'/>"
	"<complete write='n = frame.put; done = frame.first; last = frame.last; "
	"where = frame.destination[29:0]; wide = frame.length : frame.tci : frame.type : frame.l4 "
	": "
	"frame.broadcast : frame.multicast : frame.vlan : frame.match.broadcast : "
	"frame.match.exact : frame.checked.ip : frame.ok.ip : frame.checked.l4 : frame.ok.l4' "
	"do='raise CAUSE.R'/>"
	"</ring>"
	"<receive rings='in' when='CTL.RX'><accept class='exact' table='card.mac'/>"
	"<accept class='broadcast'/></receive>"
	"<interrupt line='INTA' cause='CAUSE' mask='MASK' enable='IEN'/>");

struct other_slot {
	uint64_t address;
	uint32_t length, flags, done, where;
	uint64_t wide;
};

static struct other_slot *other(unsigned base, unsigned index)
{
	return (struct other_slot *)(bare.memory + base) + index;
}

static void test_other_transmit(void)
{
	bare_new(&bare, bare_card(other_card), false);
	unit_fill(bare.memory + 0x8000, 4096, 1);
	bare_write(&bare, 0, 0x1000);
	bare_write(&bare, 4, 4);
	bare_write(&bare, 24, 3);
	bare_write(&bare, 12, 0);
	*other(0x1000, 0) = (struct other_slot){.address = 0x8000, .length = 40, .flags = 1};
	*other(0x1000, 1) = (struct other_slot){.address = 0x8100, .length = 60};
	bare_write(&bare, 12, 2); /* waking does not start */
	CHECK_EQUAL(bare.port.count, 0);
	bare_write(&bare, 16, 1);
	CHECK_EQUAL(bare.port.count, 1);
	CHECK_EQUAL(bare.port.sent[0].length, 100);
	CHECK_EQUAL(other(0x1000, 0)->done, 1);
	CHECK_EQUAL(other(0x1000, 1)->done, 3);
	CHECK_EQUAL(other(0x1000, 1)->where, 0x1020);
	CHECK(!bare.level);
	bare_write(&bare, 28, 1);
	CHECK(bare.level);
	CHECK_EQUAL(bare_read(&bare, 20), 1);
	CHECK(!bare.level);
	bare_write(&bare, 16, 0x21); /* checksums without a seed */
	*other(0x1000, 2) = (struct other_slot){.address = 0x8000, .length = 100};
	bare_write(&bare, 12, 3);
	CHECK_EQUAL(bare.port.count, 2);
	/* lengths whose sum is small only in 32 bits */
	bare_write(&bare, 16, 1);
	*other(0x1000, 3) = (struct other_slot){.address = 0x8000, .length = 60, .flags = 1};
	bare_write(&bare, 12, 0);
	*other(0x1000, 0) = (struct other_slot){.address = 0x8000, .length = 0xffffffff};
	bare_write(&bare, 12, 1);
	CHECK_EQUAL(bare.port.count, 2);
	bare_write(&bare, 8, 3);
	bare_write(&bare, 12, 3);
	bare_write(&bare, 16, 9);
	*other(0x1000, 3) = (struct other_slot){.address = 0x8000, .length = 100};
	bare_write(&bare, 12, 0);
	bare_write(&bare, 16, 4);
	bare_write(&bare, 4, 0x20000); /* too many entries: none */
	bare_write(&bare, 16, 5);
	bare_write(&bare, 12, 2);
	bare_free(&bare);
}

static void test_small_counters(void)
{
	bare_new(&bare, bare_card(other_card), false);
	bare_write(&bare, 0, 0x1000);
	bare_write(&bare, 4, 4);
	bare_write(&bare, 16, 1);
	for (unsigned i = 0; i < 300; i++) {
		*other(0x1000, i % 4) = (struct other_slot){.address = 0x8000, .length = 60};
		bare_write(&bare, 12, (i + 1) % 4);
		test_port_forget(&bare.port);
	}
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 49, 1), 255);
	CHECK_EQUAL(nic_bar_read(bare.nic, 0, 48, 1), 300 - 256);
	bare_free(&bare);
}

static void test_receive_that_holds(void)
{
	uint8_t frame[100] = {0};

	bare_new(&bare, bare_card(other_card), false);
	memcpy(frame, test_mac, 6);
	CHECK(test_port_offer(&bare.port, frame, 100)); /* no ring: dropped */
	bare_write(&bare, 40, 0x2000);
	bare_write(&bare, 16, 2);
	CHECK(!test_port_offer(&bare.port, frame, 100)); /* no room: held */
	for (unsigned i = 0; i < 7; i++)
		*other(0x2000, i) = (struct other_slot){
			.address = 0x9000 + i * 64, .length = 64, .flags = i == 1 ? 4 : 0};
	bare_write(&bare, 36, 5);
	CHECK_EQUAL(bare.port.resumed, 1);
	CHECK(test_port_offer(&bare.port, frame, 100)); /* slot 1 is for nothing */
	CHECK_EQUAL(bare_read(&bare, 32), 3);
	CHECK_EQUAL(other(0x2000, 2)->done, 2);
	frame[0] = 2;
	frame[5]++;
	CHECK(test_port_offer(&bare.port, frame, 100)); /* filtered */
	CHECK_EQUAL(bare_read(&bare, 32), 3);
	memset(frame, 255, 6);
	CHECK(test_port_offer(&bare.port, frame, 100));
	CHECK_EQUAL(bare_read(&bare, 32), 5);
	CHECK_EQUAL(other(0x2000, 3)->where & 0x3fffffff, 0x3fffffff);
	CHECK_EQUAL(other(0x2000, 3)->wide << 2 | other(0x2000, 3)->where >> 30,
		    100ull << 29 | 1 << 8 | 1 << 7 | 1 << 5);
	bare_free(&bare);
}

UNIT_FILE(language, {"expressions", test_expressions}, {"access_words", test_access_words},
	  {"actions", test_actions}, {"windows_that_take_time", test_windows_that_take_time},
	  {"endless_descriptions", test_endless_descriptions},
	  {"other_transmit", test_other_transmit}, {"small_counters", test_small_counters},
	  {"receive_that_holds", test_receive_that_holds});
