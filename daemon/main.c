/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tdx-onlined: from the command line to the exit status.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/commands/capture.h"
#include "daemon/commands/decide_again.h"
#include "daemon/commands/doctor.h"
#include "daemon/commands/exit_status.h"
#include "daemon/commands/explain.h"
#include "daemon/commands/plan.h"
#include "daemon/commands/reload.h"
#include "daemon/host/readonly.h"
#include "daemon/host/root.h"
#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "daemon/options.h"
#include "daemon/service/service.h"

static int check_config(const struct settings *settings)
{
	if (settings->warnings)
		return EXIT_FAILED;
	print("No mistake found, %zu rules.\n", settings->config.n_rules);
	return EXIT_DONE;
}

static int diff(struct settings *settings, const struct plan_options *plan)
{
	int r;

	settings_check_rules(settings);
	r = plan_run(settings, plan);
	return r >= 0 && settings->warnings ? EXIT_FAILED : r;
}

/*
 * An exit status or a negative errno. `mistake` is NULL, or why the configuration cannot be used,
 * which only the service does without.
 */
static int run_command(
	const struct options *options, struct settings *settings, const char *mistake)
{
	const struct plan_options plan = {
		.dry = options->command != COMMAND_ONESHOT,
		.format = options->command == COMMAND_DIFF ? PLAN_DIFF
			  : options->json		   ? PLAN_JSON
							   : PLAN_TABLE,
		.table = &options->table,
		.fail_on = options->fail_on,
	};

	switch (options->command) {
	case COMMAND_CHECK_CONFIG:
		settings_check_rules(settings);
		return check_config(settings);
	case COMMAND_CAT_CONFIG:
		settings_print(settings);
		return EXIT_DONE;
	case COMMAND_RELOAD:
		return reload_run();
	case COMMAND_DIFF:
		return diff(settings, &plan);
	case COMMAND_DRY_RUN:
	case COMMAND_ONESHOT:
		return plan_run(settings, &plan);
	case COMMAND_EXPLAIN:
		return explain_run(settings, &options->target, options->json);
	case COMMAND_DECIDE:
		return decide_again_run(settings, &options->target);
	case COMMAND_DOCTOR:
		return doctor_run(settings, options->json, options->root != NULL);
	default:
		return service_run(settings, mistake, options->tdx_given ? &options->tdx : NULL);
	}
}

/* Only these write to the kernel: the filter holds all others to that. */
static const bool writes[COMMAND_MAX] = {
	[COMMAND_DAEMON] = true,
	[COMMAND_ONESHOT] = true,
	[COMMAND_DECIDE] = true,
};

static int run(const struct options *options)
{
	CLEANUP(settings_done) struct settings settings = {0};
	bool examines =
		options->command != COMMAND_CHECK_CONFIG && options->command != COMMAND_CAT_CONFIG;
	char mistake[SETTINGS_MISTAKE];
	int r, loaded;

	/* It needs no configuration that can be used, and writes. */
	if (options->command == COMMAND_CAPTURE)
		return capture_run(options->capture, options->anonymise);
	if (options->root && root_enter(options->root, examines) < 0)
		return EXIT_FAILED;
	if (!writes[options->command] && (r = readonly_enter()) < 0) {
		log_print(LOG_ERR, "A dry run is not possible here: seccomp: %s", strerror(-r));
		return EXIT_FAILED;
	}
	loaded = settings_load(&settings, mistake);
	if (loaded == -EINVAL && options->command == COMMAND_DAEMON) {
		settings_default(&settings);
	} else if (loaded < 0) {
		log_print(LOG_ERR, "The configuration cannot be used, nothing has been done");
		return EXIT_FAILED;
	}
	if (options->tdx_given)
		settings.config.tdx = options->tdx;
	r = run_command(options, &settings, loaded < 0 ? mistake : NULL);
	if (r == -ENODEV) {
		log_print(LOG_ERR, "The kernel has no memory hotplug: nothing can be decided");
		return EXIT_NO_HOTPLUG;
	}
	if (r == -EALREADY)
		return EXIT_RUNNING;
	if (r < 0)
		log_print(LOG_ERR, "Failed: %s", strerror(-r));
	return r < 0 ? EXIT_FAILED : r;
}

/* What nobody could read has not been printed. */
static int finish_output(int status)
{
	int r = print_flush();

	if (r == 0)
		return status;
	log_print(LOG_ERR, "standard output: %s", strerror(-r));
	return EXIT_FAILED;
}

int main(int argc, char *argv[])
{
	struct options options = {0};
	int status;

	log_init();
	/* libdaxctl and libcxl make a context of libkmod, which prints its own errors to stderr. */
	(void)setenv("KMOD_LOG", "2", 0); /* LOG_CRIT; it prints nothing as critical */
	/* Whoever started us may not care for his children; we wait for ours. */
	signal(SIGCHLD, SIG_DFL);
	if (options_parse(argc, argv, &options) < 0) {
		fputs("Try 'tdx-onlined --help'.\n", stderr);
		return EXIT_USAGE;
	}
	if (options.command == COMMAND_HELP) {
		options_help();
		return finish_output(EXIT_DONE);
	}
	if (options.command == COMMAND_VERSION) {
		print("tdx-onlined " VERSION "\n");
		return EXIT_DONE;
	}
	/* What the terminal can show is a matter of this system, also if the root changes. */
	if (options.command == COMMAND_DRY_RUN || options.command == COMMAND_ONESHOT)
		options.table.locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	status = run(&options);
	if (options.table.locale)
		freelocale(options.table.locale);
	return finish_output(status);
}
