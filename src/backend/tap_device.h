/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/* A queue of the tap NAME, one of SEVERAL or the only one, set up as we need it; or -errno. */
int tap_device_open(const char *name, bool several, bool plain, struct error *err);
/* The same of a descriptor that was handed over: it may be anything. */
int tap_device_inherit(const char *number, bool plain, struct error *err);
/* Its device has not been deleted, wherever it is. */
bool tap_device_alive(int fd);
/* It is called NAME, in our namespace. */
bool tap_device_here(int fd, const char *name);
