/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tasks.
 */
#include "daemon/tasks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/commands/capture.h"
#include "daemon/commands/doctor.h"
#include "daemon/commands/explain.h"
#include "daemon/commands/plan.h"
#include "daemon/host/readonly.h"
#include "daemon/host/root.h"
#include "daemon/log/log.h"
#include "daemon/service/service.h"

static enum exit_status check_config(const struct settings *settings)
{
	if (settings->warnings)
		return EXIT_FAILED;
	printf("No mistake found, %zu rules.\n", settings->config.n_rules);
	return EXIT_DONE;
}

/* Returns as daemon_run() and once_run() do. */
static int run_task(const struct options *options, struct settings *settings)
{
	const struct once_options once = {
		.dry = options->task != TASK_ONESHOT,
		.format = options->task == TASK_DIFF ? ONCE_DIFF
			  : options->json	     ? ONCE_JSON
						     : ONCE_TABLE,
		.table = &options->table,
		.fail_on = options->fail_on,
	};

	switch (options->task) {
	case TASK_DIFF:
	case TASK_DRY_RUN:
	case TASK_ONESHOT:
		return once_run(settings, &once);
	case TASK_EXPLAIN:
		return explain_run(settings, &options->target, options->json);
	case TASK_DOCTOR:
		return doctor_run(settings, options->json, options->root != NULL);
	default:
		return daemon_run(settings, options->tdx_given ? &options->tdx : NULL);
	}
}

static enum exit_status run_with(const struct options *options, struct settings *settings)
{
	int r;

	if (options->tdx_given)
		settings->config.tdx = options->tdx;
	if (options->task == TASK_CHECK_CONFIG || options->task == TASK_DIFF)
		settings_check_rules(settings);
	if (options->task == TASK_CHECK_CONFIG)
		return check_config(settings);
	if (options->task == TASK_CAT_CONFIG) {
		settings_print(settings);
		return EXIT_DONE;
	}
	r = run_task(options, settings);
	if (r == -ENODEV) {
		log_print(LOG_ERR, "Not a machine to judge: the kernel has no memory hotplug");
		return EXIT_NO_HOTPLUG;
	}
	if (r < 0)
		log_print(LOG_ERR, "Failed: %s", strerror(-r));
	if (r < 0 || (options->task == TASK_DIFF && settings->warnings))
		return EXIT_FAILED;
	if (r > 0 && options->task == TASK_EXPLAIN)
		return EXIT_FAILED;
	if (r > 0 && options->task == TASK_DOCTOR)
		return EXIT_FOUND;
	if (r == ONCE_MATCHED)
		return EXIT_MATCHED;
	return r == ONCE_INCOMPLETE ? EXIT_PARTIAL : EXIT_DONE;
}

/* It needs no configuration that can be used, and writes. */
static enum exit_status capture(const struct options *options)
{
	int r = capture_run(options->capture, options->anonymise);

	if (r < 0)
		return EXIT_FAILED;
	return r > 0 ? EXIT_PARTIAL : EXIT_DONE;
}

enum exit_status task_run(const struct options *options)
{
	CLEANUP(settings_done) struct settings settings = {0};
	bool acts = options->task == TASK_DAEMON || options->task == TASK_ONESHOT;
	bool examines = options->task != TASK_CHECK_CONFIG && options->task != TASK_CAT_CONFIG;
	int r;

	if (options->task == TASK_CAPTURE)
		return capture(options);
	if (options->root && root_enter(options->root, examines) < 0)
		return EXIT_FAILED;
	if (!acts && (r = readonly_enter()) < 0) {
		log_print(LOG_ERR, "A dry run is not possible here: seccomp: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (settings_load(&settings) < 0) {
		log_print(LOG_ERR, "The configuration cannot be used, nothing has been done");
		return EXIT_FAILED;
	}
	return run_with(options, &settings);
}
