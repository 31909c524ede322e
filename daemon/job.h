/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job: one range from its decision to its record.
 *
 * Daemon, one shot and dry run do the same jobs; they differ in the executor, and in who calls
 * job_turn() again. If the kernel refuses what the policy allowed, the job turns round: the
 * steps taken are undone and the decision becomes kernel-refused.
 */
#pragma once

#include "executor.h"
#include "sensor.h"
#include "tdxo/record.h"

struct job {
	struct sensor *sensor;
	executor_fn executor;
	struct arrival arrival;
	struct execution execution;
	struct record record; /* complete after TURN_DONE */
};

/*
 * Examine and decide. The job must stay where it is until it is done.
 *
 * True if the record can be written at once: the range stays out of the page allocator whatever
 * becomes of the steps. To give a device to device_dax takes the kernel seconds for some
 * hundred GiB, and nobody should wait that long for the verdict. Then the record's result is
 * RESULT_BEGUN, and after TURN_DONE only a failure is worth another record.
 */
bool job_begin(struct job *job, struct sensor *sensor, executor_fn executor,
	const struct arrival *arrival);

/* TURN_MORE, TURN_LATER or TURN_DONE; -ENOMEM. */
int job_turn(struct job *job) MUST_CHECK;
