/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Faults: one handler for all. Memory that another process took away is repaired
 * (guard.c). What happens within foreign code is told; then, and in any other
 * case, the fault is raised again with whatever stood there before us, which ends
 * the process.
 *
 * The clock of foreign code is a timer of its thread that fires once:
 *
 *   entered ── runs? ── no: set it, WATCH_SECONDS
 *   fires:  nothing runs, and nothing has since it was set    it rests
 *           the same call runs as when it was set             the process ends
 *           else                                              set again
 *
 * So a call has one to two of these spans, calls cost no system call, and an
 * idle process sleeps.
 */
#include "base/signals.h"

#include "base/remains.h"
#include "base/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { TOLD = 5, STACK = 64 << 10 };

static const struct {
	int number;
	const char *what;
} faults[TOLD] = {
	{SIGSEGV, "touched memory that is not there"},
	{SIGBUS, "touched memory that is not there"},
	{SIGFPE, "divided by zero"},
	{SIGILL, "ran into no instruction"},
	{SIGABRT, "gave up by abort()"},
};

_Thread_local struct watch watch_now;
static _Thread_local struct {
	bool ready, has_timer;
	timer_t timer;
	unsigned turn; /* when it was set */
} clock_of_thread;

static struct sigaction before[TOLD];
static bool handled[TOLD];
static bool (*repair_memory)(uintptr_t address);
static atomic_flag lock = ATOMIC_FLAG_INIT;

/* ---- telling, with what a handler may use ---- */

static char *put(char *at, const char *end, const char *text)
{
	while (*text && at < end)
		*at++ = *text++;
	return at;
}

static void tell(const char *what)
{
	char line[256] = "", *at = line, *end = line + sizeof(line) - 1;
	int error = errno;

	at = put(at, end, "anynic: ");
	at = put(at, end, watch_now.who);
	at = put(at, end, ": ");
	at = put(at, end, watch_now.what);
	at = put(at, end, "() ");
	at = put(at, end, what);
	at = put(at, end, "; the process ends");
	*at++ = '\n';
	(void)!write(STDERR_FILENO, line, (size_t)(at - line));
	errno = error;
}

/* ---- faults ---- */

static unsigned place_of(int number)
{
	unsigned i = 0;

	while (i < TOLD - 1 && faults[i].number != number)
		i++;
	return i;
}

static void fault(int number, siginfo_t *info, void *machine)
{
	unsigned place = place_of(number);

	(void)machine;
	if (number == SIGBUS && info->si_code == BUS_ADRERR && repair_memory &&
	    repair_memory((uintptr_t)info->si_addr))
		return;
	if (watch_now.who) {
		tell(faults[place].what);
		remains_remove_all();
		watch_now.who = NULL; /* told once, whatever comes of it */
	}
	sigaction(number, &before[place], NULL); /* it happens again on return, to them */
	if (info->si_code <= 0)
		raise(number); /* or does not: it was sent */
}

static void handle(unsigned place)
{
	struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	while (atomic_flag_test_and_set(&lock))
		;
	if (!handled[place])
		sigaction(faults[place].number, &action, &before[place]);
	handled[place] = true;
	atomic_flag_clear(&lock);
}

void signals_repair(bool (*repair)(uintptr_t address))
{
	repair_memory = repair;
	handle(place_of(SIGBUS));
}

/* ---- the clock ---- */

static void clock_set(void)
{
	const struct itimerspec span = {.it_value.tv_sec = WATCH_SECONDS};

	clock_of_thread.turn = watch_now.turn;
	watch_now.ticks = timer_settime(clock_of_thread.timer, 0, &span, NULL) == 0;
}

static void tick(int number, siginfo_t *info, void *machine)
{
	int error = errno;

	(void)number;
	(void)info;
	(void)machine;
	if (watch_now.turn != clock_of_thread.turn) {
		clock_set();
	} else if (!watch_now.who) {
		watch_now.ticks = false;
	} else {
		tell("does not return");
		remains_remove_all();
		_exit(EXIT_FAILURE);
	}
	errno = error;
}

static void clock_make(void)
{
	struct sigaction action = {.sa_sigaction = tick,
				   .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};

	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	sigaction(SIGALRM, &action, NULL);
	clock_of_thread.has_timer =
		timer_create(CLOCK_MONOTONIC, &event, &clock_of_thread.timer) == 0;
}

/* Foreign code may have used up the stack it has. */
static void stack_make(void)
{
	stack_t stack = {.ss_size = STACK}, there;

	if (sigaltstack(NULL, &there) == 0 && !(there.ss_flags & SS_DISABLE))
		return;
	stack.ss_sp = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack.ss_sp != MAP_FAILED)
		sigaltstack(&stack, NULL);
}

/* The first time in a thread, all that is needed to look after it. */
void watch_tick(void)
{
	if (!clock_of_thread.ready) {
		clock_of_thread.ready = true;
		stack_make();
		for (unsigned i = 0; i < TOLD; i++)
			handle(i);
		clock_make();
	}
	if (clock_of_thread.has_timer)
		clock_set();
}
