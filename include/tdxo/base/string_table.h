/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * String tables: an enum's names, in an array that the enum indexes. A hole is NULL.
 */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "tdxo/base/compiler.h"

/* The index of a name in a table, or -EINVAL. */
static inline MUST_CHECK int string_table_find(
	const char *const names[], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

/* Define NAME_to_string() for an enum whose last member is `max`; the table must be complete. */
#define DEFINE_TO_STRING(name, type, table, max)                                                   \
	static_assert(ARRAY_SIZE(table) == (max), "a string for each " #name);                     \
	const char *name##_to_string(type value)                                                   \
	{                                                                                          \
		return (table)[value];                                                             \
	}

/* Define NAME_from_string() as well: 0, or -EINVAL if the table does not have the text. */
#define DEFINE_STRING_TABLE(name, type, table, max)                                                \
	DEFINE_TO_STRING(name, type, table, max)                                                   \
	int name##_from_string(const char *text, type *ret_value)                                  \
	{                                                                                          \
		int i = string_table_find(table, ARRAY_SIZE(table), text);                         \
                                                                                                   \
		if (i < 0)                                                                         \
			return i;                                                                  \
		*ret_value = (type)i;                                                              \
		return 0;                                                                          \
	}
