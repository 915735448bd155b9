/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Memory that another process may take away, since it holds the file: touching
 * what is gone is SIGBUS. While a guard stands over a mapping, such a fault puts
 * zeros in the place of the mapping from that page on, and is counted. Any other
 * SIGBUS ends the process as before.
 *
 * The caller owns the struct; it must stay where it is until guard_drop().
 */
struct guard {
	uint8_t *begin;
	size_t size;
	size_t page;	/* of its file system; a power of two */
	int protection; /* of mmap() */
	volatile uint64_t faults;
	struct guard *next, **at;
};

void guard_stand(struct guard *guard);
void guard_drop(struct guard *guard); /* before munmap() */
uint64_t guard_faults(void);	      /* of the whole process */

/* The kernel says EFAULT where we get SIGBUS: touches it all, so that it can be tried again. */
void guard_touch(const struct iovec *iov, unsigned count);
