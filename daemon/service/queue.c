/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work: the queue, and the turns of a job.
 */
#include "daemon/service/queue.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/epoll.h>

#include <systemd/sd-daemon.h>

#include "daemon/output/journal.h"

#define USEC_PER_MSEC  1000
#define TIMER_ACCURACY (10 * 1000)
#define TURNS_MS       10 /* of onlining, before anything else is heard */

void work_done(struct work *work)
{
	sd_event_source_unref(work->turn);
	sd_event_source_unref(work->later);
	sd_event_source_unref(work->child);
	arrivals_done(&work->queue);
	job_done(&work->job);
}

void work_save(struct work *work)
{
	work->state->tdx_active = work->sensor->was_active;
	work->state->tdx_failure = work->sensor->tdx_failure;
	(void)!state_save(work->state, &work->sensor->snapshot);
}

void work_tell_status(const struct work *work)
{
	char tdx[128];
	struct strbuf text = strbuf_in(tdx, sizeof(tdx));

	tdx_append(&text, &work->sensor->snapshot.tdx);
	sd_notifyf(false, "STATUS=TDX %s, %zu ranges decided%s", tdx, work->state->history.n,
		work->sensor->config->observe ? ", only observing" : "");
}

void work_record(struct work *work, const struct record *record)
{
	journal_record(record);
	if (record_disagrees(record))
		work->state->disagreements++;
}

/*
 * The verdict stands whatever the steps bring: write the records now. An earlier start may have
 * written them and then been stopped at the steps.
 */
static int record_early(struct work *work)
{
	struct history *history = &work->state->history;
	int r = 0;

	work->recorded = true;
	for (size_t i = 0; r == 0 && i < work->job.n; i++) {
		const struct record *record = &work->job.records[i];
		const struct entry *entry = history_find(history, &record->arrival);

		if (entry && entry->result == RESULT_BEGUN)
			continue;
		work_record(work, record);
		r = history_note(history, record);
	}
	if (r == 0)
		work_save(work);
	return r;
}

int work_go_on(struct work *work)
{
	CLEANUP(arrivals_done) struct arrivals device = {0};
	int r;

	if (work->busy)
		return 0;
	if (!work->queue.n) {
		malloc_trim(0);
		return 0;
	}
	r = arrivals_take_device(&work->queue, &device);
	if (r < 0)
		return r;
	work->busy = true;
	work->recorded = false;
	r = job_begin(&work->job, work->sensor, false, &device);
	if (r > 0)
		r = record_early(work);
	return r < 0 ? r : sd_event_source_set_enabled(work->turn, SD_EVENT_ON);
}

/* Reconsidered, and nothing new has come of it. */
static bool is_old_news(const struct entry *entry, const struct record *record)
{
	enum result result = record->outcome.result;

	return entry && entry->reconsider && !entry_differs(entry, record) &&
	       (result == RESULT_NOTHING || result == RESULT_WITHHELD);
}

static int note_record(struct work *work, const struct record *record)
{
	struct history *history = &work->state->history;
	struct entry *entry = history_find(history, &record->arrival);

	if (is_old_news(entry, record)) {
		entry_confirm(entry, record);
		return 0;
	}
	if (!work->recorded || record->outcome.result != RESULT_DONE)
		work_record(work, record);
	return history_note(history, record);
}

static int finish_job(struct work *work)
{
	int r;

	work->busy = false;
	work->reported = true;
	r = sd_event_source_set_enabled(work->turn, SD_EVENT_OFF);
	for (size_t i = 0; r >= 0 && i < work->job.n; i++)
		r = note_record(work, &work->job.records[i]);
	job_done(&work->job);
	if (r < 0)
		return r;
	work_save(work);
	work_tell_status(work);
	r = work->pause(work->userdata);
	return r < 0 ? r : work_go_on(work);
}

static int on_child(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct work *work = userdata;

	(void)source;
	(void)fd;
	(void)events;
	work->child = sd_event_source_disable_unref(work->child);
	return sd_event_source_set_enabled(work->turn, SD_EVENT_ON);
}

/* The next turn is to wait: for some time, and for the writer if there is one. */
static int postpone_turn(struct work *work, bool child)
{
	const struct execution *execution = &work->job.execution;
	int r;

	r = sd_event_source_set_enabled(work->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_time_relative(
			work->later, (uint64_t)execution->delay_ms * USEC_PER_MSEC);
	if (r >= 0)
		r = sd_event_source_set_enabled(work->later, SD_EVENT_ONESHOT);
	if (r < 0 || !child)
		return r;
	r = sd_event_add_io(
		work->event, &work->child, execution->writer.fd, EPOLLIN, on_child, work);
	return r < 0 ? r : sd_event_source_set_exit_on_failure(work->child, true);
}

/*
 * To mute the monitor costs as much as a good part of a block, so blocks go online for some
 * milliseconds in a row before anything else is heard.
 */
static int take_turns(struct work *work)
{
	uint64_t end = executor_now_ms() + TURNS_MS;
	bool onlining;
	int r;

	do {
		onlining = job_is_onlining(&work->job);
		r = job_turn(&work->job);
	} while (r == TURN_MORE && onlining && job_is_onlining(&work->job) &&
		 executor_now_ms() < end);
	return r;
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct work *work = userdata;
	int r, turn;

	(void)source;
	/* Whatever ended the wait, the other of the two must not come any more. */
	work->child = sd_event_source_disable_unref(work->child);
	r = sd_event_source_set_enabled(work->later, SD_EVENT_OFF);
	if (r >= 0)
		r = monitor_mute(work->monitor, job_is_onlining(&work->job));
	if (r < 0)
		return r;
	turn = take_turns(work);
	r = monitor_mute(work->monitor, false);
	if (r < 0 || turn < 0)
		return r < 0 ? r : turn;
	if (turn == TURN_LATER || turn == TURN_WAIT)
		return postpone_turn(work, turn == TURN_WAIT);
	return turn == TURN_DONE ? finish_job(work) : 0;
}

static int on_later(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct work *work = userdata;

	(void)source;
	(void)usec;
	return sd_event_source_set_enabled(work->turn, SD_EVENT_ON);
}

int work_init(struct work *work)
{
	int r;

	r = sd_event_add_time_relative(
		work->event, &work->later, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_later, work);
	if (r >= 0)
		r = sd_event_source_set_enabled(work->later, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(work->later, true);
	if (r >= 0)
		r = sd_event_add_defer(work->event, &work->turn, on_turn, work);
	/* A turn waits for news, so that a new range need not wait for a long job. */
	if (r >= 0)
		r = sd_event_source_set_priority(work->turn, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_enabled(work->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(work->turn, true);
	return r < 0 ? r : 0;
}

void work_queue(struct work *work, struct arrivals *ready)
{
	arrivals_done(&work->queue);
	work->queue = *ready;
	*ready = (struct arrivals){0};
}

bool work_holds(const struct work *work, const struct arrival *arrival)
{
	for (size_t i = 0; work->busy && i < work->job.n; i++) {
		const struct arrival *job = &work->job.records[i].arrival;

		if (range_overlaps(job->range, arrival->range) ||
			(arrival_is_dax(arrival) && strcmp(job->device, arrival->device) == 0))
			return true;
	}
	return false;
}
