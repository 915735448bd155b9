/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "nic/state.h"

/* One NIC's state on its way into another of a newer description. */
struct carry {
	struct nic *to, *from;
	const struct nic *fresh; /* of FROM's description, as after power-on */
	struct error *why;
	int places[CARD_INSTANCES_MAX]; /* of FROM's rings in TO; -1: none */
};

/* Each is 0, or -ECANCELED and WHY. */
int carry_registers(struct carry *carry);
int carry_memories(struct carry *carry);
int carry_rings(struct carry *carry);	 /* after the registers that they follow from */
void carry_flights(struct carry *carry); /* frames that the port has */
