/* SPDX-License-Identifier: Apache-2.0 */

/* Registers and descriptors: Intel, PCI/PCI-X Family of Gigabit Ethernet Controllers, 3 and 13. */
#include "driver.h"

#include <string.h>

enum {
	CTRL = 0x0000,
	ICR = 0x00c0,
	IMS = 0x00d0,
	RCTL = 0x0100,
	TCTL = 0x0400,
	RDBAL = 0x2800,
	RDLEN = 0x2808,
	RDH = 0x2810,
	RDT = 0x2818,
	TDBAL = 0x3800,
	TDLEN = 0x3808,
	TDT = 0x3818,
	RAL = 0x5400,
	RAH = 0x5404,
};

enum { CTRL_SLU = 1 << 6, CTRL_RST = 1 << 26 };
enum { RCTL_EN = 1 << 1, RCTL_BAM = 1 << 15, TCTL_EN = 1 << 1 };
enum { ICR_TXDW = 1, ICR_RXT0 = 1 << 7 };
enum { TX_EOP = 1, TX_IFCS = 2, TX_RS = 8, RX_DD = 1 };

/* where things lie in guest memory */
enum { TX_RING = 0x1000, RX_RING = 0x2000, TX_BUFFERS = 0x10000, RX_BUFFERS = 0x20000 };

struct tx_slot {
	uint64_t address;
	uint16_t length;
	uint8_t checksum_offset, command, status, checksum_start;
	uint16_t special;
};

struct rx_slot {
	uint64_t address;
	uint16_t length, checksum;
	uint8_t status, errors;
	uint16_t special;
};

static uint32_t get(const struct driver *driver, unsigned at)
{
	return (uint32_t)anynic_bar_read(driver->nic, 0, at, 4);
}

static void put(const struct driver *driver, unsigned at, uint32_t value)
{
	anynic_bar_write(driver->nic, 0, at, 4, value);
}

/* What firmware would do: an address for BAR 0, then memory decoding and bus mastering. */
static void enable(const struct driver *driver)
{
	anynic_config_write(driver->nic, 0x10, 4, 0xe0000000u);
	anynic_config_write(driver->nic, 0x04, 2, 0x0006);
}

static void rings(struct driver *driver)
{
	struct rx_slot *slots = (void *)(driver->ram + RX_RING);

	memset(driver->ram + TX_RING, 0, SLOTS * sizeof(struct tx_slot));
	for (unsigned i = 0; i < SLOTS; i++)
		slots[i] = (struct rx_slot){.address = RX_BUFFERS + i * BUFFER};
	put(driver, TDBAL, TX_RING);
	put(driver, TDLEN, SLOTS * sizeof(struct tx_slot));
	put(driver, RDBAL, RX_RING);
	put(driver, RDLEN, SLOTS * sizeof(struct rx_slot));
}

void driver_start(struct driver *driver, uint8_t address[static 6])
{
	uint32_t low, high;

	enable(driver);
	put(driver, CTRL, CTRL_RST);
	put(driver, CTRL, CTRL_SLU);
	low = get(driver, RAL);
	high = get(driver, RAH);
	memcpy(address, &low, 4);
	memcpy(address + 4, &high, 2);
	rings(driver);
	put(driver, IMS, ICR_TXDW | ICR_RXT0);
	put(driver, TCTL, TCTL_EN);
	put(driver, RCTL, RCTL_EN | RCTL_BAM);
	put(driver, RDT, SLOTS - 1);
}

void driver_send(struct driver *driver, const void *frame, uint16_t length)
{
	struct tx_slot *slot = (struct tx_slot *)(driver->ram + TX_RING) + driver->sent % SLOTS;
	uint32_t buffer = TX_BUFFERS + driver->sent % SLOTS * BUFFER;

	memcpy(driver->ram + buffer, frame, length);
	*slot = (struct tx_slot){
		.address = buffer, .length = length, .command = TX_EOP | TX_IFCS | TX_RS};
	driver->sent++;
	put(driver, TDT, driver->sent % SLOTS);
}

unsigned driver_receive(struct driver *driver, uint8_t frame[static BUFFER])
{
	unsigned index = driver->received % SLOTS;
	struct rx_slot *slot = (struct rx_slot *)(driver->ram + RX_RING) + index;
	unsigned length = slot->length;

	if (!(slot->status & RX_DD) || length > BUFFER)
		return 0;
	memcpy(frame, driver->ram + RX_BUFFERS + index * BUFFER, length);
	*slot = (struct rx_slot){.address = RX_BUFFERS + index * BUFFER};
	put(driver, RDT, index);
	driver->received++;
	return length;
}

void driver_interrupt(struct driver *driver)
{
	get(driver, ICR); /* reading acknowledges */
}
