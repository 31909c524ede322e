/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standard output, for everything but tables and JSON. Nothing else prints: the structure test
 * checks it.
 */
#pragma once

#include "tdxo/base/compiler.h"

/*
 * Print a line, or a part of one, which may contain foreign text. A newline at the end of the
 * format ends the line; any other newline is taken for foreign text, and is printed as \x0a.
 */
void print(const char *format, ...) PRINTF(1, 2);

/* Print a text of several lines, such as a file; its tabs stay as they are. */
void print_text(const char *text);

/* Print a text of the program's own as it is: characters to draw with, and colours. */
void print_drawing(const char *text);

/* Print what is still buffered. 0, or the negative errno of what could not be printed. */
int print_flush(void) MUST_CHECK;
