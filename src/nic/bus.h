/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/clock.h"
#include "base/dma.h"

#include <stdbool.h>

/* The bus seam: what the generic NIC needs of the machine around it. */
struct bus {
	void *context;
	struct dma *memory;
	struct clock *clock;
	void (*line)(void *context, bool level);
	void (*message)(void *context, unsigned vector);
	void (*schedule)(void *context); /* recorded work is waiting: call nic_work() soon */
	/* NULL: no write is ever on its way; or: nic_looking(), then deal with those that are */
	void (*settle)(void *context);
};
