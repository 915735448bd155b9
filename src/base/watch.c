/* SPDX-License-Identifier: Apache-2.0 */
#include "base/watch.h"

_Thread_local struct watch watch_now;
