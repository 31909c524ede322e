/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values: the texts of the configuration to what they mean.
 *
 * A list is words with blanks between them. A parser takes all of its text or nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"

#define WORD_TEXT  128	/* the longest word, with its NUL */
#define ERRNO_MOST 4095 /* MAX_ERRNO, include/linux/err.h, 6.12 */

/* Take the next word off a list: 1; 0: there is none; -EINVAL: it is too long for a word. */
int parse_word(const char **list, char ret_word[WORD_TEXT]) MUST_CHECK;

/* yes, true, on, 1 or no, false, off, 0, as in systemd.syntax(7). 0 or -EINVAL. */
int parse_bool(const char *text, bool *ret_bool) MUST_CHECK;

/* An unsigned number, decimal or with 0x. 0 or -EINVAL. */
int parse_number(const char *text, uint64_t *ret_number) MUST_CHECK;

/* "NAME12": the decimal number after a prefix, with nothing else after it. */
bool parse_number_after(const char *name, const char *prefix, uint64_t *ret_number);

/* Bytes; K, M, G or T after the number multiplies by powers of 1024. 0 or -EINVAL. */
int parse_size(const char *text, uint64_t *ret_bytes) MUST_CHECK;

/* "0x100000000-0x1ffffffff": end inclusive. 0, or -EINVAL: no range, empty, or end < start. */
int parse_range(const char *text, struct range *ret_range) MUST_CHECK;

/*
 * A list of such ranges, to a set that replaces what was in it. 0; 1 if
 * two of them overlap; -EINVAL; -ENOMEM.
 */
int parse_ranges(const char *list, struct range_set *ret_set) MUST_CHECK;
