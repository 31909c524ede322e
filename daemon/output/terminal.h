/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The terminal that standard output is, if it is one.
 */
#pragma once

#include <stdbool.h>

/* No terminal, no colours; see also https://no-color.org */
bool terminal_has_colours(void);

/* How many characters fit on a line; 0: it is not a terminal, or has no width. */
unsigned int terminal_width(void);
