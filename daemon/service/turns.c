/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jobs run one at a time, one turn of a job per turn of the event loop. What a job is about is in
 * the state file before its first step, and before the first step back if it fails; what came of it
 * afterwards.
 */
#include "daemon/service/loop.h"

#include <malloc.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define USEC_PER_MSEC  1000
#define TIMER_ACCURACY (10 * 1000)
#define TURNS_MS       10 /* of onlining, before anything else is heard */

bool service_is_busy_with(const struct service *service, const struct device *device)
{
	const struct device *own = &service->job.facts.device;

	if (!service->busy)
		return false;
	if (device_is_dax(device) && strcmp(device->name, own->name) == 0)
		return true;
	for (size_t i = 0; i < device->n_ranges; i++)
		if (device_overlaps(own, device->ranges[i]))
			return true;
	return false;
}

static void write_records(struct service *service)
{
	for (size_t i = 0; i < job_n_records(&service->job); i++) {
		const struct record record = job_record(&service->job, i);

		/* The record from before the steps has stated the result. */
		if (!service->recorded || record.outcome.result != RESULT_DONE)
			service_write_record(service, &record);
	}
}

/* Decided again, or recorded by an earlier start, and nothing new has come of it. */
static bool is_old_news(const struct service *service)
{
	const struct job *job = &service->job;
	enum result result = job->outcome.result;

	return (service->previous.reconsider || service->recorded) && !service->previous.asked &&
	       !history_entry_differs(&service->previous, &job->decision, result) &&
	       (result == RESULT_NOTHING || result == RESULT_WITHHELD);
}

/*
 * Note how many blocks are the job's own, so that the next decision can tell that others have
 * brought more of them online.
 */
static int note_own(struct service *service)
{
	struct job *job = &service->job;
	struct history_entry *entry = history_find(&service->state.history, &job->facts.device);
	uint64_t own;
	int r = entry ? job_count_own(job, &own) : 0;

	if (r < 0 || !entry)
		return r;
	entry->own_known = true;
	entry->own_online = own;
	return 0;
}

/* A rule may ask for other access to the device node, which is no other decision. */
static int note_access(struct service *service, struct history_entry *entry)
{
	const struct access *access = &service->job.decision.access;

	if (strcmp(entry->access.group, access->group) == 0 && entry->access.mode == access->mode)
		return 0;
	entry->access = *access;
	return service_announce_later(service, &entry->device);
}

/*
 * Note the job in the history: what it has begun, or what came of it. That it is to be decided
 * again can have turned out since it began.
 */
static int note_job(struct service *service)
{
	const struct job *job = &service->job;
	struct history *history = &service->state.history;
	struct history_entry *entry = history_find(history, &job->facts.device);
	bool again = entry && entry->result == RESULT_BEGUN && entry->reconsider;
	bool asked = again && entry->asked;
	struct outcome outcome = job->outcome;
	int r;

	if (entry && is_old_news(service)) {
		history_entry_confirm(entry, &job->facts.device, &job->outcome);
		return note_access(service, entry);
	}
	/* What an earlier start brought online was not online before, for the next start too. */
	if (outcome.result == RESULT_BEGUN)
		outcome.blocks.online = job->online_before;
	r = history_note(history, &job->facts.device, &job->decision, &outcome,
		outcome.result == RESULT_BEGUN && service->recorded);
	if (r < 0)
		return r;
	entry = history_find(history, &job->facts.device);
	entry->reconsider = again;
	entry->asked = asked;
	entry->since = (uint64_t)time(NULL);
	return history_entry_is_undoing(entry) || history_entry_is_partly_undone(entry)
		       ? note_own(service)
		       : 0;
}

/* An earlier start may have begun with it, and even have written the records of this decision. */
static void recall(struct service *service)
{
	struct job *job = &service->job;
	const struct device *device = &job->facts.device;
	const struct history_entry *entry = history_find(&service->state.history, device);

	job->outcome.bypassed = service_is_bypassed(service, device, entry);
	service->recorded = job->resumed && entry->recorded;
	service->previous = (struct history_entry){0};
	if (!entry)
		return;
	service->previous = *entry;
	service->previous.device = (struct device){0};
}

/* Before the next write to the kernel it is known to the next start what has been begun. */
static int keep_job(struct service *service)
{
	int r = note_job(service);

	if (r == 0)
		service_save(service);
	return r;
}

/* The job is left as it is, and brings no more blocks online. */
static int keep_left_job(struct service *service)
{
	int r = note_job(service);

	if (r == 0)
		r = note_own(service);
	if (r == 0)
		service_save(service);
	return r;
}

int service_leave_job(struct service *service)
{
	bool begun = service->busy && job_acts(&service->job) &&
		     service->job.outcome.result == RESULT_BEGUN;

	return begun ? keep_left_job(service) : 0;
}

static int begin(struct service *service)
{
	recall(service);
	if (!job_acts(&service->job))
		return 0;
	if (!service->recorded && job_verdict_stands(&service->job)) {
		write_records(service);
		service->recorded = true;
	}
	return keep_job(service);
}

bool service_is_idle(const struct service *service)
{
	return !service->busy && !service->reload && !service->log_reads &&
	       service->queue_at == service->queue.n &&
	       sd_event_source_get_enabled(service->silence.timer, NULL) == SD_EVENT_OFF;
}

void service_empty_queue(struct service *service)
{
	devices_done(&service->queue);
	service->queue_at = 0;
}

int service_next_job(struct service *service)
{
	CLEANUP(device_done) struct device device = {0};
	int r;

	if (service->busy)
		return 0;
	if (service->queue_at == service->queue.n) {
		if (service->pending)
			service_save(service);
		malloc_trim(0);
		return 0;
	}
	device = service->queue.items[service->queue_at];
	service->queue.items[service->queue_at++] = (struct device){0};
	r = job_begin(&service->job, &service->sensor, false, &device, &service->state.history);
	if (r > 0) {
		r = service_look_again(service);
		return r < 0 ? r : service_next_job(service);
	}
	service->busy = true;
	if (r == 0)
		r = begin(service);
	return r < 0 ? r : sd_event_source_set_enabled(service->turn, SD_EVENT_ON);
}

static int finish(struct service *service)
{
	struct job *job = &service->job;
	bool onlined = job->execution.onlined.n, acted = job_acts(job);
	bool made_devdax = job->outcome.driver == DAX_DRIVER_DEVICE_DAX && job->plan.n;
	bool news = !is_old_news(service);
	int r;

	if (news)
		write_records(service);
	r = note_job(service);
	if (r == 0 && news)
		r = service_announce_later(service, &job->facts.device);
	job_done(job);
	service->busy = false;
	service->any_recorded = true;
	if (r == 0)
		r = sd_event_source_set_enabled(service->turn, SD_EVENT_OFF);
	if (r < 0)
		return r;
	/* device_dax was bound by its new_id, which binds other devices too: they are no bypass. */
	if (made_devdax)
		service->bound_known = false;
	/* Meanwhile others may have onlined something too, and were not heard. */
	service->blocks_changed |= onlined;
	if (service->passed_over || onlined)
		r = service_expect_silence(service);
	service->passed_over = false;
	/* With the silence expected: the daemon is not idle until then. */
	if (acted)
		service_save(service);
	else
		service_save_later(service);
	service_tell_status(service);
	if (r >= 0)
		r = service_between_jobs(service);
	return r < 0 ? r : service_next_job(service);
}

static int on_child(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct service *service = userdata;

	(void)source;
	(void)fd;
	(void)events;
	service->child = sd_event_source_disable_unref(service->child);
	return sd_event_source_set_enabled(service->turn, SD_EVENT_ON);
}

/* The next turn is to wait: for some time, and for the writer if there is one. */
static int postpone_turn(struct service *service, bool child)
{
	const struct execution *execution = &service->job.execution;
	int r;

	r = sd_event_source_set_enabled(service->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_time_relative(
			service->retry, (uint64_t)execution->delay_ms * USEC_PER_MSEC);
	if (r >= 0)
		r = sd_event_source_set_enabled(service->retry, SD_EVENT_ONESHOT);
	if (r < 0 || !child)
		return r;
	r = sd_event_add_io(
		service->event, &service->child, execution->writer.fd, EPOLLIN, on_child, service);
	return r < 0 ? r : sd_event_source_set_exit_on_failure(service->child, true);
}

/*
 * To mute the monitor costs as much as a good part of a block, so blocks go online for some
 * milliseconds in a row before anything else is heard.
 */
static int take_turns(struct service *service)
{
	uint64_t end = executor_now_ms() + TURNS_MS;
	bool onlining;
	int r;

	do {
		onlining = job_is_onlining(&service->job);
		r = job_turn(&service->job);
	} while (r == TURN_MORE && onlining && job_is_onlining(&service->job) &&
		 executor_now_ms() < end);
	return r;
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct service *service = userdata;
	int r, turn;

	(void)source;
	/* One of the two ended the wait; the other must not come any more. */
	service->child = sd_event_source_disable_unref(service->child);
	r = sd_event_source_set_enabled(service->retry, SD_EVENT_OFF);
	if (r >= 0)
		r = monitor_mute(&service->monitor, job_is_onlining(&service->job));
	if (r < 0)
		return r;
	turn = take_turns(service);
	r = monitor_mute(&service->monitor, false);
	if (r < 0 || turn < 0)
		return r < 0 ? r : turn;
	if (turn == TURN_LATER || turn == TURN_WAIT)
		return postpone_turn(service, turn == TURN_WAIT);
	if (turn == TURN_UNDO)
		return keep_job(service);
	return turn == TURN_DONE ? finish(service) : 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct service *service = userdata;

	(void)source;
	(void)usec;
	return sd_event_source_set_enabled(service->turn, SD_EVENT_ON);
}

int service_add_turns(struct service *service)
{
	int r;

	r = sd_event_add_time_relative(service->event, &service->retry, CLOCK_MONOTONIC, 0,
		TIMER_ACCURACY, on_retry, service);
	if (r >= 0)
		r = sd_event_source_set_enabled(service->retry, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(service->retry, true);
	if (r >= 0)
		r = sd_event_add_defer(service->event, &service->turn, on_turn, service);
	/* A turn waits for uevents, so that a new device need not wait for a long job. */
	if (r >= 0)
		r = sd_event_source_set_priority(service->turn, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_enabled(service->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(service->turn, true);
	return r < 0 ? r : 0;
}
