/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands that both programs have: from the options to those of the command.
 */
#include "daemon/task.h"

#include "daemon/commands/config.h"
#include "daemon/commands/plan.h"

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

int task_dry_run(const struct task *task)
{
	return run_plan(task, true);
}

int task_oneshot(const struct task *task)
{
	return run_plan(task, false);
}

int task_check_config(const struct task *task)
{
	return config_check(task->settings);
}
