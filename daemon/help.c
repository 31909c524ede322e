/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --help, from the tables of commands and options.
 */
#include <string.h>

#include "daemon/log/print.h"
#include "daemon/options.h"
#include "tdxo/record/fail_on.h"

/* Lines of the program's own; print() would make their newlines visible. */
static void print_lines(const char *text)
{
	for (size_t n; *text; text += n + 1) {
		n = strcspn(text, "\n");
		print("%.*s\n", (int)n, text);
	}
}

static void help_command(const struct command *command)
{
	char text[32];
	struct strbuf left = strbuf_in(text, sizeof(text));

	strbuf_append(&left, "%s%s%s", command->option ? "    " : "", command->name,
		argument_name(command->argument));
	if (command->help)
		print("  %-18s %s\n", text, command->help);
}

static void help_option(enum option_id option)
{
	char text[32];
	struct strbuf left = strbuf_in(text, sizeof(text));

	if (option_table[option].letter)
		strbuf_append(&left, "-%c, ", option_table[option].letter);
	else
		strbuf_append(&left, "    ");
	strbuf_append(&left, "--%s", option_table[option].name);
	if (option_table[option].value)
		strbuf_append(&left, "=%s", option_table[option].value);
	print("  %-18s %s\n", text, option_table[option].help);
}

static bool takes_target(const struct program *program, const struct command *command)
{
	for (size_t i = 0; i < program->n_commands; i++)
		if ((!command || command == &program->commands[i]) &&
			program->commands[i].argument == ARGUMENT_TARGET)
			return true;
	return false;
}

static void help_columns(void)
{
	print_lines("\nColumns:\n");
	columns_help();
}

static void help_words(void)
{
	print_lines("\nWords of --fail-on:\n");
	for (unsigned int word = 0; word < FAIL_ON_MAX; word++)
		print("  %-16s %s\n", fail_on_to_string(word), fail_on_explain(word));
}

/* The first lines, to the heading of the options. */
static void help_program(const struct program *program)
{
	print("%s [OPTION...]%s\n", program->name, program->words ? " [COMMAND]" : "");
	print("\n");
	print_lines(program->summary);
	print("\n");
	print("%s:\n", program->words ? "Commands" : "Options");
	for (size_t i = 0; i < program->n_commands; i++)
		help_command(&program->commands[i]);
	if (program->words)
		print_lines("\nOptions:\n");
}

static void help_one(const struct program *program, const struct command *command)
{
	print("%s %s%s [OPTION...]\n", program->name, command->name,
		argument_name(command->argument));
	print("\n");
	print("%s.\n", command->help);
	print_lines("\nOptions:\n");
}

void options_help(const struct program *program, const struct command *command)
{
	unsigned int takes = command ? command->takes | WITH_ALWAYS : options_of(program);

	if (command)
		help_one(program, command);
	else
		help_program(program);
	for (enum option_id option = OPTION_ROOT; option < OPTION_MAX; option++)
		if (takes & WITH(option))
			help_option(option);
	if (takes_target(program, command))
		print_lines("\nTARGET is an address, a range, memoryN, daxX.Y, regionN, memN, "
			    "nodeN or a PCI address.\n");
	if (takes & WITH(OPTION_OUTPUT))
		help_columns();
	if (takes & WITH(OPTION_FAIL_ON))
		help_words();
	print("\n");
	print_lines(program->manual);
}
