/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The dry run and the one shot: what was decided, in one of several formats.
 */
#include "daemon/commands/plan.h"

#include <inttypes.h>

#include "daemon/commands/config_diff.h"
#include "daemon/commands/decide.h"
#include "daemon/commands/exit_status.h"
#include "daemon/commands/matches.h"
#include "daemon/log/print.h"
#include "daemon/output/report.h"
#include "daemon/output/table.h"

struct output {
	enum plan_format format;
	bool bare; /* rows, and no words around them */
	struct report report;
	struct table table;
	struct diff diff;
	const struct state *state;
	struct matches matches;
	bool dry;
	bool incomplete; /* some range is not as decided, after all has been done */
};

static void output_done(struct output *output)
{
	if (output->format == PLAN_JSON)
		report_done(&output->report);
	if (output->format == PLAN_TABLE)
		table_done(&output->table);
	matches_done(&output->matches);
}

static int output_init(
	struct output *output, const struct plan_options *options, const struct state *state)
{
	*output = (struct output){.format = options->format,
		.bare = options->table->raw || options->table->noheadings,
		.state = state,
		.dry = options->dry,
		.diff.state = state,
		.matches.wanted = options->fail_on};
	if (options->format == PLAN_JSON)
		report_init(&output->report, state->disagreements);
	return options->format == PLAN_TABLE ? table_init(&output->table, options->table) : 0;
}

static int output_add(const struct record *record, void *userdata)
{
	enum result result = record->outcome.result;
	struct output *output = userdata;
	int r;

	if (!output->dry && (result == RESULT_PARTIAL || result == RESULT_FAILED))
		output->incomplete = true;
	r = matches_add(&output->matches, record);
	if (r < 0)
		return r;
	if (output->format == PLAN_TABLE)
		return table_add(&output->table, record);
	if (output->format == PLAN_JSON)
		report_add(&output->report, record);
	else
		diff_range(&output->diff, record);
	return 0;
}

static void print_summary(const struct snapshot *snapshot, const struct state *state)
{
	char size[SIZE_TEXT], tdx[128];
	struct strbuf text = strbuf_in(tdx, sizeof(tdx));
	uint64_t bytes = 0;

	for (size_t i = 0; i < snapshot->boot_map.n; i++)
		bytes += range_size(snapshot->boot_map.regions[i].range);
	tdx_append(&text, &snapshot->tdx);
	print("TDX %s; boot map %s in %zu range%s; memory blocks of ", tdx,
		size_format(bytes, size), snapshot->boot_map.n,
		snapshot->boot_map.n == 1 ? "" : "s");
	print("%s\n", size_format(snapshot->block_size, size));
	if (state->disagreements)
		print("Disagreements with the kernel in this boot: %" PRIu64 "\n",
			state->disagreements);
}

static void print_rejected(const struct rejections *rejected)
{
	for (size_t i = 0; i < rejected->n; i++) {
		char sentence[REJECTION_TEXT];
		struct strbuf text = strbuf_in(sentence, sizeof(sentence));

		rejection_append(&text, &rejected->items[i]);
		print("%s.\n", sentence);
	}
}

static int output_print(struct output *output, struct sensor *sensor, bool any)
{
	const struct snapshot *snapshot = &sensor->snapshot;
	int r = 0;

	if (output->format == PLAN_JSON)
		return report_print(&output->report, snapshot, sensor_firmware(sensor));
	if (output->format == PLAN_DIFF) {
		diff_end(&output->diff);
		return 0;
	}
	if (!output->bare)
		print_summary(snapshot, output->state);
	if (any)
		r = table_print(&output->table);
	else if (!output->bare && !snapshot->rejected.n)
		print("No memory arrived after boot: nothing to do.\n");
	if (r == 0 && !output->bare)
		print_rejected(&snapshot->rejected);
	return r;
}

/* Only a script that asks for it pays for it. 0 or -ENOMEM. */
static int add_offline_boot(struct output *output, struct sensor *sensor)
{
	CLEANUP(range_set_done) struct range_set offline = {0};
	int r;

	if (!fail_on_has(output->matches.wanted, FAIL_ON_OFFLINE_BOOT))
		return 0;
	r = sensor_find_offline_boot(sensor, EVERYWHERE, &offline);
	return r < 0 ? r : matches_add_offline_boot(&output->matches, &offline);
}

/* A match of --fail-on= has precedence over a step that failed. */
static int conclude(const struct output *output)
{
	matches_tell(&output->matches);
	if (output->matches.n)
		return EXIT_MATCHED;
	return output->incomplete ? EXIT_PARTIAL : EXIT_DONE;
}

int plan_run(struct settings *settings, const struct plan_options *options)
{
	CLEANUP(decider_done) struct decider decider;
	CLEANUP(output_done) struct output output = {0};
	bool any;
	int r;

	/* This is the administrator's asking. */
	if (options->format != PLAN_DIFF)
		settings->config.present = PRESENT_ACT;
	r = decider_init(&decider, &settings->config);
	if (r == 0)
		r = output_init(&output, options, &decider.state);
	if (r < 0)
		return r;
	if (options->format == PLAN_DIFF)
		diff_config(&output.diff, settings);
	r = decide_all(&decider, options->dry, output_add, &output);
	output.incomplete |= decider.incomplete;
	any = r > 0;
	if (r >= 0)
		r = add_offline_boot(&output, &decider.sensor);
	if (r >= 0)
		r = output_print(&output, &decider.sensor, any);
	return r < 0 ? r : conclude(&output);
}
