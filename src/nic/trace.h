/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"

struct trace;

/* WHAT: some of registers, rings, frames and interrupts, then [:FILE]; else standard error. */
struct trace *trace_open(const char *what, struct error *err);
void trace_close(struct trace *trace);
