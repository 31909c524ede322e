/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Check, print and compare the configuration files.
 */
#include "daemon/commands/config.h"

#include "daemon/commands/exit_status.h"
#include "daemon/commands/plan.h"
#include "daemon/log/print.h"

int config_check(struct settings *settings)
{
	settings_check_rules(settings);
	if (settings->warnings)
		return EXIT_FAILED;
	print("No mistake found, %zu rules.\n", settings->config.n_rules);
	return EXIT_DONE;
}

int config_cat(const struct settings *settings)
{
	settings_print(settings);
	return EXIT_DONE;
}

int config_diff(struct settings *settings)
{
	const struct table_options table = {0};
	const struct plan_options plan = {.dry = true, .format = PLAN_DIFF, .table = &table};
	int r;

	settings_check_rules(settings);
	r = plan_run(settings, &plan);
	return r >= 0 && settings->warnings ? EXIT_FAILED : r;
}
