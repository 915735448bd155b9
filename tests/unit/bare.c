/* SPDX-License-Identifier: Apache-2.0 */
#include "bare.h"

#include "card/reader.h"
#include "nic/nic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void bus_line(void *context, bool level)
{
	struct bare *bare = context;

	CHECK(level != bare->level);
	bare->level = level;
	bare->rises += level;
}

static void bus_message(void *context, unsigned vector)
{
	struct bare *bare = context;

	CHECK(vector < BARE_VECTORS);
	bare->told[vector]++;
}

static void bus_schedule(void *context)
{
	((struct bare *)context)->wanted = true;
}

static int ask(struct bare *bare, uint32_t token, uint64_t addr, size_t length, const void *data)
{
	struct message *message = &bare->messages[bare->last % BARE_MESSAGES];

	bare->asked++;
	if (bare->busy && bare->asked % bare->busy == 0 && bare->first != bare->last)
		return -EBUSY;
	if (bare->refuse && bare->asked % bare->refuse == 0)
		return -EIO;
	CHECK(bare->last - bare->first < BARE_MESSAGES);
	*message = (struct message){token, addr, length, NULL};
	if (data)
		message->data = memcpy(malloc(length), data, length);
	bare->last++;
	return 0;
}

static int ask_read(void *context, uint32_t token, uint64_t addr, size_t length)
{
	return ask(context, token, addr, length, NULL);
}

static int ask_write(void *context, uint32_t token, uint64_t addr, const void *data, size_t length)
{
	return ask(context, token, addr, length, data);
}

bool bare_answer(struct bare *bare)
{
	struct message message = bare->messages[bare->first % BARE_MESSAGES];

	if (bare->first == bare->last)
		return false;
	bare->first++;
	CHECK(message.addr + message.length <= BARE_MEMORY);
	if (message.data) {
		memcpy(bare->memory + message.addr, message.data, message.length);
		free(message.data);
		dma_write_done(bare->dma, message.token, 0);
	} else {
		dma_read_done(bare->dma, message.token, bare->memory + message.addr, message.length,
			      0);
	}
	return true;
}

void bare_settle(struct bare *bare)
{
	for (unsigned i = 0; i < 100000; i++) {
		bool more = bare_answer(bare);

		if (bare->wanted) {
			bare->wanted = false;
			bare->works++;
			bare->wanted |= nic_work(bare->nic);
		} else if (!more) {
			return;
		}
	}
	unit_failed(__FILE__, __LINE__, "the card never comes to rest");
}

void bare_new(struct bare *bare, const struct card *card, bool by_messages)
{
	const struct dma_transport transport = {bare, ask_read, ask_write};
	struct bus bus = {bare, NULL, &bare->clock, bus_line, bus_message, bus_schedule, NULL};

	memset(bare, 0, sizeof(*bare));
	clock_init(&bare->clock, true);
	bare->memory = calloc(1, BARE_MEMORY);
	bus.memory = bare->dma = dma_new();
	CHECK(dma_map_host(bare->dma, 0, BARE_MEMORY, by_messages ? NULL : bare->memory,
			   DMA_READ | DMA_WRITE) == 0);
	dma_transport(bare->dma, &transport);
	dma_on_wake(bare->dma, bus_schedule, bare);
	dma_enable(bare->dma, true);
	bare->nic = nic_new(card, test_mac, &bus);
	CHECK(bare->nic);
	test_port_init(&bare->port, false);
	nic_attach(bare->nic, &bare->port.port);
}

void bare_free(struct bare *bare)
{
	struct nic_sums sums;

	while (bare_answer(bare))
		;
	nic_sums(bare->nic, &bare->port.port.stats.tx, &bare->port.port.stats.rx, &sums);
	check_sums(&sums);
	nic_attach(bare->nic, NULL);
	nic_free(bare->nic);
	dma_free(bare->dma);
	free(bare->memory);
	test_port_free(&bare->port);
}

struct card *bare_card(const char *text)
{
	static struct card *card;
	struct mistakes mistakes = {0};

	card_free(card);
	card = card_read_text("test.xml", text, strlen(text), &mistakes);
	mistakes_print(&mistakes, stdout);
	mistakes_free(&mistakes);
	CHECK(card);
	return card;
}

struct card *bare_card_file(const char *name)
{
	struct card *card;
	size_t length;
	char path[512], *text;

	snprintf(path, sizeof(path), "%s/%s", unit_root, name);
	text = card_load(path, &length);
	CHECK(text);
	text[length] = 0; /* there is room */
	card = bare_card(text);
	free(text);
	return card;
}

uint32_t bare_read(struct bare *bare, unsigned at)
{
	return (uint32_t)nic_bar_read(bare->nic, 0, at, 4);
}

void bare_write(struct bare *bare, unsigned at, uint32_t value)
{
	nic_bar_write(bare->nic, 0, at, 4, value);
	bare_settle(bare);
}
