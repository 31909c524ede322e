/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: take, hold, give back.
 */
#include "daemon/actuator/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"
#include "daemon/output/json.h"

static const struct {
	const char *name;
	const char *path;
	const char *held;
} switches[GUARD_SWITCHES] = {
	[GUARD_DAX] = {JSON_DAX_AUTOPROBE, SYS_DAX_AUTOPROBE, "0"},
	[GUARD_AUTO_ONLINE] = {JSON_AUTO_ONLINE_BLOCKS, SYS_AUTO_ONLINE, "offline"},
};

const char *guard_switch_name(enum guard_switch i)
{
	return switches[i].name;
}

void guard_remember(struct guard *guard)
{
	char now[GUARD_VALUE];

	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		if (!guard->was[i][0] && sysfs_read(switches[i].path, now, sizeof(now)) == 0)
			memcpy(guard->was[i], now, sizeof(now));
}

static void take(enum guard_switch i)
{
	char now[GUARD_VALUE];
	int r;

	r = sysfs_read(switches[i].path, now, sizeof(now));
	if (r == -ENOENT)
		return; /* a kernel without dax: there is nothing to guard */
	if (r == 0 && strcmp(now, switches[i].held) != 0)
		r = sysfs_write(switches[i].path, switches[i].held);
	if (r < 0)
		log_print(LOG_ERR,
			"%s: cannot be set to %s: %s: memory may go online before it is decided",
			switches[i].path, switches[i].held, strerror(-r));
}

void guard_take(void)
{
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		take(i);
}

static int give_back(enum guard_switch i, const char *was)
{
	char now[GUARD_VALUE];
	int r;

	r = sysfs_read(switches[i].path, now, sizeof(now));
	if (r == 0 && strcmp(now, switches[i].held) == 0 && strcmp(now, was) != 0)
		r = sysfs_write(switches[i].path, was);
	if (r < 0)
		log_print(LOG_ERR, "%s: cannot be set back to %s: %s", switches[i].path, was,
			strerror(-r));
	return r;
}

void guard_release(struct guard *guard)
{
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		if (guard->was[i][0] && give_back(i, guard->was[i]) == 0)
			guard->was[i][0] = '\0';
}

void guard_guess(struct guard *guard)
{
	char now[GUARD_VALUE];

	/* Nobody else switches off the probing of drivers; auto-online may well have been off. */
	if (sysfs_read(switches[GUARD_DAX].path, now, sizeof(now)) < 0 ||
		strcmp(now, switches[GUARD_DAX].held) != 0)
		return;
	snprintf(guard->was[GUARD_DAX], GUARD_VALUE, "1");
	log_print(LOG_WARNING, "%s: what it read before is not known, taken for 1",
		switches[GUARD_DAX].path);
}
