/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A VMM of one's own with a card of anynic's in it: guest memory, an interrupt
 * sink, and the other end of the wire, which answers whatever the guest sends.
 * The guest is driver.c, called instead of run.
 *
 *	./vmm [CARD]
 */
#include "driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

enum { FRAME = 60, ETHERNET_TYPE = 12 };

struct vmm {
	struct anynic_wire *wire;
	int line; /* its level now */
	unsigned interrupts, answered;
};

static void on_line(void *context, int level)
{
	struct vmm *vmm = context;

	vmm->line = level;
	vmm->interrupts += level != 0;
}

/* The network: the frame goes back to whoever sent it. */
static void on_transmit(void *context, const struct iovec *iov, unsigned count, size_t length)
{
	struct vmm *vmm = context;
	uint8_t frame[BUFFER];
	size_t held = 0;

	if (length > sizeof(frame))
		return;
	for (unsigned i = 0; i < count; i++) {
		memcpy(frame + held, iov[i].iov_base, iov[i].iov_len);
		held += iov[i].iov_len;
	}
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, "\x02\0\0\0\0\x01", 6);
	vmm->answered += anynic_wire_deliver(vmm->wire, frame, length) == 0;
}

static void fail(const struct anynic_error *error)
{
	fprintf(stderr, "vmm: %s\n", error->text);
	exit(1);
}

static int run(struct vmm *vmm, struct anynic *nics, struct driver *driver)
{
	uint8_t frame[BUFFER] = "\xff\xff\xff\xff\xff\xff", back[BUFFER], address[6];
	unsigned length = 0;

	driver_start(driver, address);
	memcpy(frame + 6, address, 6);
	memcpy(frame + ETHERNET_TYPE, "\x88\xb5hello", 7);
	driver_send(driver, frame, FRAME);
	for (int turns = 0; turns < 100 && !(length = driver_receive(driver, back)); turns++)
		anynic_run(nics, 10);
	printf("address %02x:%02x:%02x:%02x:%02x:%02x\n", address[0], address[1], address[2],
	       address[3], address[4], address[5]);
	printf("interrupts %u, line %s\n", vmm->interrupts, vmm->line ? "high" : "low");
	driver_interrupt(driver);
	printf("acknowledged, line %s\n", vmm->line ? "high" : "low");
	if (length < FRAME || memcmp(back, address, 6) || memcmp(back + 14, "hello", 5))
		return 1;
	printf("received %.5s\n", back + 14);
	return 0;
}

int main(int argc, char **argv)
{
	struct vmm vmm = {0};
	struct driver driver = {.ram = calloc(1, RAM_SIZE)};
	struct anynic_error error;
	const struct anynic_wire_options wire = {
		.size = sizeof(wire), .context = &vmm, .transmit = on_transmit};
	const struct anynic_device_options device = {
		.size = sizeof(device),
		.card = argc > 1 ? argv[1] : "e1000",
		.network = "wire",
		.address = (const uint8_t *)"\x52\x54\0\x12\x34\x56",
		.context = &vmm,
		.line = on_line,
	};
	struct anynic *nics = anynic_open(NULL, &error);
	int result;

	if (!nics || !(vmm.wire = anynic_wire_add(nics, "wire", &wire, &error)) ||
	    !(driver.nic = anynic_device_add(nics, &device, &error)))
		fail(&error);
	anynic_device_map(driver.nic, 0, RAM_SIZE, driver.ram);
	result = run(&vmm, nics, &driver);
	anynic_close(nics);
	free(driver.ram);
	return result;
}
