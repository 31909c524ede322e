/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text under construction, in a buffer of the caller: what does not fit is cut off.
 *
 * Foreign text (names, firmware versions, lines of files, the command line) can contain any
 * bytes. It is kept and compared as it is, and made printable where it leaves the program.
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

/*
 * Append the text as printable ASCII: "\xNN" stands for each other byte NN, also for a newline. The
 * form is that of raw output and of $'...' in a shell. A backslash stays as it is.
 */
void strbuf_append_printable(struct strbuf *text, const char *foreign);

/* The same in a new buffer of any length; NULL if there is no memory. */
char *new_printable(const char *foreign) MUST_CHECK;

bool is_printable_text(const char *text);
