/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Once: the same jobs as the daemon's, one after the other.
 */
#include "once.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "job.h"
#include "report.h"
#include "state.h"
#include "table.h"

struct output {
	bool json;
	struct report report;
	struct table table;
	int incomplete; /* 1: some range is not as decided */
};

static void output_done(struct output *output)
{
	if (output->json)
		report_done(&output->report);
	else
		table_done(&output->table);
}

static int output_init(struct output *output, bool json)
{
	*output = (struct output){.json = json};
	return json ? report_init(&output->report) : table_init(&output->table);
}

static int output_add(struct output *output, const struct record *record)
{
	enum result result = record->outcome.result;

	if (result == RESULT_PARTIAL || result == RESULT_FAILED)
		output->incomplete = 1;
	return output->json ? report_add(&output->report, record)
			    : table_add(&output->table, record);
}

static void print_summary(const struct snapshot *snapshot)
{
	char size[SIZE_TEXT];
	uint64_t bytes = 0;

	for (size_t i = 0; i < snapshot->boot_map.n; i++)
		bytes += range_size(snapshot->boot_map.regions[i].range);
	printf("TDX gate %s%s%s; boot map %s in %zu range%s; memory blocks of ",
		gate_state_to_string(snapshot->gate.state),
		gate_overridden(&snapshot->gate) ? " as configured, as found: " : "",
		gate_overridden(&snapshot->gate) ? gate_state_to_string(snapshot->gate.detected)
						 : "",
		size_format(bytes, size), snapshot->boot_map.n,
		snapshot->boot_map.n == 1 ? "" : "s");
	printf("%s\n", size_format(snapshot->block_size, size));
}

static int output_print(struct output *output, const struct snapshot *snapshot, size_t n)
{
	if (output->json)
		return report_print(&output->report, snapshot);
	print_summary(snapshot);
	if (n)
		return table_print(&output->table);
	puts("No memory arrived after boot: nothing to do.");
	return 0;
}

/* There is no event loop here: wait, then try again. */
static int run_job(struct job *job)
{
	int r;

	do {
		r = job_turn(job);
		if (r == TURN_LATER)
			(void)poll(NULL, 0, (int)job->execution.delay_ms);
	} while (r == TURN_MORE || r == TURN_LATER);
	return r < 0 ? r : 0;
}

static int run_jobs(struct sensor *sensor, executor_fn executor, struct output *output)
{
	CLEANUP(arrivals_done) struct arrivals arrivals = {0};
	struct job job;
	int r;

	r = sensor_arrivals(sensor, &arrivals);
	for (size_t i = 0; r == 0 && i < arrivals.n; i++) {
		(void)job_begin(&job, sensor, executor, &arrivals.items[i]);
		r = run_job(&job);
		if (r == 0)
			r = output_add(output, &job.record);
	}
	return r < 0 ? r : output_print(output, &sensor->snapshot, arrivals.n);
}

int once_run(const struct config *config, executor_fn executor, bool json)
{
	CLEANUP(state_done) struct state state = {0};
	CLEANUP(sensor_done) struct sensor sensor = {0};
	CLEANUP(output_done) struct output output = {0};
	int r;

	r = output_init(&output, json);
	if (r == 0)
		r = state_load(&state);
	if (r == 0)
		r = sensor_init(&sensor, config, state.kept ? &state.boot_map : NULL);
	if (r == 0)
		r = run_jobs(&sensor, executor, &output);
	return r < 0 ? r : output.incomplete;
}
