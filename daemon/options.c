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
	     "Without --dry-run or --oneshot it stays and follows the kernel's events.\n"
	     "\n"
	     "  -n, --dry-run      Decide all ranges present, print that, change nothing\n"
	     "      --oneshot      Decide all ranges present, act, print that, exit\n"
	     "  -J, --json         With either: print JSON instead of a table\n"
	     "      --root=DIR     With --dry-run: look at a captured tree\n"
	     "      --gate=STATE   auto, active or absent: what TDX demands, whatever is found\n"
	     "  -V, --version      Print the version\n"
	     "  -h, --help         Print this\n"
	     "\n"
	     "Exit: 0 done, 1 failed, 2 usage, 3 no memory hotplug here, 64 acted in part.\n"
	     "See tdx-onlined(8) and tdx-onlined.conf(5).");
}

/* What was given fits together. */
static int check(const struct options *options)
{
	if (options->json && options->task != TASK_DRY_RUN && options->task != TASK_ONESHOT)
		fprintf(stderr, "tdx-onlined: --json needs --dry-run or --oneshot\n");
	else if (options->root && options->task != TASK_DRY_RUN)
		fprintf(stderr, "tdx-onlined: --root needs --dry-run\n");
	else
		return 0;
	return -EINVAL;
}

static int set_task(struct options *options, enum task task)
{
	if (options->task != TASK_DAEMON && options->task != task) {
		fprintf(stderr, "tdx-onlined: --dry-run and --oneshot exclude each other\n");
		return -EINVAL;
	}
	options->task = task;
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
