/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: two kernel switches, held while TDX may refuse memory.
 *
 * With /sys/bus/dax/drivers_autoprobe at 0 a dax device appears without a driver, and with
 * auto_online_blocks at "offline" new blocks stay offline; so a range can be judged whole,
 * before any of it is in the page allocator. (Both tried on 6.12 and 7.3.)
 *
 * What the switches read before is kept, over restarts too, and written back when the guard
 * is given up, unless somebody else has changed them since.
 */
#pragma once

#define GUARD_VALUE 32

enum guard_switch {
	GUARD_DAX,
	GUARD_AUTO_ONLINE,
	GUARD_SWITCHES,
};

struct guard {
	char was[GUARD_SWITCHES][GUARD_VALUE]; /* before it was taken; empty: it was not */
};

/* Remember what the switches read now, unless that is known from before. */
void guard_remember(struct guard *guard);

/* Set what is not set yet. A switch that cannot be set is logged. */
void guard_take(void);

/* Give back what still reads as we left it. */
void guard_release(struct guard *guard);

/* What the switches read before has been lost: take the kernel's default where that is safe. */
void guard_guess(struct guard *guard);

/* The name of a switch in files and JSON. */
const char *guard_switch_name(enum guard_switch i);
