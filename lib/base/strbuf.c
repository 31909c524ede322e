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

static bool is_between(char c, unsigned char first, unsigned char last)
{
	return (unsigned char)c >= first && (unsigned char)c <= last;
}

/*
 * By the first byte: which second bytes a character can have, and how long it is. The bounds of
 * the second byte exclude what has a shorter form, surrogates, and what is above U+10FFFF.
 */
static const struct {
	unsigned char first, last;
	unsigned char second_first, second_last;
	size_t length;
} utf8_forms[] = {
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3},
	{0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t utf8_length(const char *text)
{
	if (is_between(*text, 0x01, 0x7f))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(utf8_forms); i++) {
		size_t n = 2;

		if (!is_between(*text, utf8_forms[i].first, utf8_forms[i].last))
			continue;
		if (!is_between(text[1], utf8_forms[i].second_first, utf8_forms[i].second_last))
			return 0;
		while (n < utf8_forms[i].length && is_between(text[n], 0x80, 0xbf))
			n++;
		return n == utf8_forms[i].length ? n : 0;
	}
	return 0;
}
