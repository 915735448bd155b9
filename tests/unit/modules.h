/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "driver.h"

/* Cards with a module, out of texts. */
struct card;

/* XML goes into a card that extends e1000; SOURCE is its module.c, as a kind c. */
struct card *module_card(const char *xml, const char *source);
/* A description and its module, in DIRECTORY of the source tree. */
struct card *module_card_file(const char *directory);
