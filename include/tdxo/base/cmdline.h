/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel command line: parameters and their values. Names have underscores, as the kernel takes
 * a dash for one. What is too long is cut off.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/base/compiler.h"

#define FOREIGN_NAME  64
#define FOREIGN_VALUE 256

struct parameter {
	char name[FOREIGN_NAME];
	char value[FOREIGN_VALUE]; /* empty: it has none */
};

/*
 * Take the next parameter off the text, as next_arg() in lib/cmdline.c (6.12) does: quotes may be
 * around blanks. False: there is none, or what follows is for init.
 */
bool parameter_next(const char **text, struct parameter *ret_parameter) MUST_CHECK;

/* Is a word in the value, a list with commas? Dashes and underscores are the same. */
bool parameter_lists(const struct parameter *parameter, const char *word);

/* True if kstrtobool() (lib/kstrtox.c, 6.12) reads the value as false. */
bool parameter_is_no(const char *value);

/* In the name of a module or parameter. */
void cmdline_use_underscores(char *name);
