/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Virtual PIC: takes one function's line and messages to the VM that owns it.
 * The line is a level; the front delivers it as an edge with automask, so a
 * level that is still high is signalled again when it is unmasked. While the VM
 * has enabled messages, a rise of the line is message 0 instead.
 *
 * A VMM without irqchip unmasks at the driver's first access, which asks for the
 * causes; what acknowledges them is still to come. With a clock the line is
 * therefore given PIC_PATIENCE to fall before it is signalled again, from the
 * driver's last access on, since some acknowledge when they have read a frame
 * through ports; and PIC_PATIENCE_MAX whatever the driver does:
 *
 *   masked ──unmask, low──> ready ──rises──> signalled, masked
 *      └─────unmask, high──> patient ──falls──> ready
 *                              └──still high after PIC_PATIENCE──> signalled, masked
 */
enum { PIC_VECTORS = 2048, PIC_PATIENCE = 50000, PIC_PATIENCE_MAX = 5000000 /* ns */ };
enum pic_kind { PIC_LINE, PIC_MSI, PIC_MSIX, PIC_KINDS };

struct pic_sink {
	void *context;
	/* KIND's VECTOR fires. For PIC_LINE called on each delivery. */
	void (*fire)(void *context, enum pic_kind kind, unsigned vector);
	/* Or NULL: the pin's level as the bus sees it has changed; then nothing is masked. */
	void (*level)(void *context, bool level);
};

struct pic {
	struct pic_sink sink;
	bool level;		/* what the device asks for */
	bool shown;		/* what the sink was told of it last */
	bool masked;		/* by the VM, or automasked after a delivery */
	bool enabled;		/* the VM listens to the line */
	bool disabled;		/* COMMAND.INTx-disable */
	enum pic_kind messages; /* PIC_LINE while neither MSI nor MSI-X is enabled */
	uint64_t fired;
	struct clock *clock; /* or NULL: nobody's acknowledgement is on its way */
	struct timer again;
	uint64_t touched, latest; /* while `again` is armed: the last access, the end of patience */
};

void pic_init(struct pic *pic);
void pic_exit(struct pic *pic);
void pic_line(struct pic *pic, bool level);
/* The VM enabled a kind of message, or none: a line that is high is told by it. */
void pic_use(struct pic *pic, enum pic_kind kind);
void pic_message(struct pic *pic, unsigned vector); /* through the enabled kind, else dropped */
void pic_mask(struct pic *pic);
void pic_unmask(struct pic *pic);  /* delivers again when the level is still high */
void pic_touched(struct pic *pic); /* the driver is at work on the function's registers */
void pic_listen(struct pic *pic, bool enabled);
void pic_disable_line(struct pic *pic, bool disabled);
