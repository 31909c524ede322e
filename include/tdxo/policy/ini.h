/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration text, line by line: sections, keys with their values, and mistakes.
 *
 * Lines end with LF. A line is blank, a comment that begins with '#', a "[Section]" or a
 * "Key=value"; sections and keys are made of letters. A '#' in a value begins a comment, also
 * between quotation marks. A value has no blanks around it, and no '"' if one is at each end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"

#define INI_NAME 32	     /* the longest name of a section or key, with its NUL */
#define INI_LINE 4000	     /* the longest line, in bytes */
#define INI_TEXT (64 * 1024) /* the longest text, in bytes */

enum ini_kind {
	INI_END,
	INI_SECTION,
	INI_KEY,
	INI_MISTAKE,
};

struct ini_item {
	enum ini_kind kind;
	unsigned int line;
	char section[INI_NAME]; /* empty before the first one */
	char key[INI_NAME];
	const char *value; /* of a key: borrowed from the text, without a NUL; may be empty */
	size_t value_size;
	const char *mistake; /* what is wrong, a static text */
	bool orphan;	     /* the head of its section is a mistake: who knows where it belongs */
};

struct ini {
	const char *text;
	size_t size;
	size_t position;
	unsigned int line;
	char section[INI_NAME];
	bool spoilt; /* the last head of a section was a mistake */
};

/* The text is borrowed, and need not end with a NUL. */
void ini_init(struct ini *ini, const char *text, size_t size);

/* The next section, key or mistake. After INI_END there is nothing more. */
struct ini_item ini_next(struct ini *ini);

/* The line of a key, or of a section if the key is NULL; 0: it is not there. */
unsigned int ini_find(const char *text, size_t size, const char *section, const char *key);
