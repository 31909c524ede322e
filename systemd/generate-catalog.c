/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Write the journal catalog from its template and the table of reasons. A line "REASONS verdict"
 * becomes all reasons that the verdict can have, a line "REASON name" becomes that reason. Built
 * for the build machine, and run there.
 */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/policy/reason.h"

#define WIDTH 78

static const char *const verdicts[] = {
	[VERDICT_ONLINE] = "online",
	[VERDICT_DEVDAX] = "devdax",
	[VERDICT_OFFLINE] = "offline",
	[VERDICT_IGNORE] = "ignore",
};
static_assert(ARRAY_SIZE(verdicts) == VERDICT_MAX, "a name for each verdict");

/* The length of the first word; a command in quotes is one. */
static size_t word_length(const char *text)
{
	size_t quoted = *text == '\'' ? 1 + strcspn(text + 1, "'") : 0;

	return quoted + strcspn(text + quoted, " ");
}

static void print_wrapped(const char *text, const char *indent)
{
	size_t column = WIDTH;

	while (*text) {
		size_t length = word_length(text);
		bool fits = column + 1 + length <= WIDTH;

		printf("%s%.*s", fits ? " " : indent, (int)length, text);
		column = length + (fits ? column + 1 : strlen(indent) - 1);
		text += length;
		text += strspn(text, " ");
	}
}

static void print_reason(enum reason reason)
{
	const char *clause = reason_clause(reason);
	char text[1024];

	snprintf(text, sizeof(text), "%c%s. %s %s%s", toupper((unsigned char)clause[0]), clause + 1,
		reason_explanation(reason), reason_remedy(reason),
		reason_decides_again(reason) ? " Then run 'tdx-onlined --decide=@TDXO_START@'."
					     : "");
	printf("  %s", reason_to_string(reason));
	print_wrapped(text, "\n    ");
	putchar('\n');
}

static void print_reasons(const char *name)
{
	enum verdict verdict = 0;

	while (strcmp(verdicts[verdict], name) != 0)
		if (++verdict == VERDICT_MAX)
			exit(EXIT_FAILURE);
	for (enum reason reason = 0; reason < REASON_MAX; reason++)
		/* The kernel's refusal has an entry of its own, whatever the verdict. */
		if (reason_has_verdict(reason, verdict) && reason != REASON_KERNEL_REFUSED)
			print_reason(reason);
}

int main(void)
{
	char line[256], name[32];
	enum reason reason;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "REASONS %31s", name) == 1)
			print_reasons(name);
		else if (sscanf(line, "REASON %31s", name) != 1)
			fputs(line, stdout);
		else if (reason_from_string(name, &reason) < 0)
			return EXIT_FAILURE;
		else
			print_reason(reason);
	}
	return ferror(stdin) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
