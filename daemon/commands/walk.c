/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The walk.
 */
#include "daemon/commands/walk.h"

#include <poll.h>

#include "daemon/actuator/job.h"

int walk_init(struct walk *walk, const struct config *config)
{
	struct state *state = &walk->state;
	struct earlier earlier;
	int r;

	*walk = (struct walk){0};
	r = state_load(state);
	if (r < 0)
		return r;
	earlier = state_earlier(state);
	return sensor_init(&walk->sensor, config, &earlier);
}

void walk_done(struct walk *walk)
{
	sensor_done(&walk->sensor);
	state_done(&walk->state);
}

/* There is no event loop here: wait, then try again. */
static int run_job(struct job *job)
{
	int r;

	while ((r = job_turn(job)) >= 0 && r != TURN_DONE) {
		struct pollfd child = {.fd = job->execution.writer.fd, .events = POLLIN};

		if (r == TURN_WAIT || r == TURN_LATER)
			(void)poll(&child, r == TURN_WAIT, (int)job->execution.delay_ms);
	}
	return r < 0 ? r : 0;
}

/* What the kernel has answered the daemon in this boot. */
static void recall_answer(const struct state *state, struct record *record)
{
	const struct entry *entry = history_find(&state->history, &record->arrival);

	if (entry && !record->outcome.answer)
		record->outcome.answer = entry->answer;
}

/* The ranges of one device are decided together. */
static int walk_device(
	struct walk *walk, bool dry, const struct arrivals *device, walk_fn each, void *userdata)
{
	CLEANUP(job_done) struct job job;
	int r;

	r = job_begin(&job, &walk->sensor, dry, device);
	if (r >= 0)
		r = run_job(&job);
	for (size_t i = 0; r == 0 && i < job.n; i++) {
		recall_answer(&walk->state, &job.records[i]);
		r = each(&job.records[i], userdata);
	}
	return r;
}

/* Who asks for a table asks for all that is there now; a reload would look at when it came. */
static void mark_present(const struct state *state, struct arrivals *arrivals)
{
	state_mark_present(state, arrivals);
	for (size_t i = 0; !state->earlier && i < arrivals->n; i++)
		arrivals->items[i].present = true;
}

int walk_all(struct walk *walk, bool dry, walk_fn each, void *userdata)
{
	CLEANUP(arrivals_done) struct arrivals arrivals = {0};
	int n, r;

	r = sensor_arrivals(&walk->sensor, &arrivals);
	n = (int)arrivals.n;
	mark_present(&walk->state, &arrivals);
	while (r == 0 && arrivals.n) {
		CLEANUP(arrivals_done) struct arrivals device = {0};

		r = arrivals_take_device(&arrivals, &device);
		if (r == 0)
			r = walk_device(walk, dry, &device, each, userdata);
	}
	return r < 0 ? r : n;
}
