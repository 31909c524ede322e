/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sentences on a terminal: broken between words, and indented. Anywhere else a line stays a line,
 * so that programs can look for words in it.
 */
#pragma once

/* Print a text and a newline; `column` is where it begins, and where its further lines do. */
void wrap_print(const char *text, unsigned int column);
