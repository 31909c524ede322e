/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mock kernel: a monotonic clock that MOCK_SPEED makes faster.
 *
 * The daemon waits for silence, tries again after a delay and gives up at a deadline. A test with
 * hundreds of machines cannot wait that long. Both the time that the daemon reads and the timers
 * that it arms are scaled, so that their order stays. It arms timers of this clock only.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"

#define NSEC   INT64_C(1000000000)
#define EXPORT __attribute__((visibility("default")))

unsigned int clock_speed(void)
{
	static unsigned int speed;
	const char *text;

	if (!speed) {
		text = getenv("MOCK_SPEED");
		speed = text ? (unsigned int)strtoul(text, NULL, 10) : 1;
	}
	return speed;
}

static int64_t to_nsec(const struct timespec *time)
{
	return time->tv_sec * NSEC + time->tv_nsec;
}

static struct timespec from_nsec(int64_t nsec)
{
	return (struct timespec){nsec / NSEC, nsec % NSEC};
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *time)
{
	int r = (int)syscall(SYS_clock_gettime, clock, time);

	if (r == 0 && clock == CLOCK_MONOTONIC)
		*time = from_nsec(to_nsec(time) * clock_speed());
	return r;
}

/* Round up: a time of 0 would disarm the timer. */
EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	int64_t nsec = to_nsec(&new->it_value);
	struct itimerspec scaled = *new;

	scaled.it_value = from_nsec(nsec && nsec < clock_speed() ? 1 : nsec / clock_speed());
	return (int)syscall(SYS_timerfd_settime, fd, flags, &scaled, old);
}
