/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

void clock_init(struct clock *clock, bool manual)
{
	*clock = (struct clock){.manual = manual};
}

uint64_t clock_now(const struct clock *clock)
{
	struct timespec now;

	if (clock->manual)
		return clock->now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_next(const struct clock *clock)
{
	return clock->timers ? clock->timers->deadline : CLOCK_NEVER;
}

void clock_run(struct clock *clock)
{
	uint64_t now;

	if (!clock->timers)
		return;
	/* Timers armed by those that fire now wait for the next run, unless due already. */
	now = clock_now(clock);
	while (clock->timers && clock->timers->deadline <= now) {
		struct timer *timer = clock->timers;

		clock->timers = timer->next;
		timer->deadline = CLOCK_NEVER;
		timer->fire(timer);
	}
}

void clock_turn(struct clock *clock, uint64_t ns)
{
	uint64_t end = clock->now + ns;

	while (clock_next(clock) <= end) {
		if (clock_next(clock) > clock->now)
			clock->now = clock_next(clock);
		clock_run(clock);
	}
	clock->now = end;
}

void timer_init(struct timer *timer, void (*fire)(struct timer *timer), void *context)
{
	*timer = (struct timer){.fire = fire, .context = context, .deadline = CLOCK_NEVER};
}

void timer_cancel(struct clock *clock, struct timer *timer)
{
	if (!timer_armed(timer))
		return;
	for (struct timer **at = &clock->timers; *at; at = &(*at)->next) {
		if (*at == timer) {
			*at = timer->next;
			break;
		}
	}
	timer->deadline = CLOCK_NEVER;
}

void timer_arm(struct clock *clock, struct timer *timer, uint64_t deadline)
{
	struct timer **at = &clock->timers;

	timer_cancel(clock, timer);
	if (deadline == CLOCK_NEVER)
		return;
	while (*at && (*at)->deadline <= deadline)
		at = &(*at)->next;
	timer->deadline = deadline;
	timer->next = *at;
	*at = timer;
}

void timer_arm_lazy(struct clock *clock, struct timer *timer, uint64_t deadline)
{
	timer_arm(clock, timer, clock->manual ? deadline : deadline + CLOCK_SLACK);
}
