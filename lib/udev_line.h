/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lines of a udev rules file, and the tokens of a line: KEY{attribute}OP"value".
 *
 * Lines are joined as udevd (252) joins them: a backslash at the end continues a line, comments
 * in between do not count, and blanks before each part are dropped. A NUL ends a line as well.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/compiler.h"
#include "tdxo/udev_rule.h"

#define UDEV_TOKENS 128 /* a line of so many, or more, is ignored */

enum udev_op {
	UDEV_EQUAL,	/* == */
	UDEV_NOT_EQUAL, /* != */
	UDEV_ASSIGN,	/* =, += and := */
	UDEV_REMOVE,	/* -= */
};

struct udev_token {
	const char *key;
	const char *attribute; /* empty: none */
	enum udev_op op;
	bool any_case; /* i"value" */
	const char *value;
};

struct udev_line {
	unsigned int first, last;
	struct udev_token tokens[UDEV_TOKENS];
	size_t n;
	char text[UDEV_LINE]; /* the tokens point into it */
};

struct udev_lines {
	const char *text;
	size_t size;
	size_t position;
	unsigned int line;
};

/* The next line with a token in it. False: there is none. */
bool udev_lines_next(struct udev_lines *lines, struct udev_line *ret_line) MUST_CHECK;
