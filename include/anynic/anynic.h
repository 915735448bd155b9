/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANYNIC_H
#define ANYNIC_H

#include <stddef.h>
#include <stdint.h>

/*
 * Network cards for a VMM of your own.
 *
 * A `struct anynic` has the cards and networks of one thread; every call that
 * concerns it is made by that thread. A device is one function of your PCI
 * bus: you forward the guest's accesses to its configuration space and BARs,
 * give it guest memory, and take its interrupts.
 *
 *	struct anynic *nics = anynic_open(NULL, &error);
 *	struct anynic_device *nic = anynic_device_add(nics, &options, &error);
 *
 *	anynic_device_map(nic, 0, ram_size, ram);
 *	value = anynic_bar_read(nic, 0, 0x8, 4);
 *	...
 *	poll({anynic_descriptor(nics)}, anynic_timeout(nics));
 *	anynic_run(nics, 0);
 *
 * Nothing blocks but anynic_run() with a timeout. Callbacks come from within
 * calls; they may call whatever concerns memory and time, but not remove the
 * device or the wire that calls them.
 *
 * Functions return 0 or a negative errno, or NULL; then the error says why.
 * Structures begin with their size, so that later versions may add to them.
 */
#ifdef __cplusplus
extern "C" {
#endif

#define ANYNIC_API __attribute__((visibility("default")))

struct iovec;
struct anynic;
struct anynic_device;
struct anynic_wire;

struct anynic_error {
	int code; /* negative errno */
	char text[1024];
};

struct anynic_options {
	size_t size;	   /* of this structure */
	const char *cards; /* where cards are looked for first: a folder or a pack, or NULL */
};

/* OPTIONS may be NULL, and so may every ERROR. */
ANYNIC_API struct anynic *anynic_open(const struct anynic_options *options,
				      struct anynic_error *error);
ANYNIC_API void anynic_close(struct anynic *nics); /* with all that is in it */

/* ---- time ---- */

/* Readable when anynic_run() has something to do; not for reading. */
ANYNIC_API int anynic_descriptor(const struct anynic *nics);
/* Milliseconds until anynic_run() has something to do anyway; -1: never, 0: now. */
ANYNIC_API int anynic_timeout(const struct anynic *nics);
/* One turn: what has arrived, what is due, what was left to do. TIMEOUT as for poll(2). */
ANYNIC_API int anynic_run(struct anynic *nics, int timeout);

/* ---- networks ---- */

/* As `anynic run --net ID=SPEC`; any number of devices may name it. */
ANYNIC_API int anynic_network_add(struct anynic *nics, const char *id, const char *spec,
				  struct anynic_error *error);

/* A network with you at the other end: plain frames without FCS. */
struct anynic_wire_options {
	size_t size;
	void *context;
	/* A frame has been sent; its memory is the guest's, and good until this returns. */
	void (*transmit)(void *context, const struct iovec *iov, unsigned count, size_t length);
	/* A frame that was refused could be taken now; or NULL. */
	void (*ready)(void *context);
};

ANYNIC_API struct anynic_wire *anynic_wire_add(struct anynic *nics, const char *id,
					       const struct anynic_wire_options *options,
					       struct anynic_error *error);
/* 0; -EAGAIN: no room, see ready(); -ENOTCONN: no device is there; -EMSGSIZE: 14 to 65535 bytes. */
ANYNIC_API int anynic_wire_deliver(struct anynic_wire *wire, const void *frame, size_t length);
ANYNIC_API void anynic_wire_link(struct anynic_wire *wire, int up);

/* ---- devices ---- */

struct anynic_device_options {
	size_t size;
	const char *card;	/* a name, "vendor:device", or the path of a description */
	const char *name;	/* or NULL: nicN */
	const char *network;	/* ID of a network, or NULL: SPEC is its own */
	const char *spec;	/* as after --net; NULL: "user" */
	const char *capture;	/* a pcap file, or NULL */
	const uint8_t *address; /* six bytes, or NULL: made from card and name */
	void *context;
	/* The level of the function's interrupt pin has changed. */
	void (*line)(void *context, int level);
	/* A message (MSI, MSI-X), as the driver has set it up. */
	void (*message)(void *context, uint64_t address, uint32_t data);
	/* BARs were moved, or decoding was switched, by a write to configuration space; or NULL. */
	void (*moved)(void *context);
};

ANYNIC_API struct anynic_device *anynic_device_add(struct anynic *nics,
						   const struct anynic_device_options *options,
						   struct anynic_error *error);
ANYNIC_API void anynic_device_remove(struct anynic_device *device);
ANYNIC_API void anynic_device_reset(struct anynic_device *device); /* of the function */
ANYNIC_API void anynic_device_link(struct anynic_device *device, int up);

/*
 * Guest memory, by guest-physical address. HOST stays yours, and valid until
 * it is unmapped or the device is removed. -EEXIST: overlaps; -EINVAL: wraps,
 * is empty, or would cut a mapping in two.
 */
ANYNIC_API int anynic_device_map(struct anynic_device *device, uint64_t base, uint64_t size,
				 void *host);
ANYNIC_API int anynic_device_unmap(struct anynic_device *device, uint64_t base, uint64_t size);

/*
 * Widths are 1, 2, 4 or 8 bytes; what is not there, or not decoded, reads as
 * all ones, and writes to it are dropped. Configuration space has 256 bytes.
 */
ANYNIC_API uint64_t anynic_config_read(struct anynic_device *device, unsigned offset,
				       unsigned width);
ANYNIC_API void anynic_config_write(struct anynic_device *device, unsigned offset, unsigned width,
				    uint64_t value);
ANYNIC_API uint64_t anynic_bar_read(struct anynic_device *device, unsigned bar, uint64_t offset,
				    unsigned width);
ANYNIC_API void anynic_bar_write(struct anynic_device *device, unsigned bar, uint64_t offset,
				 unsigned width, uint64_t value);

enum { ANYNIC_BAR_IO = 1, ANYNIC_BAR_64 = 2, ANYNIC_BAR_PREFETCH = 4 };

/* Its size, 0: there is none; FLAGS (or NULL) are those above. */
ANYNIC_API uint64_t anynic_bar_size(const struct anynic_device *device, unsigned bar,
				    unsigned *flags);
/* Where it is decoded now, 0: nowhere. */
ANYNIC_API uint64_t anynic_bar_address(const struct anynic_device *device, unsigned bar);

/* The device's statistics, as `anynic ctl stats --json` has them; for free(). */
ANYNIC_API char *anynic_device_stats(const struct anynic_device *device);

#ifdef __cplusplus
}
#endif
#endif
