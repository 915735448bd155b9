/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/port.h"

/*
 * A port around a port: what it does not do itself passes through. Layers can be
 * put in and taken out while frames flow.
 */
struct layer {
	struct port port;
	struct port_ops ops;
	struct port *inner;
	/* Instead of passing on; NULL: passes on. Each may call what passes on. */
	unsigned (*transmit)(struct layer *layer, const struct frame *frames, unsigned count);
	unsigned (*receive)(struct layer *layer, const struct frame *frames, unsigned count);
	void (*free)(struct layer *layer);
};

/* LAYER is around INNER from now on; whoever is in front of it has to attach to it again. */
void layer_around(struct layer *layer, struct port *inner);
/* Without what it is around. */
void layer_free(struct layer *layer);

static inline unsigned layer_transmit(struct layer *layer, const struct frame *frames,
				      unsigned count)
{
	return layer->inner->ops->transmit(layer->inner, frames, count);
}

static inline void layer_resume(struct layer *layer)
{
	if (layer->inner->ops->resume)
		layer->inner->ops->resume(layer->inner);
}
