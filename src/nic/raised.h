/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* Causes that passes raised while writes were on their way; see raised.c. */
enum { RAISED_MAX = 8 };

struct raised {
	uint16_t word;
	uint64_t fresh, old;
};

struct nic;
void raised_note(struct nic *nic, unsigned word, uint64_t mask);
void raised_told(struct nic *nic, unsigned word, uint64_t shown); /* by a read */
