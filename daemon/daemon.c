/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon.
 *
 * Events ask for a look; a look finds the ranges that have no record yet and queues them; the
 * jobs run one at a time, one turn per turn of the event loop. Looks go on meanwhile.
 *
 * A range is decided at once if nothing about it can still be changing: a dax device that the
 * guard keeps without a driver. Anything with memory blocks waits for a short silence, because
 * blocks arrive one by one and nothing says which is the last. A device that kmem has and that
 * has no block yet is still being added: its blocks, or its "bind" event, are waited for longer.
 */
#include "daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "guard.h"
#include "job.h"
#include "journal.h"
#include "monitor.h"
#include "sensor.h"
#include "state.h"

#define SILENCE_USEC   (250 * 1000)
#define SILENCE_LIMIT  (5 * 1000 * 1000)  /* decide at last although blocks keep coming */
#define ADDING_LIMIT   (60 * 1000 * 1000) /* the kernel takes seconds for some hundred GiB */
#define USEC_PER_MSEC  1000
#define TIMER_ACCURACY (10 * 1000)

struct daemon {
	sd_event *event;
	sd_event_source *news;	  /* the monitor */
	sd_event_source *silence; /* ends the wait for blocks to settle */
	sd_event_source *turn;	  /* the next turn of the job */
	sd_event_source *later;	  /* the job's next try */
	bool waiting;		  /* the silence timer waits for kmem to add blocks */
	bool waited;		  /* it did, in vain */
	uint64_t noisy_since;	  /* when the current silence was first waited for; 0: silent */
	struct sensor sensor;
	struct monitor monitor;
	struct state state;
	struct arrivals queue;
	size_t next; /* in the queue */
	struct job job;
	bool busy;
	bool recorded; /* the job's record has been written before its steps were taken */
	bool reported; /* something has been recorded, or that there is nothing */
};

static void daemon_done(struct daemon *daemon)
{
	sd_event_source_unref(daemon->news);
	sd_event_source_unref(daemon->silence);
	sd_event_source_unref(daemon->turn);
	sd_event_source_unref(daemon->later);
	sd_event_unref(daemon->event);
	sensor_done(&daemon->sensor);
	monitor_done(&daemon->monitor);
	state_done(&daemon->state);
	arrivals_done(&daemon->queue);
}

static void save(struct daemon *daemon)
{
	/* Said already; the daemon works on without. */
	(void)!state_save(&daemon->state, &daemon->sensor.snapshot.boot_map);
}

/* What the switches read before must be safe before they are changed. */
static void update_guard(struct daemon *daemon)
{
	struct guard *guard = &daemon->state.guard;

	if (!gate_refuses(&daemon->sensor.snapshot.gate)) {
		guard_release(guard);
		save(daemon);
		return;
	}
	guard_remember(guard);
	save(daemon);
	if (guard_take() < 0)
		journal_say(LOG_WARNING, "The guard is not whole: memory may go online unjudged");
}

static void update_gate(struct daemon *daemon)
{
	enum gate_state before = daemon->sensor.snapshot.gate.state;

	sensor_read_gate(&daemon->sensor);
	if (daemon->sensor.snapshot.gate.state == before)
		return;
	journal_gate(&daemon->sensor.snapshot.gate);
	update_guard(daemon);
}

static void update_status(const struct daemon *daemon)
{
	sd_notifyf(false, "STATUS=TDX gate %s, %zu ranges decided",
		gate_state_to_string(daemon->sensor.snapshot.gate.state), daemon->state.decided.n);
}

static bool is_among(const struct arrivals *arrivals, const struct arrival *arrival)
{
	const struct arrivals one = {(struct arrival *)arrival, 1};
	CLEANUP(arrivals_done) struct arrivals rest = {0};

	return arrivals_undecided(&one, arrivals, &rest) == 0 && !rest.n;
}

/*
 * The verdict stands whatever the steps bring: write the record now. An earlier start may have
 * written it and then been stopped at the steps.
 */
static int record_early(struct daemon *daemon)
{
	int r;

	daemon->recorded = true;
	if (is_among(&daemon->state.begun, &daemon->job.arrival))
		return 0;
	journal_record(&daemon->job.record);
	r = arrivals_append(&daemon->state.begun, &daemon->job.arrival);
	if (r == 0)
		save(daemon);
	return r;
}

/* Take the next range of the queue. */
static int begin_next(struct daemon *daemon)
{
	int r = 0;

	if (daemon->busy)
		return 0;
	if (daemon->next == daemon->queue.n) {
		malloc_trim(0);
		return 0;
	}
	daemon->busy = true;
	daemon->recorded = false;
	if (job_begin(&daemon->job, &daemon->sensor, executor_turn,
		    &daemon->queue.items[daemon->next++]))
		r = record_early(daemon);
	return r < 0 ? r : sd_event_source_set_enabled(daemon->turn, SD_EVENT_ON);
}

/* Move the job's range from those begun to those decided. */
static int note_decided(struct daemon *daemon)
{
	struct state *state = &daemon->state;
	const struct arrivals one = {&daemon->job.arrival, 1};
	CLEANUP(arrivals_done) struct arrivals rest = {0};
	int r;

	r = arrivals_append(&state->decided, &daemon->job.arrival);
	if (r == 0)
		r = arrivals_undecided(&state->begun, &one, &rest);
	if (r < 0)
		return r;
	arrivals_done(&state->begun);
	state->begun = rest;
	rest = (struct arrivals){0};
	return 0;
}

static int finish_job(struct daemon *daemon)
{
	int r;

	daemon->busy = false;
	daemon->reported = true;
	if (!daemon->recorded || daemon->job.record.outcome.result != RESULT_DONE)
		journal_record(&daemon->job.record);
	r = sd_event_source_set_enabled(daemon->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = note_decided(daemon);
	if (r < 0)
		return r;
	save(daemon);
	update_status(daemon);
	return begin_next(daemon);
}

static int postpone_turn(struct daemon *daemon)
{
	uint64_t delay = (uint64_t)daemon->job.execution.delay_ms * USEC_PER_MSEC;
	int r;

	r = sd_event_source_set_enabled(daemon->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_time_relative(daemon->later, delay);
	return r < 0 ? r : sd_event_source_set_enabled(daemon->later, SD_EVENT_ONESHOT);
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct daemon *daemon = userdata;
	int r;

	(void)source;
	r = job_turn(&daemon->job);
	if (r == TURN_LATER)
		return postpone_turn(daemon);
	return r == TURN_DONE ? finish_job(daemon) : r;
}

static int on_later(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *daemon = userdata;

	(void)source;
	(void)usec;
	return sd_event_source_set_enabled(daemon->turn, SD_EVENT_ON);
}

/* Has kmem the device, but no block been made of it? */
static bool being_added(const struct daemon *daemon, const struct arrival *arrival)
{
	return arrival->driver == DAX_DRIVER_KMEM && arrival->fault != FAULT_UNREADABLE &&
	       !snapshot_count(&daemon->sensor.snapshot, arrival->range).present;
}

/* Nothing about the range can still be changing. */
static bool ready(const struct daemon *daemon, const struct arrival *arrival)
{
	if (!daemon->noisy_since)
		return daemon->waited || !being_added(daemon, arrival);
	return snapshot_guarded(&daemon->sensor.snapshot) && arrival_is_dax(arrival) &&
	       arrival->driver != DAX_DRIVER_KMEM;
}

/* Is it the range of the job that is running? */
static bool in_work(const struct daemon *daemon, const struct arrival *arrival)
{
	const struct arrival *job = &daemon->job.arrival;

	if (!daemon->busy)
		return false;
	return range_overlaps(job->range, arrival->range) ||
	       (range_equal(job->range, arrival->range) &&
		       strcmp(job->device, arrival->device) == 0);
}

static int arm_silence(struct daemon *daemon, uint64_t usec)
{
	int r;

	r = sd_event_source_set_time_relative(daemon->silence, usec);
	return r < 0 ? r : sd_event_source_set_enabled(daemon->silence, SD_EVENT_ONESHOT);
}

static int fill_queue(struct daemon *daemon, const struct arrivals *undecided)
{
	bool wait = false;
	int r = 0;

	arrivals_done(&daemon->queue);
	daemon->next = 0;
	for (size_t i = 0; r == 0 && i < undecided->n; i++) {
		if (in_work(daemon, &undecided->items[i]))
			continue;
		if (ready(daemon, &undecided->items[i]))
			r = arrivals_append(&daemon->queue, &undecided->items[i]);
		else
			wait = true;
	}
	if (r < 0 || !wait || daemon->noisy_since)
		return r;
	daemon->waiting = true;
	return arm_silence(daemon, ADDING_LIMIT);
}

static int look(struct daemon *daemon)
{
	CLEANUP(arrivals_done) struct arrivals all = {0}, undecided = {0}, remaining = {0};
	int r;

	r = daemon->noisy_since ? sensor_glance(&daemon->sensor) : sensor_look(&daemon->sensor);
	if (r == 0)
		r = sensor_arrivals(&daemon->sensor, &all);
	if (r == 0)
		r = arrivals_remaining(&daemon->state.decided, &all, &remaining);
	if (r == 0)
		r = arrivals_undecided(&all, &remaining, &undecided);
	if (r >= 0)
		r = fill_queue(daemon, &undecided);
	if (r >= 0 && !daemon->noisy_since)
		r = sensor_settle(&daemon->sensor);
	if (r < 0)
		return r;
	arrivals_done(&daemon->state.decided);
	daemon->state.decided = remaining;
	remaining = (struct arrivals){0};
	if (!daemon->reported && !daemon->noisy_since && !all.n)
		journal_say(LOG_INFO, "No memory arrived after boot: nothing to do");
	daemon->reported |= !daemon->noisy_since;
	update_status(daemon);
	return begin_next(daemon);
}

/* Wait for silence, or wait on; but not for ever. */
static int expect_silence(struct daemon *daemon)
{
	uint64_t now, wait = SILENCE_USEC;
	int r;

	r = sd_event_now(daemon->event, CLOCK_MONOTONIC, &now);
	if (r < 0)
		return r;
	if (!daemon->noisy_since)
		daemon->noisy_since = now;
	if (now - daemon->noisy_since > SILENCE_LIMIT)
		wait = 0;
	daemon->waiting = false;
	return arm_silence(daemon, wait);
}

static int on_silence(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *daemon = userdata;

	(void)source;
	(void)usec;
	daemon->noisy_since = 0;
	daemon->waited = daemon->waiting;
	daemon->waiting = false;
	cxl_refresh(&daemon->sensor.cxl);
	return look(daemon);
}

static int on_news(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct daemon *daemon = userdata;
	int news, r;

	(void)source;
	(void)fd;
	(void)events;
	news = monitor_read(&daemon->monitor);
	if (news <= 0)
		return news;
	if (news & (MONITOR_TDX | MONITOR_OVERFLOW))
		update_gate(daemon);
	if (news & (MONITOR_CXL | MONITOR_OVERFLOW))
		daemon->sensor.cxl.fresh = false;
	r = expect_silence(daemon);
	/* Behind the guard a device can be judged at once. */
	if (r >= 0 && news & (MONITOR_DAX | MONITOR_OVERFLOW) &&
		snapshot_guarded(&daemon->sensor.snapshot))
		r = look(daemon);
	return r;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)info;
	(void)userdata;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int add_timer(
	struct daemon *daemon, sd_event_source **ret_source, sd_event_time_handler_t handler)
{
	int r;

	r = sd_event_add_time_relative(daemon->event, ret_source, CLOCK_MONOTONIC, SILENCE_USEC,
		TIMER_ACCURACY, handler, daemon);
	return r < 0 ? r : sd_event_source_set_enabled(*ret_source, SD_EVENT_OFF);
}

/* A handler that fails would be switched off, and the daemon be deaf: rather let it end. */
static int exit_on_failure(const struct daemon *daemon)
{
	sd_event_source *const sources[] = {
		daemon->news, daemon->silence, daemon->turn, daemon->later};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sources); i++)
		r = sd_event_source_set_exit_on_failure(sources[i], true);
	return r;
}

static int add_sources(struct daemon *daemon)
{
	sigset_t signals;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	/* There is nothing to reload yet, and no terminal to be lost. */
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || signal(SIGHUP, SIG_IGN) == SIG_ERR)
		return -errno;
	r = sd_event_new(&daemon->event);
	if (r >= 0)
		r = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_signal, NULL);
	if (r >= 0)
		r = sd_event_add_signal(daemon->event, NULL, SIGINT, on_signal, NULL);
	if (r >= 0)
		r = sd_event_add_io(daemon->event, &daemon->news, monitor_fd(&daemon->monitor),
			EPOLLIN, on_news, daemon);
	if (r >= 0)
		r = add_timer(daemon, &daemon->silence, on_silence);
	if (r >= 0)
		r = add_timer(daemon, &daemon->later, on_later);
	if (r >= 0)
		r = sd_event_add_defer(daemon->event, &daemon->turn, on_turn, daemon);
	/* A turn waits for news, so that a new range need not wait for a long job. */
	if (r >= 0)
		r = sd_event_source_set_priority(daemon->turn, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_enabled(daemon->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = exit_on_failure(daemon);
	if (r >= 0)
		r = sd_event_set_watchdog(daemon->event, true);
	return r < 0 ? r : 0;
}

/* Up to the point where nothing can slip by unseen any more. */
static int start(struct daemon *daemon, const struct config *config)
{
	struct state *state = &daemon->state;
	int r;

	r = state_load(state);
	if (r == 0)
		r = monitor_init(&daemon->monitor);
	if (r == 0)
		r = sensor_init(&daemon->sensor, config, state->kept ? &state->boot_map : NULL);
	if (r < 0)
		return r;
	journal_gate(&daemon->sensor.snapshot.gate);
	update_guard(daemon);
	return add_sources(daemon);
}

static int run(struct daemon *daemon)
{
	int r;

	r = sd_notify(false, "READY=1");
	if (r >= 0)
		r = expect_silence(daemon);
	if (r >= 0)
		r = sd_event_loop(daemon->event);
	sd_notify(false, "STOPPING=1");
	return r < 0 ? r : 0;
}

int daemon_run(const struct config *config)
{
	CLEANUP(daemon_done) struct daemon daemon = {0};
	int r;

	r = start(&daemon, config);
	if (r < 0)
		return r;
	r = run(&daemon);
	if (r < 0) {
		/* The guard stays up: whatever comes now waits for the next start. */
		journal_say(LOG_ERR, "Stopped: %s", strerror(-r));
		return r;
	}
	guard_release(&daemon.state.guard);
	save(&daemon);
	return 0;
}
