/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "driver.h"

#include "card/reader.h"

/* Cards with a module, out of texts. */

/* XML goes into a card that extends e1000; SOURCE is its module.c, as a kind c. */
struct card *module_card(const char *xml, const char *source);
/* A description and its module, in DIRECTORY of the source tree. */
struct card *module_card_file(const char *directory);
/* TEXT, with BESIDE as of a finder; NULL: WHY has the first mistake. */
struct card *module_read(const char *text,
			 bool (*beside)(void *context, const char *path, const char *name,
					struct found_card *found),
			 void *context, char *why, size_t room);
/* What such a BESIDE returns where the file is TEXT. */
bool module_text(const char *text, const char *name, struct found_card *found);
