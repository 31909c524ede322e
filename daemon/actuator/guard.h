/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: two kernel switches, held while TDX may refuse memory, or one of them because a rule
 * needs it (guard_wanted()).
 *
 * With /sys/bus/dax/drivers_autoprobe at 0 a dax device appears without a driver, and with
 * auto_online_blocks at "offline" new blocks stay offline; so a device can be decided as a whole,
 * before any of it is in the page allocator. (Both tried on 6.12 and 7.3.)
 *
 * What a switch read before is kept, over restarts too, and is written back when the guard is
 * given up. Another program can write to a switch meanwhile: that is noticed, the switch is taken
 * again, and given back with the new value. A switch that was changed GUARD_FALLS times, with less
 * than an hour in between, is left as it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/policy/guard.h"
#include "tdxo/record/status.h"

#define GUARD_VALUE 32
#define GUARD_FALLS 5

struct guard {
	char was[GUARD_SWITCHES][GUARD_VALUE]; /* before it was taken; empty: it was not */

	/* Only while the service runs. */
	unsigned int wanted;			/* switches to be held: guard_wanted() */
	bool held[GUARD_SWITCHES];		/* it reads as the guard wants it */
	bool failed[GUARD_SWITCHES];		/* it could not be set, and that is logged */
	char fell[GUARD_SWITCHES][GUARD_VALUE]; /* what another program set it to, or empty */
	unsigned int falls[GUARD_SWITCHES];	/* how often that happened, and when last */
	uint64_t fell_ms[GUARD_SWITCHES];
};

/* Hold these switches from now on. Each other one is given back if it still reads as we left it. */
void guard_want(struct guard *guard, unsigned int wanted);

/*
 * Remember what the wanted switches read now, unless that is known from before. True if one that
 * was held before reads as another program has set it since: that is what is remembered then.
 */
bool guard_remember(struct guard *guard) MUST_CHECK;

/*
 * Set what is wanted and not held yet. A switch that was held and that another program has set
 * since is left to guard_has_fallen(). A switch that cannot be set is logged, once. Unless what
 * they read is saved, only the switch is taken whose earlier value is known without: none must stay
 * changed for good.
 */
void guard_take(struct guard *guard, bool saved);

/* Is there a wanted switch now that was not there before: the first dax device has just come? */
bool guard_has_appeared(const struct guard *guard) MUST_CHECK;

/*
 * Has another program changed a switch that is held? Its new value is what it will be given back
 * to; save that, take the guard again, and record it.
 */
bool guard_has_fallen(struct guard *guard) MUST_CHECK;

/* Record what another program has changed, and whether that is undone. */
void guard_record_falls(struct guard *guard);

/* What each switch reads now, and whether it is held. The texts are borrowed from the guard. */
void guard_look(const struct guard *guard, struct switch_status ret_switches[GUARD_SWITCHES]);

/* Does each wanted switch read as the guard wants it? */
bool guard_is_up(const struct guard *guard);

/*
 * If drivers_autoprobe is 0 and its earlier value is not known, an earlier start has set it: give
 * it back as the kernel has it by default.
 */
void guard_guess(struct guard *guard);

const char *guard_switch_path(enum guard_switch i);
