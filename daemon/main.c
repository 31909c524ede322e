/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tdx-onlined: the daemon, and what it does in one go.
 */
#include "daemon/commands/config.h"
#include "daemon/commands/plan.h"
#include "daemon/commands/reload.h"
#include "daemon/program.h"
#include "daemon/service/service.h"

static int run_daemon(const struct task *task)
{
	const struct options *options = task->options;

	return service_run(task->settings, task->mistake,
		option_given(options, OPTION_TDX) ? &options->tdx : NULL);
}

static int run_plan(const struct task *task, bool dry)
{
	const struct options *options = task->options;
	const struct plan_options plan = {
		.dry = dry,
		.format = option_given(options, OPTION_JSON) ? PLAN_JSON : PLAN_TABLE,
		.table = &options->table,
		.fail_on = options->fail_on,
	};

	return plan_run(task->settings, &plan);
}

static int run_dry(const struct task *task)
{
	return run_plan(task, true);
}

static int run_oneshot(const struct task *task)
{
	return run_plan(task, false);
}

static int run_check(const struct task *task)
{
	return config_check(task->settings);
}

static int run_reload(const struct task *task)
{
	(void)task;
	return reload_run();
}

#define WITH_PLAN (WITH(OPTION_JSON) | WITH(OPTION_TDX) | WITH(OPTION_FAIL_ON) | WITH_TABLE)

static const struct command commands[] = {
	{.name = "the daemon",
		.takes = WITH(OPTION_TDX),
		.writes = true,
		.any_config = true,
		.run = run_daemon},
	{.name = "--dry-run",
		.option = OPTION_DRY_RUN,
		.takes = WITH(OPTION_ROOT) | WITH_PLAN,
		.help = "Print what would be done, and change nothing",
		.run = run_dry},
	{.name = "--oneshot",
		.option = OPTION_ONESHOT,
		.takes = WITH_PLAN,
		.writes = true,
		.help = "Decide everything once, act, print the result and exit",
		.run = run_oneshot},
	{.name = "--check-config",
		.option = OPTION_CHECK_CONFIG,
		.takes = WITH(OPTION_ROOT) | WITH(OPTION_TDX),
		.no_machine = true,
		.help = "Print all mistakes in the configuration files",
		.run = run_check},
	{.name = "--reload",
		.option = OPTION_RELOAD,
		.help = "Check the configuration files, and make the daemon read them",
		.run = run_reload},
};

static const struct program program = {
	.name = "tdx-onlined",
	.summary =
		"Decide about memory that arrives after boot on a TDX host, and online it or keep\n"
		"it as devdax. Without a command, run as a daemon that follows the kernel's "
		"events.\n",
	.manual = "Exit status: 0 done, 1 failed, 2 usage, 3 no memory hotplug, 4 --fail-on is "
		  "true,\n"
		  "6 a daemon is running, 64 partly done.\n"
		  "See tdx-onlined(8), tdx-onlined.conf(5), tdx-onlined.rule(5) and "
		  "tdx-onlinectl(1).\n",
	.commands = commands,
	.n_commands = ARRAY_SIZE(commands),
};

int main(int argc, char *argv[])
{
	return program_run(&program, argc, argv);
}
