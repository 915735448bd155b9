/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <anynic/anynic.h>
#include <stdbool.h>

/*
 * The guest of the example: a driver for the Intel 8254x, as short as one can
 * be. It has guest memory at address 0 and sees the card as any driver does.
 */
enum { RAM_SIZE = 1 << 20, SLOTS = 8, BUFFER = 2048 };

struct driver {
	struct anynic_device *nic;
	uint8_t *ram; /* RAM_SIZE */
	unsigned sent, received;
};

/* Finds the BARs a place, resets the card, makes its rings; the address it has. */
void driver_start(struct driver *driver, uint8_t address[static 6]);
void driver_send(struct driver *driver, const void *frame, uint16_t length);
/* The next frame that has come; its length, 0: none. */
unsigned driver_receive(struct driver *driver, uint8_t frame[static BUFFER]);
/* What its interrupt handler does. */
void driver_interrupt(struct driver *driver);
