/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job: decide, act, look what became of it.
 */
#include "daemon/actuator/job.h"

#include <errno.h>

void job_done(struct job *job)
{
	execution_done(&job->execution);
	plan_done(&job->plan);
	facts_done(&job->facts);
	blocks_done(&job->blocks);
	*job = (struct job){0};
}

/*
 * Has a step back failed, and is it known how many blocks are the daemon's own? An older version
 * did not save that. If an administrator has brought them online, they stay.
 */
static bool is_partly_undone(const struct history_entry *entry)
{
	return history_entry_is_partly_undone(entry) && entry->own_known;
}

/*
 * Has an earlier job begun to bring the device or a part of it online, with no block online, and
 * not come to an end?
 */
static bool has_begun_online(const struct history_entry *entry, const struct device *device)
{
	bool begun = entry->result == RESULT_BEGUN && !entry->blocks.online &&
		     (entry->verdict == VERDICT_ONLINE || history_entry_is_undoing(entry));

	return (begun || is_partly_undone(entry)) &&
	       (device_is_within(device, &entry->device) ||
		       device_is_within(&entry->device, device));
}

/* If more blocks are online than the daemon left, an administrator uses the memory since. */
static bool is_own(const struct job *job, const struct history_entry *begun)
{
	uint64_t online = 0;

	for (size_t i = 0; i < begun->device.n_ranges; i++)
		online += blocks_count(
			&job->facts.blocks, begun->device.ranges[i], job->facts.block_size)
				  .online;
	return !begun->own_known || online <= begun->own_online;
}

/* The blocks of what was begun that are online now are its work, and so this job's. */
static int take_over_blocks(struct job *job, const struct device *begun)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < job->facts.blocks.n; i++) {
		const struct block *block = &job->facts.blocks.blocks[i];
		struct range range = block_range(block->id, job->facts.block_size);

		if (block->state != BLOCK_ONLINE || !device_overlaps(begun, range))
			continue;
		r = range_set_add(&job->execution.onlined, range);
		job->online_before--;
	}
	return r;
}

int job_count_own(struct job *job, uint64_t *ret_online)
{
	CLEANUP(blocks_done) struct blocks now = {0};
	const struct range_set *onlined = &job->execution.onlined;
	int r = sensor_read_blocks(job->sensor, &job->facts.device, &now);

	if (r < 0)
		return r;
	*ret_online = 0;
	for (size_t i = 0; i < onlined->n; i++)
		*ret_online += blocks_count(&now, onlined->ranges[i], job->facts.block_size).online;
	return 0;
}

/* If anything of the device was online before, it can only be left as it was. */
static int undo(struct job *job, enum reason reason)
{
	struct execution *execution = &job->execution;
	const struct device *device = execution->device;
	struct plan back;
	int r;

	r = plan_undo(device, job->online_before ? DAX_DRIVER_OTHER : dax_driver_of(device->name),
		&execution->onlined, &back);
	if (r < 0)
		return r;
	job->decision = policy_undone(&job->decision, device, reason);
	if (job->online_before)
		job->decision.verdict = VERDICT_IGNORE;
	plan_done(&job->plan);
	job->plan = back;
	execution_restart(execution, &job->plan);
	return 0;
}

/* The administrator asks for the device to be left as it is. */
static bool is_ignored_by_rule(const struct decision *decision)
{
	return decision->verdict == VERDICT_IGNORE && decision->reason == REASON_RULE;
}

/*
 * Are steps back to be taken? Those that have failed before are taken again if blocks of the daemon
 * are still online, and are not to be.
 */
static bool must_undo(const struct job *job, const struct history_entry *entry)
{
	bool again = is_partly_undone(entry) && job->execution.onlined.n &&
		     job->decision.verdict != VERDICT_ONLINE && !is_ignored_by_rule(&job->decision);

	return (history_entry_is_undoing(entry) || again) && is_own(job, entry);
}

/* What a device in devdax mode was made for is its reason, not that it is so already. */
static int resume(struct job *job, const struct history_entry *entry)
{
	if (must_undo(job, entry)) {
		job->resumed = true;
		job->refused = entry->reason == REASON_KERNEL_REFUSED;
		job->outcome.answer = entry->answer;
		job->outcome.error = entry->error;
		job->outcome.failed = entry->failed;
		job->outcome.failed_at = entry->failed_at;
		return undo(job, entry->reason);
	}
	job->resumed = entry->result == RESULT_BEGUN &&
		       !history_entry_differs(entry, &job->decision, RESULT_BEGUN);
	if (job->resumed)
		job->decision.reason = entry->reason;
	return 0;
}

/* A run may have grown since it was begun: then each part of it has its own entry. */
static int take_over(struct job *job, const struct history *history)
{
	const struct device *device = &job->facts.device;
	const struct history_entry *entry = history_find(history, device);
	const struct history of = history_in(history, device);
	int r = 0;

	for (size_t i = 0; r == 0 && i < of.n; i++)
		if (has_begun_online(&of.entries[i], device) && is_own(job, &of.entries[i]))
			r = take_over_blocks(job, &of.entries[i].device);
	return r == 0 && entry ? resume(job, entry) : r;
}

int job_begin(struct job *job, struct sensor *sensor, bool dry, const struct device *device,
	const struct history *history)
{
	const struct history_entry *entry = history_find(history, device);
	int r;

	*job = (struct job){.sensor = sensor, .dry = dry};
	r = sensor_complete(sensor, device, &job->facts);
	if (r != 0)
		return r;
	job->facts.half_done = entry && history_entry_is_half_done(entry);
	job->decision = policy_decide(sensor->config, &job->facts);
	job->outcome.driver = job->facts.device.driver;
	job->outcome.blocks = facts_count(&job->facts);
	job->outcome.result = RESULT_BEGUN;
	job->online_before = job->outcome.blocks.online;
	job->execution = (struct execution){
		.device = &job->facts.device,
		.plan = &job->plan,
		.zone = job->decision.zone,
		.sensor = sensor,
		.timeout = sensor->config->offline_timeout,
	};
	r = plan_make(&job->facts, &job->decision, &job->plan);
	return r == 0 ? take_over(job, history) : r;
}

bool job_acts(const struct job *job)
{
	return !job->dry && !job->decision.withheld && job->plan.n;
}

/*
 * It has no driver and no block, and will have none: no step can change the verdict. If this is
 * what is left of a longer job, its records come after it, as those of the longer job would have.
 */
bool job_verdict_stands(const struct job *job)
{
	return job_acts(job) && !job->resumed && job->decision.verdict == VERDICT_DEVDAX &&
	       job->plan.n == 1 && job->plan.steps[0].action == ACTION_BIND_DEVICE_DAX;
}

/* --- what has come of it --- */

/* Has anything been tried? */
static bool has_acted(const struct job *job)
{
	return job_acts(job) || job->outcome.error;
}

/* kmem makes all whole blocks that there is room for; of other memory there are those that came. */
static bool is_online(const struct job *job, const struct block_count *blocks, uint64_t room)
{
	if (device_is_dax(&job->facts.device))
		return !room || (job->outcome.driver == DAX_DRIVER_KMEM && blocks->online >= room);
	return blocks->present && blocks->online == blocks->present;
}

/* By what is true now; of the device, or of a range with room for so many blocks. */
static enum result result_of(const struct job *job, const struct block_count *blocks, uint64_t room)
{
	enum result good = job->plan.n || job->resumed ? RESULT_DONE : RESULT_NOTHING;

	if (job->plan.n && job->decision.withheld)
		return RESULT_WITHHELD;
	if (job->plan.n && job->dry)
		return RESULT_PLANNED;
	switch (job->decision.verdict) {
	case VERDICT_ONLINE:
		if (is_online(job, blocks, room))
			return good;
		return blocks->online ? RESULT_PARTIAL : RESULT_FAILED;
	case VERDICT_DEVDAX:
		if (job->outcome.driver == DAX_DRIVER_DEVICE_DAX)
			return good;
		return blocks->online ? RESULT_PARTIAL : RESULT_FAILED;
	case VERDICT_OFFLINE:
		return blocks->online ? RESULT_PARTIAL : good;
	default:
		return job->outcome.error ? RESULT_FAILED : good;
	}
}

/* What the kernel said to the blocks that were put to it; a refusal of one counts for all. */
static enum answer answer_of(const struct job *job)
{
	if (job->refused)
		return ANSWER_REFUSES;
	return job->execution.onlined.n ? ANSWER_ACCEPTS : ANSWER_NONE;
}

static const struct blocks *blocks_now(const struct job *job)
{
	return job->outcome.result == RESULT_BEGUN || !has_acted(job) ? &job->facts.blocks
								      : &job->blocks;
}

static int finish(struct job *job)
{
	struct outcome *outcome = &job->outcome;
	struct device *device = &job->facts.device;
	int r;

	if (has_acted(job)) {
		r = sensor_read_blocks(job->sensor, device, &job->blocks);
		if (r < 0)
			return r;
		if (device_is_dax(device))
			outcome->driver = dax_driver_of(device->name);
		outcome->blocks = blocks_count(
			&job->blocks, (struct range){0, UINT64_MAX}, job->facts.block_size);
	}
	outcome->retries = job->execution.retries;
	if (answer_of(job))
		outcome->answer = answer_of(job);
	outcome->result = result_of(job, &outcome->blocks, facts_room(&job->facts));
	return TURN_DONE;
}

size_t job_n_records(const struct job *job)
{
	return job->facts.device.n_ranges ?: 1;
}

struct record job_record(const struct job *job, size_t i)
{
	const struct device *device = &job->facts.device;
	const struct firmware *firmware = sensor_firmware(job->sensor);
	struct record record = {
		.facts = &job->facts,
		.decision = &job->decision,
		.plan = &job->plan,
		.range = device->n_ranges ? device->ranges[i] : (struct range){0},
		.outcome = job->outcome,
	};
	const struct blocks *blocks = blocks_now(job);
	struct outcome *outcome = &record.outcome;

	if (!range_is_empty(record.range))
		record.origin =
			firmware_origin_find(&firmware->srat, &firmware->cedt, record.range);
	record_count_blocks(&record, blocks);
	if (outcome->result == RESULT_BEGUN)
		return record;
	outcome->result =
		result_of(job, &outcome->blocks, block_room(record.range, job->facts.block_size));
	outcome->stranded = outcome->result == RESULT_PLANNED ? 0 : record_lost(&record);
	if (job->decision.verdict == VERDICT_ONLINE)
		sensor_zone_of(job->sensor, blocks, record.range, outcome->zone_now,
			sizeof(outcome->zone_now));
	return record;
}

/* --- rolling back --- */

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

/* Is a step back to be taken for each that was taken, after one has failed? */
static bool must_roll_back(const struct job *job)
{
	const struct execution *execution = &job->execution;
	const struct step *failed = &execution->plan->steps[execution->step];

	if (job->decision.verdict != VERDICT_ONLINE)
		return false;
	/* The device has gone; or its driver is not loaded yet, and may be any time. */
	if (execution->error == ENODEV ||
		(failed->action == ACTION_BIND_KMEM && execution->error == EAGAIN &&
			execution->step == 0))
		return false;
	/* To keep what is online needs something that is. */
	if (device_is_dax(execution->device) && !execution->onlined.n && !job->online_before)
		return true;
	return policy_rolls_back(&job->decision, execution->device, job->refused);
}

static int roll_back(struct job *job)
{
	int r = undo(job, job->refused ? REASON_KERNEL_REFUSED : REASON_ROLLED_BACK);

	return r < 0 ? r : TURN_UNDO;
}

bool job_is_onlining(const struct job *job)
{
	const struct execution *execution = &job->execution;

	return job_acts(job) && execution->step < job->plan.n &&
	       job->plan.steps[execution->step].action == ACTION_ONLINE;
}

/* The steps may be those back. */
static void note_failure(struct job *job)
{
	const struct execution *execution = &job->execution;
	enum action failed = execution->plan->steps[execution->step].action;
	struct outcome *outcome = &job->outcome;

	if (outcome->error) {
		outcome->undo_error = execution->error;
		outcome->undo_failed = failed;
		outcome->undo_failed_at = execution->failed_at;
		return;
	}
	outcome->error = execution->error;
	outcome->failed = failed;
	outcome->failed_at = execution->failed_at;
}

int job_turn(struct job *job)
{
	struct execution *execution = &job->execution;
	enum turn turn = job_acts(job) ? executor_turn(execution) : TURN_DONE;
	bool undoing = job->outcome.error;

	if (turn == TURN_MORE || turn == TURN_LATER || turn == TURN_WAIT)
		return (int)turn;
	if (turn == TURN_FAILED)
		note_failure(job);
	if (turn == TURN_FAILED && !undoing) {
		job->refused = refused(execution);
		job->outcome.answer = answer_of(job);
		if (must_roll_back(job))
			return roll_back(job);
	}
	return finish(job);
}
