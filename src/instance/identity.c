/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/identity.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Four digits at most, and no sign or blank, which sscanf() would take. */
static bool parts_sound(const char *text)
{
	unsigned digits = 0;

	for (; *text; text++) {
		digits = *text == ':' ? 0 : digits + 1;
		if ((*text != ':' && !isxdigit((unsigned char)*text)) || digits > 4)
			return false;
	}
	return true;
}

bool identity_parse(const char *text, struct identity *identity)
{
	unsigned part[4] = {0};
	int end = 0;
	int got;

	*identity = (struct identity){0};
	if (!parts_sound(text))
		return false;
	got = sscanf(text, "%x:%x%n:%x:%x%n", &part[0], &part[1], &end, &part[2], &part[3], &end);
	if ((got != 2 && got != 4) || text[end])
		return false;
	*identity = (struct identity){
		.vendor = (uint16_t)part[0],
		.device = (uint16_t)part[1],
		.subsystem_vendor = (uint16_t)part[2],
		.subsystem = (uint16_t)part[3],
		.strict = got == 4,
	};
	return true;
}

static int attribute(const char *folder, const char *name, unsigned long limit, unsigned *value,
		     struct error *err)
{
	char path[512], text[32] = "", *end;
	unsigned long got;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!fgets(text, sizeof(text), file))
		*text = 0;
	fclose(file);
	got = strtoul(text, &end, 16);
	if (end == text || (*end && *end != '\n') || got > limit)
		return error_set(err, -EINVAL, "%s: not a number of a PCI device", path);
	*value = (unsigned)got;
	return 0;
}

/* 03:00.0 is of domain 0. */
static bool slot_name(const char *slot, char *name, size_t room)
{
	unsigned domain = 0, bus, device, function;
	int end = 0;

	if (strspn(slot, "0123456789abcdefABCDEF:.") != strlen(slot))
		return false;
	if (sscanf(slot, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end) != 4) {
		domain = 0;
		if (sscanf(slot, "%2x:%2x.%1x%n", &bus, &device, &function, &end) != 3)
			return false;
	}
	snprintf(name, room, "%04x:%02x:%02x.%x", domain, bus, device, function);
	return !slot[end];
}

int identity_of_slot(const char *slot, struct identity *identity, struct error *err)
{
	const char *root = getenv("ANYNIC_SYSFS");
	char folder[400], name[32];
	unsigned vendor, device, subsystem_vendor, subsystem, revision;
	int result;

	if (!slot_name(slot, name, sizeof(name)))
		return error_set(err, -EINVAL, "--like %s: expected 0000:03:00.0", slot);
	snprintf(folder, sizeof(folder), "%s/bus/pci/devices/%s", root && *root ? root : "/sys",
		 name);
	result = attribute(folder, "vendor", 0xffff, &vendor, err);
	if (result == -ENOENT)
		return error_set(err, result, "--like %s: the host has no such PCI device", slot);
	result = result		     ?: attribute(folder, "device", 0xffff, &device, err)
		 ?: attribute(folder, "subsystem_vendor", 0xffff, &subsystem_vendor, err)
		 ?: attribute(folder, "subsystem_device", 0xffff, &subsystem, err)
		 ?: attribute(folder, "revision", 0xff, &revision, err);
	if (result < 0)
		return result;
	*identity = (struct identity){
		.vendor = (uint16_t)vendor,
		.device = (uint16_t)device,
		.subsystem_vendor = (uint16_t)subsystem_vendor,
		.subsystem = (uint16_t)subsystem,
		.revision = (uint8_t)revision,
		.like = true,
	};
	return 0;
}

struct identity identity_of_card(const struct card *card)
{
	return (struct identity){
		.vendor = card->vendor,
		.device = card->device,
		.subsystem_vendor = card->subsystem_vendor,
		.subsystem = card->subsystem,
		.revision = card->revision,
	};
}

bool identity_same(const struct identity *a, const struct identity *b)
{
	return a->vendor == b->vendor && a->device == b->device &&
	       a->subsystem_vendor == b->subsystem_vendor && a->subsystem == b->subsystem &&
	       a->revision == b->revision;
}

int identity_fits(const struct identity *wanted, const struct identity *card)
{
	bool same = wanted->subsystem_vendor == card->subsystem_vendor &&
		    wanted->subsystem == card->subsystem;

	if (wanted->vendor != card->vendor || wanted->device != card->device ||
	    (wanted->strict && !same))
		return -1;
	if (!wanted->like)
		return card->revision;
	return card->revision + (wanted->revision == card->revision ? 0x100 : 0) +
	       (same ? 0x200 : 0);
}
