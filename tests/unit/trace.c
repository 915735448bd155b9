/* SPDX-License-Identifier: Apache-2.0 */

/* What a trace says, on a card that exists here only. */
#include "bare.h"

#include "nic/nic.h"
#include "nic/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TX = 0x10000, BUFFER = 0x20000 };

static const char text[] =
	"<card name='odd' title='Odd'>"
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
	"<bar index='0' space='memory' size='4K' bank='r'/>"
	"<bank name='r'><register name='CTRL' at='0'><field name='EN' bits='0'/>"
	"<field name='MODE' bits='5:4'/></register>"
	"<register name='CAUSE' at='4' access='rc'><field name='SENT' bits='7'/></register>"
	"<register name='MASK' at='8'/><register name='TAIL' at='12' do='wake tx' do-on='any'/>"
	"<register name='HEAD' at='16'/><register name='TAB' at='32' count='4'/></bank>"
	"<record name='slot' size='16'><field name='address' bits='63:0'/>"
	"<field name='length' bits='79:64'/><field name='status' bits='103:96'/>"
	"<field name='DD' bits='96'/><field name='EOP' bits='88'/></record>"
	"<ring name='tx' for='transmit' next='array' base='0x10000' end='entries 8' cursor='HEAD' "
	"ready='until TAIL'><use record='slot' as='data' last='EOP'>"
	"<buffer address='address' length='length'/></use>"
	"<complete write='DD = 1' do='raise CAUSE.SENT'/></ring>"
	"<interrupt line='INTA' cause='CAUSE' mask='MASK'/></card>";

static struct bare bare;
static char lines[8192];

static void slurp(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t length = fread(lines, 1, sizeof(lines) - 1, file);

	lines[length] = 0;
	fclose(file);
}

static void drive(void)
{
	uint8_t slot[16] = {0};

	bare_write(&bare, 0, 0x20);
	bare_write(&bare, 0, 0x21);
	bare_write(&bare, 8, 0xff);
	bare_write(&bare, 32 + 8, 7);
	memset(bare.memory + BUFFER, 0x42, 100);
	memcpy(slot, &(uint64_t){BUFFER}, 8);
	slot[8] = 66;
	slot[11] = 1; /* EOP */
	memcpy(bare.memory + TX, slot, sizeof(slot));
	bare_write(&bare, 12, 1);
	bare_read(&bare, 4);
	bare_read(&bare, 0x800);
	bare_read(&bare, 0x800);
	bare_write(&bare, 0x800, 1);
}

static void test_everything(void)
{
	static const char *const said[] = {
		" write CTRL.MODE=0x2\n",
		" write CTRL.EN=0x1\n",
		" write MASK=0xff\n",
		" write TAB[2]=0x7\n",
		" write TAIL=0x1\n",
		" out 66 bytes to 42:42:42:42:42:42 from 42:42:42:42:42:42 type 0x4242\n",
		" tx[0] slot address=0x20000 length=0x42 EOP -> DD\n",
		" line up\n",
		" read CAUSE=0x80 (SENT) read-clear\n",
		" line down\n",
		" read of nothing: r+0x800\n",
		" write of nothing: r+0x800\n",
		" 2 reads of nothing: r+0x800\n",
		" 1 writes of nothing: r+0x800\n",
	};
	char path[] = "/tmp/trace-XXXXXX", what[128];
	struct error err = {0};
	struct trace *trace;
	const char *at = lines;

	close(mkstemp(path));
	snprintf(what, sizeof(what), "registers,rings,frames,interrupts:%s", path);
	trace = trace_open(what, &err);
	CHECK(trace);
	bare_new(&bare, bare_card(text), false);
	nic_trace(bare.nic, trace);
	drive();
	nic_trace_end(bare.nic);
	bare_free(&bare);
	trace_close(trace);
	slurp(path);
	unlink(path);
	for (unsigned i = 0; i < sizeof(said) / sizeof(*said); i++) {
		at = strstr(at, said[i]);
		if (!at)
			unit_failed(__FILE__, __LINE__, "no \"%s\" where it should be in:\n%s",
				    said[i], lines);
		at += strlen(said[i]) - 1;
	}
}

static void test_some(void)
{
	char path[] = "/tmp/trace-XXXXXX", what[128];
	struct error err = {0};
	struct trace *trace;

	close(mkstemp(path));
	snprintf(what, sizeof(what), "interrupts:%s", path);
	trace = trace_open(what, &err);
	bare_new(&bare, bare_card(text), false);
	nic_trace(bare.nic, trace);
	drive();
	bare_free(&bare);
	trace_close(trace);
	slurp(path);
	unlink(path);
	CHECK(strstr(lines, "line up") && !strstr(lines, "CTRL") && !strstr(lines, "slot"));
	CHECK(!trace_open("registers,irqs", &err));
	CHECK(!trace_open("", &err));
	CHECK(!trace_open("registers:/nowhere/at/all", &err) && err.code == -ENOENT);
}

UNIT_FILE(trace, {"everything", test_everything}, {"some", test_some});
