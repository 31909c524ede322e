/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tdx-onlined: options, and off.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/log.h"
#include "daemon/options.h"
#include "daemon/tasks.h"

/* What nobody could read has not been printed. */
static enum exit_status finish_output(enum exit_status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_print(LOG_ERR, "standard output: %s", strerror(errno));
	return EXIT_FAILED;
}

int main(int argc, char *argv[])
{
	struct options options = {0};
	enum exit_status status;

	log_init();
	/* libdaxctl and libcxl make a context of libkmod, which prints its own errors to stderr. */
	(void)setenv("KMOD_LOG", "2", 0); /* LOG_CRIT; it prints nothing as critical */
	/* Whoever started us may not care for his children; we wait for ours. */
	signal(SIGCHLD, SIG_DFL);
	if (options_parse(argc, argv, &options) < 0) {
		fprintf(stderr, "Try 'tdx-onlined --help'.\n");
		return EXIT_USAGE;
	}
	if (options.task == TASK_HELP) {
		options_help();
		return (int)finish_output(EXIT_DONE);
	}
	if (options.task == TASK_VERSION) {
		puts("tdx-onlined " VERSION);
		return EXIT_DONE;
	}
	/* What the terminal can show is a matter of this system, also if the root changes. */
	if (options.task == TASK_DRY_RUN || options.task == TASK_ONESHOT)
		options.table.locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	status = task_run(&options);
	if (options.table.locale)
		freelocale(options.table.locale);
	return (int)finish_output(status);
}
