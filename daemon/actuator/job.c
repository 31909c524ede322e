/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job: decide, act, look what became of it.
 */
#include "daemon/actuator/job.h"

#include <errno.h>
#include <stdlib.h>

void job_done(struct job *job)
{
	execution_done(&job->execution);
	plan_done(&job->plan);
	free(job->records);
	*job = (struct job){0};
}

/* The decision of the device: those of its ranges may differ in the reason only. */
static const struct decision *decision_of(const struct job *job)
{
	return &job->records[0].decision;
}

/* The device has no driver and no block, and will have none: no step can change the verdict. */
static bool verdict_stands(const struct job *job)
{
	return decision_of(job)->verdict == VERDICT_DEVDAX && !decision_of(job)->withheld &&
	       job->plan.n == 1 && job->plan.steps[0].action == ACTION_BIND_DEVICE_DAX;
}

static void decide(struct job *job, const struct arrival *arrival)
{
	struct sensor *sensor = job->sensor;
	struct record *record = &job->records[job->n++];

	*record = (struct record){
		.arrival = *arrival, .plan = &job->plan, .tdx = sensor->snapshot.tdx};
	sensor_examine(sensor, &record->arrival);
	/* Slow to find out, so else it waits until the decision has been acted upon. */
	if (config_needs_topology(sensor->config))
		sensor_describe(sensor, &record->arrival);
	record->decision = policy_decide(sensor->config, &sensor->snapshot, &record->arrival);
	record->outcome.blocks = snapshot_count(&sensor->snapshot, record->arrival.range);
}

/* What is withheld from one range of a device is withheld from all of them. */
static void share_withheld(struct job *job)
{
	enum withheld withheld = WITHHELD_NOT;

	for (size_t i = 0; i < job->n; i++)
		if (job->records[i].decision.withheld)
			withheld = job->records[i].decision.withheld;
	for (size_t i = 0; i < job->n; i++)
		job->records[i].decision.withheld = withheld;
}

/* Tell the records what is still to come. */
static void set_begun(struct job *job)
{
	for (size_t i = 0; i < job->n; i++) {
		sensor_describe(job->sensor, &job->records[i].arrival);
		job->records[i].outcome.result = RESULT_BEGUN;
	}
}

/* May the list of blocks lack some of the range? Without kmem a dax device has no blocks. */
static bool may_lack_blocks(const struct snapshot *snapshot, const struct arrival *arrival)
{
	struct range whole = range_trim(arrival->range, snapshot->block_size);

	if (arrival_is_dax(arrival) && arrival->driver != DAX_DRIVER_KMEM)
		return false;
	return snapshot_count(snapshot, whole).present < range_size(whole) / snapshot->block_size;
}

/*
 * The look that found the device listed the blocks first, and the kernel makes the entry of the
 * firmware memmap that shows a DIMM after its blocks (add_memory_resource(), mm/memory_hotplug.c,
 * 6.12): the blocks may have come in between. Listing them costs time with the size of the machine,
 * so a complete range does without.
 */
static int list_late_blocks(struct sensor *sensor, const struct arrivals *device)
{
	for (size_t i = 0; i < device->n; i++)
		if (may_lack_blocks(&sensor->snapshot, &device->items[i]))
			return sensor_list_blocks(sensor);
	return 0;
}

int job_begin(struct job *job, struct sensor *sensor, bool dry, const struct arrivals *device)
{
	int r;

	*job = (struct job){.sensor = sensor, .dry = dry};
	job->records = calloc(device->n, sizeof(*job->records));
	if (!job->records)
		return -ENOMEM;
	r = list_late_blocks(sensor, device);
	if (r < 0)
		return r;
	for (size_t i = 0; i < device->n; i++)
		decide(job, &device->items[i]);
	share_withheld(job);
	r = plan_make(&sensor->snapshot, &job->records[0].arrival, decision_of(job), &job->plan);
	if (r < 0)
		return r;
	job->execution = (struct execution){
		.arrival = &job->records[0].arrival,
		.plan = &job->plan,
		.zone = decision_of(job)->zone,
		.sensor = sensor,
		.timeout = sensor->config->offline_timeout,
	};
	if (dry || !verdict_stands(job))
		return 0;
	set_begun(job);
	return 1;
}

/* The result of a decision, by what is true now. */
static enum result judge(const struct job *job, const struct record *record)
{
	const struct block_count *blocks = &record->outcome.blocks;
	enum result good = job->plan.n ? RESULT_DONE : RESULT_NOTHING;

	switch (record->decision.verdict) {
	case VERDICT_ONLINE:
		if (blocks->present && blocks->online == blocks->present)
			return good;
		return blocks->online ? RESULT_PARTIAL : RESULT_FAILED;
	case VERDICT_DEVDAX:
		if (record->arrival.driver == DAX_DRIVER_DEVICE_DAX)
			return good;
		return blocks->online ? RESULT_PARTIAL : RESULT_FAILED;
	case VERDICT_OFFLINE:
		return blocks->online ? RESULT_PARTIAL : good;
	default:
		return record->outcome.error ? RESULT_FAILED : good;
	}
}

static bool acts(const struct job *job)
{
	return !job->dry && !decision_of(job)->withheld;
}

/* What nothing is done about: because it is so already, or is not to be done. */
static enum result result_of_idleness(const struct job *job)
{
	if (!job->plan.n)
		return RESULT_NOTHING;
	return decision_of(job)->withheld ? RESULT_WITHHELD : RESULT_PLANNED;
}

/* What the kernel said to the blocks that were put to it; a refusal of one counts for all. */
static enum answer answer_of(const struct job *job)
{
	if (job->refused)
		return ANSWER_REFUSES;
	return job->execution.onlined.n ? ANSWER_ACCEPTS : ANSWER_NONE;
}

static void finish_record(struct job *job, struct record *record)
{
	const struct snapshot *snapshot = &job->sensor->snapshot;
	struct outcome *outcome = &record->outcome;

	if (!record->arrival.n_memdevs)
		sensor_describe(job->sensor, &record->arrival);
	*outcome = job->outcome;
	outcome->answer = answer_of(job);
	if (!job->dry)
		sensor_review(job->sensor, &record->arrival);
	outcome->blocks = snapshot_count(snapshot, record->arrival.range);
	if (record->decision.verdict == VERDICT_ONLINE)
		sensor_zone_of(job->sensor, record->arrival.range, outcome->zone_now,
			sizeof(outcome->zone_now));
	outcome->result = acts(job) ? judge(job, record) : result_of_idleness(job);
	if (outcome->result != RESULT_PLANNED)
		outcome->stranded = (outcome->blocks.present - outcome->blocks.online -
					    outcome->blocks.unread) *
				    snapshot->block_size;
}

static int finish(struct job *job)
{
	int r;

	job->outcome.retries = job->execution.retries;
	/* Even if nothing was done: a look may have come between, which reads no states. */
	if (!job->dry) {
		r = sensor_list_blocks(job->sensor);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < job->n; i++)
		finish_record(job, &job->records[i]);
	return TURN_DONE;
}

/*
 * Did the kernel refuse the memory, rather than fail at it? EPERM is the memory notifier's
 * answer; a kernel that checks ranges when they are added fails kmem's probe with EINVAL.
 */
static bool refused(const struct execution *execution)
{
	const struct step *failed = &execution->plan->steps[execution->step];

	if (failed->action == ACTION_BIND_KMEM)
		return execution->error == EINVAL || execution->error == EPERM;
	return failed->action == ACTION_ONLINE && execution->error == EPERM;
}

/* Was anything of the device online before? Then it can only be left as it was. */
static bool was_online(const struct job *job)
{
	bool any = false;

	for (size_t i = 0; i < job->n; i++)
		any |= job->records[i].outcome.blocks.online > 0;
	return any;
}

/* Is a step back to be taken for each that was taken, after one has failed? */
static bool turns_round(const struct job *job)
{
	const struct execution *execution = &job->execution;
	const struct arrival *arrival = execution->arrival;
	const struct step *failed = &execution->plan->steps[execution->step];

	if (decision_of(job)->verdict != VERDICT_ONLINE)
		return false;
	/* The device has gone; or its driver is not loaded yet, and may be any time. */
	if (execution->error == ENODEV ||
		(failed->action == ACTION_BIND_KMEM && execution->error == EAGAIN &&
			execution->step == 0))
		return false;
	/* To keep what is online needs something that is. */
	if (arrival_is_dax(arrival) && !execution->onlined.n && !was_online(job))
		return true;
	return policy_rolls_back(decision_of(job), arrival, refused(execution));
}

static int turn_round(struct job *job)
{
	struct execution *execution = &job->execution;
	enum reason reason = refused(execution) ? REASON_KERNEL_REFUSED : REASON_ROLLED_BACK;
	enum dax_driver driver = dax_driver_of(execution->arrival->device);
	struct plan back;
	int r;

	r = plan_undo(execution->arrival, was_online(job) ? DAX_DRIVER_OTHER : driver,
		&execution->onlined, &back);
	if (r < 0)
		return r;
	for (size_t i = 0; i < job->n; i++) {
		struct record *record = &job->records[i];

		record->decision = policy_undone(&record->decision, &record->arrival, reason);
		if (was_online(job))
			record->decision.verdict = VERDICT_IGNORE;
	}
	plan_done(&job->plan);
	job->plan = back;
	execution_restart(execution, &job->plan);
	return TURN_MORE;
}

bool job_is_onlining(const struct job *job)
{
	const struct execution *execution = &job->execution;

	return acts(job) && execution->step < job->plan.n &&
	       job->plan.steps[execution->step].action == ACTION_ONLINE;
}

int job_turn(struct job *job)
{
	struct execution *execution = &job->execution;
	enum turn turn = acts(job) ? executor_turn(execution) : TURN_DONE;

	if (turn == TURN_MORE || turn == TURN_LATER || turn == TURN_WAIT)
		return (int)turn;
	if (turn == TURN_FAILED && !job->outcome.error) {
		job->outcome.error = execution->error;
		job->outcome.failed = execution->plan->steps[execution->step].action;
		job->outcome.failed_at = execution->failed_at;
		job->refused = refused(execution);
		if (turns_round(job))
			return turn_round(job);
	}
	return finish(job);
}
