/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Once: the same jobs as the daemon's, one after the other.
 */
#include "once.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "diff.h"
#include "job.h"
#include "report.h"
#include "state.h"
#include "table.h"

struct output {
	enum once_format format;
	struct report report;
	struct table table;
	struct diff diff;
	const struct state *state;
	int incomplete; /* 1: some range is not as decided */
};

static void output_done(struct output *output)
{
	if (output->format == ONCE_JSON)
		report_done(&output->report);
	if (output->format == ONCE_TABLE)
		table_done(&output->table);
}

static int output_init(struct output *output, enum once_format format, const struct state *state)
{
	*output = (struct output){.format = format, .state = state, .diff.state = state};
	if (format == ONCE_JSON)
		return report_init(&output->report, state->disagreements);
	return format == ONCE_TABLE ? table_init(&output->table) : 0;
}

static int output_add(struct output *output, const struct record *record)
{
	enum result result = record->outcome.result;

	if (result == RESULT_PARTIAL || result == RESULT_FAILED)
		output->incomplete = 1;
	if (output->format == ONCE_JSON)
		return report_add(&output->report, record);
	if (output->format == ONCE_TABLE)
		return table_add(&output->table, record);
	diff_range(&output->diff, record);
	return 0;
}

static void print_summary(const struct snapshot *snapshot, const struct state *state)
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
	if (state->disagreements)
		printf("Disagreements with the kernel in this boot: %" PRIu64 "\n",
			state->disagreements);
}

static int output_print(struct output *output, struct sensor *sensor, size_t n)
{
	const struct snapshot *snapshot = &sensor->snapshot;

	if (output->format == ONCE_JSON)
		return report_print(&output->report, snapshot, sensor_firmware(sensor));
	if (output->format == ONCE_DIFF) {
		diff_end(&output->diff);
		return 0;
	}
	print_summary(snapshot, output->state);
	if (n)
		return table_print(&output->table);
	puts("No memory arrived after boot: nothing to do.");
	return 0;
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

static int run_device(struct sensor *sensor, executor_fn executor, const struct arrivals *device,
	struct output *output)
{
	CLEANUP(job_done) struct job job;
	int r;

	r = job_begin(&job, sensor, executor, device);
	if (r >= 0)
		r = run_job(&job);
	for (size_t i = 0; r == 0 && i < job.n; i++) {
		recall_answer(output->state, &job.records[i]);
		r = output_add(output, &job.records[i]);
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

static int run_jobs(struct sensor *sensor, const struct state *state, executor_fn executor,
	struct output *output)
{
	CLEANUP(arrivals_done) struct arrivals arrivals = {0};
	size_t n;
	int r;

	r = sensor_arrivals(sensor, &arrivals);
	n = arrivals.n;
	mark_present(state, &arrivals);
	while (r == 0 && arrivals.n) {
		CLEANUP(arrivals_done) struct arrivals device = {0};

		r = arrivals_take_device(&arrivals, &device);
		if (r == 0)
			r = run_device(sensor, executor, &device, output);
	}
	return r < 0 ? r : output_print(output, sensor, n);
}

int once_run(struct settings *settings, executor_fn executor, enum once_format format)
{
	CLEANUP(state_done) struct state state = {0};
	CLEANUP(sensor_done) struct sensor sensor = {0};
	CLEANUP(output_done) struct output output = {0};
	struct earlier earlier;
	int r;

	/* This is the administrator's asking. */
	if (format != ONCE_DIFF)
		settings->config.present = PRESENT_ACT;
	r = state_load(&state);
	if (r == 0)
		r = output_init(&output, format, &state);
	if (r < 0)
		return r;
	if (format == ONCE_DIFF)
		diff_config(&output.diff, settings);
	earlier = (struct earlier){state.kept ? &state.boot_map : NULL, state.gate_active};
	r = sensor_init(&sensor, &settings->config, &earlier);
	if (r == 0)
		r = run_jobs(&sensor, &state, executor, &output);
	return r < 0 ? r : output.incomplete;
}
