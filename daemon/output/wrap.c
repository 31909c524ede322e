/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sentences on a terminal.
 */
#include "daemon/output/wrap.h"

#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/log/print.h"

#define NARROW 40 /* less than that would be a column of words */

/* How many characters fit on a line. */
static unsigned int width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < NARROW)
		return UINT_MAX;
	return size.ws_col;
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
