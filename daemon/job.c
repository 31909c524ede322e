/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job: decide, act, look what became of it.
 */
#include "job.h"

#include <errno.h>

/* The device has no driver and no block, and will have none: no step can change the verdict. */
static bool verdict_stands(const struct job *job)
{
	return job->record.decision.verdict == VERDICT_DEVDAX && job->record.plan.n == 1 &&
	       job->record.plan.steps[0].action == ACTION_BIND_DEVICE_DAX;
}

bool job_begin(
	struct job *job, struct sensor *sensor, executor_fn executor, const struct arrival *arrival)
{
	const struct snapshot *snapshot = &sensor->snapshot;

	*job = (struct job){.sensor = sensor, .executor = executor, .arrival = *arrival};
	/* It may have waited in a queue since it was seen. */
	if (arrival_is_dax(arrival))
		job->arrival.driver = dax_driver_of(arrival->device);
	sensor_examine(sensor, &job->arrival);
	job->record = (struct record){
		.arrival = &job->arrival,
		.decision = policy_decide(snapshot, &job->arrival),
		.gate = snapshot->gate,
		.outcome = {.blocks = snapshot_count(snapshot, job->arrival.range)},
	};
	job->record.plan = plan_make(snapshot, &job->arrival, &job->record.decision);
	job->execution = (struct execution){
		.arrival = &job->arrival,
		.plan = job->record.plan,
		.zone = job->record.decision.zone,
		.sensor = sensor,
	};
	if (!verdict_stands(job))
		return false;
	cxl_describe(&job->sensor->cxl, &job->arrival);
	job->record.outcome.result = RESULT_BEGUN;
	return true;
}

/* The result of a decision, by what is true now. */
static enum result judge(const struct job *job)
{
	const struct block_count *blocks = &job->record.outcome.blocks;
	enum result good = job->record.plan.n ? RESULT_DONE : RESULT_NOTHING;

	switch (job->record.decision.verdict) {
	case VERDICT_ONLINE:
		if (blocks->present && blocks->online == blocks->present)
			return good;
		return blocks->online ? RESULT_PARTIAL : RESULT_FAILED;
	case VERDICT_DEVDAX:
		if (job->arrival.driver == DAX_DRIVER_DEVICE_DAX)
			return good;
		return blocks->online ? RESULT_PARTIAL : RESULT_FAILED;
	case VERDICT_OFFLINE:
		return blocks->online ? RESULT_PARTIAL : good;
	default:
		return job->record.outcome.error ? RESULT_FAILED : good;
	}
}

static int finish(struct job *job)
{
	int r;

	if (!job->arrival.n_memdevs)
		cxl_describe(&job->sensor->cxl, &job->arrival);
	if (job->executor == executor_dry_turn) {
		job->record.outcome.result = job->record.plan.n ? RESULT_PLANNED : RESULT_NOTHING;
		return TURN_DONE;
	}
	if (job->record.plan.n) {
		r = sensor_review(job->sensor, &job->arrival);
		if (r < 0)
			return r;
		job->record.outcome.blocks =
			snapshot_count(&job->sensor->snapshot, job->arrival.range);
	}
	job->record.outcome.result = judge(job);
	return TURN_DONE;
}

/*
 * Did the kernel refuse the memory, rather than fail at it? EPERM is the memory notifier's
 * answer; a kernel that checks ranges when they are added fails kmem's probe with EINVAL.
 */
static bool refused(const struct execution *execution)
{
	const struct step *failed = &execution->plan.steps[execution->step];

	if (failed->action == ACTION_BIND_KMEM)
		return execution->error == EINVAL || execution->error == EPERM;
	return failed->action == ACTION_ONLINE && execution->error == EPERM;
}

static void turn_round(struct job *job)
{
	struct execution *execution = &job->execution;
	bool kmem = dax_driver_of(job->arrival.device) == DAX_DRIVER_KMEM;

	job->record.decision = policy_refused(&job->arrival);
	execution->plan = plan_undo(&job->arrival, kmem, execution->onlined);
	job->record.plan = execution->plan;
	execution->step = 0;
	execution->next = 0;
	execution->tries = 0;
}

int job_turn(struct job *job)
{
	struct execution *execution = &job->execution;
	enum turn turn = job->executor(execution);

	if (turn == TURN_MORE || turn == TURN_LATER)
		return (int)turn;
	if (turn == TURN_FAILED && !job->record.outcome.error) {
		job->record.outcome.error = execution->error;
		job->record.outcome.failed = execution->plan.steps[execution->step].action;
		job->record.outcome.failed_at = execution->failed_at;
		if (refused(execution)) {
			turn_round(job);
			return TURN_MORE;
		}
	}
	return finish(job);
}
