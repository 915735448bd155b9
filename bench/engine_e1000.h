/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine.h"

/* The e1000's registers and descriptors: one of the families, and whoever sends to the others. */
enum { /* offsets in BAR 0 */
       REG_RCTL = 0x100,
       REG_TCTL = 0x400,
       REG_RDBAL = 0x2800,
       REG_RDBAH = 0x2804,
       REG_RDLEN = 0x2808,
       REG_RDH = 0x2810,
       REG_RDT = 0x2818,
       REG_TDBAL = 0x3800,
       REG_TDBAH = 0x3804,
       REG_TDLEN = 0x3808,
       REG_TDH = 0x3810,
       REG_TDT = 0x3818,
};

enum {
	E1000_RING = 512,
	TCTL_EN = 2,
	RCTL_EN = 2,
	RCTL_SECRC = 1 << 26,
	TX_EOP = 1,
	TX_IFCS = 2,
	TX_RS = 8,
	DD = 1,
	EOP = 2,
};

struct tx_slot {
	uint64_t address;
	uint16_t length;
	uint8_t cso, command, status, css;
	uint16_t special;
};

struct rx_slot {
	uint64_t address;
	uint16_t length, checksum;
	uint8_t status, errors;
	uint16_t special;
};

/* A transmit ring of SLOTS at AT. */
void e1000_fill(uint8_t *memory, uint32_t at, unsigned slots, uint32_t length);
