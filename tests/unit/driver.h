/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine.h"
#include "packet.h"

/* cards/e1000 as its driver uses it: rings in guest memory, registers by address. */

enum {
	CTRL = 0x00,
	STATUS = 0x08,
	EECD = 0x10,
	EERD = 0x14,
	MDIC = 0x20,
	VET = 0x38,
	ICR = 0xc0,
	ITR = 0xc4,
	ICS = 0xc8,
	IMS = 0xd0,
	IMC = 0xd8,
	RCTL = 0x100,
	TCTL = 0x400,
	RDBAL = 0x2800,
	RDBAH = 0x2804,
	RDLEN = 0x2808,
	RDH = 0x2810,
	RDT = 0x2818,
	RDTR = 0x2820,
	RADV = 0x282c,
	TDBAL = 0x3800,
	TDBAH = 0x3804,
	TDLEN = 0x3808,
	TDH = 0x3810,
	TDT = 0x3818,
	TIDV = 0x3820,
	TADV = 0x382c,
	RXCSUM = 0x5000,
	MTA = 0x5200,
	RAL = 0x5400,
	RAH = 0x5404,
	VFTA = 0x5600,

	CTRL_SLU = 1 << 6,
	CTRL_RST = 1 << 26,
	CTRL_VME = 1 << 30,
	CTRL_PHY_RST = 1 << 31,
	RCTL_EN = 1 << 1,
	RCTL_UPE = 1 << 3,
	RCTL_MPE = 1 << 4,
	RCTL_LPE = 1 << 5,
	RCTL_LBM = 3 << 6,
	RCTL_MO = 12,
	RCTL_BAM = 1 << 15,
	RCTL_BSIZE = 16,
	RCTL_VFE = 1 << 18,
	RCTL_BSEX = 1 << 25,
	RCTL_SECRC = 1 << 26,
	TCTL_EN = 1 << 1,
	TCTL_PSP = 1 << 3,
	TXDW = 1,
	TXQE = 2,
	LSC = 4,
	RXDMT0 = 0x10,
	RXO = 0x40,
	RXT0 = 0x80,
	MDAC = 0x200,

	/* of a descriptor: command bits 31:24 of the third word, options */
	EOP = 1,
	IFCS = 2,
	IC = 4,
	TSE = 4,
	RS = 8,
	DEXT = 0x20,
	VLE = 0x40,
	IDE = 0x80,
	IXSM = 1,
	TXSM = 2,
	/* of a received one */
	DD = 1,
	REOP = 2,
	RIXSM = 4,
	VP = 8,
	TCPCS = 0x20,
	IPCS = 0x40,
	TCPE = 0x20,
	IPE = 0x40,
};

enum { TX_RING = 0x10000, RX_RING = 0x20000, TX_BUFFERS = 0x100000, RX_BUFFERS = 0x400000 };
enum { TX_ENTRIES = 64, RX_ENTRIES = 64, RX_STRIDE = 16384 };

struct nic;

struct driver {
	struct machine machine;
	struct test_port port;
	struct instance *instance;
	struct nic *nic; /* instead of the machine's instance: registers directly */
	uint64_t bar;
	uint8_t *memory;
	uint32_t tx_tail, tx_entries, rx_next, rx_tail, rx_entries, rx_size;
	uint64_t tx_buffer;
};

struct slot {
	uint64_t address;
	uint32_t low, high;
};

void driver_new(struct driver *driver, bool offloads);
void driver_new_card(struct driver *driver, const struct card *card, bool offloads); /* alike */
void driver_free(struct driver *driver);
void driver_start(struct driver *driver); /* rings and enable bits, after new or reset */

uint32_t reg(struct driver *driver, unsigned at);
void set(struct driver *driver, unsigned at, uint32_t value);
/* Everything of the driver's and the machine's that is waiting. */
void driver_settle(struct driver *driver);
/* Interrupts delivered since the last call; unmasks, without reading ICR. */
unsigned driver_fired(struct driver *driver);

/* ---- transmit: descriptors are queued, then the tail is written ---- */
uint64_t tx_copy(struct driver *driver, const void *data, uint32_t length); /* to a new buffer */
struct slot *tx_slot(struct driver *driver, unsigned back); /* BACK slots before the tail */
void tx_put(struct driver *driver, uint64_t address, uint32_t low, uint32_t high);
void tx_legacy(struct driver *driver, uint64_t address, uint32_t length, unsigned command,
	       unsigned cso, unsigned css, uint16_t special);
void tx_data(struct driver *driver, uint64_t address, uint32_t length, unsigned command,
	     unsigned options, uint16_t special);
void tx_context(struct driver *driver, const struct packet *packet, unsigned command,
		uint32_t payload, unsigned header, unsigned mss);
void tx_kick(struct driver *driver);
/* A packet with both checksums asked for, in so many pieces; sent and settled. */
void tx_packet(struct driver *driver, const struct packet *packet, unsigned pieces);
void check_sent(const struct driver *driver, unsigned index, const void *data, uint32_t length);
void port_finish(struct sent *sent); /* what a port that was promised the rest does */

/* ---- receive ---- */
struct received {
	uint8_t data[PACKET_MAX];
	uint32_t length;
	unsigned slots;
	uint8_t status, errors; /* of the last slot */
	uint16_t special;
};

void rx_fill(struct driver *driver, unsigned count);		/* gives COUNT more slots */
bool rx_take(struct driver *driver, struct received *received); /* false: nothing complete */
struct slot *rx_slot(struct driver *driver, unsigned index);

extern const uint8_t peer_mac[6];
struct packet packet_out(uint32_t length); /* a TCP/IPv4 packet from the guest, with noise */
struct packet packet_in(uint32_t length);  /* to the guest */
