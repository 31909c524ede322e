/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: take, hold, give back.
 */
#include "daemon/actuator/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/actuator/executor.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"
#include "daemon/output/journal.h"

#define FORGET_MS (60 * 60 * 1000) /* a change of a switch so long ago does not count */

static const char *const paths[GUARD_SWITCHES] = {
	[GUARD_DAX] = SYS_DAX_AUTOPROBE,
	[GUARD_AUTO_ONLINE] = SYS_AUTO_ONLINE,
};

const char *guard_switch_path(enum guard_switch i)
{
	return paths[i];
}

/* Does it read as the guard wants it, or is it not there? `now` is what it reads, or empty. */
static bool is_held(enum guard_switch i, char now[GUARD_VALUE])
{
	int r = sysfs_read(paths[i], now, GUARD_VALUE);

	if (r < 0)
		now[0] = '\0';
	return r == -ENOENT || (r == 0 && strcmp(now, guard_switch_value(i)) == 0);
}

static bool is_wanted(const struct guard *guard, enum guard_switch i)
{
	return guard->wanted & GUARD_SWITCH(i);
}

bool guard_is_up(const struct guard *guard)
{
	char now[GUARD_VALUE];

	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		if (is_wanted(guard, i) && !is_held(i, now))
			return false;
	return true;
}

static void note_fall(struct guard *guard, enum guard_switch i, const char *now)
{
	uint64_t now_ms = executor_now_ms();

	if (now_ms - guard->fell_ms[i] > FORGET_MS)
		guard->falls[i] = 0;
	guard->falls[i]++;
	guard->fell_ms[i] = now_ms;
	guard->held[i] = false;
	snprintf(guard->fell[i], GUARD_VALUE, "%s", now);
	/* A switch that is left as it is is not given back either. */
	snprintf(guard->was[i], GUARD_VALUE, "%s", guard->falls[i] < GUARD_FALLS ? now : "");
}

bool guard_remember(struct guard *guard)
{
	char now[GUARD_VALUE];
	bool fallen = false;

	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++) {
		bool held = is_held(i, now);

		if (!is_wanted(guard, i) || guard->falls[i] >= GUARD_FALLS)
			continue;
		if (!guard->was[i][0]) {
			memcpy(guard->was[i], now, sizeof(now));
		} else if (!held && now[0] && strcmp(now, guard->was[i]) != 0) {
			note_fall(guard, i, now);
			fallen = true;
		}
	}
	return fallen;
}

static void take(struct guard *guard, enum guard_switch i)
{
	char now[GUARD_VALUE];
	int r = 0;

	if (!is_held(i, now))
		r = sysfs_write(paths[i], guard_switch_value(i));
	guard->held[i] = r == 0 && now[0];
	if (r < 0 && !guard->failed[i])
		log_print(LOG_ERR,
			"%s: cannot be set to %s: %s: memory may go online before it is decided",
			paths[i], guard_switch_value(i), strerror(-r));
	guard->failed[i] = r < 0;
}

/* What cannot be read is tried, so that the failure is logged; what has just come waits. */
static bool may_be_taken(const struct guard *guard, enum guard_switch i, bool saved)
{
	char now[GUARD_VALUE];

	if (!is_wanted(guard, i) || guard->held[i] || guard->falls[i] >= GUARD_FALLS)
		return false;
	if (!guard->was[i][0] && (is_held(i, now) || now[0]))
		return false;
	return saved || i == GUARD_DAX;
}

void guard_take(struct guard *guard, bool saved)
{
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		if (may_be_taken(guard, i, saved))
			take(guard, i);
}

bool guard_has_appeared(const struct guard *guard)
{
	char now[GUARD_VALUE];

	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++) {
		if (!is_wanted(guard, i) || guard->was[i][0] || guard->falls[i] >= GUARD_FALLS)
			continue;
		(void)is_held(i, now);
		if (now[0])
			return true;
	}
	return false;
}

bool guard_has_fallen(struct guard *guard)
{
	char now[GUARD_VALUE];
	bool fallen = false;

	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++) {
		if (!guard->held[i] || is_held(i, now) || !now[0])
			continue;
		note_fall(guard, i, now);
		fallen = true;
	}
	return fallen;
}

void guard_record_falls(struct guard *guard)
{
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++) {
		if (!guard->fell[i][0])
			continue;
		journal_guard(guard_switch_to_string(i), guard->fell[i], guard->held[i],
			guard->falls[i] >= GUARD_FALLS);
		guard->fell[i][0] = '\0';
	}
}

void guard_look(const struct guard *guard, struct switch_status ret_switches[GUARD_SWITCHES])
{
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++) {
		struct switch_status *status = &ret_switches[i];

		*status = (struct switch_status){.name = guard_switch_to_string(i),
			.path = paths[i],
			.was = guard->was[i],
			.changes = guard->falls[i]};
		(void)is_held(i, status->now);
		status->use = switch_use_of(
			status, guard_switch_value(i), guard->falls[i] >= GUARD_FALLS);
	}
}

static int give_back(enum guard_switch i, const char *was)
{
	char now[GUARD_VALUE];
	int r;

	r = sysfs_read(paths[i], now, sizeof(now));
	if (r == 0 && strcmp(now, guard_switch_value(i)) == 0 && strcmp(now, was) != 0)
		r = sysfs_write(paths[i], was);
	if (r < 0)
		log_print(LOG_ERR,
			"%s: cannot be set back to %s: %s: it keeps the value of the daemon",
			paths[i], was, strerror(-r));
	return r;
}

void guard_want(struct guard *guard, unsigned int wanted)
{
	guard->wanted = wanted;
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++) {
		if (is_wanted(guard, i))
			continue;
		guard->held[i] = false;
		guard->falls[i] = 0;
		if (guard->was[i][0] && give_back(i, guard->was[i]) == 0)
			guard->was[i][0] = '\0';
	}
}

void guard_guess(struct guard *guard)
{
	char now[GUARD_VALUE];

	/* No other program switches off the probing of drivers; auto-online may have been off. */
	if (guard->was[GUARD_DAX][0] || !is_held(GUARD_DAX, now) || !now[0])
		return;
	snprintf(guard->was[GUARD_DAX], GUARD_VALUE, "1");
	log_print(LOG_WARNING,
		"%s: its former value is not known: 1 is written when the service stops",
		paths[GUARD_DAX]);
}
