/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the service share: one struct, which owns all, and one event loop.
 *
 *   look.c    a uevent asks for a look, and a look puts devices into the queue
 *   turns.c   the device at the head of the queue is decided, and its steps are taken
 *   drift.c   what another program has changed since is recorded
 *   announce.c lets udevd look at what has been decided
 *   sandbox.c tries, at start and at reload, whether all can be written that may have to be
 *   service.c starts, reloads and stops all that
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "daemon/actuator/guard.h"
#include "daemon/actuator/job.h"
#include "daemon/host/sensor.h"
#include "daemon/service/monitor.h"
#include "daemon/state/state.h"
#include "tdxo/base/compiler.h"

/* What is waited for, with one timer. */
struct silence {
	sd_event_source *timer;
	uint64_t since;		 /* when it was first waited for; 0: nothing is going on */
	bool for_kmem;		 /* the timer waits for kmem to add blocks */
	bool kmem_in_vain;	 /* it did, and none came */
	bool unmapped;		 /* at the last silent look a mapping, or its device, was missing */
	bool outdated;		 /* since that look, a device had changed when it was its turn */
	unsigned int n_outdated; /* so many silent looks in a row */
};

/* A dax device that has been decided. */
struct announcement {
	char name[SYSFS_NAME];
};

struct service {
	sd_event *event;
	sd_event_source *uevents;
	sd_event_source *turn;			/* the next turn of the job */
	sd_event_source *retry;			/* its next try */
	sd_event_source *child;			/* the end of what it waits for */
	sd_event_source *guard[GUARD_SWITCHES]; /* writes of others to the switches */

	struct settings *settings;
	bool unusable; /* the configuration is, and these are the defaults: decide nothing */
	const enum tdx_mode *tdx; /* of the command line, or NULL */
	bool reload;		  /* to be done when the job has ended */

	struct monitor monitor;
	struct sensor sensor;
	struct state state;
	bool unsaved;	  /* state.json could not be written the last time */
	size_t pending;	  /* changes that are not in it yet */
	bool unpublished; /* status.json could not */
	bool unguarded;	  /* the guard was down when, or since, something was last decided */
	struct silence silence;
	bool drivers_changed;	/* of dax devices, perhaps, since the last silent look */
	bool blocks_changed;	/* perhaps some went online while that could not be heard */
	unsigned int log_reads; /* so often the kernel log is to be read again */

	struct devices bound; /* dax devices that had a driver when the guard was first seen up */
	bool bound_known;     /* the guard has been up since */

	struct devices queue; /* to be decided, in this order */
	size_t queue_at;      /* the next one; those before it are empty */
	struct job job;
	bool busy;	  /* there is a job */
	bool passed_over; /* a look found its device undecided: look when it has ended */
	bool recorded;	  /* its records have been written before its steps */
	struct history_entry previous; /* what was known before it, without the device */
	bool any_recorded;	       /* since the start */

	struct announcement *announcements; /* to be sent after the next service_save() */
	size_t n_announcements;
	bool unannounced; /* one could not be sent */
};

/* Each of these returns 0 or a negative errno unless it says otherwise. */

/* Wait until nothing happens any more, then look; but not for ever. */
int service_expect_silence(struct service *service) MUST_CHECK;

/* A device has changed since the look that found it. The more often this happens, the later. */
int service_look_again(struct service *service) MUST_CHECK;

/*
 * The look of the start, which waits for nothing: it decides the devices that cannot be changing,
 * and begins with the first of them. All other devices are decided after a silence.
 */
int service_look_first(struct service *service) MUST_CHECK;

/* Add the timer and the uevents to the loop. */
int service_add_looks(struct service *service) MUST_CHECK;

/* Add what takes the turns of a job to the loop. */
int service_add_turns(struct service *service) MUST_CHECK;

/* Forget the devices in the queue. */
void service_empty_queue(struct service *service);

/* Begin with the next device of the queue, if there is no job. */
int service_next_job(struct service *service) MUST_CHECK;

/*
 * Is there nothing to do: no job, no device in the queue, and no look is due? Events that have not
 * been read do not count.
 */
bool service_is_idle(const struct service *service);

/* The service ends: note how far the job has come, which the next start goes on with. */
int service_leave_job(struct service *service) MUST_CHECK;

/* Is the job about this device, or about its memory? */
bool service_is_busy_with(const struct service *service, const struct device *device);

/*
 * Has another process bound a driver to the device while the guard was up? The entry is what is
 * known of it, or NULL. A write to new_id of a driver, as daxctl makes it, binds every device that
 * has none, with drivers_autoprobe 0 and 1 (do_id_store(), drivers/dax/bus.c, 6.12). One that a
 * program created is to get its driver so.
 */
bool service_is_bypassed(const struct service *service, const struct device *device,
	const struct history_entry *entry);

/*
 * Hold the devices that there are against the history, and record what differs. 0; 1 if a device is
 * still changing, and is to be looked at again; -ENOMEM.
 */
int service_record_drift(struct service *service, const struct devices *all) MUST_CHECK;

/* The job has ended: what waited for that. */
int service_between_jobs(struct service *service) MUST_CHECK;

/* Log what the daemon can have to write and cannot, unless it only observes. */
void service_try_writes(struct service *service);

/* The TDX state has been decided: hold or give up the guard, and decide again what it concerns. */
void service_follow_tdx(struct service *service);

/* Write a record, and count it if the kernel did not do as expected. */
void service_write_record(struct service *service, const struct record *record);

/* Write state.json and status.json. A failure is logged once for each, and the service goes on. */
void service_save(struct service *service);

/*
 * Save a change of which nothing but a second record would come if it was lost. The file has all of
 * the history, so with a long history some such changes are saved at once: at the latest by the
 * next service_save(), before the next step of a job, or when the queue is empty.
 */
void service_save_later(struct service *service);

/* Hold the guard if it is to be held. That another program has lowered it is recorded. */
void service_check_guard(struct service *service);

/*
 * Let udevd apply its rules to a dax device once what has been decided on it is saved: some of its
 * properties come from the state file. Nothing for pmem. 0 or -ENOMEM.
 */
int service_announce_later(struct service *service, const struct device *device) MUST_CHECK;

/* Send what service_announce_later() has noted, or forget it. A failure is logged once. */
void service_announce(struct service *service);
void service_forget_announcements(struct service *service);

/* Tell systemd how far it has come. */
void service_tell_status(const struct service *service);
