/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon.
 *
 * Events ask for a look; a look finds the ranges that have no record yet, or are to be decided
 * anew, and gives them to work. Looks go on while it works.
 *
 * A range is decided at once if nothing about it can still be changing: a dax device that the
 * guard keeps without a driver. Anything with memory blocks waits for a short silence, because
 * blocks arrive one by one and nothing says which is the last. A device that kmem has and that
 * has no block yet is still being added: its blocks, or its "bind" event, are waited for longer.
 */
#include "daemon/service/service.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "daemon/actuator/guard.h"
#include "daemon/host/booting.h"
#include "daemon/host/sensor.h"
#include "daemon/log/log.h"
#include "daemon/output/journal.h"
#include "daemon/service/drift.h"
#include "daemon/service/queue.h"
#include "daemon/service/uevent.h"
#include "daemon/state/state.h"

#define SILENCE_USEC   (250 * 1000)
#define SILENCE_LIMIT  (5 * 1000 * 1000)  /* decide at last although blocks keep coming */
#define ADDING_LIMIT   (60 * 1000 * 1000) /* the kernel takes seconds for some hundred GiB */
#define BLIND_USEC     (1000 * 1000)	  /* look again after one that could not see all */
#define TIMER_ACCURACY (10 * 1000)

struct daemon {
	sd_event *event;
	sd_event_source *news;	  /* the monitor */
	sd_event_source *silence; /* ends the wait for blocks to settle */
	bool waiting;		  /* the silence timer waits for kmem to add blocks */
	bool waited;		  /* it did, in vain */
	bool unmapped;		  /* at the last silent look a dax device had no mapping */
	uint64_t noisy_since;	  /* when the current silence was first waited for; 0: silent */
	bool drivers_changed;	  /* perhaps, since the last silence */
	bool tdx_changed;	  /* perhaps, and the journal may not have what the kernel logged */
	bool reload;		  /* to be done when the job has ended */
	struct settings *settings;
	const enum tdx_mode *tdx; /* of the command line, or NULL */
	struct sensor sensor;
	struct monitor monitor;
	struct state state;
	struct work work;
};

static void daemon_done(struct daemon *daemon)
{
	sd_event_source_unref(daemon->news);
	sd_event_source_unref(daemon->silence);
	work_done(&daemon->work);
	sd_event_unref(daemon->event);
	sensor_done(&daemon->sensor);
	monitor_done(&daemon->monitor);
	state_done(&daemon->state);
}

/* What the switches read before must be safe before they are changed. */
static void update_guard(struct daemon *daemon)
{
	struct guard *guard = &daemon->state.guard;

	if (daemon->settings->config.observe || !tdx_refuses(&daemon->sensor.snapshot.tdx)) {
		guard_release(guard);
		work_save(&daemon->work);
		return;
	}
	guard_remember(guard);
	work_save(&daemon->work);
	guard_take();
}

/*
 * The TDX state has been decided; what was onlined while it was absent may have to be taken back.
 */
static void follow_tdx(struct daemon *daemon)
{
	if (tdx_refuses(&daemon->sensor.snapshot.tdx))
		history_reconsider_let_in(&daemon->state.history);
	update_guard(daemon);
}

static void update_tdx(struct daemon *daemon)
{
	const struct tdx *now = &daemon->sensor.snapshot.tdx, before = *now;

	sensor_read_tdx(&daemon->sensor);
	if (now->state == before.state && now->detected == before.detected &&
		now->cause == before.cause)
		return;
	journal_tdx(now);
	follow_tdx(daemon);
}

/* Has kmem the device, but no block been made of it, as far as is known where it lies? */
static bool being_added(const struct daemon *daemon, const struct arrival *arrival)
{
	return arrival->driver == DAX_DRIVER_KMEM &&
	       !snapshot_count(&daemon->sensor.snapshot, arrival->range).present;
}

/* Nothing about the range can still be changing. */
static bool ready(const struct daemon *daemon, const struct arrival *arrival)
{
	if (!daemon->noisy_since)
		return daemon->waited || !being_added(daemon, arrival);
	return snapshot_guarded(&daemon->sensor.snapshot) && arrival_is_dax(arrival) &&
	       arrival->driver != DAX_DRIVER_KMEM && arrival->fault != FAULT_UNREADABLE;
}

/*
 * The kernel adds a dax device, with its driver, before its mappings (devm_create_dev_dax(),
 * drivers/dax/bus.c, 6.12), and sends no event of them. kmem takes long, and is waited for anyway.
 */
static bool needs_second_look(struct daemon *daemon, const struct arrivals *undecided)
{
	bool before = daemon->unmapped;

	daemon->unmapped = false;
	for (size_t i = 0; i < undecided->n; i++)
		daemon->unmapped |= undecided->items[i].fault == FAULT_UNREADABLE &&
				    undecided->items[i].driver != DAX_DRIVER_KMEM;
	return daemon->unmapped && !before;
}

static int arm_silence(struct daemon *daemon, uint64_t usec)
{
	int r;

	r = sd_event_source_set_time_relative(daemon->silence, usec);
	return r < 0 ? r : sd_event_source_set_enabled(daemon->silence, SD_EVENT_ONESHOT);
}

static int fill_queue(struct daemon *daemon, const struct arrivals *undecided)
{
	CLEANUP(arrivals_done) struct arrivals queue = {0};
	bool wait = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < undecided->n; i++) {
		if (work_holds(&daemon->work, &undecided->items[i]))
			continue;
		if (ready(daemon, &undecided->items[i]))
			r = arrivals_append(&queue, &undecided->items[i]);
		else
			wait = true;
	}
	if (r < 0)
		return r;
	work_queue(&daemon->work, &queue);
	if (!wait || daemon->noisy_since)
		return 0;
	daemon->waiting = true;
	return arm_silence(daemon, ADDING_LIMIT);
}

/* Forget what has gone; but not if nothing could be seen of it. */
static int prune(struct daemon *daemon, const struct arrivals *all)
{
	CLEANUP(arrivals_done) struct arrivals present = {0};
	struct state *state = &daemon->state;
	int r;

	if (daemon->sensor.blind)
		return 0;
	r = history_prune(&state->history, all);
	if (r == 0)
		r = arrivals_remaining(&state->present, all, &present);
	if (r < 0)
		return r;
	arrivals_done(&state->present);
	state->present = present;
	present = (struct arrivals){0};
	return 0;
}

/* What only a silent look can tell. */
static int settle(struct daemon *daemon, const struct arrivals *all)
{
	struct drift drift = {
		.sensor = &daemon->sensor,
		.work = &daemon->work,
		.drivers = daemon->drivers_changed,
		.first_block = daemon->monitor.first_block,
		.end_block = daemon->monitor.end_block,
	};

	if (!daemon->work.reported && !all->n)
		log_print(LOG_INFO, "No memory arrived after boot: nothing to do");
	daemon->work.reported = true;
	/* What could not be seen may have come, or changed, without any further event. */
	if (daemon->sensor.blind)
		return daemon->waiting ? 0 : arm_silence(daemon, BLIND_USEC);
	drift_check(&drift, all);
	daemon->drivers_changed = false;
	daemon->monitor.first_block = daemon->monitor.end_block = 0;
	daemon->state.last_look = (uint64_t)time(NULL);
	work_save(&daemon->work);
	return sensor_settle(&daemon->sensor);
}

/* The first look that sees all, after the first start of a boot, tells what was there before. */
static int mark_present(struct daemon *daemon, struct arrivals *all)
{
	struct state *state = &daemon->state;
	int r = 0;

	state_mark_present(state, all);
	if (state->present_known || daemon->noisy_since || daemon->sensor.blind)
		return 0;
	for (size_t i = 0; r == 0 && i < all->n; i++)
		r = arrivals_append(&state->present, &all->items[i]);
	state->present_known = r == 0;
	work_save(&daemon->work);
	return r;
}

static int look(struct daemon *daemon)
{
	CLEANUP(arrivals_done) struct arrivals all = {0}, undecided = {0};
	int r;

	r = daemon->noisy_since ? sensor_glance(&daemon->sensor) : sensor_look(&daemon->sensor);
	if (r == 0)
		r = sensor_arrivals(&daemon->sensor, &all);
	if (r == 0)
		r = prune(daemon, &all);
	if (r == 0)
		r = mark_present(daemon, &all);
	if (r == 0)
		r = history_undecided(&daemon->state.history, &all, &undecided);
	if (r >= 0 && !daemon->noisy_since && needs_second_look(daemon, &undecided))
		return arm_silence(daemon, SILENCE_USEC);
	if (r >= 0)
		r = fill_queue(daemon, &undecided);
	if (r >= 0 && !daemon->noisy_since)
		r = settle(daemon, &all);
	if (r < 0)
		return r;
	work_tell_status(&daemon->work);
	return work_go_on(&daemon->work);
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
	if (daemon->tdx_changed)
		update_tdx(daemon);
	daemon->tdx_changed = false;
	cxl_refresh(&daemon->sensor.cxl);
	return look(daemon);
}

static void note_news(struct daemon *daemon, int news)
{
	daemon->state.events += daemon->monitor.events;
	daemon->state.overflows += daemon->monitor.overflows;
	daemon->monitor.events = daemon->monitor.overflows = 0;
	if (news & (MONITOR_TDX | MONITOR_OVERFLOW)) {
		update_tdx(daemon);
		daemon->tdx_changed = true;
	}
	if (news & (MONITOR_CXL | MONITOR_OVERFLOW))
		daemon->sensor.cxl.fresh = false;
	if (news & (MONITOR_DAX | MONITOR_OVERFLOW))
		daemon->drivers_changed = true;
	if (news & (MONITOR_DRIVERS | MONITOR_OVERFLOW))
		history_reconsider_failed(&daemon->state.history);
	if (news & MONITOR_OVERFLOW) {
		daemon->monitor.first_block = 0;
		daemon->monitor.end_block = UINT64_MAX;
	}
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
	note_news(daemon, news);
	r = expect_silence(daemon);
	/* Behind the guard a device can be judged at once. */
	if (r >= 0 && news & (MONITOR_DAX | MONITOR_OVERFLOW) &&
		snapshot_guarded(&daemon->sensor.snapshot))
		r = look(daemon);
	return r;
}

/* Put the new configuration in force, and decide everything anew. */
static int use_settings(struct daemon *daemon, struct settings *settings)
{
	struct arrivals none = {0};
	int r;

	settings_done(daemon->settings);
	*daemon->settings = *settings;
	*settings = (struct settings){0};
	r = state_set_config(&daemon->state, daemon->settings);
	if (r == 0)
		r = sensor_reconfigure(&daemon->sensor);
	if (r < 0)
		return r;
	log_print(LOG_INFO,
		"New configuration with %zu rules in force, every range is decided anew",
		daemon->settings->config.n_rules);
	journal_tdx(&daemon->sensor.snapshot.tdx);
	work_queue(&daemon->work, &none);
	history_reconsider_all(&daemon->state.history);
	update_guard(daemon);
	return expect_silence(daemon);
}

static int reload(struct daemon *daemon)
{
	CLEANUP(settings_done) struct settings settings = {0};
	int r;

	daemon->reload = false;
	r = settings_load(&settings);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && daemon->tdx)
		settings.config.tdx = *daemon->tdx;
	if (r == 0)
		r = use_settings(daemon, &settings);
	else
		log_print(LOG_ERR, "The new configuration is not used, the old one is in force");
	sd_notify(false, "READY=1");
	return r == -EINVAL ? 0 : r;
}

/* A job keeps the configuration it began with. */
static int on_pause(void *userdata)
{
	struct daemon *daemon = userdata;

	return daemon->reload ? reload(daemon) : 0;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct daemon *daemon = userdata;
	struct timespec now;

	(void)source;
	(void)info;
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	daemon->reload = true;
	return daemon->work.busy ? 0 : reload(daemon);
}

/* The loop ends at SIGTERM and SIGINT. */
static int add_signals(struct daemon *daemon)
{
	sd_event_source *source = NULL;
	int r;

	r = sd_event_set_signal_exit(daemon->event, true);
	if (r >= 0)
		r = sd_event_add_signal(daemon->event, &source, SIGHUP | SD_EVENT_SIGNAL_PROCMASK,
			on_reload, daemon);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(source, true);
	if (r >= 0)
		r = sd_event_source_set_floating(source, true);
	sd_event_source_unref(source);
	return r;
}

/* A handler that fails would be switched off, and the daemon be deaf: rather let it end. */
static int add_sources(struct daemon *daemon)
{
	int r;

	r = add_signals(daemon);
	if (r >= 0)
		r = sd_event_add_io(daemon->event, &daemon->news, monitor_fd(&daemon->monitor),
			EPOLLIN, on_news, daemon);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(daemon->news, true);
	if (r >= 0)
		r = sd_event_add_time_relative(daemon->event, &daemon->silence, CLOCK_MONOTONIC,
			SILENCE_USEC, TIMER_ACCURACY, on_silence, daemon);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(daemon->silence, true);
	if (r >= 0)
		r = sd_event_set_watchdog(daemon->event, true);
	return r < 0 ? r : work_init(&daemon->work);
}

/* Up to the point where nothing can slip by unseen any more. */
static int start(struct daemon *daemon)
{
	struct state *state = &daemon->state;
	struct earlier earlier;
	int r;

	r = state_load(state);
	if (r == 0)
		r = monitor_init(&daemon->monitor);
	earlier = state_earlier(state);
	if (r == 0)
		r = sensor_init(&daemon->sensor, &daemon->settings->config, &earlier);
	/* While the system is only just starting there is nothing that anybody could use. */
	state->present_known |= !state->earlier && booting();
	if (r == 0)
		r = state_set_config(state, daemon->settings);
	if (r == 0)
		r = sd_event_new(&daemon->event);
	if (r < 0)
		return r;
	daemon->work = (struct work){
		.event = daemon->event,
		.sensor = &daemon->sensor,
		.state = state,
		.monitor = &daemon->monitor,
		.pause = on_pause,
		.userdata = daemon,
	};
	/* Anything may have been changed while nobody was looking. */
	daemon->drivers_changed = daemon->tdx_changed = true;
	daemon->monitor.end_block = UINT64_MAX;
	journal_tdx(&daemon->sensor.snapshot.tdx);
	follow_tdx(daemon);
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

int daemon_run(struct settings *settings, const enum tdx_mode *tdx)
{
	CLEANUP(daemon_done) struct daemon daemon = {.settings = settings, .tdx = tdx};
	int r;

	r = start(&daemon);
	if (r < 0)
		return r;
	r = run(&daemon);
	if (r < 0) {
		/* The guard stays up: whatever comes now waits for the next start. */
		log_print(LOG_ERR, "Stopped: %s", strerror(-r));
		return r;
	}
	guard_release(&daemon.state.guard);
	work_save(&daemon.work);
	return 0;
}
