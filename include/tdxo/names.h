/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way back from a name to its enum: tables of names are indexed by the enum.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "tdxo/compiler.h"

/* The index of a name in a table, or -EINVAL. Holes in the table are NULL. */
static inline MUST_CHECK int names_find(const char *const names[], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}
