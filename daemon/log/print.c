/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standard output.
 */
#include "daemon/log/print.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/strbuf.h"

static int error; /* of a line that there was no memory for */

/* `text` is NULL if there was no memory for it. */
static void print_printable(const char *text, bool whole)
{
	char *printable = text ? new_printable(text) : NULL;

	if (printable)
		fputs(printable, stdout);
	else
		error = -ENOMEM;
	if (whole)
		putchar('\n');
	free(printable);
}

void print(const char *format, ...)
{
	size_t length = strlen(format);
	bool whole = length && format[length - 1] == '\n';
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		text = NULL;
	else if (whole)
		text[n - 1] = '\0';
	print_printable(text, whole);
	free(text);
}

void print_text(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n\t");

		print("%.*s", (int)n, text);
		if (text[n])
			putchar(text[n++]);
		text += n;
	}
}

void print_drawing(const char *text)
{
	fputs(text, stdout);
}

int print_flush(void)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		return -(errno ?: EIO);
	return error;
}
