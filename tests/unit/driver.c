/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include "nic/nic.h"

#include <string.h>

enum { DEVICE = 3, VECTOR = 35 };

const uint8_t peer_mac[6] = {0x52, 0x54, 0x00, 0xaa, 0xbb, 0xcc};

uint32_t reg(struct driver *driver, unsigned at)
{
	if (driver->nic)
		return (uint32_t)nic_bar_read(driver->nic, 0, at, 4);
	return (uint32_t)inprocess_read(driver->machine.vm, INPROCESS_MEMORY, driver->bar + at, 4);
}

void set(struct driver *driver, unsigned at, uint32_t value)
{
	if (driver->nic)
		nic_bar_write(driver->nic, 0, at, 4, value);
	else
		inprocess_write(driver->machine.vm, INPROCESS_MEMORY, driver->bar + at, 4, value);
}

void driver_settle(struct driver *driver)
{
	machine_settle(&driver->machine);
}

unsigned driver_fired(struct driver *driver)
{
	static uint64_t before;
	static struct driver *last;
	uint64_t now = inprocess_fired(driver->machine.vm, VECTOR), fired;

	if (last != driver || now < before)
		before = 0;
	last = driver;
	fired = now - before;
	before = now;
	inprocess_unmask(driver->machine.vm, DEVICE);
	before = inprocess_fired(driver->machine.vm, VECTOR);
	return (unsigned)(fired + before - now);
}

void driver_start(struct driver *driver)
{
	driver->tx_tail = driver->rx_next = driver->rx_tail = 0;
	driver->tx_entries = TX_ENTRIES;
	driver->rx_entries = RX_ENTRIES;
	driver->rx_size = 2048;
	driver->tx_buffer = TX_BUFFERS;
	memset(driver->memory + TX_RING, 0, TX_ENTRIES * 16);
	memset(driver->memory + RX_RING, 0, RX_ENTRIES * 16);
	set(driver, CTRL, reg(driver, CTRL) | CTRL_SLU);
	set(driver, TDBAL, TX_RING);
	set(driver, TDBAH, 0);
	set(driver, TDLEN, TX_ENTRIES * 16);
	set(driver, TDH, 0);
	set(driver, TDT, 0);
	set(driver, TCTL, TCTL_EN | TCTL_PSP);
	set(driver, RDBAL, RX_RING);
	set(driver, RDBAH, 0);
	set(driver, RDLEN, RX_ENTRIES * 16);
	set(driver, RDH, 0);
	set(driver, RDT, 0);
	set(driver, RXCSUM, 0x300);
	set(driver, RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
	reg(driver, ICR);
}

void driver_new(struct driver *driver, bool offloads)
{
	driver_new_card(driver, test_card("e1000"), offloads);
}

void driver_new_card(struct driver *driver, const struct card *card, bool offloads)
{
	memset(driver, 0, sizeof(*driver));
	machine_new(&driver->machine);
	test_port_init(&driver->port, offloads);
	driver->instance = machine_plug(&driver->machine, DEVICE, card, &driver->port);
	CHECK_EQUAL(inprocess_scan(driver->machine.vm), 1);
	driver->bar = inprocess_config_read(driver->machine.vm, bus_bdf(0, DEVICE, 0), 0x10, 4);
	driver->memory = inprocess_memory(driver->machine.vm, 0, MACHINE_MEMORY);
	driver_start(driver);
}

void driver_free(struct driver *driver)
{
	machine_unplug(driver->instance);
	CHECK(driver->port.closed);
	machine_free(&driver->machine);
	test_port_free(&driver->port);
}

/* ---- transmit ---- */

uint64_t tx_copy(struct driver *driver, const void *data, uint32_t length)
{
	uint64_t at = driver->tx_buffer;

	if (at + length > RX_BUFFERS)
		at = TX_BUFFERS;
	memcpy(driver->memory + at, data, length);
	driver->tx_buffer = at + length + 3; /* buffers at odd addresses too */
	return at;
}

static struct slot *tx_at(struct driver *driver, uint32_t index)
{
	return (struct slot *)(driver->memory + TX_RING) + index % driver->tx_entries;
}

struct slot *tx_slot(struct driver *driver, unsigned back)
{
	return tx_at(driver, driver->tx_tail + driver->tx_entries - back);
}

void tx_put(struct driver *driver, uint64_t address, uint32_t low, uint32_t high)
{
	*tx_at(driver, driver->tx_tail) = (struct slot){address, low, high};
	driver->tx_tail = (driver->tx_tail + 1) % driver->tx_entries;
}

void tx_legacy(struct driver *driver, uint64_t address, uint32_t length, unsigned command,
	       unsigned cso, unsigned css, uint16_t special)
{
	tx_put(driver, address, length | cso << 16 | command << 24,
	       css << 8 | (uint32_t)special << 16);
}

void tx_data(struct driver *driver, uint64_t address, uint32_t length, unsigned command,
	     unsigned options, uint16_t special)
{
	tx_put(driver, address, length | 1 << 20 | (command | DEXT) << 24,
	       options << 8 | (uint32_t)special << 16);
}

void tx_context(struct driver *driver, const struct packet *packet, unsigned command,
		uint32_t payload, unsigned header, unsigned mss)
{
	uint64_t l3 = packet_l3(packet), l4 = packet_l4(packet);
	uint64_t offsets = l3 | (l3 + 10) << 8 | (l4 - 1) << 16 | l4 << 32 |
			   (uint64_t)packet_put(packet) << 40;

	tx_put(driver, offsets, payload | (command | DEXT) << 24, header << 8 | mss << 16);
}

void tx_kick(struct driver *driver)
{
	set(driver, TDT, driver->tx_tail);
}

void check_sent(const struct driver *driver, unsigned index, const void *data, uint32_t length)
{
	CHECK(index < driver->port.count);
	CHECK_EQUAL(driver->port.sent[index].length, length);
	for (uint32_t i = 0; i < length; i++) {
		if (driver->port.sent[index].data[i] != ((const uint8_t *)data)[i])
			unit_failed(__FILE__, __LINE__, "frame %u of %u bytes differs at %u", index,
				    length, i);
	}
}

/* What a port that was promised the rest does with a frame. */
void port_finish(struct sent *sent)
{
	uint16_t sum;

	if (!(sent->flags & FRAME_CHECKSUM))
		return;
	CHECK(sent->checksum_start + sent->checksum_offset + 2u <= sent->length);
	sum = (uint16_t)~packet_sum(sent->data + sent->checksum_start,
				    sent->length - sent->checksum_start);
	sent->data[sent->checksum_start + sent->checksum_offset] = (uint8_t)(sum >> 8);
	sent->data[sent->checksum_start + sent->checksum_offset + 1] = (uint8_t)sum;
}

void tx_packet(struct driver *driver, const struct packet *packet, unsigned pieces)
{
	static uint8_t frame[PACKET_MAX];
	uint32_t length = packet_build(packet, frame), done = 0;

	packet_open(packet, frame, true);
	tx_context(driver, packet, 0, 0, 0, 0);
	while (done < length) {
		uint32_t part = (length - done + pieces - 1) / pieces;
		bool last = --pieces == 0;

		tx_data(driver, tx_copy(driver, frame + done, part), part,
			last ? EOP | IFCS | RS : IFCS, packet->v6 ? TXSM : TXSM | IXSM, 0);
		done += part;
	}
	tx_kick(driver);
	driver_settle(driver);
}

/* ---- receive ---- */

struct slot *rx_slot(struct driver *driver, unsigned index)
{
	return (struct slot *)(driver->memory + RX_RING) + index % driver->rx_entries;
}

void rx_fill(struct driver *driver, unsigned count)
{
	while (count--) {
		*rx_slot(driver, driver->rx_tail) = (struct slot){
			RX_BUFFERS + driver->rx_tail * (uint64_t)RX_STRIDE, 0xdeadbeef, 0};
		driver->rx_tail = (driver->rx_tail + 1) % driver->rx_entries;
	}
	set(driver, RDT, driver->rx_tail);
}

bool rx_take(struct driver *driver, struct received *received)
{
	uint32_t next = driver->rx_next;

	received->length = 0;
	for (received->slots = 1;; received->slots++) {
		const struct slot *slot = rx_slot(driver, next);
		uint32_t length = slot->low & 0xffff;

		received->status = (uint8_t)slot->high;
		if (!(received->status & DD))
			return false;
		CHECK(length <= driver->rx_size);
		memcpy(received->data + received->length, driver->memory + slot->address, length);
		received->length += length;
		received->errors = (uint8_t)(slot->high >> 8);
		received->special = (uint16_t)(slot->high >> 16);
		next = (next + 1) % driver->rx_entries;
		if (received->status & REOP)
			break;
	}
	for (uint32_t i = driver->rx_next; i != next; i = (i + 1) % driver->rx_entries)
		rx_slot(driver, i)->high = 0;
	driver->rx_next = next;
	return true;
}

/* ---- packets ---- */

static struct packet packet_of(uint32_t length, const uint8_t *to, const uint8_t *from)
{
	static uint8_t payload[PACKET_MAX];
	struct packet packet = {.payload = payload,
				.length = length,
				.id = 0xfff0,
				.sequence = 0xfffff000,
				.flags = TCP_ACK};

	unit_fill(payload, length, length + 1);
	memcpy(packet.to, to, 6);
	memcpy(packet.from, from, 6);
	return packet;
}

struct packet packet_out(uint32_t length)
{
	return packet_of(length, peer_mac, test_mac);
}

struct packet packet_in(uint32_t length)
{
	return packet_of(length, test_mac, peer_mac);
}
