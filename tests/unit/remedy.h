/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The form of a remedy: one command line, or whole sentences with commands between single quotes.
 * Bash can parse each command, its paths are absolute, and no part of it makes the next one fail or
 * skips a part that restores something.
 */
#pragma once

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The programs that a command may begin with. The variable is a command of chmem or daxctl. */
static inline bool is_tool(const char *command)
{
	static const char *const tools[] = {"@TDXO_REMOVAL@", "cat ", "chmem ", "daxctl ", "echo ",
		"findmnt ", "fuser ", "journalctl ", "mkdir ", "modinfo ", "mount ", "printf ",
		"readlink ", "sed ", "systemctl ", "tdx-onlined ", "tdx-onlinectl "};

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (strncmp(command, tools[i], strlen(tools[i])) == 0)
			return true;
	return false;
}

/* A word with a slash is an absolute path, also in a redirection, or an expression of sed. */
static inline void assert_words(const char *command)
{
	static const char separators[] = " ;";

	for (const char *word = command; *word; word += strspn(word, separators)) {
		size_t length = strcspn(word, separators);
		bool path = memchr(word, '/', length) && strncmp(word, "virt/tdx", length) != 0;

		if (path && !strchr("/'$", word[*word == '>']))
			fail_msg("no absolute path: %s\n%s", word, command);
		word += length;
	}
}

static inline void assert_command(const char *command)
{
	FILE *shell;

	if (!is_tool(command))
		fail_msg("not a command: %s", command);
	shell = popen("bash -n", "w");
	assert_non_null(shell);
	fprintf(shell, "%s\n", command);
	if (pclose(shell) != 0)
		fail_msg("the shell cannot parse: %s", command);
	assert_words(command);
	/* The result of cp -n depends on coreutils (9.2), and a copy can be incomplete. */
	assert_null(strstr(command, "cp -n"));
	/* Memory that was taken offline is onlined again, also if another command fails. */
	if (strstr(command, "chmem -d"))
		assert_null(strstr(command, "&&"));
	assert_null(strchr("&.", command[strlen(command) - 1]));
}

static inline void assert_remedy(const char *remedy)
{
	char command[4096];
	const char *at = remedy, *end;

	if (islower((unsigned char)*remedy)) {
		assert_command(remedy);
		return;
	}
	if (!isupper((unsigned char)*remedy) || remedy[strlen(remedy) - 1] != '.')
		fail_msg("neither a command nor sentences: %s", remedy);
	while ((at = strchr(at, '\''))) {
		bool apostrophe = at[-1] != ' ' && at[-1] != '(';

		end = apostrophe ? at++ : strchr(++at, '\'');
		assert_non_null(end);
		if (apostrophe)
			continue;
		snprintf(command, sizeof(command), "%.*s", (int)(end - at), at);
		assert_command(command);
		at = end + 1;
	}
}
