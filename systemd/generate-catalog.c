/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Write the journal catalog from its template and the table of reasons: the line REASONS becomes an
 * entry for each reason. Built for the build machine, and run there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/policy/reason.h"

#define WIDTH 78

/* What precedes a command that gets a line of its own. */
static const char before_command[] = ": '";

/* The length of the first word; a command in quotes is one. */
static size_t word_length(const char *text)
{
	size_t quoted = *text == '\'' ? 1 + strcspn(text + 1, "'") : 0;

	return quoted + strcspn(text + quoted, " ");
}

static void print_wrapped(const char *text, size_t length)
{
	const char *end = text + length;
	size_t column = 0;

	while (text < end) {
		size_t word = word_length(text);
		bool fits = column && column + 1 + word <= WIDTH;

		if (text + word > end)
			word = (size_t)(end - text);
		printf("%s%.*s", fits ? " " : column ? "\n" : "", (int)word, text);
		column = word + (fits ? column + 1 : 0);
		text += word;
		text += strspn(text, " ");
	}
	printf("\n\n");
}

/* A line that is too long goes on before what it writes to. */
static void print_line(const char *command, size_t length)
{
	const char *file = strstr(command, " >/");
	size_t first = (size_t)(file - command);

	if (length <= WIDTH || !file || first > length)
		printf("  %.*s", (int)length, command);
	else
		printf("  %.*s \\\n   %.*s", (int)first, command, (int)(length - first), file);
}

/* One command, or a list of commands that is one to paste, with each of them on a line. */
static void print_commands(const char *commands, size_t length)
{
	static const char and[] = " && ";
	const char *end = commands + length, *next;

	while ((next = strstr(commands, and)) && next < end) {
		print_line(commands, (size_t)(next - commands));
		printf(" &&\n");
		commands = next + strlen(and);
	}
	print_line(commands, (size_t)(end - commands));
	printf("\n\n");
}

/* Paragraphs, and commands between them. */
static void print_text(const char *text)
{
	const char *found;

	while ((found = strstr(text, before_command))) {
		const char *command = found + strlen(before_command);
		size_t length = strcspn(command, "'");

		print_wrapped(text, (size_t)(found + 1 - text));
		print_commands(command, length);
		text = command + length + 1;
		text += strspn(text, ". ");
	}
	if (*text)
		print_wrapped(text, strlen(text));
}

static void print_entry(enum reason reason, bool dax)
{
	printf("-- %s\nSubject: %s\nDefined-By: tdx-onlined\n"
	       "Documentation: man:tdx-onlined(8)\n"
	       "Documentation: man:tdx-onlined.conf(5)\n"
	       "Documentation: man:tdx-onlined.rule(5)\n\n",
		reason_message_id(reason, dax), reason_subject(reason));
	print_text(reason_explanation(reason));
	print_text(reason_remedy(reason, dax));
	print_text("To print all that is known about this memory, from firmware to driver: "
		   "'tdx-onlinectl explain @TDXO_TARGET@'.");
}

static void print_reasons(void)
{
	for (enum reason reason = 0; reason < REASON_MAX; reason++) {
		print_entry(reason, true);
		if (reason_has_two_remedies(reason))
			print_entry(reason, false);
	}
}

int main(void)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin))
		if (strcmp(line, "REASONS\n") == 0)
			print_reasons();
		else
			fputs(line, stdout);
	return ferror(stdin) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
