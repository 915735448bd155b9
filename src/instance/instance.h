/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "base/loop.h"
#include "nic/card.h"

/* One card for one VM: card, NIC, port, PCI function and front put together. */
struct instance;

struct instance_config {
	struct loop *loop;
	const struct card *card;
	const char *socket_path, *net;
	uint8_t mac[6];
};

struct instance *instance_new(const struct instance_config *config, struct error *err);
void instance_free(struct instance *instance);
