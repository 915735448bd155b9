/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The one owner of signals that the process raises itself: faults, and the clock
 * that looks after foreign code (watch.h). Those that come from outside are the
 * command's.
 */

/* SIGBUS for memory that is gone: REPAIR puts other memory there, true, and it goes on. */
void signals_repair(bool (*repair)(uintptr_t address));
