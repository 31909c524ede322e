/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts.
 */
#include "tdxo/text.h"

#include <stdarg.h>
#include <stdio.h>

void text_append(struct text *text, const char *format, ...)
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
