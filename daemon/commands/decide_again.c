/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * decide: a dry run finds the devices, and a uevent of each asks the daemon, see UEVENT_KEY.
 */
#include "daemon/commands/decide_again.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/commands/decide.h"
#include "daemon/commands/exit_status.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "daemon/state/lock.h"

struct request {
	const struct target *target;
	struct device last; /* that was requested; borrowed from its record */
	bool any, failed;
};

/* Of the device, or of its first whole block. */
static void path_of_uevent(const struct device *device, uint64_t block_size, struct path *path)
{
	if (device_is_dax(device))
		path_of(path, SYS_DAX_UEVENT, device->name);
	else
		path_of(path, SYS_BLOCK "/uevent",
			range_trim(device->ranges[0], block_size).start / block_size);
}

static int send_uevent(const struct device *device, uint64_t block_size)
{
	struct path path;

	if (!device_is_dax(device) && range_is_empty(range_trim(device->ranges[0], block_size)))
		return -ENOENT;
	path_of_uevent(device, block_size, &path);
	return sysfs_send_change(path.text, UEVENT_DECIDE);
}

/* Request a decision on the device of a record. The ranges of one device follow each other. */
static int request(const struct record *record, void *userdata)
{
	const struct device *device = &record->facts->device;
	struct request *request = userdata;
	char subject[RECORD_SENTENCE];
	int r;

	if (!target_matches(request->target, record) ||
		(request->any && device_is_within(device, &request->last)))
		return 0;
	request->any = true;
	request->last = *device;
	record_subject(record, subject);
	r = send_uevent(device, record->facts->block_size);
	if (r == 0) {
		print("%s: requested a new decision, which the daemon records in the journal\n",
			subject);
		return 0;
	}
	request->failed = true;
	log_print(LOG_ERR, "%s: a new decision could not be requested: %s", subject, strerror(-r));
	return 0;
}

static bool may_request(void)
{
	const char *obstacle =
		geteuid() != 0	? "only root can request a decision of the daemon"
		: !lock_owner() ? "tdx-onlined does not run as a daemon: start it with 'systemctl "
				  "start tdx-onlined.service'"
				: NULL;

	if (obstacle)
		log_print(LOG_ERR, "decide: %s", obstacle);
	return !obstacle;
}

int decide_again_run(const struct settings *settings, const struct target *target)
{
	struct request requested = {.target = target};
	CLEANUP(decider_done) struct decider decider = {0};
	int r;

	if (!may_request())
		return EXIT_FAILED;
	r = decider_init(&decider, &settings->config);
	if (r == 0)
		r = decide_all(&decider, true, request, &requested);
	if (r < 0)
		return r;
	if (!requested.any)
		log_print(LOG_ERR, "decide %s: no memory of it arrived after boot", target->name);
	return requested.any && !requested.failed ? EXIT_DONE : EXIT_FAILED;
}
