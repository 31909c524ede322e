/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work: the ranges that wait to be decided, and the job that is running.
 *
 * Jobs run one at a time, one turn per turn of the event loop. What they come to goes to the
 * journal and into the history.
 */
#pragma once

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "daemon/actuator/job.h"
#include "daemon/host/sensor.h"
#include "daemon/service/uevent.h"
#include "daemon/state/state.h"
#include "tdxo/base/compiler.h"
#include "tdxo/memory/arrival.h"

struct work {
	sd_event *event; /* borrowed, as the next three */
	struct sensor *sensor;
	struct state *state;
	struct monitor *monitor;

	sd_event_source *turn;	/* the next turn of the job */
	sd_event_source *later; /* its next try */
	sd_event_source *child; /* the end of what it waits for */
	struct arrivals queue;
	struct job job;
	bool busy;
	bool recorded; /* the job's records have been written before its steps were taken */
	bool reported; /* something has been recorded */

	int (*pause)(void *userdata); /* called between two jobs */
	void *userdata;
};

/* The borrowed things and the callback are set already. 0 or a negative errno. */
int work_init(struct work *work) MUST_CHECK;
void work_done(struct work *work);

/* Make these what waits, in place of what waited until now; they are empty then. */
void work_queue(struct work *work, struct arrivals *ready);

/* Take the next job, if none is running. 0 or a negative errno. */
int work_go_on(struct work *work) MUST_CHECK;

/* Is it a range of the job that is running? */
bool work_holds(const struct work *work, const struct arrival *arrival);

/* Write the record of a range, and count it if the kernel did not do as expected. */
void work_record(struct work *work, const struct record *record);

/* Write the state file. If that fails it has been said, and the daemon works on without. */
void work_save(struct work *work);

/* Tell systemd how far it has come. */
void work_tell_status(const struct work *work);
