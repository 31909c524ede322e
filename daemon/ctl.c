/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tdx-onlinectl: the client. Of its commands `decide` and `verify` write to the kernel, `capture`
 * writes files, and the others only read.
 */
#include "daemon/commands/capture.h"
#include "daemon/commands/config.h"
#include "daemon/commands/decide_again.h"
#include "daemon/commands/doctor.h"
#include "daemon/commands/explain.h"
#include "daemon/commands/map.h"
#include "daemon/commands/properties.h"
#include "daemon/commands/settle.h"
#include "daemon/commands/status.h"
#include "daemon/commands/verify.h"
#include "daemon/program.h"
#include "daemon/task.h"

static int run_status(const struct task *task)
{
	const struct status_options status = {
		.json = option_given(task->options, OPTION_JSON),
		.tdx = option_given(task->options, OPTION_TDX),
		.mistake = task->mistake,
		.only_unread = task->only_unread,
		.unread = task->unread,
	};

	return status_run(task->settings, &status);
}

static int run_explain(const struct task *task)
{
	const struct options *options = task->options;

	return explain_run(task->settings, &options->target, option_given(options, OPTION_JSON));
}

static int run_doctor(const struct task *task)
{
	const struct options *options = task->options;

	return doctor_run(
		task->settings, option_given(options, OPTION_JSON), options->root != NULL);
}

static int run_map(const struct task *task)
{
	const struct options *options = task->options;
	const struct map_options map = {
		.format = option_given(options, OPTION_JSON)  ? MAP_JSON
			  : option_given(options, OPTION_SVG) ? MAP_SVG
							      : MAP_TEXT,
		.what_if = option_given(options, OPTION_TDX),
		.locale = options->table.locale,
	};

	return map_run(task->settings, &map);
}

static int run_decide(const struct task *task)
{
	return decide_again_run(task->settings, &task->options->target);
}

static int run_capture(const struct task *task)
{
	const struct options *options = task->options;

	return capture_run(options->directory, option_given(options, OPTION_ANONYMISE));
}

static int run_config_cat(const struct task *task)
{
	return config_cat(task->settings);
}

static int run_config_diff(const struct task *task)
{
	return config_diff(task->settings);
}

static int run_settle(const struct task *task)
{
	const struct options *options = task->options;

	return settle_run(
		option_given(options, OPTION_TIMEOUT) ? options->timeout : SETTLE_TIMEOUT);
}

static int run_properties(const struct task *task)
{
	return properties_run(task->options->target.name);
}

static int run_verify(const struct task *task)
{
	return verify_run(task->settings, task->mistake, option_given(task->options, OPTION_JSON));
}

#define WITH_LOOK (WITH(OPTION_ROOT) | WITH(OPTION_TDX) | WITH(OPTION_JSON))

static const struct command commands[] = {
	{.name = "status",
		.takes = WITH_LOOK,
		.any_config = true,
		.help = "Print the state of the daemon and of TDX, and each recorded decision",
		.run = run_status},
	{.name = "plan",
		.takes = WITH_LOOK | WITH(OPTION_FAIL_ON) | WITH_TABLE,
		.help = "Print what would be done, and change nothing",
		.run = task_dry_run},
	{.name = "explain",
		.argument = ARGUMENT_TARGET,
		.takes = WITH_LOOK,
		.help = "Explain the decision about an address or a device",
		.run = run_explain},
	{.name = "doctor",
		.takes = WITH_LOOK,
		.help = "Print what conflicts with hot-added memory or TDX, with remedies",
		.run = run_doctor},
	{.name = "map",
		.takes = WITH_LOOK | WITH(OPTION_SVG),
		.help = "Draw the physical address space, with the verdict on each device",
		.run = run_map},
	{.name = "decide",
		.argument = ARGUMENT_TARGET,
		.writes = true,
		.help = "Request that the daemon decides about the devices of TARGET again",
		.run = run_decide},
	{.name = "capture",
		.argument = ARGUMENT_DIRECTORY,
		.takes = WITH(OPTION_ANONYMISE),
		.writes = true,
		.no_config = true,
		.help = "Copy what the decisions depend on into a directory, for --root",
		.run = run_capture},
	{.name = "config check",
		.takes = WITH(OPTION_ROOT) | WITH(OPTION_TDX),
		.no_machine = true,
		.help = "Print all mistakes in the configuration files",
		.run = task_check_config},
	{.name = "config cat",
		.takes = WITH(OPTION_ROOT),
		.no_machine = true,
		.help = "Print the configuration, with the file and line of each value",
		.run = run_config_cat},
	{.name = "config diff",
		.takes = WITH(OPTION_ROOT) | WITH(OPTION_TDX),
		.help = "Print what a reload would change",
		.run = run_config_diff},
	{.name = "settle",
		.takes = WITH(OPTION_TIMEOUT),
		.no_config = true,
		.help = "Wait until all memory that is there has been decided",
		.run = run_settle},
	{.name = "properties",
		.argument = ARGUMENT_TARGET,
		.takes = WITH(OPTION_ROOT),
		.no_config = true,
		.help = "Print links and properties of a dax device, for the rules of udev",
		.run = run_properties},
	{.name = "verify",
		.takes = WITH(OPTION_ROOT) | WITH(OPTION_JSON),
		.writes = true,
		.any_config = true,
		.help = "Compare what is expected of the kernel with what it answers",
		.run = run_verify},
};

static const struct program program = {
	.name = "tdx-onlinectl",
	.words = true,
	.summary = "Show and check what tdx-onlined does with memory that arrives after boot.\n",
	.manual = "Exit status: 0 done, 1 failed, 2 usage, 3 no memory hotplug, 4 --fail-on is "
		  "true,\n"
		  "5 doctor or verify found something, 7 settle timed out, 64 partly done.\n"
		  "See tdx-onlinectl(1), tdx-onlined(8) and tdx-onlined.conf(5).\n",
	.commands = commands,
	.n_commands = ARRAY_SIZE(commands),
};

int main(int argc, char *argv[])
{
	return program_run(&program, argc, argv);
}
