/* SPDX-License-Identifier: Apache-2.0 */

/* The library as a VMM uses it: nothing but anynic.h. */
#include "unit.h"

#include "anynic/anynic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CAUSE = 0, MASK = 4, TABLE = 0x1000, PENDING = 0x1800, MSI = 0x05, MSIX = 0x11 };
enum { FUNCTION_MASK = 0x4000, ENABLE = 0x8000 };

static const char text[] =
	"<card name='odd' title='Odd'>"
	"<pci vendor='0x1234' device='1' class='0x020000' interrupt='INTA'/>"
	"<capability kind='msi' vectors='2'/>"
	"<capability kind='msi-x' vectors='3' bar='0' table='0x1000' pending='0x1800'/>"
	"<bar index='0' space='memory' size='8K' bank='r'/>"
	"<bank name='r'><register name='C' at='0'/><register name='M' at='4'/></bank>"
	"<interrupt line='INTA' cause='C[15:0]' mask='M'/>"
	"<interrupt vector='1' cause='C[23:16]' mask='M' on-send='clear'/>"
	"<reset name='function' clears='r'/></card>";

static char path[64];
static struct anynic *nics;
static struct anynic_device *device;
static struct {
	unsigned levels, messages, moves;
	int level;
	uint64_t address;
	uint32_t data;
} seen;

static void on_line(void *context, int level)
{
	CHECK(context == &seen);
	seen.levels++;
	seen.level = level;
}

static void on_message(void *context, uint64_t address, uint32_t data)
{
	CHECK(context == &seen);
	seen.messages++;
	seen.address = address;
	seen.data = data;
}

static void on_moved(void *context)
{
	CHECK(context == &seen);
	seen.moves++;
}

static const char *card(void)
{
	int fd;

	strcpy(path, "/tmp/anynic-embedding-XXXXXX.xml");
	fd = mkstemps(path, 4);
	CHECK(fd >= 0);
	CHECK(write(fd, text, sizeof(text) - 1) == sizeof(text) - 1);
	close(fd);
	return path;
}

static void decode(void)
{
	anynic_config_write(device, 0x10, 4, 0xe0000000u);
	anynic_config_write(device, 4, 2, 6);
}

static void begin(void)
{
	const struct anynic_device_options options = {
		.size = sizeof(options),
		.card = card(),
		.spec = "null",
		.context = &seen,
		.line = on_line,
		.message = on_message,
		.moved = on_moved,
	};
	struct anynic_error error;

	memset(&seen, 0, sizeof(seen));
	nics = anynic_open(NULL, &error);
	CHECK(nics);
	device = anynic_device_add(nics, &options, &error);
	unlink(path);
	if (!device)
		unit_failed(__FILE__, __LINE__, "%s", error.text);
	decode();
}

static void set(unsigned at, uint32_t value)
{
	anynic_bar_write(device, 0, at, 4, value);
}

static uint32_t get(unsigned at)
{
	return (uint32_t)anynic_bar_read(device, 0, at, 4);
}

static unsigned capability(unsigned id)
{
	unsigned at = (unsigned)anynic_config_read(device, 0x34, 1);

	while (at && anynic_config_read(device, at, 1) != id)
		at = (unsigned)anynic_config_read(device, at + 1, 1);
	CHECK(at);
	return at;
}

static void test_what_is_not_there(void)
{
	unsigned flags = 7;

	begin();
	CHECK_EQUAL(seen.moves, 2);
	CHECK_EQUAL(anynic_bar_address(device, 0), 0xe0000000u);
	CHECK_EQUAL(anynic_bar_size(device, 0, &flags), 8192);
	CHECK_EQUAL(flags, 0);
	CHECK_EQUAL(anynic_bar_size(device, 1, NULL), 0);
	CHECK_EQUAL(anynic_bar_size(device, 600, NULL), 0);
	CHECK_EQUAL(anynic_bar_address(device, 600), 0);
	CHECK_EQUAL(anynic_bar_read(device, 6, 0, 4), UINT32_MAX);
	CHECK_EQUAL(anynic_bar_read(device, 0, 8190, 4), UINT32_MAX);
	CHECK_EQUAL(anynic_bar_read(device, 0, 0, 3), UINT64_MAX);
	CHECK_EQUAL(anynic_config_read(device, 4096, 4), UINT32_MAX);
	CHECK_EQUAL(anynic_config_read(device, 0, 5), UINT64_MAX);
	anynic_config_write(device, 4, 2, 0);
	CHECK_EQUAL(anynic_bar_address(device, 0), 0);
	CHECK_EQUAL(get(CAUSE), UINT32_MAX);
	anynic_close(nics);
}

static void test_the_line_is_a_level(void)
{
	begin();
	set(MASK, 0xffff);
	set(CAUSE, 1);
	CHECK_EQUAL(seen.level, 1);
	set(CAUSE, 3);
	CHECK_EQUAL(seen.levels, 1);
	anynic_config_write(device, 4, 2, 0x406); /* switched off by COMMAND */
	CHECK_EQUAL(seen.level, 0);
	anynic_config_write(device, 4, 2, 0x006);
	CHECK_EQUAL(seen.level, 1);
	set(CAUSE, 0);
	CHECK_EQUAL(seen.level, 0);
	set(CAUSE, 1);
	anynic_device_reset(device);
	CHECK_EQUAL(seen.level, 0);
	anynic_close(nics);
}

static void test_msi(void)
{
	unsigned at;

	begin();
	at = capability(MSI);
	anynic_config_write(device, at + 4, 4, 0xfee01000u);
	anynic_config_write(device, at + 8, 4, 0x12);
	anynic_config_write(device, at + 12, 2, 0x4032);
	anynic_config_write(device, at + 2, 2, 0x0011); /* two messages */
	set(MASK, 0xffffff);
	set(CAUSE, 0x10000);
	CHECK_EQUAL(seen.messages, 1);
	CHECK_EQUAL(seen.address, 0x12fee01000u);
	CHECK_EQUAL(seen.data, 0x4033);
	CHECK_EQUAL(seen.levels, 0);
	anynic_close(nics);
}

static void vector(unsigned index, uint64_t address, uint32_t data, uint32_t masked)
{
	set(TABLE + index * 16, (uint32_t)address);
	set(TABLE + index * 16 + 4, (uint32_t)(address >> 32));
	set(TABLE + index * 16 + 8, data);
	set(TABLE + index * 16 + 12, masked);
}

static void test_the_table_of_msix(void)
{
	unsigned at;

	begin();
	at = capability(MSIX);
	CHECK_EQUAL(get(TABLE + 12), 1); /* masked until somebody says otherwise */
	vector(1, 0x34fee02000u, 0x77, 1);
	CHECK_EQUAL(anynic_bar_read(device, 0, TABLE + 16, 8), 0x34fee02000u);
	anynic_config_write(device, at + 2, 2, ENABLE);
	set(MASK, 0xffffff);
	set(CAUSE, 0x10000);
	CHECK_EQUAL(seen.messages, 0);
	CHECK_EQUAL(get(PENDING), 2);
	set(PENDING, 0); /* is not the driver's */
	CHECK_EQUAL(get(PENDING), 2);
	set(TABLE + 16 + 12, 0);
	CHECK_EQUAL(seen.messages, 1);
	CHECK_EQUAL(seen.address, 0x34fee02000u);
	CHECK_EQUAL(seen.data, 0x77);
	CHECK_EQUAL(get(PENDING), 0);
	anynic_config_write(device, at + 2, 2, ENABLE | FUNCTION_MASK);
	set(CAUSE, 0x20000);
	CHECK_EQUAL(seen.messages, 1);
	anynic_config_write(device, at + 2, 2, ENABLE);
	CHECK_EQUAL(seen.messages, 2);
	anynic_device_reset(device);
	decode();
	CHECK_EQUAL(get(TABLE + 16 + 12), 1);
	CHECK_EQUAL(get(TABLE + 16), 0);
	anynic_close(nics);
}

static void test_memory(void)
{
	uint8_t *ram;

	begin();
	ram = calloc(2, 4096);
	CHECK_EQUAL(anynic_device_map(device, 0x1000, 4096, ram), 0);
	CHECK_EQUAL(anynic_device_map(device, 0x1800, 4096, ram), -EEXIST);
	CHECK_EQUAL(anynic_device_map(device, 0x4000, 0, ram), -EINVAL);
	CHECK_EQUAL(anynic_device_map(device, 0x4000, 4096, NULL), -EINVAL);
	CHECK_EQUAL(anynic_device_map(device, UINT64_MAX - 100, 4096, ram), -EINVAL);
	CHECK_EQUAL(anynic_device_unmap(device, 0x1000, 2048), -EINVAL);
	CHECK_EQUAL(anynic_device_unmap(device, 0x1000, 4096), 0);
	CHECK_EQUAL(anynic_device_unmap(device, 0x1000, 4096), -ENOENT);
	free(ram);
	anynic_close(nics);
}

static void test_wires(void)
{
	const struct anynic_wire_options options = {.size = sizeof(options)};
	struct anynic_wire *wire;
	struct anynic_error error;
	uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};

	begin();
	wire = anynic_wire_add(nics, "w", &options, &error);
	CHECK(wire);
	CHECK(!anynic_wire_add(nics, "w", &options, &error));
	CHECK_EQUAL(error.code, -EINVAL);
	CHECK_EQUAL(anynic_wire_deliver(wire, frame, 13), -EMSGSIZE);
	CHECK_EQUAL(anynic_wire_deliver(wire, frame, 65536), -EMSGSIZE);
	CHECK_EQUAL(anynic_wire_deliver(wire, frame, sizeof(frame)), 0); /* for nobody */
	CHECK_EQUAL(anynic_network_add(nics, "n", "nonsense", &error), -EINVAL);
	CHECK_EQUAL(anynic_network_add(nics, "n", "switch", &error), 0);
	anynic_close(nics);
}

static void test_wrong_options(void)
{
	struct anynic_device_options options = {.card = "none"};
	struct anynic_error error = {0};
	char *stats;

	begin();
	CHECK(!anynic_device_add(nics, &options, &error));
	CHECK(strstr(error.text, "size"));
	options.size = sizeof(options);
	CHECK(!anynic_device_add(nics, &options, &error));
	CHECK(strstr(error.text, "none"));
	CHECK(!anynic_device_add(nics, &options, NULL));
	stats = anynic_device_stats(device);
	CHECK(strstr(stats, "\"guest\""));
	free(stats);
	anynic_device_link(device, 0);
	anynic_device_remove(device);
	anynic_device_remove(NULL);
	CHECK_EQUAL(anynic_run(nics, 0), 0);
	CHECK_EQUAL(anynic_timeout(nics), -1);
	CHECK(anynic_descriptor(nics) >= 0);
	anynic_close(nics);
}

UNIT_FILE(embedding, {"what_is_not_there", test_what_is_not_there},
	  {"the_line_is_a_level", test_the_line_is_a_level}, {"msi", test_msi},
	  {"the_table_of_msix", test_the_table_of_msix}, {"memory", test_memory},
	  {"wires", test_wires}, {"wrong_options", test_wrong_options});
