/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decide every device that is there.
 *
 * A device can go, or turn out to be another, between the look that found it and its turn. Then
 * there is another look, for a bounded number of times.
 */
#include "daemon/commands/decide.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "daemon/host/root.h"
#include "daemon/log/log.h"
#include "daemon/state/lock.h"
#include "tdxo/base/array.h"

#define LOOKS_MAX  4
#define MAPPING_MS 250 /* enough for the kernel to add the mappings of a new dax device */

int decider_init(struct decider *decider, const struct config *config)
{
	struct state *state = &decider->state;
	struct earlier earlier;
	int r;

	*decider = (struct decider){0};
	r = state_load(state);
	if (r < 0)
		return r;
	earlier = state_earlier(state);
	return sensor_init(&decider->sensor, config, &earlier);
}

void decider_done(struct decider *decider)
{
	for (size_t i = 0; i < decider->n_jobs; i++) {
		job_done(decider->jobs[i]);
		free(decider->jobs[i]);
	}
	free(decider->jobs);
	sensor_done(&decider->sensor);
	state_done(&decider->state);
}

static int run_job(struct job *job)
{
	int r;

	while ((r = job_turn(job)) >= 0 && r != TURN_DONE)
		executor_wait(&job->execution, (enum turn)r);
	return r < 0 ? r : 0;
}

/* What the kernel has answered the service in this boot. */
static void recall_answer(const struct state *state, struct job *job)
{
	const struct history_entry *entry = history_find(&state->history, &job->facts.device);

	if (entry && !job->outcome.answer)
		job->outcome.answer = entry->answer;
}

static struct job *new_job(struct decider *decider)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job && array_append(decider->jobs, decider->n_jobs, job) == 0)
		return job;
	free(job);
	return NULL;
}

/* Has the service begun with it, and does it run? Two must not work on one device. */
static bool is_taken(const struct decider *decider, const struct device *device)
{
	const struct history_entry *entry = history_find(&decider->state.history, device);

	return entry && entry->result == RESULT_BEGUN && lock_owner();
}

/* Returns how many records there were; 0: the device is not there any more as it was seen. */
static int decide_device(struct decider *decider, bool dry, const struct device *device,
	record_fn each, void *userdata)
{
	struct job *job = new_job(decider);
	size_t n;
	int r;

	if (!job)
		return -ENOMEM;
	r = job_begin(job, &decider->sensor, dry, device, &decider->state.history);
	if (r > 0)
		return 0;
	if (r == 0)
		r = run_job(job);
	if (r < 0)
		return r;
	recall_answer(&decider->state, job);
	n = job_n_records(job);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct record record = job_record(job, i);

		r = each(&record, userdata);
	}
	return r < 0 ? r : (int)n;
}

/* Who asks for a table asks for all that is there now; a reload would look at when it came. */
static int mark_present(const struct state *state, struct devices *devices)
{
	int r = state_mark_present(state, devices);

	for (size_t i = 0; r == 0 && !state->earlier && i < devices->n; i++)
		devices->items[i].present = true;
	return r;
}

static bool any_without_mappings(const struct devices *devices)
{
	for (size_t i = 0; i < devices->n; i++)
		if (!devices->items[i].n_ranges)
			return true;
	return false;
}

/*
 * Find the devices that are not among those that are done. The kernel adds a dax device before its
 * mappings (devm_create_dev_dax(), drivers/dax/bus.c, 6.12): one without any gets time, once.
 */
static int find_devices(struct decider *decider, const struct devices *done, bool first,
	struct devices *ret_devices)
{
	CLEANUP(devices_done) struct devices all = {0};
	int r = 0;

	if (!first)
		r = sensor_look(&decider->sensor);
	if (r == 0)
		r = sensor_devices(&decider->sensor, &all);
	if (r == 0 && first && any_without_mappings(&all) && !root_is_another()) {
		(void)poll(NULL, 0, MAPPING_MS);
		return find_devices(decider, done, false, ret_devices);
	}
	if (r == 0)
		r = mark_present(&decider->state, &all);
	return r < 0 ? r : devices_undecided(&all, done, ret_devices);
}

int decide_all(struct decider *decider, bool dry, record_fn each, void *userdata)
{
	CLEANUP(devices_done) struct devices done = {0};
	bool again = true;
	int n = 0, r;

	for (int look = 0; again && look < LOOKS_MAX; look++) {
		CLEANUP(devices_done) struct devices devices = {0};

		again = false;
		r = find_devices(decider, &done, look == 0, &devices);
		for (size_t i = 0; r >= 0 && i < devices.n; i++) {
			if (!dry && is_taken(decider, &devices.items[i])) {
				decider->incomplete = true;
				continue;
			}
			r = decide_device(decider, dry, &devices.items[i], each, userdata);
			again |= r == 0;
			n += r > 0 ? r : 0;
			if (r > 0)
				r = devices_add(&done, &devices.items[i]);
		}
		if (r < 0)
			return r;
	}
	decider->incomplete |= again;
	if (decider->incomplete)
		log_print(LOG_WARNING, "A device was left out: %s. Run the command again",
			again ? "it keeps changing" : "the daemon is working on it");
	return n;
}
