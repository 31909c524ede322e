/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text under construction, in a buffer of somebody else's: what does not fit is cut off. And
 * texts of others, which may hold any bytes, before they are printed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"

struct strbuf {
	char *buf;
	size_t size; /* of the buffer, at least 1 */
	size_t n;    /* bytes that are in it, without the NUL */
};

/* The buffer holds the empty string then. */
static inline struct strbuf strbuf_in(char *buf, size_t size)
{
	buf[0] = '\0';
	return (struct strbuf){.buf = buf, .size = size};
}

void strbuf_append(struct strbuf *text, const char *format, ...) PRINTF(2, 3);

/* A message is one line of printable ASCII characters; every other byte becomes a '?'. */
void make_printable(char *text);
bool is_printable_text(const char *text);
