/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job: one device, or one range without a device, from its decision to its records.
 *
 * All mappings of a dax device share one driver: they go online together or not at all, and
 * each has a record of its own. Daemon, one shot and dry run do the same jobs. If what the policy
 * allowed comes to nothing, the job turns round: the steps taken are undone, and the decision says
 * why.
 */
#pragma once

#include "daemon/actuator/executor.h"
#include "daemon/host/sensor.h"
#include "tdxo/record/record.h"

struct job {
	struct sensor *sensor;
	bool dry; /* decide, and take no step */
	struct plan plan;
	struct execution execution;
	struct record *records; /* one for each range; complete after TURN_DONE */
	size_t n;
	struct outcome outcome; /* what is true of all of them */
	bool refused;		/* the kernel refused a step, rather than fail at it */
};

void job_done(struct job *job);

/*
 * Examine and decide the ranges of one device. The job must stay where it is until it is done.
 * 0, or -ENOMEM.
 *
 * 1 if the records can be written at once: the ranges stay out of the page allocator whatever
 * becomes of the steps. To give a device to device_dax takes the kernel seconds for some
 * hundred GiB, and nobody should wait that long for the verdict. Then the records' result is
 * RESULT_BEGUN, and after TURN_DONE only a failure is worth another record.
 */
int job_begin(
	struct job *job, struct sensor *sensor, bool dry, const struct arrivals *device) MUST_CHECK;

/* Will the next turn bring a block online? */
bool job_is_onlining(const struct job *job);

/* TURN_MORE, TURN_LATER, TURN_WAIT or TURN_DONE; -ENOMEM. */
int job_turn(struct job *job) MUST_CHECK;
