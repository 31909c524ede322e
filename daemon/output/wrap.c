/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sentences on a terminal.
 */
#include "daemon/output/wrap.h"

#include <limits.h>
#include <string.h>

#include "daemon/log/print.h"
#include "daemon/output/terminal.h"

#define NARROW 40 /* less than that would be a column of words */

/* How many characters fit on a line. */
static unsigned int width(void)
{
	unsigned int columns = terminal_width();

	return columns < NARROW ? UINT_MAX : columns;
}

/* The length of the first word. A command in quotes is one, so that it can be copied. */
static unsigned int word(const char *text)
{
	const char *end = *text == '\'' ? strchr(text + 1, '\'') : NULL;

	end = end ?: text;
	return (unsigned int)(end + strcspn(end, " ") - text);
}

void wrap_print(const char *text, unsigned int column)
{
	unsigned int limit = width(), at = column;
	const char *before = "";

	while (*text) {
		unsigned int n = word(text);

		if (at > column && at + 1 + n > limit) {
			print("\n");
			print("%*s", (int)column, "");
			before = "";
			at = column;
		}
		print("%s%.*s", before, (int)n, text);
		at += (unsigned int)strlen(before) + n;
		before = " ";
		text += n + (text[n] == ' ');
	}
	print("\n");
}
