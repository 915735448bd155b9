/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "nic/card.h"

/* What a card says of itself in configuration space, as somebody asks for it. */
struct identity {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t revision;
	bool strict; /* a subsystem was asked for, and nothing else will do */
	bool like;   /* a device of the host: its subsystem and revision, if there is one */
};

/* VENDOR:DEVICE[:SUBSYSTEM-VENDOR:SUBSYSTEM] in hexadecimal. */
bool identity_parse(const char *text, struct identity *identity);
/* That of a PCI device of the host, 0000:03:00.0, from sysfs ($ANYNIC_SYSFS, or /sys). */
int identity_of_slot(const char *slot, struct identity *identity, struct error *err);
struct identity identity_of_card(const struct card *card);

bool identity_same(const struct identity *a, const struct identity *b); /* of two cards */

/* How well a card fits, the higher the better; -1: not at all. */
int identity_fits(const struct identity *wanted, const struct identity *card);
