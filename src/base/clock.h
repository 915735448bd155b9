/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Time as a parameter. A clock is the machine's monotonic time, or is turned by
 * hand in tests. Times are nanoseconds. Timers belong to one clock and one thread.
 */
#define CLOCK_NEVER UINT64_MAX
#define CLOCK_SLACK 50000u /* what a lazy timer may be late: as much as any sleep, prctl(2) */

struct timer {
	void (*fire)(struct timer *timer);
	void *context;
	uint64_t deadline; /* CLOCK_NEVER: not armed */
	struct timer *next;
};

struct clock {
	bool manual;
	uint64_t now;	      /* manual clocks only */
	struct timer *timers; /* sorted by deadline */
};

void clock_init(struct clock *clock, bool manual);
uint64_t clock_now(const struct clock *clock);
uint64_t clock_next(const struct clock *clock);	   /* earliest deadline or CLOCK_NEVER */
void clock_run(struct clock *clock);		   /* fires what is due */
void clock_turn(struct clock *clock, uint64_t ns); /* manual: advances, firing on the way */

void timer_init(struct timer *timer, void (*fire)(struct timer *timer), void *context);
void timer_arm(struct clock *clock, struct timer *timer, uint64_t deadline);
void timer_arm_lazy(struct clock *clock, struct timer *timer, uint64_t deadline);
void timer_cancel(struct clock *clock, struct timer *timer);

static inline bool timer_armed(const struct timer *timer)
{
	return timer->deadline != CLOCK_NEVER;
}
