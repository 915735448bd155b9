/* SPDX-License-Identifier: Apache-2.0 */

/* Capabilities, and interrupts that are messages. */
#include "bare.h"
#include "machine.h"

#include "front/inprocess.h"
#include "instance/instance.h"
#include "nic/nic.h"

enum { DEVICE = 5, CAPABILITIES = 0x34, POWER = 1, MSI = 5, EXPRESS = 0x10, MSIX = 0x11 };
enum { CAUSE = 0, MASK = 4, OTHER = 8, OTHER_MASK = 12 };

static const char text[] =
	"<card name='odd' title='Odd'>"
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
	"<capability kind='power'/><capability kind='express'/>"
	"<capability kind='msi' vectors='2'/>"
	"<capability kind='msi-x' vectors='5' bar='0' table='0x1000' pending='0x1800'/>"
	"<bar index='0' space='memory' size='8K' bank='r'/>"
	"<bank name='r'><register name='C' at='0'/><register name='M' at='4'/>"
	"<register name='D' at='8'/><register name='N' at='12'/></bank>"
	"<interrupt line='INTA' cause='C[15:0]' mask='M'/>"
	"<interrupt vector='3' cause='C[23:16]' mask='M' on-send='clear'/>"
	"<interrupt vector='4' on-send='mask'><cause of='D[3:0]' mask='N[7:4]' "
	"mask-is='disable'/></interrupt></card>";

static struct machine machine;
static uint64_t bar;

static uint32_t config(unsigned at, unsigned width)
{
	return (uint32_t)inprocess_config_read(machine.vm, bus_bdf(0, DEVICE, 0), at, width);
}

static void configure(unsigned at, unsigned width, uint32_t value)
{
	inprocess_config_write(machine.vm, bus_bdf(0, DEVICE, 0), at, width, value);
}

static void set(unsigned at, uint32_t value)
{
	inprocess_write(machine.vm, INPROCESS_MEMORY, bar + at, 4, value);
}

static unsigned find(unsigned id)
{
	unsigned at = config(CAPABILITIES, 1);

	while (at && config(at, 1) != id)
		at = config(at + 1, 1);
	CHECK(at);
	return at;
}

static struct instance *plug(void)
{
	struct instance *instance;

	machine_new(&machine);
	instance = machine_plug(&machine, DEVICE, bare_card(text), NULL);
	CHECK_EQUAL(inprocess_scan(machine.vm), 1);
	bar = config(0x10, 4) & ~15u;
	configure(4, 2, 6);
	return instance;
}

static void test_capabilities(void)
{
	static const uint8_t ids[] = {POWER, EXPRESS, MSI, MSIX};
	struct instance *instance = plug();
	unsigned at = config(CAPABILITIES, 1);

	CHECK_EQUAL(config(6, 2) & 0x10, 0x10);
	for (unsigned i = 0; i < 4; i++, at = config(at + 1, 1))
		CHECK_EQUAL(config(at, 1), ids[i]);
	CHECK_EQUAL(at, 0);
	configure(find(POWER) + 4, 2, 0xffff);
	CHECK_EQUAL(config(find(POWER) + 4, 2), 0x000b);
	CHECK_EQUAL(config(find(EXPRESS) + 2, 2), 0x0002);
	configure(find(MSI) + 2, 2, 0xffff);
	CHECK_EQUAL(config(find(MSI) + 2, 2), 0x00f3);
	CHECK_EQUAL(config(find(MSIX) + 2, 2), 4);
	CHECK_EQUAL(config(find(MSIX) + 4, 4), 0x1000);
	CHECK_EQUAL(config(find(MSIX) + 8, 4), 0x1800);
	machine_unplug(instance);
	machine_free(&machine);
}

static void test_line_as_message(void)
{
	struct instance *instance = plug();
	unsigned msi = find(MSI);

	set(MASK, 0xffff);
	configure(msi + 12, 2, 0x60);
	configure(msi + 2, 2, 1);
	for (unsigned i = 1; i < 5; i++) {
		set(CAUSE, 1);
		set(CAUSE, 3); /* still high */
		CHECK_EQUAL(inprocess_fired(machine.vm, 0x60), i);
		set(CAUSE, 0);
	}
	configure(msi + 2, 2, 0);
	set(CAUSE, 1);
	CHECK_EQUAL(inprocess_fired(machine.vm, 0x60), 4);
	configure(msi + 2, 2, 1); /* it is high when they are enabled */
	CHECK_EQUAL(inprocess_fired(machine.vm, 0x60), 5);
	machine_unplug(instance);
	machine_free(&machine);
}

static void test_vectors(void)
{
	struct instance *instance = plug();

	configure(find(MSIX) + 2, 2, 0x8000);
	set(MASK, 0xff0000);
	set(CAUSE, 0x10000);
	set(CAUSE, 0x1030000);
	CHECK_EQUAL(inprocess_fired(machine.vm, 3), 2); /* each took its causes along */
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, bar + CAUSE, 4), 0x1000000);
	set(OTHER, 1);
	CHECK_EQUAL(inprocess_fired(machine.vm, 4), 1);
	CHECK_EQUAL(inprocess_read(machine.vm, INPROCESS_MEMORY, bar + OTHER_MASK, 4), 0xf0);
	set(OTHER, 3);
	CHECK_EQUAL(inprocess_fired(machine.vm, 4), 1);
	set(OTHER_MASK, 0x20); /* again, for the cause that is not masked */
	CHECK_EQUAL(inprocess_fired(machine.vm, 4), 2);
	CHECK_EQUAL(inprocess_fired(machine.vm, 0), 0);
	machine_unplug(instance);
	machine_free(&machine);
}

UNIT_FILE(messages, {"capabilities", test_capabilities}, {"line_as_message", test_line_as_message},
	  {"vectors", test_vectors});
