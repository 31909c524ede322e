/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job: one device, from its facts to its records.
 *
 * Daemon, one shot and dry run do the same jobs. If what the policy allowed comes to nothing, the
 * job is rolled back: the steps taken are undone, and the decision says why.
 */
#pragma once

#include "daemon/actuator/executor.h"
#include "daemon/host/sensor.h"
#include "tdxo/memory/facts.h"
#include "tdxo/record/history.h"
#include "tdxo/record/record.h"

struct job {
	struct sensor *sensor;
	bool dry; /* decide, and take no step */
	struct facts facts;
	struct decision decision;
	struct plan plan;
	struct execution execution;
	struct outcome outcome; /* of the whole device; complete after TURN_DONE */
	struct blocks blocks;	/* as they are now */
	uint64_t online_before; /* blocks that were online before the daemon did anything */
	bool resumed;		/* an earlier start has begun with what is decided */
	bool refused;		/* the kernel refused a step, rather than fail at it */
};

void job_done(struct job *job);

/*
 * Complete the facts of a device, decide and plan. The job must stay where it is until it is done.
 * The history is what the daemon has done in this boot: what an earlier start began, and did not
 * finish, the job goes on with, and ends as that would have ended. 0; 1 if the device is not there
 * any more as it was seen, and then there is no job; -ENOMEM.
 */
int job_begin(struct job *job, struct sensor *sensor, bool dry, const struct device *device,
	const struct history *history) MUST_CHECK;

/* How many blocks that the daemon has brought online are so now. 0 or -ENOMEM. */
int job_count_own(struct job *job, uint64_t *ret_online) MUST_CHECK;

/* Is there a step to be taken? */
bool job_acts(const struct job *job);

/*
 * Can the records be written before the steps are taken? The device stays out of the page allocator
 * whichever result the steps have. The kernel takes seconds to bind device_dax to some hundred GiB,
 * which would delay the record by as much.
 */
bool job_verdict_stands(const struct job *job);

/* Will the next turn bring a block online? */
bool job_is_onlining(const struct job *job);

/*
 * TURN_MORE, TURN_LATER, TURN_WAIT, TURN_UNDO or TURN_DONE; -ENOMEM. At TURN_UNDO the decision is
 * the one that the job is to end with, and no step back has been taken.
 */
int job_turn(struct job *job) MUST_CHECK;

/* How many records there are: one for each range, or one for a device without ranges. */
size_t job_n_records(const struct job *job);

/* The record of a range. It borrows from the job. RESULT_BEGUN before TURN_DONE. */
struct record job_record(const struct job *job, size_t i);
