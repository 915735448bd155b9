/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nic/hooks.h"

/*
 * What a module may ask for: the services of anynic/module.h as service_NAME().
 * Here a NIC is its struct nic, and a draft the reader's, behind the opaque types.
 * Whoever calls them has checked that buffers and texts are the caller's to name;
 * everything else may be wrong.
 */
#define SERVICE_DECLARE(returns, name, parameters, arguments) returns service_##name parameters;
ANYNIC_SERVICES(SERVICE_DECLARE)
#undef SERVICE_DECLARE
