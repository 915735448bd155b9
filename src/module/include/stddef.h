/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

typedef unsigned long size_t;
typedef long ptrdiff_t;
#define NULL ((void *)0)
#define offsetof(type, member) ((size_t) & ((type *)0)->member)
