/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service: its start, its configuration, its guard, its end.
 */
#include "daemon/service/service.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "daemon/actuator/guard.h"
#include "daemon/host/manager.h"
#include "daemon/log/log.h"
#include "daemon/output/journal.h"
#include "daemon/service/loop.h"
#include "daemon/state/lock.h"

static void service_done(struct service *service)
{
	sd_event_source_unref(service->uevents);
	sd_event_source_unref(service->silence.timer);
	sd_event_source_unref(service->turn);
	sd_event_source_unref(service->retry);
	sd_event_source_unref(service->child);
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		sd_event_source_unref(service->guard[i]);
	sd_event_unref(service->event);
	job_done(&service->job);
	devices_done(&service->bound);
	devices_done(&service->queue);
	service_forget_announcements(service);
	sensor_done(&service->sensor);
	monitor_done(&service->monitor);
	state_done(&service->state);
}

void service_write_record(struct service *service, const struct record *record)
{
	journal_record(record);
	if (record_disagrees(record))
		service->state.disagreements++;
}

void service_tell_status(const struct service *service)
{
	char tdx[128];
	struct strbuf text = strbuf_in(tdx, sizeof(tdx));

	tdx_append(&text, &service->sensor.snapshot.tdx);
	sd_notifyf(false, "STATUS=TDX %s, %zu devices decided%s", tdx, service->state.history.n,
		service->unusable		    ? ", the configuration cannot be used"
		: service->settings->config.observe ? ", nothing is changed (Act=no)"
						    : "");
}

/* --- the guard --- */

void service_save(struct service *service)
{
	int r;

	service->state.tdx_active = service->sensor.was_active;
	service->state.tdx_failure = service->sensor.tdx_failure;
	service->state.unusable = service->unusable;
	service->state.idle = service_is_idle(service);
	r = state_save(&service->state, &service->sensor.snapshot);
	if (r < 0 && !service->unsaved)
		log_print(LOG_ERR,
			STATE_USUAL_PATH
			": cannot be written: %s: a restart would decide all memory again",
			strerror(-r));
	else if (r >= 0 && service->unsaved)
		guard_take(&service->state.guard, true);
	if (r > 0 && !service->unpublished)
		log_print(LOG_WARNING,
			STATUS_USUAL_PATH ": cannot be written: %s: the state is not published",
			strerror(r));
	service->unsaved = r < 0;
	service->unpublished = r > 0;
	service->pending = 0;
	if (r >= 0)
		service_announce(service);
}

/* With a history of ordinary length each change is saved. */
void service_save_later(struct service *service)
{
	if (++service->pending * 16 >= service->state.history.n)
		service_save(service);
}

/* What came meanwhile, and who has bound a driver since, is not known any more. */
static void note_fall(struct service *service)
{
	service->unguarded = true;
	service->bound_known = false;
}

/* What the switches read before must be safe before they are changed. */
static void take_guard(struct service *service)
{
	struct guard *guard = &service->state.guard;

	service_save(service);
	guard_take(guard, !service->unsaved);
	guard_record_falls(guard);
}

/* Rules and Guard= are not known while the configuration cannot be used: it may ask for both. */
static unsigned int wanted(const struct service *service)
{
	return service->unusable
		       ? GUARD_ALL
		       : guard_wanted(&service->settings->config, &service->sensor.snapshot.tdx);
}

static void update_guard(struct service *service)
{
	struct guard *guard = &service->state.guard;
	bool fallen;

	guard_want(guard, wanted(service));
	if (!guard->wanted) {
		service->unguarded = false;
		service_save(service);
		return;
	}
	fallen = guard_has_fallen(guard);
	fallen |= guard_remember(guard);
	if (fallen)
		note_fall(service);
	take_guard(service);
}

static void hold_guard(struct service *service, bool fallen)
{
	struct guard *guard = &service->state.guard;

	if (guard_has_appeared(guard))
		update_guard(service);
	if (fallen) {
		note_fall(service);
		take_guard(service);
	} else {
		guard_take(guard, !service->unsaved);
	}
}

void service_check_guard(struct service *service)
{
	hold_guard(service, guard_has_fallen(&service->state.guard));
}

/* Memory may have come meanwhile. Before the state is saved: the daemon is not idle. */
static int on_guard(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct service *service = userdata;
	bool fallen = guard_has_fallen(&service->state.guard);
	int r = fallen ? service_expect_silence(service) : 0;

	(void)source;
	(void)event;
	hold_guard(service, fallen);
	return r;
}

/* Without a watch a change is noticed at the next look. Without dax there is one switch only. */
static int watch_guard(struct service *service)
{
	int r = 0;

	for (enum guard_switch i = 0; r >= 0 && i < GUARD_SWITCHES; i++) {
		const char *path = guard_switch_path(i);

		r = sd_event_add_inotify(
			service->event, &service->guard[i], path, IN_MODIFY, on_guard, service);
		if (r >= 0)
			r = sd_event_source_set_exit_on_failure(service->guard[i], true);
		else if (r != -ENOENT)
			log_print(LOG_WARNING,
				"%s: cannot be watched: %s: a change is only seen at the next "
				"event",
				path, strerror(-r));
		if (r != -ENOMEM)
			r = 0;
	}
	return r;
}

/* What was onlined while TDX was absent may have to be taken back. */
void service_follow_tdx(struct service *service)
{
	if (tdx_refuses(&service->sensor.snapshot.tdx))
		history_reconsider_let_in(&service->state.history);
	update_guard(service);
}

/* --- the configuration --- */

/* Use the new configuration from now on, and decide everything again. */
static int use_settings(struct service *service, struct settings *settings)
{
	int r;

	service->unusable = false;
	settings_done(service->settings);
	*service->settings = *settings;
	*settings = (struct settings){0};
	r = state_set_config(&service->state, service->settings);
	if (r == 0)
		r = sensor_reconfigure(&service->sensor);
	if (r < 0)
		return r;
	log_print(LOG_INFO,
		"The new configuration is in effect, with %zu rules: all devices are decided again",
		service->settings->config.n_rules);
	journal_tdx(&service->sensor.snapshot.tdx);
	service_empty_queue(service);
	history_reconsider_all(&service->state.history);
	memset(service->state.guard.falls, 0, sizeof(service->state.guard.falls));
	service_try_writes(service);
	/* Before the state is saved: the daemon is not idle. */
	r = service_expect_silence(service);
	update_guard(service);
	return r;
}

/* The configuration before stays in effect. */
static int refuse_settings(struct service *service, const char *mistake)
{
	int r = state_set_mistake(&service->state, mistake);

	if (service->unusable)
		journal_unusable(mistake);
	else
		log_print(LOG_ERR, "The new configuration has mistakes and is not used: the old "
				   "one stays in effect");
	if (r == 0)
		service_save(service);
	return r;
}

static int reload(struct service *service)
{
	CLEANUP(settings_done) struct settings settings = {0};
	char mistake[SETTINGS_MISTAKE];
	int r;

	service->reload = false;
	r = settings_load(&settings, mistake, NULL);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && service->tdx)
		settings.config.tdx = *service->tdx;
	if (r == 0)
		r = use_settings(service, &settings);
	else
		r = refuse_settings(service, mistake);
	sd_notify(false, "READY=1");
	return r;
}

/* A job keeps the configuration it began with. */
int service_between_jobs(struct service *service)
{
	return service->reload ? reload(service) : 0;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct service *service = userdata;
	struct timespec now;

	(void)source;
	(void)info;
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	service->reload = true;
	return service->busy ? 0 : reload(service);
}

/* --- start and end --- */

/* The loop ends at SIGTERM and SIGINT. */
static int add_signals(struct service *service)
{
	sd_event_source *source = NULL;
	int r;

	r = sd_event_set_signal_exit(service->event, true);
	if (r >= 0)
		r = sd_event_add_signal(service->event, &source, SIGHUP | SD_EVENT_SIGNAL_PROCMASK,
			on_reload, service);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(source, true);
	if (r >= 0)
		r = sd_event_source_set_floating(source, true);
	sd_event_source_unref(source);
	return r;
}

/* A handler that fails would be switched off, and the service be deaf: rather let it end. */
static int add_sources(struct service *service)
{
	int r;

	r = add_signals(service);
	if (r >= 0)
		r = watch_guard(service);
	if (r >= 0)
		r = sd_event_set_watchdog(service->event, true);
	if (r >= 0)
		r = service_add_looks(service);
	return r < 0 ? r : service_add_turns(service);
}

/* Up to the point where nothing can slip by unseen any more. */
static int start(struct service *service, const char *mistake)
{
	struct state *state = &service->state;
	struct earlier earlier;
	int r;

	r = state_load(state);
	memset(state->guard.falls, 0, sizeof(state->guard.falls));
	if (r == 0)
		r = monitor_init(&service->monitor);
	state->pid = getpid();
	earlier = state_earlier(state);
	if (r == 0)
		r = sensor_init(&service->sensor, &service->settings->config, &earlier);
	if (service->unusable || service->settings->config.guard != GUARD_MODE_NEVER)
		guard_guess(&state->guard);
	/* While the system is only just starting there is nothing that anybody could use. */
	state->present_known |= !state->earlier && manager_is_starting();
	if (r == 0)
		r = state_set_config(state, service->settings);
	if (r == 0 && mistake)
		r = state_set_mistake(state, mistake);
	if (r == 0)
		r = sd_event_new(&service->event);
	if (r < 0)
		return r;
	/* Anything may have been changed while the daemon did not run. */
	service->drivers_changed = true;
	service->log_reads = 1;
	service->monitor.end_block = UINT64_MAX;
	service_try_writes(service);
	journal_tdx(&service->sensor.snapshot.tdx);
	service_follow_tdx(service);
	return add_sources(service);
}

/*
 * The start of the system waits for READY=1. The guard is held then, and no step of a job has been
 * taken: the first one may need a driver that is loaded after that, or take minutes.
 */
static int run(struct service *service)
{
	int r;

	r = service_look_first(service);
	if (r >= 0)
		r = sd_notify(false, "READY=1");
	if (r >= 0)
		r = sd_event_loop(service->event);
	sd_notify(false, "STOPPING=1");
	return r < 0 ? r : 0;
}

/* Only one may hold the guard. 1 after a message if there is another one; else 0 or less. */
static int be_the_only_one(void)
{
	pid_t owner;
	int r = lock_take(&owner);

	if (r > 0)
		log_print(LOG_ERR,
			"Another tdx-onlined is running (process %jd), and nothing was done. To "
			"have it "
			"decide all memory again: 'systemctl reload tdx-onlined.service'",
			(intmax_t)owner);
	else if (r < 0)
		log_print(LOG_WARNING,
			"It cannot be checked whether another tdx-onlined is running: %s",
			strerror(-r));
	return r;
}

int service_run(struct settings *settings, const char *mistake, const enum tdx_mode *tdx)
{
	CLEANUP(service_done)
	struct service service = {.settings = settings, .unusable = mistake != NULL, .tdx = tdx};
	int r;

	if (be_the_only_one() > 0)
		return -EALREADY;
	if (mistake)
		journal_unusable(mistake);
	r = start(&service, mistake);
	if (r == 0)
		r = run(&service);
	/* The guard stays up: what comes now waits for the next start. */
	if (r < 0)
		return r;
	r = service_leave_job(&service);
	if (!manager_restarts_us())
		guard_want(&service.state.guard, 0);
	service.state.pid = 0;
	service_save(&service);
	return r;
}
