/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The list is of the process, as the signal is. A fault is raised by the thread
 * that touches memory, never from within the functions below, so the handler
 * may wait for the lock: it is another thread that has it, and not for long.
 */
#include "base/guard.h"

#include "base/signals.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct guard *guards;
static _Atomic uint64_t faults;

static void take(void)
{
	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
		;
}

static void leave(void)
{
	atomic_flag_clear_explicit(&lock, memory_order_release);
}

static bool repair(uintptr_t address)
{
	struct guard *guard = guards;
	uintptr_t offset;

	while (guard && address - (uintptr_t)guard->begin >= guard->size)
		guard = guard->next;
	if (!guard)
		return false;
	/* to the end: what lies behind is gone too, and one piece is one of the kernel's maps */
	offset = (address - (uintptr_t)guard->begin) & ~(guard->page - 1);
	guard->faults++;
	faults++;
	return mmap(guard->begin + offset, guard->size - offset, guard->protection,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static bool repair_locked(uintptr_t address)
{
	bool repaired;

	take();
	repaired = repair(address);
	leave();
	return repaired;
}

void guard_stand(struct guard *guard)
{
	static bool installed;

	take();
	if (!installed)
		signals_repair(repair_locked);
	installed = true;
	guard->next = guards;
	guard->at = &guards;
	if (guards)
		guards->at = &guard->next;
	guards = guard;
	leave();
}

void guard_drop(struct guard *guard)
{
	take();
	*guard->at = guard->next;
	if (guard->next)
		guard->next->at = guard->at;
	leave();
}

uint64_t guard_faults(void)
{
	return atomic_load_explicit(&faults, memory_order_relaxed);
}

void guard_touch(const struct iovec *iov, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const volatile uint8_t *data = iov[i].iov_base;

		for (size_t at = 0; at < iov[i].iov_len; at += PAGE - (uintptr_t)(data + at) % PAGE)
			(void)data[at];
	}
}
