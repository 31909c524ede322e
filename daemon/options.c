/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line, by getopt_long(3).
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

static const struct option long_options[] = {
	{"dry-run", no_argument, NULL, 'n'},
	{"oneshot", no_argument, NULL, '1'},
	{"check-config", no_argument, NULL, 'c'},
	{"cat-config", no_argument, NULL, 'C'},
	{"json", no_argument, NULL, 'J'},
	{"root", required_argument, NULL, 'R'},
	{"gate", required_argument, NULL, 'g'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

void options_help(void)
{
	puts("tdx-onlined [OPTION...]\n"
	     "\n"
	     "Decide what becomes of memory that arrives after boot on a TDX host.\n"
	     "\n"
	     "Without an option that says otherwise it stays and follows the kernel's events.\n"
	     "\n"
	     "  -n, --dry-run      Decide all ranges there are, print that, change nothing\n"
	     "      --oneshot      Decide all ranges there are, act, print that, exit\n"
	     "  -J, --json         With either: print JSON instead of a table\n"
	     "      --check-config Report all mistakes in the configuration files;\n"
	     "                     with --dry-run also what a reload would change\n"
	     "      --cat-config   Print the configuration, and where it comes from\n"
	     "      --root=DIR     Look at a captured tree, not with --oneshot\n"
	     "      --gate=STATE   auto, active or absent: what TDX demands, whatever is found\n"
	     "  -V, --version      Print the version\n"
	     "  -h, --help         Print this\n"
	     "\n"
	     "Exit: 0 done, 1 failed, 2 usage, 3 no memory hotplug here, 64 acted in part.\n"
	     "See tdx-onlined(8), tdx-onlined.conf(5) and tdx-onlined.rule(5).");
}

/* What was given fits together. */
static int check(const struct options *options)
{
	enum task task = options->task;

	if (options->json && task != TASK_DRY_RUN && task != TASK_ONESHOT)
		fprintf(stderr, "tdx-onlined: --json needs --dry-run or --oneshot\n");
	else if (options->root && (task == TASK_DAEMON || task == TASK_ONESHOT))
		fprintf(stderr, "tdx-onlined: --root needs --dry-run, --check-config or"
				" --cat-config\n");
	else
		return 0;
	return -EINVAL;
}

/* One task alone; but a dry run of what the checked configuration would change is one too. */
static int set_task(struct options *options, enum task task)
{
	enum task other = options->task;

	if (other == TASK_DAEMON || other == task)
		options->task = task;
	else if ((other == TASK_DRY_RUN && task == TASK_CHECK_CONFIG) ||
		 (other == TASK_CHECK_CONFIG && task == TASK_DRY_RUN))
		options->task = TASK_DIFF;
	else if (other != TASK_DIFF || (task != TASK_DRY_RUN && task != TASK_CHECK_CONFIG)) {
		fprintf(stderr, "tdx-onlined: of --dry-run, --oneshot, --check-config and"
				" --cat-config only --dry-run and --check-config go together\n");
		return -EINVAL;
	}
	return 0;
}

static int set_gate(struct options *options, const char *value)
{
	options->gate_given = true;
	if (gate_mode_from_string(value, &options->gate) == 0)
		return 0;
	fprintf(stderr, "tdx-onlined: --gate=%s: not auto, active or absent\n", value);
	return -EINVAL;
}

static int take(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'n':
		return set_task(options, TASK_DRY_RUN);
	case '1':
		return set_task(options, TASK_ONESHOT);
	case 'c':
		return set_task(options, TASK_CHECK_CONFIG);
	case 'C':
		return set_task(options, TASK_CAT_CONFIG);
	case 'J':
		options->json = true;
		return 0;
	case 'R':
		options->root = value;
		return 0;
	case 'g':
		return set_gate(options, value);
	default:
		return -EINVAL; /* getopt_long has said why */
	}
}

int options_parse(int argc, char *argv[], struct options *ret_options)
{
	struct options options = {0};
	int option, r;

	while ((option = getopt_long(argc, argv, "nJVh", long_options, NULL)) != -1) {
		if (option == 'h' || option == 'V') {
			ret_options->task = option == 'h' ? TASK_HELP : TASK_VERSION;
			return 0;
		}
		r = take(&options, option, optarg);
		if (r < 0)
			return r;
	}
	if (optind < argc) {
		fprintf(stderr, "tdx-onlined: unexpected argument '%s'\n", argv[optind]);
		return -EINVAL;
	}
	r = check(&options);
	if (r == 0)
		*ret_options = options;
	return r;
}
