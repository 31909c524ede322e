/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts.
 */
#include "tdxo/base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>

void strbuf_append(struct strbuf *text, const char *format, ...)
{
	size_t room = text->size - text->n;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->buf + text->n, room, format, args);
	va_end(args);
	if (n > 0)
		text->n += (size_t)n < room ? (size_t)n : room - 1;
}

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

void make_printable(char *text)
{
	for (; *text; text++)
		if (!is_printable(*text))
			*text = '?';
}

bool is_printable_text(const char *text)
{
	while (is_printable(*text))
		text++;
	return !*text;
}
