/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Read the command line and the configuration, enter the directory of --root=, enter the filter of
 * those commands that only read, and run the command.
 */
#include "daemon/program.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/commands/exit_status.h"
#include "daemon/host/readonly.h"
#include "daemon/host/root.h"
#include "daemon/log/log.h"
#include "daemon/log/print.h"

static int enter(const struct options *options)
{
	const struct command *command = options->command;
	int r;

	if (options->root && root_enter(options->root, !command->no_machine) < 0)
		return EXIT_FAILED;
	if (command->writes)
		return EXIT_DONE;
	r = readonly_enter();
	if (r == 0)
		return EXIT_DONE;
	log_print(LOG_ERR, "%s is not possible here, because it must not write: seccomp: %s",
		*command->name ? command->name : "this", strerror(-r));
	return EXIT_FAILED;
}

/* Load the configuration and run the command. */
static int run_with_config(const struct options *options)
{
	CLEANUP(settings_done) struct settings settings = {0};
	CLEANUP(config_files_done) struct config_files unread = {0};
	char mistake[SETTINGS_MISTAKE];
	struct task task = {.options = options, .settings = &settings, .unread = &unread};
	int r = settings_load(&settings, mistake, &unread);

	if ((r == -EINVAL || r == -EACCES) && options->command->any_config) {
		settings_default(&settings);
		task.mistake = mistake;
		task.only_unread = r == -EACCES;
	} else if (r < 0) {
		log_print(LOG_ERR, "The configuration cannot be used, nothing has been done");
		return EXIT_FAILED;
	}
	if (option_given(options, OPTION_TDX))
		settings.config.tdx = options->tdx;
	return options->command->run(&task);
}

static int run(const struct options *options)
{
	const struct task task = {.options = options};
	int r = enter(options);

	if (r == EXIT_DONE)
		r = options->command->no_config ? options->command->run(&task)
						: run_with_config(options);
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

/* Output that could not be written makes a failure of the command. */
static int finish_output(int status)
{
	int r = print_flush();

	if (r == 0)
		return status;
	log_print(LOG_ERR, "standard output: %s", strerror(-r));
	return EXIT_FAILED;
}

int program_run(const struct program *program, int argc, char *argv[])
{
	struct options options = {0};
	int status;

	log_init(program->name);
	/* libdaxctl and libcxl make a context of libkmod, which prints its own errors to stderr. */
	(void)setenv("KMOD_LOG", "2", 0); /* LOG_CRIT; it prints nothing as critical */
	/* The parent may ignore SIGCHLD; this process waits for its children. */
	signal(SIGCHLD, SIG_DFL);
	if (options_parse(program, argc, argv, &options) < 0) {
		fprintf(stderr, "Try '%s --help'.\n", program->name);
		return EXIT_USAGE;
	}
	if (option_given(&options, OPTION_HELP)) {
		options_help(program, options.command);
		return finish_output(EXIT_DONE);
	}
	if (option_given(&options, OPTION_VERSION)) {
		print("%s " VERSION "\n", program->name);
		return finish_output(EXIT_DONE);
	}
	/* The locale of the output is that of this system, also if the root changes. */
	if (options.command->takes & (WITH(OPTION_OUTPUT) | WITH(OPTION_SVG)))
		options.table.locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	status = run(&options);
	if (options.table.locale)
		freelocale(options.table.locale);
	return finish_output(status);
}
