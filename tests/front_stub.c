/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A plain PCI device behind the vfio-user server, for tests/wire.py: 4 KiB of
 * memory as BAR 0, of which the end is registers.
 *
 *   0xf00 source, 0xf08 destination, 0xf10 length: writing it copies in guest
 *   memory; 0xf14 copies done, 0xf18 copies refused; 0xf20 the line's level;
 *   0xf24 sends that message
 */
#include "base/log.h"
#include "front/vfio_user.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SIZE = 4096,
	SOURCE = 0xf00,
	DESTINATION = 0xf08,
	LENGTH = 0xf10,
	DONE = 0xf14,
	REFUSED = 0xf18,
	LINE = 0xf20,
	MESSAGE = 0xf24,
	VECTORS = 4,
	COPY_MAX = 256 << 10,
};

struct stub {
	uint8_t memory[SIZE];
	uint8_t copy[COPY_MAX];
	struct dma *dma;
	struct pic pic;
	bool wanted;
};

static uint64_t get(struct stub *stub, unsigned at, unsigned width)
{
	uint64_t value = 0;

	memcpy(&value, stub->memory + at, width);
	return value;
}

static void count(struct stub *stub, unsigned at)
{
	uint32_t value = (uint32_t)get(stub, at, 4) + 1;

	memcpy(stub->memory + at, &value, sizeof(value));
	stub->wanted = false;
}

static size_t gather(struct stub *stub, const struct iovec *iov, int count)
{
	size_t at = 0;

	for (int i = 0; i < count; at += iov[i++].iov_len)
		memcpy(stub->copy + at, iov[i].iov_base, iov[i].iov_len);
	return at;
}

static void scatter(struct stub *stub, const struct iovec *iov, int count)
{
	size_t at = 0;

	for (int i = 0; i < count; at += iov[i++].iov_len)
		memcpy(iov[i].iov_base, stub->copy + at, iov[i].iov_len);
}

static void work(void *context)
{
	struct stub *stub = context;
	size_t length = get(stub, LENGTH, 4);
	struct iovec iov[16];
	int views;

	if (!stub->wanted)
		return;
	if (length > COPY_MAX)
		length = COPY_MAX;
	views = dma_read_view(stub->dma, get(stub, SOURCE, 8), length, iov, 16);
	if (views == -EAGAIN)
		return;
	if (views >= 0) {
		gather(stub, iov, views);
		views = dma_write_view(stub->dma, get(stub, DESTINATION, 8), length, iov, 16);
	}
	if (views >= 0)
		scatter(stub, iov, views);
	dma_settle(stub->dma);
	dma_flush(stub->dma);
	count(stub, views >= 0 ? DONE : REFUSED);
}

static uint64_t bar_read(void *context, unsigned bar, uint64_t offset, unsigned width)
{
	(void)bar;
	return get(context, (unsigned)offset, width);
}

static void bar_write(void *context, unsigned bar, uint64_t offset, unsigned width, uint64_t value)
{
	struct stub *stub = context;

	(void)bar;
	memcpy(stub->memory + offset, &value, width);
	if (offset == LENGTH)
		stub->wanted = true;
	else if (offset == LINE)
		pic_line(&stub->pic, value & 1);
	else if (offset == MESSAGE)
		pic_message(&stub->pic, (unsigned)value);
}

static void reset(void *context)
{
	struct stub *stub = context;

	memset(stub->memory, 0, sizeof(stub->memory));
	stub->wanted = false;
	pic_line(&stub->pic, false);
}

static void command(void *context, uint16_t value)
{
	struct stub *stub = context;

	dma_enable(stub->dma, value & 4);
	pic_disable_line(&stub->pic, value & 0x400);
}

static void nothing(void *context)
{
	(void)context;
}

static void session(void *context, bool connected)
{
	(void)context;
	(void)connected;
}

static volatile sig_atomic_t ended;

static void told_to_end(int signal)
{
	(void)signal;
	ended = true;
}

int main(int argc, char **argv)
{
	static const struct pci_identity identity = {
		.vendor = 0x1234, .device = 0x5678, .class_code = 0xff0000, .interrupt_pin = 1};
	static const struct pci_bar bars[PCI_BARS] = {{.size = SIZE}};
	static struct stub stub;
	const struct pci_owner owner = {.context = &stub,
					.read = bar_read,
					.write = bar_write,
					.reset = reset,
					.command = command};
	uint8_t msi[10] = {0, 0, 2 << 1},
		writable[10] = {0, 0, 0x71, 0, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct vfio_user_config config = {.fd = -1, .write_multiple = true};
	struct vfio_user *front;
	struct pci_function pci;
	struct clock clock;
	struct error err;
	int result = 0;

	if (argc != 2)
		return 2;
	signal(SIGTERM, told_to_end);
	clock_init(&clock, false);
	pci_init(&pci, &identity, bars, &owner);
	pci_add_capability(&pci, 0, 5, msi, writable, sizeof(msi));
	pci.msi_vectors = VECTORS;
	pic_init(&stub.pic);
	stub.dma = dma_new();
	dma_on_wake(stub.dma, work, &stub);
	config.loop = loop_new(&clock);
	config.pci = &pci;
	config.pic = &stub.pic;
	config.dma = stub.dma;
	config.socket_path = argv[1];
	config.after_request = work;
	config.looking = config.looked = nothing;
	config.session = session;
	config.context = &stub;
	front = vfio_user_new(&config, &err);
	if (!front) {
		log_warn("%s", err.text);
		return 1;
	}
	while (!ended && result == 0)
		result = loop_turn(config.loop, 100); /* the signal may come just before it */
	vfio_user_free(front);
	dma_free(stub.dma);
	loop_free(config.loop);
	return result < 0;
}
