/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of options, and the reading of a command line.
 */
#include "daemon/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "daemon/output/columns.h"
#include "tdxo/base/array.h"
#include "tdxo/base/parse.h"
#include "tdxo/base/strbuf.h"
#include "tdxo/record/fail_on.h"

#define FIRST_LONG 256 /* what getopt_long(3) returns for the first option that has no letter */

const struct option_row option_table[] = {
	[OPTION_DRY_RUN] = {.name = "dry-run"},
	[OPTION_ONESHOT] = {.name = "oneshot"},
	[OPTION_CHECK_CONFIG] = {.name = "check-config"},
	[OPTION_RELOAD] = {.name = "reload"},
	[OPTION_ROOT] = {"root", 0, "DIR", "Read a captured directory in place of this machine"},
	[OPTION_TDX] = {"tdx", 0, "STATE", "Assume that TDX is active or absent; auto: detect it"},
	[OPTION_FAIL_ON] = {"fail-on", 0, "LIST",
		"Exit with 4 if a word of the list is true of a range"},
	[OPTION_ANONYMISE] = {"anonymise", 0, NULL,
		"Replace serial numbers and UUIDs, and leave out names"},
	[OPTION_SVG] = {"svg", 0, NULL, "Print an SVG document"},
	[OPTION_TIMEOUT] = {"timeout", 0, "SEC",
		"Wait at most so long; default 120, 0: do not wait"},
	[OPTION_JSON] = {"json", 'J', NULL, "Print JSON"},
	[OPTION_OUTPUT] = {"output", 'o', "LIST", "Print these columns; +LIST: these as well"},
	[OPTION_OUTPUT_ALL] = {"output-all", 'O', NULL, "Print all columns"},
	[OPTION_NOHEADINGS] = {"noheadings", 'n', NULL, "Print the rows only"},
	[OPTION_RAW] = {"raw", 'r', NULL, "Separate values by one space, and escape spaces"},
	[OPTION_BYTES] = {"bytes", 'b', NULL, "Print sizes in bytes"},
	[OPTION_TREE] = {"tree", 'T', NULL, "Print CXL windows, regions, devices and ranges"},
	[OPTION_VERSION] = {"version", 'V', NULL, "Print the version"},
	[OPTION_HELP] = {"help", 'h', NULL, "Print this text"},
};
static_assert(ARRAY_SIZE(option_table) == OPTION_MAX, "a row for each option");

unsigned int options_of(const struct program *program)
{
	unsigned int all = WITH_ALWAYS;

	for (size_t i = 0; i < program->n_commands; i++) {
		const struct command *command = &program->commands[i];

		all |= command->takes | (command->option ? WITH(command->option) : 0);
	}
	return all;
}

const char *argument_name(enum argument argument)
{
	static const char *const names[] = {
		[ARGUMENT_NONE] = "",
		[ARGUMENT_TARGET] = " TARGET",
		[ARGUMENT_DIRECTORY] = " DIR",
	};

	return names[argument];
}

/* --- what goes together --- */

/* "--dry-run, --oneshot or plan": the commands that take an option. */
static void append_takers(struct strbuf *text, const struct program *program, enum option_id option)
{
	const char *last = NULL, *before = "";

	for (size_t i = 0; i < program->n_commands; i++) {
		const struct command *command = &program->commands[i];

		if (!(command->takes & WITH(option)))
			continue;
		if (last) {
			strbuf_append(text, "%s%s", before, last);
			before = ", ";
		}
		last = command->name;
	}
	strbuf_append(text, "%s%s", *before ? " or " : "", last);
}

static int check_taken(const struct program *program, const struct options *options)
{
	unsigned int takes = options->command->takes | WITH_ALWAYS;
	char buf[256];
	struct strbuf takers = strbuf_in(buf, sizeof(buf));

	if (options->command->option)
		takes |= WITH(options->command->option);
	for (enum option_id option = OPTION_ROOT; option < OPTION_MAX; option++) {
		if (!option_given(options, option) || takes & WITH(option))
			continue;
		append_takers(&takers, program, option);
		log_print(LOG_ERR, "--%s is an option of %s", option_table[option].name, buf);
		return -EINVAL;
	}
	return 0;
}

static int check_table(const struct options *options)
{
	if (option_given(options, OPTION_SVG) && option_given(options, OPTION_JSON)) {
		log_print(LOG_ERR, "--svg does not go with --json");
		return -EINVAL;
	}
	for (enum option_id option = OPTION_OUTPUT; option <= OPTION_TREE; option++) {
		if (!option_given(options, option) || !option_given(options, OPTION_JSON))
			continue;
		log_print(LOG_ERR, "--%s does not go with --json", option_table[option].name);
		return -EINVAL;
	}
	if (!options->table.tree || !options->table.raw)
		return 0;
	log_print(LOG_ERR, "--tree does not go with --raw");
	return -EINVAL;
}

/* --- values --- */

static int set_tdx(struct options *options, const char *value)
{
	if (tdx_mode_from_string(value, &options->tdx) == 0)
		return 0;
	log_print(LOG_ERR, "--tdx=%s: not auto, active or absent", value);
	return -EINVAL;
}

/* A list replaces the columns that were chosen before, or with a plus adds to them. */
static int set_output(struct options *options, const char *list)
{
	struct table_options *columns = &options->table;
	const char *title = list;
	size_t n;

	if (*list == '+') {
		title++;
	} else {
		columns->only_chosen = true;
		columns->n_chosen = 0;
	}
	for (;; title += n + 1) {
		n = strcspn(title, ",");
		if (columns_choose(columns, title, n) < 0)
			break;
		if (!title[n])
			return 0;
	}
	log_print(LOG_ERR, "--output=%s: unknown column '%.*s'", list, (int)n, title);
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

static int set_timeout(struct options *options, const char *value)
{
	if (parse_number(value, &options->timeout) == 0 && options->timeout <= UINT32_MAX)
		return 0;
	log_print(LOG_ERR, "--timeout=%s: not a number of seconds", value);
	return -EINVAL;
}

static int set_target(struct options *options, const char *value)
{
	const char *command = options->command->name;
	int r = target_parse(value, &options->target);

	if (r == 0)
		return 0;
	if (r == -EDOM)
		log_print(LOG_ERR, "%s %s: an address begins with 0x", command, value);
	else
		log_print(LOG_ERR,
			"%s %s: not an address, memoryN, daxX.Y, regionN, memN, nodeN or PCI "
			"address",
			command, value);
	return -EINVAL;
}

static int take(struct options *options, enum option_id option, const char *value)
{
	struct table_options *columns = &options->table;

	options->given |= WITH(option);
	switch (option) {
	case OPTION_ROOT:
		options->root = value;
		return 0;
	case OPTION_TDX:
		return set_tdx(options, value);
	case OPTION_FAIL_ON:
		return set_fail_on(options, value);
	case OPTION_TIMEOUT:
		return set_timeout(options, value);
	case OPTION_OUTPUT:
		return set_output(options, value);
	case OPTION_OUTPUT_ALL:
		columns_choose_all(columns);
		return 0;
	case OPTION_NOHEADINGS:
		columns->noheadings = true;
		return 0;
	case OPTION_RAW:
		columns->raw = true;
		return 0;
	case OPTION_BYTES:
		columns->bytes = true;
		return 0;
	case OPTION_TREE:
		columns->tree = true;
		return 0;
	default:
		return 0;
	}
}

/* --- the command --- */

/* The command that is an option. */
static int find_option_command(const struct program *program, struct options *options)
{
	const struct command *found = NULL;

	for (size_t i = 0; i < program->n_commands; i++) {
		const struct command *command = &program->commands[i];

		if (!command->option || !option_given(options, command->option))
			continue;
		if (found) {
			log_print(LOG_ERR, "%s does not go with %s", command->name, found->name);
			return -EINVAL;
		}
		found = command;
	}
	if (found)
		options->command = found;
	return 0;
}

/* How many words of the arguments are the name of a command; 0: they are not. */
static int match_words(const char *name, int n, char *const words[])
{
	size_t first = strcspn(name, " ");

	if (!n || strncmp(words[0], name, first) != 0 || words[0][first])
		return 0;
	if (!name[first])
		return 1;
	return n > 1 && strcmp(words[1], name + first + 1) == 0 ? 2 : 0;
}

static int take_argument(struct options *options, const char *value)
{
	if (options->command->argument == ARGUMENT_TARGET)
		return set_target(options, value);
	options->directory = value;
	return 0;
}

static int unexpected(const char *word)
{
	log_print(LOG_ERR, "unexpected argument '%s'", word);
	return -EINVAL;
}

/* If the first word begins commands of two words: with the second, and those commands. */
static int not_a_command(const struct program *program, int n, char *words[])
{
	size_t first = strlen(words[0]);
	char buf[128];
	struct strbuf others = strbuf_in(buf, sizeof(buf));

	for (size_t i = 0; i < program->n_commands; i++) {
		const char *name = program->commands[i].name;

		if (strncmp(name, words[0], first) == 0 && name[first] == ' ')
			strbuf_append(&others, "%s'%s'", *buf ? ", " : ": try ", name);
	}
	log_print(LOG_ERR, "'%s%s%s' is not a command%s", words[0], *buf && n > 1 ? " " : "",
		*buf && n > 1 ? words[1] : "", buf);
	return -EINVAL;
}

/* The command whose name the arguments begin with, and how many of them it is; 0: none. */
static int find_words(
	const struct program *program, int n, char *const words[], const struct command **command)
{
	int used = 0;

	for (size_t i = 0; program->words && n && !used && i < program->n_commands; i++) {
		used = match_words(program->commands[i].name, n, words);
		if (used)
			*command = &program->commands[i];
	}
	return used;
}

/* The command that is words, and its argument. */
static int take_words(const struct program *program, struct options *options, int n, char *words[])
{
	int used = find_words(program, n, words, &options->command);

	if (n && !used)
		return program->words ? not_a_command(program, n, words) : unexpected(words[0]);
	if (options->command->argument == ARGUMENT_NONE)
		return n > used ? unexpected(words[used]) : 0;
	if (n > used + 1)
		return unexpected(words[used + 1]);
	if (n > used)
		return take_argument(options, words[used]);
	log_print(LOG_ERR, "%s needs an argument:%s", options->command->name,
		argument_name(options->command->argument));
	return -EINVAL;
}

/* --- getopt_long(3) --- */

/* The options of a program as getopt_long(3) reads them. */
static void fill_getopt(unsigned int all, char letters[static 2 * OPTION_MAX + 1],
	struct option longs[static OPTION_MAX + 1])
{
	struct strbuf text = strbuf_in(letters, 2 * OPTION_MAX + 1);
	size_t n = 0;

	for (enum option_id option = OPTION_NONE + 1; option < OPTION_MAX; option++) {
		bool value = option_table[option].value != NULL;

		if (!(all & WITH(option)))
			continue;
		longs[n++] = (struct option){.name = option_table[option].name,
			.has_arg = value ? required_argument : no_argument,
			.val = FIRST_LONG + (int)option};
		if (option_table[option].letter)
			strbuf_append(&text, "%c%s", option_table[option].letter, value ? ":" : "");
	}
	longs[n] = (struct option){0};
}

static enum option_id find_letter(int letter)
{
	for (enum option_id option = OPTION_NONE + 1; option < OPTION_MAX; option++)
		if (option_table[option].letter == letter)
			return option;
	return OPTION_NONE;
}

/* getopt_long(3) prints an option that it does not accept as it is: text that could control a
 * terminal is printed here. */
static bool all_printable(char *const argv[])
{
	while (*argv && is_printable_text(*argv))
		argv++;
	return !*argv;
}

/* 1: --help or --version, which end the command line. */
static int read_options(
	const struct program *program, int argc, char *argv[], struct options *options)
{
	char letters[2 * OPTION_MAX + 1] = "";
	struct option longs[OPTION_MAX + 1];
	int at = optind, value, r;

	fill_getopt(options_of(program), letters, longs);
	opterr = all_printable(argv);
	while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (value == '?') {
			if (!opterr)
				log_print(LOG_ERR, "'%s': an unknown option, or not used like this",
					argv[at]);
			return -EINVAL;
		}
		r = take(options,
			value < FIRST_LONG ? find_letter(value)
					   : (enum option_id)(value - FIRST_LONG),
			optarg);
		if (r < 0)
			return r;
		if (options->given & WITH_ALWAYS)
			return 1;
		at = optind;
	}
	return 0;
}

/* The command that is given before --help, or NULL. */
static const struct command *find_helped(
	const struct program *program, const struct options *options, char *const argv[])
{
	const struct command *found = NULL;

	for (size_t i = 0; !found && i < program->n_commands; i++)
		if (program->commands[i].option &&
			option_given(options, program->commands[i].option))
			found = &program->commands[i];
	for (int at = 1; !found && at < optind; at++)
		(void)find_words(program, optind - at, argv + at, &found);
	return found;
}

int options_parse(
	const struct program *program, int argc, char *argv[], struct options *ret_options)
{
	struct options options = {.command = &program->commands[0]};
	int r;

	r = read_options(program, argc, argv, &options);
	if (r == 1)
		options.command = find_helped(program, &options, argv);
	if (r == 0)
		r = find_option_command(program, &options);
	if (r == 0)
		r = take_words(program, &options, argc - optind, argv + optind);
	if (r == 0)
		r = check_taken(program, &options);
	if (r == 0)
		r = check_table(&options);
	if (r < 0)
		return r;
	*ret_options = options;
	return 0;
}
