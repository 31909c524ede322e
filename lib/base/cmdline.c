/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel command line.
 */
#include "tdxo/base/cmdline.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void cmdline_use_underscores(char *name)
{
	for (; *name; name++)
		if (*name == '-')
			*name = '_';
}

/* Copy without quotes what lies between two places. */
static void copy_bare(char *to, size_t size, const char *from, const char *end)
{
	size_t n = 0;

	for (; from < end && n + 1 < size; from++)
		if (*from != '"')
			to[n++] = *from;
	to[n] = '\0';
}

bool parameter_next(const char **text, struct parameter *ret_parameter)
{
	const char *start = *text + strspn(*text, " \t\n"), *at = start, *equals = NULL;
	bool quoted = false;

	for (; *at && (quoted || !strchr(" \t\n", *at)); at++) {
		quoted ^= *at == '"';
		if (*at == '=' && !equals)
			equals = at;
	}
	*text = at;
	*ret_parameter = (struct parameter){0};
	copy_bare(ret_parameter->name, FOREIGN_NAME, start, equals ?: at);
	if (equals)
		copy_bare(ret_parameter->value, FOREIGN_VALUE, equals + 1, at);
	if (start == at || strcmp(ret_parameter->name, "--") == 0)
		return false;
	cmdline_use_underscores(ret_parameter->name);
	return true;
}

bool parameter_lists(const struct parameter *parameter, const char *word)
{
	char item[FOREIGN_VALUE];

	for (const char *at = parameter->value;; at++) {
		size_t length = strcspn(at, ",");

		snprintf(item, sizeof(item), "%.*s", (int)length, at);
		cmdline_use_underscores(item);
		if (strcmp(item, word) == 0)
			return true;
		at += length;
		if (!*at)
			return false;
	}
}

bool parameter_is_no(const char *value)
{
	return (*value && strchr("0nNfF", *value)) || strncasecmp(value, "of", 2) == 0;
}
