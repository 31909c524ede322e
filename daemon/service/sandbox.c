/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sandbox: what the daemon can have to write is opened for writing at start and at
 * reload, and closed again.
 *
 * A drop-in of the unit or a security module can forbid a write that is needed only when memory
 * arrives. To open an attribute of sysfs changes nothing (kernfs_fop_open(), fs/kernfs/file.c,
 * 6.12). A file that is not there yet is no failure; its directory is tried.
 */
#include "daemon/service/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"

/* What the daemon cannot do without some of its files. The first two are the guard's switches. */
enum need {
	NEED_AUTOPROBE = GUARD_DAX,
	NEED_AUTO_ONLINE = GUARD_AUTO_ONLINE,
	NEED_BLOCKS = GUARD_SWITCHES,
	NEED_DRIVERS,
	NEED_UNPLUG,
	NEED_UEVENT,
	NEED_STATE,
	NEED_MAX
};

static const struct {
	const char *consequence;
	const char *unit_paths; /* ReadWritePaths= of the unit */
} needs[] = {
	[NEED_AUTOPROBE] = {"a dax device can get a driver before it is decided", SYS_DAX},
	[NEED_AUTO_ONLINE] = {"memory can go online before it is decided", SYS_MEMORY},
	[NEED_BLOCKS] = {"no memory block can be onlined or taken offline", SYS_MEMORY},
	[NEED_DRIVERS] = {"the driver of a dax device cannot be changed", SYS_DAX},
	[NEED_UNPLUG] = {"the memory of a dax device cannot be unplugged as a whole",
		"-" SYS_CXL_PLATFORM " -" SYS_HMEM_PLATFORM},
	[NEED_UEVENT] = {"udev does not set the properties and the access of a dax device",
		"-" SYS_CXL_PLATFORM " -" SYS_HMEM_PLATFORM},
	[NEED_STATE] = {"a restart decides all memory again, and memory may go online before it is "
			"decided",
		"/run/tdx-onlined"},
};
static_assert(ARRAY_SIZE(needs) == NEED_MAX, "a row for each");

static const struct {
	enum need need;
	const char *path;
} writes[] = {
	{NEED_AUTOPROBE, SYS_DAX_AUTOPROBE},
	{NEED_AUTO_ONLINE, SYS_AUTO_ONLINE},
	{NEED_DRIVERS, SYS_DAX_DRIVERS},
	{NEED_DRIVERS, SYS_DAX_DRIVERS "/kmem/bind"},
	{NEED_DRIVERS, SYS_DAX_DRIVERS "/kmem/unbind"},
	{NEED_DRIVERS, SYS_DAX_DRIVERS "/device_dax/new_id"},
	{NEED_DRIVERS, SYS_DAX_DRIVERS "/device_dax/bind"},
	{NEED_DRIVERS, SYS_DAX_DRIVERS "/device_dax/remove_id"},
	{NEED_DRIVERS, SYS_DAX_DRIVERS "/device_dax/unbind"},
	{NEED_UNPLUG, SYS_CXL_PLATFORM},
	{NEED_UNPLUG, SYS_HMEM_PLATFORM},
};

#define FAILED "%s: cannot be opened for writing: %s: %s. "

/* One message for each need: several files of one mount fail together. */
static void try_write(bool missing[NEED_MAX], enum need need, const char *path)
{
	const char *consequence = needs[need].consequence;
	int r = missing[need] ? 0 : sysfs_try(path);

	if (r == 0)
		return;
	missing[need] = true;
	if (r == -EROFS)
		log_print(LOG_ERR,
			FAILED "A drop-in of tdx-onlined.service or a mount makes it read-only: "
			       "remove it. The unit needs ReadWritePaths=%s",
			path, strerror(-r), consequence, needs[need].unit_paths);
	else if (r == -EACCES || r == -EPERM)
		log_print(LOG_ERR,
			FAILED "Its mode, a drop-in of tdx-onlined.service or a security module "
			       "forbids that: see 'ls -ld %s', 'systemctl cat tdx-onlined.service' "
			       "and 'journalctl -b -g \"avc:|apparmor=\"'",
			path, strerror(-r), consequence, path);
	else
		log_print(LOG_ERR, FAILED "Remove the cause, and restart tdx-onlined.service", path,
			strerror(-r), consequence);
}

/* The state of the first block: all have the same mode and are below the same directory. */
static void try_block(bool missing[NEED_MAX], const struct snapshot *snapshot)
{
	struct path path;

	if (!snapshot->blocks.n)
		return;
	try_write(missing, NEED_BLOCKS, path_of(&path, SYS_BLOCK_STATE, snapshot->blocks.ids[0]));
}

/* No other device is unplugged or announced. Those of hmem are elsewhere before 7.3. */
static void try_devices(bool missing[NEED_MAX], const struct devices *dax)
{
	struct path path;

	for (size_t i = 0; i < dax->n; i++) {
		const struct device *device = &dax->items[i];

		if (device_may_be_announced(device))
			try_write(
				missing, NEED_UNPLUG, path_of(&path, SYS_DAX_STATE, device->name));
		if (device->type == TYPE_CXL)
			try_write(
				missing, NEED_UEVENT, path_of(&path, SYS_DAX_UEVENT, device->name));
	}
}

/* What is logged here is not logged again by the first write that fails. */
void service_try_writes(struct service *service)
{
	const struct snapshot *snapshot = &service->sensor.snapshot;
	bool missing[NEED_MAX] = {false};

	if (service->settings->config.observe)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		try_write(missing, writes[i].need, writes[i].path);
	try_block(missing, snapshot);
	try_devices(missing, &snapshot->dax);
	try_write(missing, NEED_STATE, STATE_DIRECTORY);
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		service->state.guard.failed[i] |= missing[i];
	service->unsaved |= missing[NEED_STATE];
	service->unannounced |= missing[NEED_UEVENT];
}
