/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "nic/hooks.h"
#include "nic/nic.h"

/*
 * A NIC of a newer description in the place of one that runs. What the old one
 * holds goes along by names, so that the driver notices nothing:
 *
 *   register field    bank, register, field; and the width of each
 *   memory            name and size
 *   ring              name; its cursor, where slots and geometry are the same
 *   timer             name
 *   command window, serial bus    what it leads to
 *   interrupt         line or vector
 *
 * What still is as the old description has it after power-on becomes what the
 * new one has. What holds something else and has no place any more is a reason
 * to refuse, or the new NIC begins as after a reset.
 */

/*
 * HOOKS: the new one's module, which is taken over in any case, or NULL. What the old
 * one's saved is restored. The new one has the bus, port, trace and statistics of FROM, which is
 * for nic_free() then. AFRESH: as after power-on. NULL: FROM goes on as it was, and the error is
 * -EAGAIN where it waits for guest memory, -ECANCELED where something has no place. Not within an
 * access.
 */
struct nic *nic_successor(struct nic *from, const struct card *card, struct hooks *hooks,
			  bool afresh, struct error *err);
