/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status: read the state file of the daemon, look at the machine once, and decide nothing.
 */
#include "daemon/commands/status.h"

#include <errno.h>

#include "daemon/commands/exit_status.h"
#include "daemon/host/root.h"
#include "daemon/host/sensor.h"
#include "daemon/log/complaints.h"
#include "daemon/output/status.h"
#include "daemon/state/lock.h"
#include "daemon/state/state.h"
#include "tdxo/base/array.h"
#include "tdxo/memory/device_index.h"

struct visit {
	struct state state;
	struct sensor sensor;
	struct config_files found; /* of the files as they are now */
	struct status status;
};

static void visit_done(struct visit *visit)
{
	status_done(&visit->status);
	config_files_done(&visit->found);
	sensor_done(&visit->sensor);
	state_done(&visit->state);
}

/* --- the configuration --- */

static int add_configuration(
	struct visit *visit, const struct settings *settings, const struct status_options *options)
{
	const struct state *state = &visit->state;
	struct status *status = &visit->status;
	bool known = state->checksum; /* an older version did not save it */
	const struct config_files *files = known ? &state->files : &visit->found;
	int r = options->mistake ? 0 : config_files_of(settings, &visit->found);

	status->mistake = state->mistake;
	status->mistake_now = options->only_unread ? NULL : options->mistake;
	status->unusable = state->unusable;
	status->outdated =
		known && !options->mistake && state->checksum != settings_checksum(settings);
	status->files = (const char *const *)files->paths;
	status->n_files = files->n;
	return r;
}

/* --- devices --- */

/* The status of a device that is there. 0, also if it has gone meanwhile, or -ENOMEM. */
static int add_device(
	struct visit *visit, const struct device *device, const struct history_entry *entry)
{
	CLEANUP(facts_done) struct facts facts = {0};
	struct device_status status;
	int r = sensor_complete(&visit->sensor, device, &facts);

	if (r != 0)
		return r < 0 ? r : 0;
	status = device_status_of(&facts, entry);
	return status_add(&visit->status, &status);
}

static int add_recorded(struct visit *visit, const struct history_entry *entry)
{
	struct device_status status;
	int r = device_status_recorded(entry, &status);

	return r < 0 ? r : status_add(&visit->status, &status);
}

static int add_entry(
	struct visit *visit, const struct device_index *all, const struct history_entry *entry)
{
	struct device now;

	return device_index_find_now(all, &entry->device, &now) ? add_device(visit, &now, entry)
								: add_recorded(visit, entry);
}

static int add_entries(struct visit *visit, const struct device_index *all)
{
	const struct state *state = &visit->state;
	int r = 0;

	for (size_t i = 0; r == 0 && i < state->history.n; i++)
		r = add_entry(visit, all, &state->history.entries[i]);
	for (size_t i = 0; r == 0 && i < state->placeless.n; i++)
		r = add_recorded(visit, &state->placeless.entries[i]);
	return r;
}

/* Without addresses it is not known which memory blocks are decided. */
static bool is_known_undecided(const struct state *state, const struct device *device)
{
	return !state->earlier || !state->public || device_is_dax(device);
}

static int add_undecided(
	struct visit *visit, const struct devices *all, const struct device_index *decided)
{
	CLEANUP(devices_done) struct devices undecided = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->n; i++)
		if (is_known_undecided(&visit->state, &all->items[i]))
			r = device_index_select(decided, &all->items[i], false, &undecided);
	for (size_t i = 0; r == 0 && i < undecided.n; i++)
		r = add_device(visit, &undecided.items[i], NULL);
	return r;
}

/*
 * What has gone is in the state file until the daemon looks again. It is not shown, unless not all
 * that is there can be seen.
 */
static int prune(struct visit *visit, const struct devices *all)
{
	return sensor_sees_all(&visit->sensor) ? history_prune(&visit->state.history, all) : 0;
}

static int add_devices(struct visit *visit)
{
	const struct history *history = &visit->state.history;
	CLEANUP(device_index_done) struct device_index index = {0}, decided = {0};
	CLEANUP(devices_done) struct devices all = {0};
	int r = sensor_devices(&visit->sensor, &all);

	if (r == 0)
		r = prune(visit, &all);
	if (r == 0)
		r = device_index_of(&all, &index);
	for (size_t i = 0; r == 0 && i < history->n; i++)
		r = device_index_add(&decided, &history->entries[i].device);
	if (r == 0)
		r = device_index_make(&decided);
	if (r == 0)
		r = add_entries(visit, &index);
	if (r == 0)
		r = add_undecided(visit, &all, &decided);
	status_sort(&visit->status);
	return r;
}

/* --- the rest --- */

static int add_unread(struct visit *visit, const struct status_options *options)
{
	const struct complaints *complaints = &visit->sensor.complaints;
	const struct state *state = &visit->state;
	struct status *status = &visit->status;
	int r = 0;

	if (state->public && (state->earlier || !root_is_another()))
		r = array_append(status->unread, status->n_unread,
			state->earlier ? STATE_USUAL_PATH ": only root can read it, and "
							  "status.json has no addresses"
				       : STATE_USUAL_PATH ": only root can read it, and there is "
							  "no status.json of this boot");
	for (size_t i = 0; r == 0 && i < options->unread->n; i++)
		r = array_append(status->unread, status->n_unread, options->unread->paths[i]);
	status->n_unread_own = status->n_unread;
	for (size_t i = 0; r == 0 && i < complaints->n; i++)
		r = array_append(status->unread, status->n_unread, complaint_text(complaints, i));
	return r;
}

static void add_daemon(struct visit *visit, const struct config *config)
{
	const struct state *state = &visit->state;
	struct status *status = &visit->status;

	status->captured = root_is_another();
	status->pid = (uint64_t)lock_owner();
	status->ran = state->earlier;
	status->observe = config->observe;
	status->last_look = state->last_look;
	status->events = state->events;
	status->overflows = state->overflows;
	status->disagreements = state->disagreements;
	status->tdx = &visit->sensor.snapshot.tdx;
	status->rejected = &visit->sensor.snapshot.rejected;
	guard_look(&state->guard, status->guard);
}

static int look(
	struct visit *visit, struct settings *settings, const struct status_options *options)
{
	struct earlier earlier;
	int r;

	complaints_collect();
	r = state_load(&visit->state);
	if (r == 0)
		r = add_configuration(visit, settings, options);
	if (r == 0)
		r = state_use_config(&visit->state, options->tdx, &settings->config);
	if (r < 0)
		return r;
	earlier = state_earlier(&visit->state);
	r = sensor_init(&visit->sensor, &settings->config, &earlier);
	if (r == 0)
		r = add_devices(visit);
	if (r == 0)
		r = add_unread(visit, options);
	if (r == 0)
		add_daemon(visit, &settings->config);
	return r;
}

int status_run(struct settings *settings, const struct status_options *options)
{
	CLEANUP(visit_done) struct visit visit = {0};
	int r = look(&visit, settings, options);

	if (r == 0 && options->json)
		r = status_print_json(&visit.status);
	else if (r == 0)
		r = status_print_text(&visit.status);
	return r < 0 ? r : EXIT_DONE;
}
