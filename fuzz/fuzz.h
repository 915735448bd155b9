/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct card;

/*
 * An input is a description; what follows its first zero byte is what a guest
 * and a network do to the card that it became.
 */
size_t fuzz_text(const uint8_t *data, size_t size); /* bytes before that zero */

/* guest.c: plugs the card into a machine and lets STEPS happen to it. */
void guest_run(const struct card *card, const uint8_t *steps, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
