/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts.
 */
#include "tdxo/base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void strbuf_append_printable(struct strbuf *text, const char *foreign)
{
	for (; *foreign; foreign++)
		if (is_printable(*foreign))
			strbuf_append(text, "%c", *foreign);
		else
			strbuf_append(text, "\\x%02x", (unsigned char)*foreign);
}

char *new_printable(const char *foreign)
{
	size_t size = strlen(foreign) + 1;
	char *buf = reallocarray(NULL, size, strlen("\\xNN"));
	struct strbuf text;

	if (!buf)
		return NULL;
	text = strbuf_in(buf, size * strlen("\\xNN"));
	strbuf_append_printable(&text, foreign);
	return buf;
}

bool is_printable_text(const char *text)
{
	while (is_printable(*text))
		text++;
	return !*text;
}
