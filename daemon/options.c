/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line, by getopt_long(3).
 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "tdxo/base/strbuf.h"
#include "tdxo/record/fail_on.h"

/* What getopt_long(3) returns for an option that has no letter. */
enum {
	OPTION_DRY_RUN = 256,
	OPTION_ONESHOT,
	OPTION_EXPLAIN,
	OPTION_DECIDE,
	OPTION_DOCTOR,
	OPTION_CHECK_CONFIG,
	OPTION_CAT_CONFIG,
	OPTION_RELOAD,
	OPTION_CAPTURE,
	OPTION_ANONYMISE,
	OPTION_ROOT,
	OPTION_TDX,
	OPTION_FAIL_ON,
};

static const char short_options[] = "Jo:OnrbTVh";

static const struct option long_options[] = {
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"oneshot", no_argument, NULL, OPTION_ONESHOT},
	{"explain", required_argument, NULL, OPTION_EXPLAIN},
	{"decide", required_argument, NULL, OPTION_DECIDE},
	{"doctor", no_argument, NULL, OPTION_DOCTOR},
	{"check-config", no_argument, NULL, OPTION_CHECK_CONFIG},
	{"cat-config", no_argument, NULL, OPTION_CAT_CONFIG},
	{"reload", no_argument, NULL, OPTION_RELOAD},
	{"capture", required_argument, NULL, OPTION_CAPTURE},
	{"anonymise", no_argument, NULL, OPTION_ANONYMISE},
	{"json", no_argument, NULL, 'J'},
	{"output", required_argument, NULL, 'o'},
	{"output-all", no_argument, NULL, 'O'},
	{"noheadings", no_argument, NULL, 'n'},
	{"raw", no_argument, NULL, 'r'},
	{"bytes", no_argument, NULL, 'b'},
	{"tree", no_argument, NULL, 'T'},
	{"root", required_argument, NULL, OPTION_ROOT},
	{"tdx", required_argument, NULL, OPTION_TDX},
	{"fail-on", required_argument, NULL, OPTION_FAIL_ON},
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
	     "      --dry-run      Decide all ranges there are, print that, change nothing\n"
	     "      --oneshot      Decide all ranges there are, act, print that, exit\n"
	     "      --explain=WHAT Tell all about an address, memoryN, daxX.Y, regionN, memN,\n"
	     "                     nodeN or PCI address\n"
	     "      --decide=WHAT  Have the daemon decide WHAT again, and nothing else\n"
	     "      --doctor       Print what conflicts with hot-added memory or TDX, and how\n"
	     "                     to remedy it\n"
	     "      --capture=DIR  Copy what the decisions rest on into DIR, for --root\n"
	     "      --check-config Report all mistakes in the configuration files;\n"
	     "                     with --dry-run also what a reload would change\n"
	     "      --cat-config   Print the configuration, and where it comes from\n"
	     "      --reload       Check the configuration files, and have the daemon use them\n"
	     "\n"
	     "      --root=DIR     Look at a captured tree, with all that only looks\n"
	     "      --tdx=STATE   auto, active or absent: what TDX demands, whatever is found\n"
	     "      --fail-on=LIST With --dry-run or --oneshot: exit 4 if a word of the list,\n"
	     "                     with commas between them, is true of a range\n"
	     "      --anonymise    With --capture: hide serial numbers, UUIDs and names\n"
	     "  -J, --json         With --dry-run, --oneshot, --explain, --doctor: print JSON\n"
	     "  -o, --output=LIST  Of the table: these columns; +LIST: these as well\n"
	     "  -O, --output-all   Of the table: all columns\n"
	     "  -n, --noheadings   Of the table: rows alone\n"
	     "  -r, --raw          Of the table: one blank between values, none in them\n"
	     "  -b, --bytes        Of the table: sizes in bytes\n"
	     "  -T, --tree         Of the table: CXL windows, regions, devices, ranges\n"
	     "  -V, --version      Print the version\n"
	     "  -h, --help         Print this\n"
	     "\n"
	     "Columns:");
	columns_help();
	puts("\n"
	     "Words of --fail-on:");
	for (unsigned int word = 0; word < FAIL_ON_MAX; word++)
		print("  %-16s %s\n", fail_on_to_string(word), fail_on_explain(word));
	puts("\n"
	     "Exit: 0 done, 1 failed, 2 usage, 3 no memory hotplug here, 4 --fail-on holds,\n"
	     "5 --doctor has found something, 64 done in part.\n"
	     "See tdx-onlined(8), tdx-onlined.conf(5) and tdx-onlined.rule(5).");
}

#define WITH(command)	  (1U << (command))
#define WITH_DRY_RUN	  (WITH(COMMAND_DRY_RUN) | WITH(COMMAND_DIFF))
#define WITH_CHECK_CONFIG (WITH(COMMAND_CHECK_CONFIG) | WITH(COMMAND_DIFF))

/* An option that belongs to some commands. */
struct modifier {
	const char *name;
	const char *needs;     /* the commands, for people */
	unsigned int commands; /* WITH() of them */
	bool given;
};

/* Every option of the table that was given has one. */
static int check_table(const struct options *options)
{
	const struct table_options *table = &options->table;
	const struct {
		const char *name;
		bool given;
	} modifiers[] = {
		{options->output, options->output != NULL},
		{"--noheadings", table->noheadings},
		{"--raw", table->raw},
		{"--bytes", table->bytes},
		{"--tree", table->tree},
	};
	bool has_table = options->command == COMMAND_DRY_RUN || options->command == COMMAND_ONESHOT;

	for (size_t i = 0; i < ARRAY_SIZE(modifiers); i++) {
		if (!modifiers[i].given || (has_table && !options->json))
			continue;
		log_print(LOG_ERR, "%s %s", modifiers[i].name,
			has_table ? "does not go with --json" : "needs --dry-run or --oneshot");
		return -EINVAL;
	}
	if (!table->tree || !table->raw)
		return 0;
	log_print(LOG_ERR, "--tree does not go with --raw");
	return -EINVAL;
}

/* Every option that was given goes with the command. */
static int check(const struct options *options)
{
	const struct modifier modifiers[] = {
		{"--json", "--dry-run, --oneshot, --explain or --doctor",
			WITH(COMMAND_DRY_RUN) | WITH(COMMAND_ONESHOT) | WITH(COMMAND_EXPLAIN) |
				WITH(COMMAND_DOCTOR),
			options->json},
		{"--fail-on", "--dry-run or --oneshot",
			WITH(COMMAND_DRY_RUN) | WITH(COMMAND_ONESHOT), options->fail_on != 0},
		{"--root", "--dry-run, --explain, --doctor, --check-config or --cat-config",
			WITH_DRY_RUN | WITH_CHECK_CONFIG | WITH(COMMAND_CAT_CONFIG) |
				WITH(COMMAND_EXPLAIN) | WITH(COMMAND_DOCTOR),
			options->root != NULL},
		{"--tdx", "the daemon, --dry-run, --oneshot, --explain, --doctor or --check-config",
			WITH(COMMAND_DAEMON) | WITH(COMMAND_DRY_RUN) | WITH(COMMAND_ONESHOT) |
				WITH(COMMAND_EXPLAIN) | WITH(COMMAND_DOCTOR) | WITH_CHECK_CONFIG,
			options->tdx_given},
		{"--anonymise", "--capture", WITH(COMMAND_CAPTURE), options->anonymise},
	};

	for (size_t i = 0; i < ARRAY_SIZE(modifiers); i++) {
		const struct modifier *modifier = &modifiers[i];

		if (!modifier->given || modifier->commands & WITH(options->command))
			continue;
		log_print(LOG_ERR, "%s needs %s", modifier->name, modifier->needs);
		return -EINVAL;
	}
	return check_table(options);
}

/* One command alone; but a dry run of what the checked configuration would change is one too. */
static int set_command(struct options *options, enum command command)
{
	static const struct {
		enum command before, now, both;
	} pairs[] = {
		{COMMAND_DRY_RUN, COMMAND_CHECK_CONFIG, COMMAND_DIFF},
		{COMMAND_CHECK_CONFIG, COMMAND_DRY_RUN, COMMAND_DIFF},
		{COMMAND_DIFF, COMMAND_CHECK_CONFIG, COMMAND_DIFF},
		{COMMAND_DIFF, COMMAND_DRY_RUN, COMMAND_DIFF},
	};

	if (options->command == COMMAND_DAEMON || options->command == command) {
		options->command = command;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (pairs[i].before != options->command || pairs[i].now != command)
			continue;
		options->command = pairs[i].both;
		return 0;
	}
	log_print(LOG_ERR, "one task at a time; only --dry-run and --check-config go"
			   " together");
	return -EINVAL;
}

static int set_tdx(struct options *options, const char *value)
{
	options->tdx_given = true;
	if (tdx_mode_from_string(value, &options->tdx) == 0)
		return 0;
	log_print(LOG_ERR, "--tdx=%s: not auto, active or absent", value);
	return -EINVAL;
}

/* A list takes the place of what was chosen before, or with a plus adds to it. */
static int set_output(struct options *options, const char *list)
{
	struct table_options *table = &options->table;
	const char *title = list;
	size_t n;

	options->output = "--output";
	if (*list == '+') {
		title++;
	} else {
		table->only_chosen = true;
		table->n_chosen = 0;
	}
	for (;; title += n + 1) {
		n = strcspn(title, ",");
		if (columns_choose(table, title, n) < 0)
			break;
		if (!title[n])
			return 0;
	}
	log_print(LOG_ERR, "--output=%s: unknown column '%.*s'", list, (int)n, title);
	return -EINVAL;
}

/* Options that say how a table looks. */
static int take_table(struct options *options, int option, const char *value)
{
	struct table_options *table = &options->table;

	switch (option) {
	case 'o':
		return set_output(options, value);
	case 'O':
		options->output = "--output-all";
		columns_choose_all(table);
		return 0;
	case 'n':
		table->noheadings = true;
		return 0;
	case 'r':
		table->raw = true;
		return 0;
	case 'b':
		table->bytes = true;
		return 0;
	case 'T':
		table->tree = true;
		return 0;
	default:
		return -EINVAL; /* its message is printed */
	}
}

static int set_target(
	struct options *options, enum command command, const char *option, const char *value)
{
	int r = target_parse(value, &options->target);

	if (r == 0)
		return set_command(options, command);
	if (r == -EDOM)
		log_print(LOG_ERR, "%s=%s: an address begins with 0x", option, value);
	else
		log_print(LOG_ERR,
			"%s=%s: not an address, memoryN, daxX.Y, regionN, memN, nodeN or PCI "
			"address",
			option, value);
	return -EINVAL;
}

/* The words of every list that is given count. */
static int set_fail_on(struct options *options, const char *list)
{
	char buf[512];
	struct strbuf words = strbuf_in(buf, sizeof(buf));
	const char *at = list;
	unsigned int set;

	if (fail_on_parse(&at, &set) == 0) {
		options->fail_on |= set;
		return 0;
	}
	strbuf_append(&words, "'%.*s' is not ", (int)strcspn(at, ","), at);
	for (unsigned int word = 0; word < FAIL_ON_MAX; word++)
		strbuf_append(&words, "%s%s", fail_on_to_string(word),
			word + 2 < FAIL_ON_MAX	 ? ", "
			: word + 1 < FAIL_ON_MAX ? " or "
						 : "");
	log_print(LOG_ERR, "--fail-on=%s: %s", list, buf);
	return -EINVAL;
}

static int take(struct options *options, int option, const char *value)
{
	switch (option) {
	case OPTION_DRY_RUN:
		return set_command(options, COMMAND_DRY_RUN);
	case OPTION_ONESHOT:
		return set_command(options, COMMAND_ONESHOT);
	case OPTION_EXPLAIN:
		return set_target(options, COMMAND_EXPLAIN, "--explain", value);
	case OPTION_DECIDE:
		return set_target(options, COMMAND_DECIDE, "--decide", value);
	case OPTION_DOCTOR:
		return set_command(options, COMMAND_DOCTOR);
	case OPTION_CHECK_CONFIG:
		return set_command(options, COMMAND_CHECK_CONFIG);
	case OPTION_CAT_CONFIG:
		return set_command(options, COMMAND_CAT_CONFIG);
	case OPTION_RELOAD:
		return set_command(options, COMMAND_RELOAD);
	case OPTION_CAPTURE:
		options->capture = value;
		return set_command(options, COMMAND_CAPTURE);
	case OPTION_ANONYMISE:
		options->anonymise = true;
		return 0;
	case 'J':
		options->json = true;
		return 0;
	case OPTION_ROOT:
		options->root = value;
		return 0;
	case OPTION_TDX:
		return set_tdx(options, value);
	case OPTION_FAIL_ON:
		return set_fail_on(options, value);
	default:
		return take_table(options, option, value);
	}
}

/* getopt_long(3) prints what it does not accept as it is: of foreign text it prints nothing. */
static bool all_printable(char *const argv[])
{
	while (*argv && is_printable_text(*argv))
		argv++;
	return !*argv;
}

int options_parse(int argc, char *argv[], struct options *ret_options)
{
	struct options options = {0};
	int option, at = optind, r;

	opterr = all_printable(argv);
	while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
		if (option == 'h' || option == 'V') {
			ret_options->command = option == 'h' ? COMMAND_HELP : COMMAND_VERSION;
			return 0;
		}
		if (option == '?' && !opterr)
			log_print(LOG_ERR, "'%s': an unknown option, or not used like this",
				argv[at]);
		r = take(&options, option, optarg);
		if (r < 0)
			return r;
		at = optind;
	}
	if (optind < argc) {
		log_print(LOG_ERR, "unexpected argument '%s'", argv[optind]);
		return -EINVAL;
	}
	r = check(&options);
	if (r == 0)
		*ret_options = options;
	return r;
}
