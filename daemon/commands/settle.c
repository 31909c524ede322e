/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * settle: look, and look again after each change of the state files and of udevd's queue.
 *
 * The daemon's `idle` does not suffice: it has not read all uevents. So the devices that are there
 * are compared with those that the state file has decided. The daemon saves its state after each
 * look that follows uevents: what is waited for never comes without a change of the state files or
 * of udevd's queue. Both are watched before the first look.
 */
#include "daemon/commands/settle.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "daemon/actuator/executor.h"
#include "daemon/commands/exit_status.h"
#include "daemon/host/cleanup.h"
#include "daemon/host/paths.h"
#include "daemon/host/sensor.h"
#include "daemon/host/sysfs.h"
#include "daemon/host/udevd_queue.h"
#include "daemon/log/log.h"
#include "daemon/settings/config_file.h"
#include "daemon/state/lock.h"
#include "daemon/state/state.h"
#include "tdxo/base/parse.h"

#define WAITING_TEXT 512

struct wait {
	struct settings settings; /* the defaults: no key changes which devices there are */
	struct state state;	  /* the sensor borrows from it */
	struct sensor sensor;
	bool looked;		    /* the sensor has been initialized */
	struct udev_queue *queue;   /* of udevd */
	int udevd;		    /* its descriptor, or -1 */
	int files;		    /* inotify(7) of the state files */
	pid_t pid;		    /* of the daemon */
	int daemon;		    /* pidfd_open(2) of it */
	char waiting[WAITING_TEXT]; /* what is waited for; empty: nothing */
	struct strbuf text;	    /* in it */
};

static void wait_done(struct wait *wait)
{
	sensor_done(&wait->sensor);
	state_done(&wait->state);
	if (wait->queue)
		udevd_queue_free(&wait->queue);
	close_fd(&wait->files);
	close_fd(&wait->daemon);
	settings_done(&wait->settings);
}

static void PRINTF(2, 3) wait_for(struct wait *wait, const char *format, ...)
{
	char what[WAITING_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	strbuf_append(&wait->text, "%s%s", *wait->waiting ? "; " : "", what);
}

/* --- what is there --- */

static int note_dax(const char *name, void *userdata)
{
	bool *found = userdata;

	*found |= strncmp(name, "dax", strlen("dax")) == 0 && strchr(name, '.');
	return 0;
}

/*
 * A dax region has a dax device from when its driver is bound: the kernel makes number 0 of it, and
 * never deletes that (drivers/dax/bus.c, delete_store(), 6.12).
 */
static int check_region(const char *name, void *userdata)
{
	struct wait *wait = userdata;
	bool found = false;
	struct path path;
	uint64_t id;

	if (!parse_number_after(name, "dax_region", &id))
		return 0;
	if (sysfs_list(path_of(&path, SYS_CXL_DEVICE, name), note_dax, &found) == 0 && !found)
		wait_for(wait, "region%" PRIu64 " has no dax device", id);
	return 0;
}

static int look(struct wait *wait)
{
	const struct earlier earlier = state_earlier(&wait->state);

	if (wait->looked) {
		cxl_outdate(&wait->sensor.cxl);
		return sensor_look(&wait->sensor);
	}
	wait->looked = true;
	return sensor_init(&wait->sensor, &wait->settings.config, &earlier);
}

/* Without addresses nothing is known of a device that is not a dax device. */
static bool is_decided_unseen(const struct wait *wait, const struct device *device)
{
	return wait->state.public && !device_is_dax(device);
}

static void wait_for_devices(struct wait *wait, const struct devices *undecided)
{
	char range[RANGE_TEXT] = "";
	const char *name = NULL;
	size_t n = 0;

	for (size_t i = 0; i < undecided->n; i++) {
		const struct device *device = &undecided->items[i];

		if (is_decided_unseen(wait, device) || n++)
			continue;
		name = device_format(device, range);
	}
	if (n && wait->state.unusable)
		wait_for(wait, "the daemon cannot use its configuration and decides nothing");
	if (n == 1)
		wait_for(wait, "%s has no decision", name);
	else if (n)
		wait_for(wait, "%s and %zu other devices have no decision", name, n - 1);
}

static int check_devices(struct wait *wait)
{
	CLEANUP(devices_done) struct devices all = {0}, undecided = {0};
	int r = look(wait);

	if (r == 0)
		r = sensor_devices(&wait->sensor, &all);
	if (r == 0)
		r = history_undecided(&wait->state.history, &all, &undecided);
	if (r < 0)
		return r;
	if (wait->sensor.blind)
		wait_for(wait, "not all memory can be listed");
	wait_for_devices(wait, &undecided);
	return 0;
}

/* EXIT_DONE; EXIT_FAILED after a message; a negative errno. */
static int check(struct wait *wait)
{
	int r;

	wait->text = strbuf_in(wait->waiting, sizeof(wait->waiting));
	if (!udevd_queue_is_empty(wait->queue))
		wait_for(wait, "the queue of udevd is not empty");
	state_done(&wait->state);
	r = state_load(&wait->state);
	if (r < 0)
		return r;
	if (wait->state.older) {
		log_print(LOG_ERR, "settle: the running tdx-onlined is of an older version, which "
				   "does not save whether it is idle: restart it with 'systemctl "
				   "restart tdx-onlined.service'");
		return EXIT_FAILED;
	}
	if (wait->state.pid != wait->pid) {
		wait_for(wait, "the daemon has not saved its state");
		return EXIT_DONE;
	}
	(void)!sysfs_list(SYS_CXL_DEVICES, check_region, wait);
	r = check_devices(wait);
	if (r == 0 && !wait->state.idle)
		wait_for(wait, "the daemon is not idle");
	return r;
}

/* --- waiting --- */

/* EXIT_DONE; EXIT_FAILED after a message; a negative errno. */
static int start(struct wait *wait)
{
	wait->pid = lock_owner();
	wait->daemon = wait->pid ? pidfd_open(wait->pid, 0) : -1;
	if (wait->daemon < 0) {
		log_print(LOG_ERR, "settle: tdx-onlined is not running: start it with 'systemctl "
				   "start tdx-onlined.service'");
		return EXIT_FAILED;
	}
	wait->queue = udevd_queue_new();
	if (!wait->queue)
		return -ENOMEM;
	wait->udevd = udevd_queue_fd(wait->queue);
	wait->files = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (wait->files < 0 ||
		inotify_add_watch(wait->files, STATE_DIRECTORY, IN_MOVED_TO | IN_ONLYDIR) < 0)
		return -errno;
	return EXIT_DONE;
}

/* Wait for a change. EXIT_DONE, also if the time is over; EXIT_FAILED after a message. */
static int wait_for_change(struct wait *wait, uint64_t ms)
{
	struct pollfd fds[] = {
		{.fd = wait->files, .events = POLLIN},
		{.fd = wait->daemon, .events = POLLIN},
		{.fd = wait->udevd, .events = POLLIN},
	};
	char events[4096];

	if (poll(fds, ARRAY_SIZE(fds), ms < INT_MAX ? (int)ms : INT_MAX) < 0 && errno != EINTR)
		return -errno;
	if (fds[1].revents) {
		log_print(LOG_ERR, "settle: tdx-onlined has ended: %s", wait->waiting);
		return EXIT_FAILED;
	}
	while (read(wait->files, events, sizeof(events)) > 0)
		;
	udevd_queue_flush(wait->queue);
	return EXIT_DONE;
}

static int wait_until(struct wait *wait, uint64_t timeout)
{
	uint64_t end = executor_now_ms() + timeout * 1000;
	int r;

	for (;;) {
		uint64_t now = executor_now_ms();

		r = check(wait);
		if (r != EXIT_DONE || !*wait->waiting)
			return r;
		if (now >= end)
			break;
		r = wait_for_change(wait, end - now);
		if (r != EXIT_DONE)
			return r;
	}
	log_print(LOG_ERR, "settle: not settled after %" PRIu64 " s: %s", timeout, wait->waiting);
	return EXIT_TIMEOUT;
}

int settle_run(uint64_t timeout)
{
	CLEANUP(wait_done) struct wait wait = {.files = -1, .daemon = -1};
	int r;

	settings_default(&wait.settings);
	r = start(&wait);
	return r == EXIT_DONE ? wait_until(&wait, timeout) : r;
}
