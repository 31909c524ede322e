/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tdx-onlined: options, configuration, and off.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config_file.h"
#include "daemon.h"
#include "journal.h"
#include "once.h"
#include "options.h"
#include "readonly.h"
#include "root.h"

/* tdx-onlined(8), EXIT STATUS */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_HOTPLUG = 3,
	EXIT_PARTIAL = 64,
};

static int run_task(const struct options *options, const struct config *config)
{
	switch (options->task) {
	case TASK_DRY_RUN:
		return once_run(config, executor_dry_turn, options->json);
	case TASK_ONESHOT:
		return once_run(config, executor_turn, options->json);
	default:
		return daemon_run(config);
	}
}

static int run(const struct options *options)
{
	CLEANUP(config_done) struct config config = {0};
	int r;

	if (options->root && root_enter(options->root) < 0)
		return EXIT_FAILED;
	if (options->task == TASK_DRY_RUN && (r = readonly_enter()) < 0) {
		journal_say(LOG_ERR, "A dry run is not possible here: seccomp: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (config_load(&config) < 0) {
		journal_say(LOG_ERR, "The configuration cannot be used, nothing has been done");
		return EXIT_FAILED;
	}
	if (options->gate_given)
		config.gate = options->gate;
	r = run_task(options, &config);
	if (r == -ENODEV) {
		journal_say(LOG_ERR, "Not a machine to judge: the kernel has no memory hotplug");
		return EXIT_NO_HOTPLUG;
	}
	if (r < 0)
		journal_say(LOG_ERR, "Failed: %s", strerror(-r));
	return r < 0 ? EXIT_FAILED : r > 0 ? EXIT_PARTIAL : EXIT_DONE;
}

int main(int argc, char *argv[])
{
	struct options options = {0};

	journal_init();
	if (options_parse(argc, argv, &options) < 0) {
		fprintf(stderr, "Try 'tdx-onlined --help'.\n");
		return EXIT_USAGE;
	}
	if (options.task == TASK_HELP) {
		options_help();
		return EXIT_DONE;
	}
	if (options.task == TASK_VERSION) {
		puts("tdx-onlined " VERSION);
		return EXIT_DONE;
	}
	return run(&options);
}
