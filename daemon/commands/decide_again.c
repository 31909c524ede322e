/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --decide: a dry run finds the devices, and a uevent of each asks the daemon, see UEVENT_KEY.
 */
#include "daemon/commands/decide_again.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/commands/decide.h"
#include "daemon/commands/exit_status.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "daemon/state/lock.h"

struct search {
	const struct target *target;
	struct devices found;
};

static void search_done(struct search *search)
{
	devices_done(&search->found);
}

/* A device with several ranges has as many records, one after the other. */
static int find(const struct record *record, void *userdata)
{
	struct search *search = userdata;
	const struct device *device = &record->facts->device;
	size_t n = search->found.n;

	if (!target_matches(search->target, record) ||
		(n && device_is_within(device, &search->found.items[n - 1])))
		return 0;
	return devices_add_copy(&search->found, device);
}

/* Of the device, or of its first block. */
static void path_of_uevent(const struct device *device, uint64_t block_size, struct path *path)
{
	if (device_is_dax(device))
		path_of(path, SYS_DAX_DEVICE "/uevent", device->name);
	else
		path_of(path, SYS_BLOCK "/uevent", device->ranges[0].start / block_size);
}

static int ask(const struct device *device, uint64_t block_size)
{
	char uuid[SYSFS_NAME], text[SYSFS_TEXT];
	struct path path;
	int r;

	r = sysfs_read(PROC_UUID, uuid, sizeof(uuid));
	if (r == 0) {
		snprintf(text, sizeof(text), "change %s " UEVENT_KEY "=" UEVENT_DECIDE, uuid);
		path_of_uevent(device, block_size, &path);
		r = sysfs_write(path.text, text);
	}
	if (r == 0) {
		print("%s: a new decision was requested, the daemon records it in the journal\n",
			device->name);
		return EXIT_DONE;
	}
	log_print(LOG_ERR, "%s: a new decision could not be requested: %s", device->name,
		strerror(-r));
	return EXIT_FAILED;
}

int decide_again_run(const struct settings *settings, const struct target *target)
{
	CLEANUP(search_done) struct search search = {.target = target};
	CLEANUP(decider_done) struct decider decider = {0};
	int status = EXIT_DONE, r;

	if (!lock_owner()) {
		log_print(LOG_ERR,
			"tdx-onlined is not running, so nothing is decided again: start it with "
			"'systemctl start tdx-onlined.service'");
		return EXIT_FAILED;
	}
	r = decider_init(&decider, &settings->config);
	if (r == 0)
		r = decide_all(&decider, true, find, &search);
	if (r < 0)
		return r;
	for (size_t i = 0; i < search.found.n; i++)
		if (ask(&search.found.items[i], decider.sensor.snapshot.block_size) != EXIT_DONE)
			status = EXIT_FAILED;
	if (search.found.n)
		return status;
	log_print(LOG_ERR, "--decide=%s: no memory of it arrived after boot", target->name);
	return EXIT_FAILED;
}
