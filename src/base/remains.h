/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Files that are removed when the process ends, also where a signal ends it. */
void remains_add(const char *path);
void remains_remove(const char *path); /* now */
void remains_remove_all(void);	       /* may be called by a signal's handler */
