/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks.
 *
 * Uevents ask for a look; a look finds the devices that have no record yet, or are to be decided
 * again, and puts them into the queue. Looks go on while a job runs.
 *
 * A device is decided at once if nothing about it can still be changing: a dax device that the
 * guard keeps without a driver. Anything with memory blocks waits for a short silence, because
 * blocks arrive one by one and nothing says which is the last. A device that kmem has and that
 * has no block yet is still being added: its blocks, or its "bind" event, are waited for longer.
 * A device that a program has created waits for a silence too, while it has no driver: the program
 * is about to bind one.
 */
#include "daemon/service/loop.h"

#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "daemon/log/log.h"
#include "daemon/output/journal.h"
#include "tdxo/base/parse.h"
#include "tdxo/memory/block.h"
#include "tdxo/memory/device_index.h"

#define SILENCE_USEC   (250 * 1000)
#define SILENCE_LIMIT  (5 * 1000 * 1000)  /* decide at last although blocks keep coming */
#define ADDING_LIMIT   (60 * 1000 * 1000) /* the kernel takes seconds for some hundred GiB */
#define AGAIN_USEC     (1000 * 1000) /* look again at what could not be seen, or was changing */
#define LOG_USEC       (2000 * 1000) /* enough for journald to take in the kernel's messages */
#define LOG_READS      2	     /* after the silence, and after LOG_USEC */
#define OUTDATED_MAX   6	     /* at most 64 times the silence */
#define TIMER_ACCURACY (10 * 1000)

static bool is_silent(const struct service *service)
{
	return !service->silence.since;
}

static int arm_timer(struct service *service, uint64_t usec)
{
	int r;

	r = sd_event_source_set_time_relative(service->silence.timer, usec);
	return r < 0 ? r : sd_event_source_set_enabled(service->silence.timer, SD_EVENT_ONESHOT);
}

/* From now on something is going on. */
static int begin_noise(struct service *service, uint64_t *ret_now)
{
	struct silence *silence = &service->silence;
	int r = sd_event_now(service->event, CLOCK_MONOTONIC, ret_now);

	if (r < 0)
		return r;
	if (!silence->since)
		silence->since = *ret_now;
	silence->for_kmem = false;
	return 0;
}

int service_expect_silence(struct service *service)
{
	uint64_t now;
	int r = begin_noise(service, &now);

	if (r < 0)
		return r;
	return arm_timer(service, now - service->silence.since > SILENCE_LIMIT ? 0 : SILENCE_USEC);
}

int service_look_again(struct service *service)
{
	struct silence *silence = &service->silence;
	uint64_t now;
	int r = begin_noise(service, &now);

	silence->outdated = true;
	if (r < 0)
		return r;
	return arm_timer(service, (uint64_t)SILENCE_USEC << silence->n_outdated);
}

/* --- which devices can be decided --- */

/*
 * Has kmem the device, but no block been made of it, as far as is known where it lies? When the
 * device has a dax state, kmem has added what it could.
 */
static bool is_being_added(const struct service *service, const struct device *device)
{
	return device->driver == DAX_DRIVER_KMEM &&
	       !snapshot_has_block_of(&service->sensor.snapshot, device) &&
	       dax_kmem_state(device->name) == KMEM_STATE_NONE;
}

/* The program that created it binds a driver next. */
static bool is_being_configured(const struct device *device)
{
	return device_is_created(device) && device->driver == DAX_DRIVER_NONE;
}

/* Nothing about it can still be changing. */
static bool is_ready(const struct service *service, const struct device *device)
{
	if (is_silent(service))
		return service->silence.kmem_in_vain || !is_being_added(service, device);
	/* Who bound its driver is known from the first silent look on. */
	if (device->driver != DAX_DRIVER_NONE && !service->bound_known)
		return false;
	return snapshot_guarded(&service->sensor.snapshot) && device_is_dax(device) &&
	       device->driver != DAX_DRIVER_KMEM && device->n_ranges &&
	       !is_being_configured(device);
}

/*
 * The kernel adds a dax device, with its driver, before its mappings (devm_create_dev_dax(),
 * drivers/dax/bus.c, 6.12), and sends no event of them. kmem takes long, and is waited for anyway.
 */
static bool has_no_mapping(const struct device *device)
{
	return !device->n_ranges && device->driver != DAX_DRIVER_KMEM;
}

/*
 * A dax device that is removed is not listed any more while kmem still removes its blocks
 * (device_del(), drivers/base/core.c, 6.12).
 */
static bool has_lost_device(const struct device *device)
{
	return !device_is_dax(device) && device->region[0];
}

/* After how long to look once more before anything is decided; 0: there is no need. */
static uint64_t second_look(struct silence *silence, const struct devices *undecided)
{
	bool before = silence->unmapped;
	uint64_t usec = 0;

	for (size_t i = 0; i < undecided->n; i++)
		if (has_lost_device(&undecided->items[i]))
			usec = AGAIN_USEC;
		else if (!usec && has_no_mapping(&undecided->items[i]))
			usec = SILENCE_USEC;
	silence->unmapped = usec;
	return before ? 0 : usec;
}

/* Fill the queue with those that can be decided, and wait for kmem to add the others. */
static int fill_queue(struct service *service, struct devices *undecided)
{
	bool wait = false;
	int r = 0;

	service_empty_queue(service);
	if (service->unusable)
		return 0;
	for (size_t i = 0; r == 0 && i < undecided->n; i++) {
		struct device *device = &undecided->items[i];

		if (service_is_busy_with(service, device)) {
			service->passed_over = true;
			continue;
		}
		device->unguarded =
			service->unguarded && !history_find(&service->state.history, device);
		if (is_ready(service, device))
			r = devices_add(&service->queue, device);
		else
			wait = true;
	}
	if (r < 0 || !wait || !is_silent(service))
		return r;
	service->silence.for_kmem = true;
	return arm_timer(service, ADDING_LIMIT);
}

/* --- who bound a driver --- */

static bool is_guarded(const struct service *service)
{
	return service->state.guard.was[GUARD_DAX][0] &&
	       snapshot_guarded(&service->sensor.snapshot);
}

/* Those that have a driver when the guard goes up got it earlier. */
static int note_bound(struct service *service, const struct devices *all)
{
	int r = 0;

	if (!is_guarded(service))
		service->bound_known = false;
	else if (service->bound_known || !is_silent(service) || service->sensor.blind)
		return 0;
	else
		service->bound_known = true;
	devices_done(&service->bound);
	for (size_t i = 0; r == 0 && service->bound_known && i < all->n; i++)
		if (all->items[i].driver != DAX_DRIVER_NONE)
			r = devices_add_copy(&service->bound, &all->items[i]);
	return r;
}

bool service_is_bypassed(const struct service *service, const struct device *device,
	const struct history_entry *entry)
{
	if (!service->bound_known || device->driver == DAX_DRIVER_NONE || device_is_created(device))
		return false;
	if (entry && (entry->changed || entry->result == RESULT_BEGUN ||
			     entry->device.driver != DAX_DRIVER_NONE))
		return false;
	/* They are dax devices, in the order of their addresses, as all devices are. */
	return device_search(service->bound.items, service->bound.n, sizeof(*service->bound.items),
		       device) == service->bound.n;
}

/* --- a look --- */

static int keep_remaining(struct devices *devices, const struct devices *all)
{
	struct devices remaining = {0};
	int r = devices_remaining(devices, all, &remaining);

	if (r < 0)
		return r;
	devices_done(devices);
	*devices = remaining;
	return 0;
}

/* Forget what has gone. */
static int prune(struct service *service, const struct devices *all)
{
	int r;

	if (!sensor_sees_all(&service->sensor))
		return 0;
	r = history_prune(&service->state.history, all);
	if (r == 0)
		r = keep_remaining(&service->state.present, all);
	return r < 0 ? r : keep_remaining(&service->bound, all);
}

/* Is a decision requested for the device? The requests name dax devices and blocks. */
static bool is_asked_for(const struct service *service, const struct device *device)
{
	const struct monitor *monitor = &service->monitor;
	uint64_t block;

	for (size_t i = 0; i < monitor->n_asked; i++) {
		const char *name = monitor->asked[i].name;

		if (parse_number_after(name, "memory", &block)
				? device_overlaps(device,
					  block_range(block, service->sensor.snapshot.block_size))
				: strcmp(device->name, name) == 0)
			return true;
	}
	return false;
}

/* By the first silent look after the request. */
static void reconsider_asked(struct service *service, const struct devices *all)
{
	if (!service->monitor.n_asked || !is_silent(service))
		return;
	if (service->unusable)
		log_print(LOG_WARNING, "A decision was requested, but nothing is decided while the "
				       "configuration cannot be used");
	for (size_t i = 0; i < all->n; i++)
		if (is_asked_for(service, &all->items[i]))
			history_reconsider_asked(&service->state.history, &all->items[i]);
	monitor_forget_asked(&service->monitor);
}

/* The first look that sees all, after the first start of a boot, has what was there before. */
static int mark_present(struct service *service, struct devices *all)
{
	struct state *state = &service->state;
	int r = state_mark_present(state, all);

	if (r < 0)
		return r;
	if (state->present_known || !is_silent(service) || service->sensor.blind)
		return 0;
	for (size_t i = 0; r == 0 && i < all->n; i++)
		r = devices_add_copy(&state->present, &all->items[i]);
	state->present_known = r == 0;
	service_save(service);
	return r;
}

/* The next look waits for kmem again. */
static int keep_looking(struct service *service)
{
	service->silence.for_kmem = false;
	return arm_timer(service, AGAIN_USEC);
}

/* One record for each, when it is first seen. */
static void record_rejected(struct service *service)
{
	struct rejections *rejected = &service->sensor.snapshot.rejected;

	sensor_prune_rejected(&service->sensor);
	for (size_t i = 0; i < rejected->n; i++) {
		if (rejected->items[i].recorded)
			continue;
		journal_rejection(&rejected->items[i]);
		rejected->items[i].recorded = true;
		service_save(service);
	}
}

/* What only a silent look can tell. */
static int settle(struct service *service, const struct devices *all)
{
	int r;

	if (!service->any_recorded && !all->n && !service->sensor.snapshot.rejected.n)
		log_print(LOG_INFO, "No memory has arrived since boot: nothing to do");
	service->any_recorded = true;
	record_rejected(service);
	/* What could not be seen may have come, or changed, without any further event. */
	if (service->sensor.blind)
		return service->silence.for_kmem ? 0 : arm_timer(service, AGAIN_USEC);
	r = service_record_drift(service, all);
	if (r < 0)
		return r;
	/* What has changed is known until the change is complete. */
	if (r > 0)
		return keep_looking(service);
	service->unguarded &= service->silence.for_kmem || !guard_is_up(&service->state.guard);
	service->drivers_changed = service->blocks_changed = false;
	service->monitor.first_block = service->monitor.end_block = 0;
	service->state.last_look = (uint64_t)time(NULL);
	service_save(service);
	return sensor_settle(&service->sensor);
}

static int look(struct service *service)
{
	CLEANUP(devices_done) struct devices all = {0}, undecided = {0};
	uint64_t wait = 0;
	int r;

	service_check_guard(service);
	r = is_silent(service) ? sensor_look(&service->sensor) : sensor_glance(&service->sensor);
	if (r == 0)
		r = sensor_devices(&service->sensor, &all);
	if (r == 0)
		r = note_bound(service, &all);
	if (r == 0)
		r = prune(service, &all);
	if (r == 0)
		r = mark_present(service, &all);
	if (r == 0) {
		history_reconsider_placed(&service->state.history, &all);
		reconsider_asked(service, &all);
	}
	if (r == 0)
		r = history_undecided(&service->state.history, &all, &undecided);
	if (r == 0 && is_silent(service))
		wait = second_look(&service->silence, &undecided);
	if (wait)
		return arm_timer(service, wait);
	if (r == 0)
		r = fill_queue(service, &undecided);
	if (r >= 0 && is_silent(service))
		r = settle(service, &all);
	if (r < 0)
		return r;
	if (is_silent(service))
		service_tell_status(service);
	return service_next_job(service);
}

/* --- what asks for a look --- */

static void update_tdx(struct service *service)
{
	const struct tdx *now = &service->sensor.snapshot.tdx, before = *now;

	sensor_read_tdx(&service->sensor);
	if (now->state == before.state && now->detected == before.detected &&
		now->cause == before.cause)
		return;
	journal_tdx(now);
	service_follow_tdx(service);
}

static int on_silence(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct service *service = userdata;
	struct silence *silence = &service->silence;
	int r;

	(void)source;
	(void)usec;
	silence->since = 0;
	if (!silence->outdated)
		silence->n_outdated = 0;
	else if (silence->n_outdated < OUTDATED_MAX)
		silence->n_outdated++;
	silence->outdated = false;
	silence->kmem_in_vain = silence->for_kmem;
	silence->for_kmem = false;
	if (service->log_reads) {
		update_tdx(service);
		service->log_reads--;
	}
	cxl_refresh(&service->sensor.cxl);
	r = look(service);
	if (r < 0 || !service->log_reads)
		return r;
	/* What is waited for already ends with a reading of the log. */
	r = sd_event_source_get_enabled(silence->timer, NULL);
	return r == 0 ? arm_timer(service, LOG_USEC) : r < 0 ? r : 0;
}

static void note_news(struct service *service, int news)
{
	struct monitor *monitor = &service->monitor;

	service->state.events += monitor->events;
	service->state.overflows += monitor->overflows;
	monitor->events = monitor->overflows = 0;
	if (news & (MONITOR_TDX | MONITOR_OVERFLOW)) {
		update_tdx(service);
		service->log_reads = service->log_reads ?: 1;
	}
	if (news & (MONITOR_ACPI | MONITOR_OVERFLOW))
		service->log_reads = LOG_READS;
	if (news & (MONITOR_CXL | MONITOR_OVERFLOW))
		cxl_outdate(&service->sensor.cxl);
	if (news & (MONITOR_DAX | MONITOR_OVERFLOW))
		service->drivers_changed = true;
	if (news & (MONITOR_DRIVERS | MONITOR_OVERFLOW))
		history_reconsider_failed(&service->state.history);
	if (news & MONITOR_OVERFLOW) {
		monitor->first_block = 0;
		monitor->end_block = UINT64_MAX;
	}
}

static int on_uevents(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct service *service = userdata;
	int news, r;

	(void)source;
	(void)fd;
	(void)events;
	news = monitor_read(&service->monitor);
	if (news <= 0)
		return news;
	note_news(service, news);
	r = service_expect_silence(service);
	/* Behind the guard a device can be decided at once. */
	if (r >= 0 && news & (MONITOR_DAX | MONITOR_OVERFLOW) &&
		snapshot_guarded(&service->sensor.snapshot))
		r = look(service);
	return r;
}

int service_look_first(struct service *service)
{
	int r = service_expect_silence(service);

	return r < 0 ? r : look(service);
}

int service_add_looks(struct service *service)
{
	int r;

	r = sd_event_add_io(service->event, &service->uevents, monitor_fd(&service->monitor),
		EPOLLIN, on_uevents, service);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(service->uevents, true);
	if (r >= 0)
		r = sd_event_add_time_relative(service->event, &service->silence.timer,
			CLOCK_MONOTONIC, SILENCE_USEC, TIMER_ACCURACY, on_silence, service);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(service->silence.timer, true);
	return r < 0 ? r : 0;
}
