/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tdx-onlined: the daemon, and what it does in one go.
 */
#include "daemon/commands/reload.h"
#include "daemon/program.h"
#include "daemon/service/service.h"
#include "daemon/task.h"

static int run_daemon(const struct task *task)
{
	const struct options *options = task->options;

	return service_run(task->settings, task->mistake,
		option_given(options, OPTION_TDX) ? &options->tdx : NULL);
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
		.run = task_dry_run},
	{.name = "--oneshot",
		.option = OPTION_ONESHOT,
		.takes = WITH_PLAN,
		.writes = true,
		.help = "Decide everything once, act, print the result and exit",
		.run = task_oneshot},
	{.name = "--check-config",
		.option = OPTION_CHECK_CONFIG,
		.takes = WITH(OPTION_ROOT) | WITH(OPTION_TDX),
		.no_machine = true,
		.help = "Print all mistakes in the configuration files",
		.run = task_check_config},
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
